"""Boundaries as rows: inventory, ways out, who lacks one and makes others, drift from the team's map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.boundaries.boundary_map import read_boundary_map
from analytics.findings.boundaries.drift import DriftReport, DriftRow, Known, drift
from analytics.findings.boundaries.fit import Fit, fitter_of
from analytics.findings.boundaries.fit_calls import UsedCalls, needed_actions, with_calls
from analytics.findings.boundaries.inventory import Boundary, boundaries_in_use, boundary_counts, makers, weaknesses
from analytics.findings.organization.quota import characters
from analytics.iam.stack import NamedPolicy
from analytics.outputs.queries.build import records
from analytics.outputs.queries.frames import ACCOUNT, IDENTITY, account_columns, frame, identity_columns
from analytics.outputs.queries.templates import used_calls

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.findings.boundaries.boundary_map import Rule
    from analytics.findings.estate import Estate
    from analytics.settings import Settings

ATTACHED = """
select principal_arn, boundary_arn from principals where in_snapshot and boundary_arn is not null
order by principal_arn"""
GROUPS = "select principal_arn, list(distinct group_name order by group_name) as names from identity_groups group by 1"
PERMISSION_SETS = (
    "select name, list(permission_set_arn order by permission_set_arn) as arns from permission_sets group by 1"
)
POLICIES = "select policy_arn from managed_policies"


def attached_boundaries(con: DuckDBPyConnection) -> dict[str, str]:
    """The ARN of every identity's boundary, collected or not."""
    return {row["principal_arn"]: row["boundary_arn"] for row in records(con, ATTACHED)}


def boundary_inventory(con: DuckDBPyConnection, estate: Estate) -> pd.DataFrame:
    """One row per boundary and account: how many hold it, and which ways out it leaves open."""
    boundaries = boundaries_in_use(estate, attached_boundaries(con))
    open_ways: dict[tuple[str, str], dict[str, None]] = {}
    for found in weaknesses(estate, boundaries):
        open_ways.setdefault(_key(found.boundary), {})[str(found.way_out)] = None
    rows = [
        {
            "boundary": boundary.name,
            "boundary_arn": boundary.arn,
            **account_columns(estate, boundary.account_id),
            "holders": len(boundary.holders),
            "collected": boundary.document is not None,
            "characters": characters(boundary.document) if boundary.document else None,
            "ways_out": ", ".join(open_ways.get(_key(boundary), ())),
        }
        for boundary in boundaries
    ]
    return frame(rows, ("boundary", "boundary_arn", *ACCOUNT), "holders", "collected", "characters", "ways_out")


def boundary_ways_out(con: DuckDBPyConnection, estate: Estate) -> pd.DataFrame:
    """One row per way out that a boundary leaves open, with the request, the statements, and who can take it today."""
    rows = [
        {
            "boundary": found.boundary.name,
            "boundary_arn": found.boundary.arn,
            **account_columns(estate, found.boundary.account_id),
            "way_out": str(found.way_out),
            "action": found.question.action,
            "resource": found.resource,
            "permissions_boundary": found.question.boundary or "(none in the request)",
            "permits": str(found.permits),
            "statements": ", ".join(ref.sid or str(ref.index) for ref in found.statements),
            "unknown_keys": ", ".join(found.unknown_keys),
            "holders": len(found.boundary.holders),
            "able": list(found.able),
            "perhaps": list(found.perhaps),
        }
        for found in weaknesses(estate, boundaries_in_use(estate, attached_boundaries(con)))
    ]
    columns = ("way_out", "action", "resource", "permissions_boundary", "permits", "statements", "unknown_keys")
    return frame(rows, ("boundary", "boundary_arn", *ACCOUNT), *columns, "holders", "able", "perhaps")


def boundary_coverage(estate: Estate) -> pd.DataFrame:
    """One row per account: identities that can have a boundary, that have one, and that lack one and make others."""
    rows = [
        {
            **account_columns(estate, count.account_id),
            "identities": count.identities,
            "bounded": count.bounded,
            "makers": count.makers,
        }
        for count in boundary_counts(estate, makers(estate))
    ]
    return frame(rows, ACCOUNT, "identities", "bounded", "makers")


def unbounded_makers(estate: Estate) -> pd.DataFrame:
    """Identities without a boundary that can make roles or users; `unbounded`: without giving them a boundary."""
    rows = [
        {
            **identity_columns(estate, maker.arn),
            "actions": ", ".join(maker.actions),
            "surely": maker.surely,
            "unbounded": str(maker.unbounded),
            "shown_on": maker.shown_on,
        }
        for maker in makers(estate)
    ]
    return frame(rows, IDENTITY, "actions", "surely", "unbounded", "shown_on")


def boundary_drift(con: DuckDBPyConnection, estate: Estate, *, folder: Path, settings: Settings) -> DriftReport | None:
    """Actual against expected boundaries; None without a `boundary_map.csv` in the store's folder.

    BoundaryMapError names the lines and columns that are wrong.
    """
    rules = read_boundary_map(folder)
    return None if rules is None else drift(estate, rules, known_of(con, settings))


def boundary_drift_rows(
    con: DuckDBPyConnection, estate: Estate, *, rules: tuple[Rule, ...], settings: Settings
) -> pd.DataFrame:
    """The drift list of a map that was read."""
    return drift_rows(con, drift(estate, rules, known_of(con, settings)), estate)


def known_of(con: DuckDBPyConnection, settings: Settings) -> Known:
    """What the snapshot knows of boundaries, groups, permission sets and policies."""
    return Known(
        attached=attached_boundaries(con),
        groups={row["principal_arn"]: tuple(row["names"]) for row in records(con, GROUPS)},
        permission_sets={row["name"]: tuple(row["arns"]) for row in records(con, PERMISSION_SETS)},
        policies=frozenset(row["policy_arn"] for row in records(con, POLICIES)),
        job_family_tags=settings.job_family_tags,
    )


def drift_rows(con: DuckDBPyConnection, report: DriftReport, estate: Estate) -> pd.DataFrame:
    """The drift list, by account and ARN; commands one a line. Calls are those that the expected boundary would stop.

    `calls_broken` is missing where it is not proven, or the expected boundary is not in the snapshot.
    """
    effects = _effects(report, estate, used_calls(con))
    rows = [
        {
            **identity_columns(estate, row.arn),
            "drift": str(row.drift),
            "expected": row.expected,
            "actual": row.actual,
            "map_line": row.line,
            "calls_lost": effects[row.arn].calls_lost if row.arn in effects else None,
            "calls_at_risk": effects[row.arn].calls_at_risk if row.arn in effects else None,
            "calls_broken": _broken(row, effects),
            "commands": "\n".join((*row.first, *row.commands)),
            "blocked_reason": row.blocked_reason,
        }
        for row in report.rows
    ]
    calls = ("calls_lost", "calls_at_risk", "calls_broken")
    columns = ("drift", "expected", "actual", "map_line", *calls, "commands", "blocked_reason")
    return frame(rows, IDENTITY, *columns).astype(dict.fromkeys(calls, "Int64"))


def _effects(report: DriftReport, estate: Estate, used: UsedCalls) -> dict[str, Fit]:
    """The identities of the report under the boundary that is expected of them."""
    fitter, needed = fitter_of(estate), needed_actions(used)
    asked = [row for row in report.rows if row.document is not None]
    fits = [
        (
            fitter.under(
                estate.subjects[row.arn],
                NamedPolicy(row.expected or "", row.document),
                needed.get(row.arn, 0),
            ),
        )
        for row in asked
        if row.document is not None
    ]
    counted = with_calls(fits, [row.arn for row in asked], used, len(estate.catalogue.actions))
    return {fit.arn: fit for fit in counted}


def _broken(row: DriftRow, effects: dict[str, Fit]) -> int | None:
    """To take a boundary away breaks nothing."""
    if row.expected is None:
        return 0
    return effects[row.arn].calls_broken if row.arn in effects else None


def _key(boundary: Boundary) -> tuple[str, str]:
    return boundary.account_id, boundary.arn
