"""The figures of the whole estate, how they changed, and what needs a decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.outputs.queries.build import records
from analytics.outputs.queries.filters import SCOPE
from analytics.outputs.queries.identities import WITH_RISK

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

# The names of table `history`, for the identities that can be judged.
FIGURES = f"""
with {SCOPE}, {WITH_RISK}, judged as (select * from ranked where is_judged), activity as (
    select coalesce(sum(principal_day.calls), 0)::double as calls,
        coalesce(sum(principal_day.denied), 0)::double as denied
    from scope join principal_day using (principal_arn)
    where day >= (select window_start from windows where window_days = $window_days)
)
select count(principal_arn)::double as identities, sum(granted)::double as granted, sum(used)::double as used,
    sum(possible)::double as possible, sum(unused)::double as unused, sum(unobserved)::double as unobserved,
    sum(granted_weight) as granted_weight, sum(unused_weight) as unused_weight,
    sum(unobserved_weight) as unobserved_weight, count(*) filter (is_dormant)::double as dormant,
    count(*) filter (is_new)::double as new_identities,
    count(principal_arn) filter (owner is null)::double as unowned,
    count(*) filter (band = 'critical')::double as critical, count(*) filter (band = 'high')::double as high,
    any_value(activity.calls) as calls, any_value(activity.denied) as denied
from activity left join judged on true"""

HISTORY = """
select build_id, created_at, window_end, metric, value from history
where created_at <= (select created_at from build) order by created_at, metric"""

DAYS = f"""
with {SCOPE}, days as (
    select unnest(generate_series(window_start, window_end, interval 1 day))::date as day
    from windows where window_days = $window_days
), activity as (
    select day, sum(principal_day.calls) as calls, sum(principal_day.denied) as denied
    from scope join principal_day using (principal_arn) group by day
)
select day, coalesce(activity.calls, 0)::bigint as calls, coalesce(activity.denied, 0)::bigint as denied
from days left join activity using (day) order by day"""


def figures(con: DuckDBPyConnection, *, filters: Filters) -> dict[str, float | None]:
    """The figures of the filtered identities in the window; None for what is not known without a snapshot."""
    (row,) = records(con, FIGURES, filters.params | {"window_days": filters.window_days})
    return row


def history(con: DuckDBPyConnection) -> pd.DataFrame:
    """Figures of this build and earlier ones of the same store, oldest first: build_id, created_at, metric, value."""
    return con.execute(HISTORY).df()


def activity_by_day(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """One row per UTC day of the window: calls and denied calls; a day without any is 0."""
    return con.execute(DAYS, filters.params | {"window_days": filters.window_days}).df()


def split_by_ou(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """Granted actions per OU: used, possible, unused, unobserved (pairs of identity and action)."""
    return _split(con, filters, "coalesce(ou_path, 'no OU known')")


def split_by_account(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """Granted actions per account."""
    return _split(con, filters, "coalesce(account_name, account_id)")


def split_by_service(con: DuckDBPyConnection, *, filters: Filters) -> pd.DataFrame:
    """Granted actions per service."""
    return _split(con, filters, "gap.service")


def _split(con: DuckDBPyConnection, filters: Filters, key: str) -> pd.DataFrame:
    table = "gap_service" if "service" in key else "gap_identity"
    sql = f"""
    with {SCOPE} select {key} as name, sum(gap.granted)::bigint as granted, sum(gap.used)::bigint as used,
        sum(gap.possible)::bigint as possible, sum(gap.unused)::bigint as unused,
        sum(gap.unobserved)::bigint as unobserved, sum(gap.unused_weight) as unused_weight
    from scope join {table} gap using (principal_arn)
    where window_days = $window_days and in_snapshot and kind <> 'service-linked role'
    group by 1 having sum(gap.granted) > 0 order by sum(gap.calls) desc, unused_weight desc, name"""
    return con.execute(sql, filters.params | {"window_days": filters.window_days}).df()


class Topic(StrEnum):
    """Why something needs a decision."""

    CRITICAL = "critical"
    OPEN = "open"
    STEPS = "steps"
    DORMANT = "dormant"
    BROADEST = "broadest"
    NEW = "new"
    NOT_COLLECTED = "not collected"
    UNJUDGED = "unjudged"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to decide; `amount` is in the unit of its topic. Texts are untrusted."""

    topic: Topic
    key: str  # principal ARN, account id or service
    subject: str
    place: str | None  # account, or why an account was not collected
    amount: float | None
    identities: int | None = None  # that hold the service


DECISIONS = f"""
with {SCOPE}, {WITH_RISK}, judged as (select * from ranked where is_judged), item as (
    select 'critical' as topic, principal_arn as key, name as subject, coalesce(account_name, account_id) as place,
        score as amount, null::bigint as identities
    from judged where band = 'critical'
    union all
    select 'open', principal_arn, name, coalesce(account_name, account_id), score, null
    from judged where is_open
    union all
    select 'steps', principal_arn, name, coalesce(account_name, account_id), score, null
    from judged where steps_to_administrator > 0 and administrator is null
    union all
    select 'dormant', principal_arn, name, coalesce(account_name, account_id), unused_weight + unobserved_weight, null
    from judged where is_dormant
    union all
    select 'broadest', principal_arn, name, coalesce(account_name, account_id), unused_weight, null
    from judged where not is_dormant and not is_new and unused_weight > 0
    union all
    select 'new', principal_arn, name, coalesce(account_name, account_id), granted_weight, null
    from judged where is_new and granted_weight > 0
    union all
    select 'outside', principal_arn, name, coalesce(account_name, account_id), used_not_granted, null
    from judged where used_not_granted > 0
    union all
    select 'unjudged', service, service, null, sum(gap_service.unobserved_weight), count(*)
    from judged join gap_service using (principal_arn)
    where gap_service.window_days = $window_days
    group by service having sum(gap_service.unobserved_weight) > sum(gap_service.unused_weight)
    union all
    select 'not collected', account_id, coalesce(name, account_id), coalesce(reason, collected), null, null
    from accounts where collected not in ('ok', 'outside')
      and ($account_id is null or account_id = $account_id) and $kind is null
      and ($search = '' or contains(lower(account_id || coalesce(name, '')), $search))
      and ($ou_path is null or ou_path = $ou_path or starts_with(ou_path, $ou_path || '/'))
)
select topic, key, subject, place, amount, identities, count(*) over (partition by topic) as in_all,
    row_number() over (partition by topic order by amount desc nulls last, subject, key) as rank
from item where amount is null or amount > 0 qualify rank <= $each order by topic, rank"""


def decisions(con: DuckDBPyConnection, *, filters: Filters, each: int = 3) -> dict[Topic, tuple[int, list[Decision]]]:
    """The first few of every topic, heaviest first, and how many there are in all; topics without any are left out."""
    found: dict[Topic, tuple[int, list[Decision]]] = {}
    for row in records(con, DECISIONS, filters.params | {"window_days": filters.window_days, "each": each}):
        topic = Topic(row["topic"])
        item = Decision(topic, row["key"], row["subject"], row["place"], row["amount"], row["identities"])
        found.setdefault(topic, (row["in_all"], []))[1].append(item)
    return found
