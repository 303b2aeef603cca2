"""The guardrail matrix as rows: of the tables of a build, and of what the command line prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.estate import Estate
    from analytics.findings.guardrails.matrix import Cell, LeftOut, Stated
    from analytics.findings.guardrails.scenarios import Scenario

_SCENARIO_TEXTS = (
    *("id", "title", "category", "set", "severity", "principal", "resource", "guardrail_shape", "best_layer"),
    *("why", "note"),
)
_SCENARIO_LISTS = ("actions", "other_layers", "mitre", "usual_exemptions")
_COUNTS = ("principals", "stopped", "can_act", "did_act")
_JSON = ("statements", "missing_actions", "open_actions", "exemptions")
_TEXTS = (
    *("scenario", "severity", "category", "target", "target_kind", "target_name", "target_path", "layer", "state"),
    *("best_layer_of", "note"),
)


def scenario_rows(scenarios: Sequence[Scenario]) -> pa.Table:
    """The scenarios in their order."""
    columns = {name: pa.array([getattr(one, name) for one in scenarios], pa.string()) for name in _SCENARIO_TEXTS}
    lists = {
        name: pa.array([json.dumps(getattr(one, name)) for one in scenarios], pa.string()) for name in _SCENARIO_LISTS
    }
    return pa.table({**columns, **lists, "position": pa.array(range(len(scenarios)), pa.int32())})


def coverage_rows(cells: Iterable[Cell], scenarios: Sequence[Scenario], estate: Estate) -> pa.Table:
    """The cells with the names of their targets."""
    about = {scenario.id: scenario for scenario in scenarios}
    rows = [cell_row(cell, about[cell.scenario], estate) for cell in cells]
    texts = {name: pa.array([row[name] for row in rows], pa.string()) for name in _TEXTS}
    counts = {name: pa.array([row[name] for row in rows], pa.int32()) for name in _COUNTS}
    documents = {name: pa.array([json.dumps(row[name]) for row in rows], pa.string()) for name in _JSON}
    single = pa.array([row["single_layer"] for row in rows], pa.bool_())
    return pa.table({**texts, **counts, **documents, "single_layer": single})


def cell_row(cell: Cell, scenario: Scenario, estate: Estate) -> dict[str, Any]:
    """One cell, its lists as lists."""
    name, path = target_names(cell.target, estate)
    return {
        "scenario": cell.scenario,
        "severity": scenario.severity,
        "category": scenario.category,
        "target": cell.target,
        "target_kind": cell.target_kind,
        "target_name": name,
        "target_path": path,
        "layer": cell.layer.value,
        "state": cell.state.value,
        "single_layer": cell.single_layer,
        "best_layer_of": cell.best_layer_of.value if cell.best_layer_of else None,
        "principals": cell.principals,
        "stopped": cell.stopped,
        "statements": [_statement(one) for one in cell.statements],
        "missing_actions": list(cell.missing_actions),
        "open_actions": list(cell.open_actions),
        "exemptions": [_exemption(one) for one in cell.exemptions],
        "note": cell.note,
        "can_act": cell.can_act,
        "did_act": cell.did_act,
    }


def target_names(target: str, estate: Estate) -> tuple[str, str]:
    """Name and path of a target; what has no name is shown by its id."""
    node = estate.nodes.get(target)
    if node is not None:
        return node.name, node.path
    subject = estate.subjects.get(target)
    if subject is not None:
        above = estate.nodes.get(subject.account_id)
        return subject.name, f"{above.path if above else subject.account_id}/{subject.name}"
    account = estate.accounts.get(target)
    name = (account.name if account else None) or target
    return name, name


def _statement(one: Stated) -> dict[str, Any]:
    return {
        "policy": one.policy,
        "policy_arn": one.policy_arn,
        "attached_to": one.attached_to,
        "sid": one.sid,
        "index": one.index,
    }


def _exemption(one: LeftOut) -> dict[str, Any]:
    return {"principal": one.principal, "kind": one.kind, "statement": _statement(one.statement)}
