"""The organisation view as rows: what bears on a node, what it stops, quotas, idle policies, misplaced accounts.

The findings are computed from the estate of a build; what they need beside it is read here.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from analytics.findings.bits import from_blob
from analytics.findings.organization.compare import compare_nodes
from analytics.findings.organization.idle import Refusals, idle_policies, policy_hits
from analytics.findings.organization.places import AccountPlace, misplaced_accounts
from analytics.findings.organization.quota import Quotas, attachment_use, character_use
from analytics.findings.organization.view import (
    LAYERS,
    answers_at,
    effective_set,
    exemptions_here,
    policies_here,
    service_counts,
)
from analytics.iam.policy import to_json
from analytics.outputs.queries.build import records
from analytics.outputs.queries.frames import frame

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.findings.estate import Estate
    from analytics.findings.organization.compare import NodeComparison
    from analytics.settings import Settings

PLACES = """
select account_id, name, ou_path, environment_tag, environment_ou from accounts
where ou_path is not null order by ou_path, name, account_id"""
# Calls that were refused, by account of the caller; service-linked roles and AWS itself escape control policies.
REFUSED = """
with own as (select * from windows order by window_days desc limit 1)
select usage.account_id, number, sum(usage.denied)::bigint as denied
from usage join actions using (action) join principals using (principal_arn), own
where day between own.window_start and own.window_end and usage.denied > 0 and usage.account_id is not null
    and kind not in ('service-linked role', 'service')
group by all"""
VISIBLE = """
select account_id, visibility_mask from observable where window_days = (select max(window_days) from windows)"""


def organization_tree(estate: Estate) -> pd.DataFrame:
    """One row per node, parents first: what is attached, and how much the SCPs stop there."""
    rows = []
    for node in estate.nodes.values():
        effective = effective_set(estate, node.node_id)
        rows.append(
            {
                "node_id": node.node_id,
                "parent_id": node.parent_id,
                "kind": node.kind,
                "name": node.name,
                "path": node.path,
                "scps": len(node.scp.policies),
                "rcps": len(node.rcp.policies),
                "levels": effective.levels,
                "allowed": (effective.binding & effective.reach.surely).bit_count(),
                "depends": effective.depends.bit_count(),
                "stopped": effective.stopped.bit_count(),
                "is_management": node.node_id == estate.management_account_id,
            }
        )
    return frame(
        rows,
        ("node_id", "parent_id", "kind", "name", "path", "scps", "rcps", "levels", "allowed", "depends", "stopped"),
        "is_management",
    )


def node_policies(estate: Estate, *, node_id: str) -> pd.DataFrame:
    """Every control policy that bears on a node, from where, with its document as JSON text."""
    rows = [
        {
            "layer": here.layer,
            "policy": here.policy.name,
            "arn": here.policy.arn,
            "from_node": here.node_name,
            "from_node_id": here.node_id,
            "inherited": here.inherited,
            "in_force": here.in_force,
            "statements": len(here.policy.document.statements),
            "document": json.dumps(to_json(here.policy.document)),
        }
        for here in policies_here(estate, node_id)
    ]
    columns = ("layer", "policy", "arn", "from_node", "from_node_id", "inherited", "in_force", "statements", "document")
    return frame(rows, columns)


def node_services(estate: Estate, *, node_id: str, layer: str = "scp") -> pd.DataFrame:
    """The effective allow set of a node, counted by service; services with anything stopped come first."""
    counts = service_counts(effective_set(estate, node_id, layer), estate.catalogue)
    counted = frame([asdict(count) for count in counts], ("service", "actions", "allowed", "depends", "stopped"))
    return counted.sort_values(["stopped", "depends", "service"], ascending=[False, False, True], ignore_index=True)


def node_choices(estate: Estate, *, node_id: str, layer: str = "scp") -> tuple[tuple[str, str], ...]:
    """What the caller of a node's picture is taken to choose, such as its Region."""
    return effective_set(estate, node_id, layer).choices


def node_exemptions(estate: Estate, *, node_id: str) -> pd.DataFrame:
    """Whom the denies at a node spare."""
    rows = [asdict(found) | {"values": ", ".join(found.values)} for found in exemptions_here(estate, node_id)]
    return frame(rows, ("layer", "policy", "node_name", "sid", "key", "values"))


def node_answers(estate: Estate, *, node_id: str, action: str) -> pd.DataFrame:
    """Level by level what is said of one action, root first; UnknownActionError for one that does not exist."""
    rows = [
        {
            "layer": layer,
            "node": answer.node_name,
            "node_id": answer.node_id,
            "inherited": answer.inherited,
            "says": str(answer.says),
            "statements": ", ".join(
                f"{ref.policy} {ref.sid or f'statement {ref.index + 1}'}" for ref in answer.statements
            ),
        }
        for layer in LAYERS
        for answer in answers_at(estate, node_id, action, layer)
    ]
    return frame(rows, ("layer", "node", "node_id", "inherited", "says", "statements"))


def attachment_quota(estate: Estate, *, settings: Settings) -> pd.DataFrame:
    """Attachments of each node against the quota, the fullest first."""
    rows = [asdict(use) for use in attachment_use(estate, quotas_of(settings))]
    return frame(rows, ("node_id", "node_name", "path", "layer", "attached", "limit"))


def character_quota(estate: Estate, *, settings: Settings) -> pd.DataFrame:
    """Characters of each control policy against the quota, the longest first."""
    rows = [asdict(use) for use in character_use(estate, quotas_of(settings))]
    return frame(rows, ("layer", "name", "arn", "characters", "limit", "nodes"))


def quotas_of(settings: Settings) -> Quotas:
    """The quotas that a team's settings name."""
    return Quotas(
        scp_attached=settings.scp_attached,
        scp_characters=settings.scp_characters,
        rcp_attached=settings.rcp_attached,
        rcp_characters=settings.rcp_characters,
    )


def policies_without_effect(estate: Estate) -> pd.DataFrame:
    """Attached control policies whose removal would change nothing."""
    rows = [
        asdict(found) | {"reason": str(found.reason), "because": ", ".join(found.because)}
        for found in idle_policies(estate)
    ]
    return frame(rows, ("layer", "name", "arn", "node_id", "node_name", "path", "reason", "because"))


def policies_never_hit(con: DuckDBPyConnection, estate: Estate) -> pd.DataFrame:
    """Control policies in force by the refused calls that they could have caused; `proven`: 0 would be certain."""
    rows = [asdict(found) for found in policy_hits(estate, refusals(con))]
    columns = ("layer", "name", "arn", "node_id", "node_name", "path", "accounts", "denies", "could_have_refused")
    return frame(rows, columns, "proven", "unseen_accounts", "unseen_actions")


def refusals(con: DuckDBPyConnection) -> Refusals:
    """The refused calls of the build's window, and what the export would have shown of each account."""
    denied: dict[str, dict[int, int]] = {}
    for row in records(con, REFUSED):
        denied.setdefault(row["account_id"], {})[row["number"]] = row["denied"]
    return Refusals(denied, {row["account_id"]: from_blob(row["visibility_mask"]) for row in records(con, VISIBLE)})


def node_comparison(estate: Estate, *, first: str, second: str) -> NodeComparison:
    """Two nodes side by side."""
    return compare_nodes(estate, first, second)


def node_differences(estate: Estate, *, first: str, second: str) -> pd.DataFrame:
    """One row per action that the two nodes treat differently, SCPs first, the heaviest first."""
    rows = [
        asdict(found) | {"first": str(found.first), "second": str(found.second)}
        for found in compare_nodes(estate, first, second).differences
    ]
    return frame(rows, ("layer", "action", "weight", "first", "second"))


def accounts_in_the_wrong_place(con: DuckDBPyConnection, estate: Estate, *, settings: Settings) -> pd.DataFrame:
    """Accounts whose environment tag and OU disagree, with where they belong and what they are missing there."""
    places = [AccountPlace(**row) for row in records(con, PLACES)]
    rows = [
        asdict(found.place)
        | {
            "kind": str(found.kind),
            "environment": found.environment,
            "belongs": ", ".join(found.belongs),
            "missing": ", ".join(found.missing),
        }
        for found in misplaced_accounts(places, estate, settings.environment_words)
    ]
    columns = ("account_id", "name", "ou_path", "environment_tag", "environment_ou", "kind", "environment")
    return frame(rows, columns, "belongs", "missing")
