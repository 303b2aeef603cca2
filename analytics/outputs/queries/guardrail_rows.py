"""What stands behind a cell of the guardrail matrix, as rows: the deciding policy, who can act, all cells, all gaps.

A gap is told with what it means today: the identities that could act through it, by their reach, and those that were
seen to. INVARIANT: whoever is said to have acted made a call of the scenario's actions that was not denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.findings.bits import from_blob
from analytics.iam.catalogue import load_catalogue
from analytics.outputs.queries.build import records
from analytics.outputs.queries.frames import frame

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

# The accounts at or below a target that control policies bind; the management account only when asked for itself.
MEMBERS = """
members as (
    with recursive inside as (
        select node_id from nodes where node_id = $target
        union all select nodes.node_id from nodes join inside on nodes.parent_id = inside.node_id
    )
    select account_id from accounts
    where account_id = $target or (account_id in (from inside) and not is_management)
)"""
ACTORS = f"""
with {MEMBERS}, did as (
    select principal_arn, sum(usage.calls - usage.denied)::bigint as calls, max(last_time) as last_used,
        list(distinct action order by action) as used
    from usage where list_contains($actions, action) and usage.calls > usage.denied
        and day between (select window_start from build) and (select window_end from build)
    group by principal_arn
)
select principal_arn, name, kind, account_id, account_name, owner, reach_id, coalesce(did.calls, 0) as calls_seen,
    did.last_used as last_seen, did.used
from principals join members using (account_id) left join did using (principal_arn)
where in_snapshot and kind not in ('service-linked role', 'root')
order by calls_seen desc, principal_arn"""
REACHES = "select reach_id, surely, maybe from reach"
POLICY = """
with attached as (
    select node_id as attached_to, layer, policy_id from node_policies
    union all select attached_to, layer, policy_id from attachments
)
select name, arn, document, any_value(attached_to) as attached_to
from attached join policies using (policy_id)
where name = $policy and (arn is not distinct from $arn or $arn is null)
group by name, arn, document, attached_to = $attached_to
order by attached_to = $attached_to desc nulls last limit 1"""
IN_SCOPE = """
($ou_path is null or target_path = $ou_path or starts_with(target_path, $ou_path || '/'))
and ($account_id is null or target = $account_id)"""
ROWS = f"""
select scenario, scenarios.title, coverage.severity, coverage.category, scenarios.set, target, target_kind,
    target_name, target_path, layer, state, single_layer, best_layer_of, principals, stopped, can_act, did_act,
    array_to_string(missing_actions::varchar[], ', ') as missing_actions,
    array_to_string(open_actions::varchar[], ', ') as open_actions, exemptions::varchar as exemptions,
    statements::varchar as statements, coverage.note
from coverage join scenarios on scenarios.id = scenario
where {IN_SCOPE} order by scenarios.position, target_path, target, layer"""
GAPS = f"""
select scenario, scenarios.title, coverage.severity, coverage.category, target as account_id,
    target_name as account_name, target_path, accounts.environment, state, can_act, did_act,
    array_to_string(missing_actions::varchar[], ', ') as missing_actions, scenarios.best_layer, coverage.note
from coverage join scenarios on scenarios.id = scenario left join accounts on account_id = target
where layer = 'best' and target_kind = 'account' and state in ('gap', 'partial') and {IN_SCOPE}
order by list_position(['critical', 'high', 'medium', 'low'], coverage.severity), can_act desc nulls last,
    scenarios.position, target_path, target"""
SCENARIO_ACTIONS = "select id, actions::varchar[] as actions from scenarios"
WHO = """
select account_id, reach_id, owner, count(*)::bigint as identities from principals
where in_snapshot and owner is not null and kind not in ('service-linked role', 'root') group by all"""
OWNERS_NAMED = 5


@dataclass(frozen=True, slots=True)
class PolicyHere:
    """A policy of a deciding statement as it stands; name and text are untrusted."""

    name: str
    arn: str | None
    document: str


def guardrail_policy(
    con: DuckDBPyConnection, *, policy: str, policy_arn: str | None, attached_to: str | None
) -> PolicyHere | None:
    """The document that a statement of a cell stands in; None where the build does not hold it."""
    asked = {"policy": policy, "arn": policy_arn, "attached_to": attached_to}
    row = next(iter(records(con, POLICY, asked)), None)
    return PolicyHere(row["name"], row["arn"], row["document"]) if row else None


def guardrail_actors(con: DuckDBPyConnection, *, target: str, actions: tuple[str, ...]) -> pd.DataFrame:
    """Identities of a target that can do any of the actions, surely or maybe, or did; those that did come first."""
    mask = load_catalogue().mask(actions)
    reach = {row["reach_id"]: _can(row, mask) for row in records(con, REACHES)}
    rows = [
        row | {"can": reach.get(row["reach_id"], "no"), "used": ", ".join(row["used"] or ())}
        for row in records(con, ACTORS, {"target": target, "actions": list(actions)})
    ]
    found = [row for row in rows if row["can"] != "no" or row["calls_seen"]]
    columns = ("principal_arn", "name", "kind", "account_id", "account_name", "owner", "can", "calls_seen")
    return frame(found, columns, "last_seen", "used")


def _can(row: dict[str, bytes], mask: int) -> str:
    if from_blob(row["surely"]) & mask:
        return "surely"
    return "maybe" if from_blob(row["maybe"]) & mask else "no"


def guardrail_rows(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """The whole matrix, one row per scenario, target and layer, within the OU and account of the filters."""
    return con.execute(ROWS, _scope(filters)).df()


def guardrail_gap_list(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """Every open cell of an account, the most severe first, with the owners of those who could act through it."""
    rows = con.execute(GAPS, _scope(filters)).df()
    actions = {row["id"]: tuple(row["actions"]) for row in records(con, SCENARIO_ACTIONS)}
    owners = _owners(con, {one: actions[one] for one in rows["scenario"].unique()})
    rows.insert(
        8,
        "owners",
        [owners.get(cell, "") for cell in zip(rows["scenario"].tolist(), rows["account_id"].tolist(), strict=True)],
    )
    return rows


def _owners(con: DuckDBPyConnection, scenarios: dict[str, tuple[str, ...]]) -> dict[tuple[str, str], str]:
    """By scenario and account: the owners of most identities that can do any of its actions."""
    catalogue = load_catalogue()
    held = records(con, WHO)
    maybe = {row["reach_id"]: from_blob(row["maybe"]) for row in records(con, REACHES)}
    named: dict[tuple[str, str], str] = {}
    for scenario, actions in scenarios.items():
        mask = catalogue.mask(actions)
        able = {reach_id for reach_id, bits in maybe.items() if bits & mask}
        counted: dict[str, dict[str, int]] = {}
        for row in held:
            if row["reach_id"] in able:
                account = counted.setdefault(row["account_id"], {})
                account[row["owner"]] = account.get(row["owner"], 0) + row["identities"]
        for account_id, found in counted.items():
            most = sorted(found, key=lambda owner: (-found[owner], owner))
            more = f" and {len(most) - OWNERS_NAMED} more" if len(most) > OWNERS_NAMED else ""
            named[scenario, account_id] = ", ".join(most[:OWNERS_NAMED]) + more
    return named


def _scope(filters: Filters) -> dict[str, str | None]:
    return {"ou_path": filters.ou_path, "account_id": filters.account_id}
