"""Every view that can be saved as a file: a name, what it holds, and the query that a page shows, too.

The table VIEWS is what `python -m analytics export` offers. INVARIANT: a view with a page is the very query of that
page, so that page, file and command line show the same rows and the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.findings.boundaries.boundary_map import FILE_NAME, BoundaryMapError, read_boundary_map
from analytics.outputs import queries
from analytics.outputs.estate import read_estate
from analytics.outputs.queries.filters import SCOPE
from analytics.outputs.queries.remediation import remediation
from analytics.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries import Filters

    Question = Callable[[DuckDBPyConnection, Filters, Path | None], pd.DataFrame]

WHO = "scope.name, scope.kind as principal_kind, scope.account_id, scope.account_name, scope.ou_path, scope.owner"
TRUST = f"""
with {SCOPE}
select principal_arn, {WHO}, trust.* exclude (principal_arn)
from trust join scope using (principal_arn) order by trust.exposure desc, principal_arn, position"""
ASSUMED = f"""
with {SCOPE}
select principal_arn, {WHO}, assumed.* exclude (principal_arn)
from assumed join scope using (principal_arn) order by principal_arn, assumed.calls desc, caller"""
ESCALATION = f"""
with {SCOPE}
select principal_arn, {WHO}, escalation.* exclude (principal_arn)
from escalation join scope using (principal_arn) order by strength desc, principal_arn, position"""
ROUTES = f"""
with {SCOPE}
select principal_arn, {WHO}, escalation_step.* exclude (principal_arn)
from escalation_step join scope using (principal_arn) order by principal_arn, step"""
WOULD_LOWER = f"""
with {SCOPE}
select principal_arn, {WHO}, risk.score, would_lower.* exclude (principal_arn)
from would_lower join scope using (principal_arn) join risk using (principal_arn)
order by risk.score - score_after desc, principal_arn, position"""
CHANGES = f"""
with {SCOPE}
select changes.* from changes
where not $narrowed or subject in (select principal_arn from scope) or actor in (select principal_arn from scope)
order by event_time desc, event_id"""


class ViewError(ValueError):
    """A view that there is not, or that the build in use does not hold; the message says what to do."""


@dataclass(frozen=True, slots=True)
class View:
    """One view. `needs`: the table of the build that it reads and that an older build may lack."""

    about: str
    question: Question
    needs: str


def view_rows(con: DuckDBPyConnection, name: str, filters: Filters, store: Path | None = None) -> pd.DataFrame:
    """All rows of a view under the filters; `store`: the folder of what a team keeps beside the builds.

    ViewError for a view that cannot be had.
    """
    view = VIEWS.get(name)
    if view is None:
        raise ViewError(f"there is no view `{name[:60]}`; the views are {', '.join(VIEWS)}")
    tables = con.execute("select count(*) from duckdb_tables() where table_name = $name", {"name": view.needs})
    if tables.fetchall()[0][0] == 0:
        raise ViewError(
            f"the build in use has no table `{view.needs}`, which view `{name}` reads; "
            "run `python -m analytics build` again"
        )
    return view.question(con, filters, store)


def _of_scope(sql: str) -> Question:
    """A query of SCOPE and nothing else."""
    return lambda con, filters, _store: con.execute(sql, filters.params).df()


def _whole(question: Callable[[DuckDBPyConnection], pd.DataFrame]) -> Question:
    """A view of the whole build, which the filters do not narrow."""
    return lambda con, _filters, _store: question(con)


def _drift(con: DuckDBPyConnection, _filters: Filters, store: Path | None) -> pd.DataFrame:
    """Of the whole build, by the team's map as it is now."""
    try:
        rules = None if store is None else read_boundary_map(store)
    except BoundaryMapError as error:
        raise ViewError(str(error)) from error
    if store is None or rules is None:
        raise ViewError(f"view `drift` needs `{FILE_NAME}` in the store's folder: it says which boundary is expected")
    return queries.boundary_drift_rows(con, read_estate(con), rules=rules, settings=read_settings(store))


VIEWS: Mapping[str, View] = {
    "remediation": View(
        "what to change first, with commands and policies",
        lambda con, filters, _store: remediation(con, filters=filters),
        "remediation",
    ),
    "identities": View(
        "every identity with its score and what it holds",
        lambda con, filters, _store: queries.identities(con, filters=filters),
        "risk",
    ),
    "heatmap": View(
        "privilege against use, by identity and service",
        lambda con, filters, _store: queries.heatmap_export(con, filters=filters),
        "gap_service",
    ),
    "trust": View("every way to become each identity", _of_scope(TRUST), "trust"),
    "assumed": View("who became which role in the window", _of_scope(ASSUMED), "assumed"),
    "escalation": View("escalation paths that identities hold", _of_scope(ESCALATION), "escalation"),
    "routes": View("the way of each identity to an administrator", _of_scope(ROUTES), "escalation_step"),
    "would-lower": View("single changes that would lower a score", _of_scope(WOULD_LOWER), "would_lower"),
    "changes": View(
        "who changed which policy, trust or key",
        lambda con, filters, _store: con.execute(CHANGES, filters.params | {"narrowed": filters.narrows}).df(),
        "changes",
    ),
    "guardrails": View(
        "every risk scenario at every OU and account, layer by layer",
        lambda con, filters, _store: queries.guardrail_rows(con, filters=filters),
        "coverage",
    ),
    "gaps": View(
        "scenarios that are open in an account, with owners",
        lambda con, filters, _store: queries.guardrail_gap_list(con, filters=filters),
        "coverage",
    ),
    "boundaries": View(
        "permissions boundaries with their holders and ways out",
        _whole(lambda con: queries.boundary_inventory(con, read_estate(con))),
        "principals",
    ),
    "boundary-ways-out": View(
        "how holders get out of their boundaries",
        _whole(lambda con: queries.boundary_ways_out(con, read_estate(con))),
        "principals",
    ),
    "boundary-makers": View(
        "identities without a boundary that can make roles or users",
        _whole(lambda con: queries.unbounded_makers(read_estate(con))),
        "principals",
    ),
    "boundary-coverage": View(
        "how many identities of each account have a boundary, and who makes others without",
        _whole(lambda con: queries.boundary_coverage(read_estate(con))),
        "principals",
    ),
    "organisation-tree": View(
        "the nodes of the organisation, what is attached to each and what SCPs stop there",
        _whole(lambda con: queries.organization_tree(read_estate(con))),
        "principals",
    ),
    "drift": View("actual against expected boundaries, by the team's map", _drift, "principals"),
    "template-fit": View(
        "which boundary template fits which identity",
        _whole(lambda con: queries.template_fit(con, read_estate(con))),
        "principals",
    ),
    "files": View("event files and what was read of them", _whole(queries.health_files), "health"),
    "accounts": View("accounts and how much of the window they cover", _whole(queries.health_accounts), "accounts"),
    "events": View("event names and the actions they stand for", _whole(queries.health_event_names), "event_names"),
    "problems": View("what could not be used as it stands", _whole(queries.health_problems), "problems"),
}
