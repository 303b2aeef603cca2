"""The step of a build that finds escalation paths: which each identity holds, and the way to an administrator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from analytics.findings.escalation.escalations import HeldPath, Step
    from analytics.steps.state import Build


def find_escalation(build: Build) -> None:
    """Every path of every identity of the snapshot, and the shortest chain to an administrator."""
    subjects = build.estate.subjects.values() if build.snapshot else ()
    escalations = build.escalations
    paths = [(one.arn, at, path) for one in subjects for at, path in enumerate(escalations.of(one))]
    steps = [(one.arn, at, step) for one in subjects for at, step in enumerate(escalations.route(one.arn), start=1)]
    build.run("escalation", escalation_rows=path_rows(paths))
    build.run("escalation_step", escalation_step_rows=step_rows(steps))


def path_rows(found: list[tuple[str, int, HeldPath]]) -> pa.Table:
    """Held paths as rows: identity, position from 0, path."""
    paths = [path for _arn, _at, path in found]
    return pa.table(
        {
            "principal_arn": pa.array([arn for arn, _at, _path in found], pa.string()),
            "position": pa.array([at for _arn, at, _path in found], pa.int32()),
            "path_id": pa.array([path.path_id for path in paths], pa.string()),
            "title": pa.array([path.title for path in paths], pa.string()),
            "category": pa.array([path.category for path in paths], pa.string()),
            "surely": pa.array([path.surely for path in paths], pa.bool_()),
            "target_arn": pa.array([path.target_arn for path in paths], pa.string()),
            "target": pa.array([path.target for path in paths], pa.string()),
            "target_factor": pa.array([path.target_factor for path in paths], pa.float64()),
            "strength": pa.array([path.strength for path in paths], pa.float64()),
            "actions": pa.array([json.dumps(path.actions) for path in paths], pa.string()),
            "why": pa.array([path.why for path in paths], pa.string()),
        }
    )


def step_rows(found: list[tuple[str, int, Step]]) -> pa.Table:
    """Steps as rows: identity, number from 1, step."""
    steps = [step for _arn, _at, step in found]
    return pa.table(
        {
            "principal_arn": pa.array([arn for arn, _at, _step in found], pa.string()),
            "step": pa.array([at for _arn, at, _step in found], pa.int32()),
            "from_arn": pa.array([step.from_arn for step in steps], pa.string()),
            "to_arn": pa.array([step.to_arn for step in steps], pa.string()),
            "path_id": pa.array([step.path_id for step in steps], pa.string()),
            "actions": pa.array([json.dumps(step.actions) for step in steps], pa.string()),
            "surely": pa.array([step.surely for step in steps], pa.bool_()),
        }
    )
