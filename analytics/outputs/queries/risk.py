"""What stands behind the score of one identity: trust, escalation, what would lower it, use, denials, changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analytics.outputs.queries.build import records

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

RISK = "select * from risk where principal_arn = $principal_arn"
IN_ALL = "select count(*) from risk"
LOWER = """
select kind, title, detail, score_after, calls_broken from would_lower
where principal_arn = $principal_arn order by score_after, position"""
TRUST = """
select position, party, kind, party_account_id, party_name, trust_class, exposure, conditions, statement_index, sid,
    surely, notes, seen_calls, seen_last, seen_accounts, seen_networks
from trust where principal_arn = $principal_arn order by position"""
ASSUMED = """
select caller, caller_account_id, accounts.name as caller_account_name, network, via_service, assumed.calls, denied,
    first_time, last_time
from assumed left join accounts on accounts.account_id = caller_account_id
where principal_arn = $principal_arn order by last_time desc, assumed.calls desc, caller"""
PATHS = """
select position, path_id, title, category, surely, target_arn, target, target_factor, strength, actions, why
from escalation where principal_arn = $principal_arn order by position"""
ROUTE = """
select step, from_arn, to_arn, path_id, surely, origin.name as from_name, target.name as to_name,
    coalesce(reached.account_name, reached.account_id) as to_account,
    (select any_value(escalation.title) from escalation where escalation.path_id = escalation_step.path_id) as title
from escalation_step
left join principals origin on origin.principal_arn = from_arn
left join principals target on target.principal_arn = to_arn
left join principals reached on reached.principal_arn = to_arn
where escalation_step.principal_arn = $principal_arn order by step"""
DAYS = """
with days as (
    select unnest(generate_series(window_start, window_end, interval 1 day))::date as day
    from windows where window_days = $window_days
)
select day, coalesce(calls, 0)::bigint as calls, coalesce(denied, 0)::bigint as denied
from days left join (from principal_day where principal_arn = $principal_arn) using (day) order by day"""
DENIED = """
with days as (
    select unnest(generate_series(window_start, window_end, interval 1 day))::date as day
    from windows where window_days = $window_days
), refused as (
    select action, day, sum(denied)::bigint as denied, sum(calls - denied - throttled)::bigint as allowed,
        min(first_time) as first_time, max(last_time) as last_time
    -- an action that the call needs only in some cases was not what was refused, as far as anybody can tell
    from usage join days using (day) where principal_arn = $principal_arn and match <> 'also' group by action, day
), action as (select action from refused group by action having sum(denied) > 0)
select action, sum(coalesce(denied, 0))::bigint as denied, sum(coalesce(allowed, 0))::bigint as allowed,
    count(*) filter (denied > 0) as days, min(first_time) filter (denied > 0) as first_time,
    max(last_time) filter (denied > 0) as last_time, list(coalesce(denied, 0) order by day) as by_day
from action cross join days left join refused using (action, day)
group by action order by denied desc, action"""
CHANGES = """
select event_time, event_name, actor, policy, summary, succeeded, event_id,
    case when subject = $principal_arn then 'about it' else 'by it' end as part, subject
from changes where subject = $principal_arn or actor = $principal_arn
order by event_time desc, event_id limit $limit"""


def identity_risk(con: DuckDBPyConnection, *, principal_arn: str) -> dict[str, Any] | None:
    """The row of table `risk`, with the number of identities that are ranked as `of`; None for one without a score."""
    found = records(con, RISK, {"principal_arn": principal_arn})
    if not found:
        return None
    ((of,),) = con.execute(IN_ALL).fetchall()
    return found[0] | {"of": of, "confidence_reasons": read_json(found[0]["confidence_reasons"])}


def identity_would_lower(con: DuckDBPyConnection, *, principal_arn: str) -> list[dict[str, Any]]:
    """Single changes that would lower the score, the best first; `detail` as a value."""
    rows = records(con, LOWER, {"principal_arn": principal_arn})
    return [row | {"detail": read_json(row["detail"])} for row in rows]


def identity_trust(con: DuckDBPyConnection, *, principal_arn: str) -> list[dict[str, Any]]:
    """Every way to become the identity, the strongest first; lists as values."""
    return _with_lists(
        records(con, TRUST, {"principal_arn": principal_arn}), "conditions", "notes", "seen_accounts", "seen_networks"
    )


def identity_assumed(con: DuckDBPyConnection, *, principal_arn: str) -> pd.DataFrame:
    """Who became the role in the build's window, the latest first."""
    return con.execute(ASSUMED, {"principal_arn": principal_arn}).df()


def identity_paths(con: DuckDBPyConnection, *, principal_arn: str) -> list[dict[str, Any]]:
    """The escalation paths that the identity holds, the strongest first; `actions` as a list."""
    return _with_lists(records(con, PATHS, {"principal_arn": principal_arn}), "actions")


def identity_route(con: DuckDBPyConnection, *, principal_arn: str) -> list[dict[str, Any]]:
    """The shortest way to an administrator, step by step; empty when there is none, or for one."""
    return records(con, ROUTE, {"principal_arn": principal_arn})


def identity_days(con: DuckDBPyConnection, *, principal_arn: str, window_days: int) -> pd.DataFrame:
    """One row per UTC day of the window: calls and denied calls; a day without any is 0."""
    return con.execute(DAYS, {"principal_arn": principal_arn, "window_days": window_days}).df()


def identity_life(
    con: DuckDBPyConnection, *, principal_arn: str, window_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Its days and its changes, for one picture."""
    days = identity_days(con, principal_arn=principal_arn, window_days=window_days)
    return days, identity_changes(con, principal_arn=principal_arn)


def identity_denied(con: DuckDBPyConnection, *, principal_arn: str, window_days: int) -> pd.DataFrame:
    """One row per action that was refused in the window, with its refusals by day and what was allowed besides."""
    return con.execute(DENIED, {"principal_arn": principal_arn, "window_days": window_days}).df()


def identity_changes(con: DuckDBPyConnection, *, principal_arn: str, limit: int = 500) -> pd.DataFrame:
    """Changes of policies, boundary, trust and keys about the identity or by it, the latest first."""
    return con.execute(CHANGES, {"principal_arn": principal_arn, "limit": limit}).df()


def read_json(value: Any) -> Any:
    """A JSON column as a value; None stays None."""
    return json.loads(value) if isinstance(value, str) else value


def _with_lists(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [row | {name: tuple(read_json(row[name]) or ()) for name in names} for row in rows]
