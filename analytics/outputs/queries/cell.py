"""One cell of the grid, opened to the action: the reach of one identity against what it did.

Identity by action is never a table of a build; it is worked out here from sets, in microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analytics.findings.bits import from_blob
from analytics.outputs.queries.build import records
from analytics.outputs.queries.filters import SCOPE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

SETS = """
select reach.surely, reach.maybe, observable.visibility_mask as observable
from principals
left join reach using (reach_id)
left join observable on observable.account_id = principals.account_id and observable.window_days = $window_days
where principal_arn = $principal_arn"""

# Denied calls are no use; a throttled one may have been allowed (DESIGN.md, "Use").
ACTIONS = """
with seen as (
    select action,
        coalesce(sum(calls - denied - throttled) filter (where match = 'all'), 0) > 0 as used,
        sum(calls - denied) > 0 as possible,
        sum(calls) as calls, sum(denied) as denied,
        max(last_time) filter (where calls > denied) as last_used
    from usage
    where principal_arn = $principal_arn and day > (select window_end - $window_days::integer from build)
    group by action
)
select number, actions.action, access_level, visibility, weight, weight_class, high_risk,
    coalesce(used, false) as used, coalesce(possible, false) as possible,
    coalesce(calls, 0)::bigint as calls, coalesce(denied, 0)::bigint as denied, last_used
from actions left join seen using (action)
where $service is null or service = $service
order by number"""

SENSITIVE = """
select number, action, weight_class, weight from actions
where weight_class in ('credential', 'sensitive_read') order by weight desc, action"""

HOLDERS = f"""
with {SCOPE}
select principal_arn, name, kind, account_id, account_name, ou_path, owner, sum(gap.unused_weight) as unused_weight,
    sum(gap.granted)::bigint as granted, sum(gap.used)::bigint as used, sum(gap.possible)::bigint as possible,
    sum(gap.unused)::bigint as unused, sum(gap.unobserved)::bigint as unobserved, max(gap.last_used) as last_used
from scope join gap_service gap using (principal_arn)
where window_days = $window_days and ($service is null or service = $service)
group by all order by unused_weight desc nulls last, unobserved desc nulls last, principal_arn limit $limit"""

IDLE = f"""
with {SCOPE}
select service, count(*) filter (gap.granted > 0) as identities, sum(gap.unused_weight) as unused_weight,
    sum(gap.unobserved_weight) as unobserved_weight
from scope join gap_service gap using (principal_arn) where window_days = $window_days
group by service having sum(gap.calls) = 0 and sum(gap.unused_weight) > 0
order by unused_weight desc, service limit $limit"""

STATES = ("unused", "unobserved", "possible", "used")  # the order in which a person wants them


def cell_actions(
    con: DuckDBPyConnection, *, principal_arn: str, window_days: int, service: str | None = None
) -> pd.DataFrame:
    """One row per action that the identity may do or did, of one service or of all; unused and heaviest first.

    `state` is one of STATES; `reach` is surely, maybe or, for a use that no collected policy grants, none.
    """
    asked = {"principal_arn": principal_arn, "window_days": window_days, "service": service}
    rows = con.execute(ACTIONS, asked).df()
    surely, maybe, observable = _sets(con, principal_arn, window_days)
    bits = rows["number"].to_list()
    rows["reach"] = [("surely" if surely >> n & 1 else "maybe") if maybe >> n & 1 else "none" for n in bits]
    rows["state"] = [
        "used" if used else "possible" if possible else "unused" if observable >> number & 1 else "unobserved"
        for used, possible, number in zip(rows["used"], rows["possible"], bits, strict=True)
    ]
    seen = rows["used"] | rows["possible"]
    rows = rows[(rows["reach"] != "none") | seen]
    rows["state"] = pd.Categorical(rows["state"], categories=STATES, ordered=True)
    return rows.sort_values(["state", "weight", "action"], ascending=[True, False, True]).drop(
        columns=["number", "used", "possible"]
    )


def sensitive_actions(con: DuckDBPyConnection, *, principal_arn: str) -> pd.DataFrame:
    """The actions on secrets and sensitive data within its reach, the heaviest first; `reach` is surely or maybe."""
    rows = con.execute(SENSITIVE).df()
    surely, maybe, _observable = _sets(con, principal_arn, 0)
    bits = rows["number"].to_list()
    rows["reach"] = ["surely" if surely >> number & 1 else "maybe" for number in bits]
    return rows[[bool(maybe >> number & 1) for number in bits]].drop(columns="number")


def service_holders(
    con: DuckDBPyConnection, *, filters: Filters, service: str | None, limit: int = 200
) -> pd.DataFrame:
    """The identities of the filters that hold or used the service (None: any), heaviest unused weight first."""
    asked = filters.params | {"window_days": filters.window_days, "service": service, "limit": limit}
    return con.execute(HOLDERS, asked).df()


def idle_services(con: DuckDBPyConnection, *, filters: Filters, limit: int = 12) -> pd.DataFrame:
    """Services that somebody of the filters holds and nobody was seen to use, heaviest unused weight first."""
    return con.execute(IDLE, filters.params | {"window_days": filters.window_days, "limit": limit}).df()


def _sets(con: DuckDBPyConnection, principal_arn: str, window_days: int) -> list[int]:
    """Surely, maybe and observable as bit sets; empty where nothing is known."""
    found = records(con, SETS, {"principal_arn": principal_arn, "window_days": window_days})
    blobs = found[0] if found else dict.fromkeys(("surely", "maybe", "observable"))
    return [0 if blob is None else from_blob(blob) for blob in blobs.values()]
