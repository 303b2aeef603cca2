"""Identities as a ranked table, and one of them in detail."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from analytics.outputs.queries.build import records
from analytics.outputs.queries.filters import SCOPE

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

# Who can be judged at all, and who of them did nothing: neither the logs nor IAM's own "last used" show use in the
# window, and one of the two could have shown it. A new identity has not had its window yet.
JUDGED = "(in_snapshot and kind <> 'service-linked role')"
DORMANT = f"""({JUDGED} and not is_new and granted_weight > 0 and (last_used is null or last_used < window_start)
    and (coalesce(days_covered, 0) > 0 or last_used is not null))"""

# Common table expression behind SCOPE: the identities with their totals in the window.
WITH_GAP = f"""identity as (
    select scope.*, gap.* exclude (principal_arn, calls, last_used), gap.calls as uses, windows.window_start,
        accounts.days_covered
    from scope join gap_identity gap using (principal_arn) join windows using (window_days)
    left join accounts using (account_id) where window_days = $window_days
), labelled as (select *, {DORMANT} as is_dormant, {JUDGED} as is_judged from identity)"""

COLUMNS = """principal_arn, name, kind, account_id, account_name, ou_path, environment, owner, granted_weight,
    unused_weight, unobserved_weight, granted, surely, used, possible, unused, unobserved, used_not_granted, services,
    services_used, last_used, last_used_basis, created, judged_from, boundary_name, boundary_not_collected,
    policies_not_collected, in_snapshot, seen_in_logs, is_new, is_dormant"""

IDENTITY = f"""
with one as (select * from principals where principal_arn = $principal_arn), scope as (select * from one), {WITH_GAP}
select {COLUMNS}, boundary_arn, unique_id, path, tags, calls, denied, first_call from labelled"""

SERVICES = """
select service, granted, used, possible, unused, unobserved, used_not_granted, unused_weight, unobserved_weight,
    last_used
from gap_service where principal_arn = $principal_arn and window_days = $window_days
order by unused_weight desc nulls last, granted desc, service"""

POLICIES = """
select layer, name, arn, attached_to, document from attachments join policies using (policy_id)
where principal_arn = $principal_arn
order by case layer when 'identity' then 0 when 'boundary' then 1 else 2 end, position"""


class Quick(StrEnum):
    """Questions that people ask of the list, each a filter of its own."""

    DORMANT = "dormant"
    NEW = "new"
    UNOWNED = "no owner"
    NO_BOUNDARY = "no boundary"
    OUTSIDE = "used, not granted"
    INCOMPLETE = "policies missing"
    NOT_IN_SNAPSHOT = "not in snapshot"


_QUICK = {
    Quick.DORMANT: "is_dormant",
    Quick.NEW: "is_new and is_judged",
    Quick.UNOWNED: "owner is null and is_judged",
    Quick.NO_BOUNDARY: "boundary_arn is null and is_judged",
    Quick.OUTSIDE: "used_not_granted > 0",
    Quick.INCOMPLETE: "(policies_not_collected > 0 or boundary_not_collected)",
    Quick.NOT_IN_SNAPSHOT: "not in_snapshot",
}


class IdentityOrder(StrEnum):
    """How the list is ranked."""

    UNUSED_WEIGHT = "unused weight"
    UNOBSERVED_WEIGHT = "unobserved weight"
    LEAST_RECENT = "least recently used"
    NEWEST = "newest"
    NAME = "name"


_ORDERS = {
    # What AWS alone manages comes last: nobody can take a privilege from a service-linked role.
    IdentityOrder.UNUSED_WEIGHT: "kind = 'service-linked role', unused_weight desc nulls last",
    IdentityOrder.UNOBSERVED_WEIGHT: "kind = 'service-linked role', unobserved_weight desc nulls last",
    IdentityOrder.LEAST_RECENT: "last_used nulls first",
    IdentityOrder.NEWEST: "created desc nulls last",
    IdentityOrder.NAME: "lower(name)",
}


def identities(
    con: DuckDBPyConnection,
    *,
    filters: Filters,
    quick: Quick | None = None,
    order: IdentityOrder = IdentityOrder.UNUSED_WEIGHT,
    limit: int | None = None,
    offset: int = 0,
) -> pd.DataFrame:
    """One row per identity of the filters, ranked; totals are of the window. Without a limit, all of them."""
    page = "" if limit is None else f"limit {int(limit)} offset {int(offset)}"
    sql = f"""
    with {SCOPE}, {WITH_GAP} select {COLUMNS} from labelled where {_QUICK[quick] if quick else "true"}
    order by {_ORDERS[order]}, unused_weight desc nulls last, principal_arn {page}"""
    return con.execute(sql, filters.params | {"window_days": filters.window_days}).df()


def identity_counts(con: DuckDBPyConnection, *, filters: Filters) -> dict[Quick | None, int]:
    """How many identities the filters let through (None), and how many of them each quick filter."""
    counts = ", ".join(f'count(*) filter ({condition}) as "{quick}"' for quick, condition in _QUICK.items())
    sql = f"with {SCOPE}, {WITH_GAP} select count(*) as everyone, {counts} from labelled"
    (row,) = con.execute(sql, filters.params | {"window_days": filters.window_days}).fetchall()
    return dict(zip((None, *_QUICK), row, strict=True))


def identity(con: DuckDBPyConnection, *, principal_arn: str, window_days: int) -> dict[str, Any] | None:
    """Everything that is known of one identity; None when the build does not know it."""
    found = records(con, IDENTITY, {"principal_arn": principal_arn, "window_days": window_days})
    return found[0] if found else None


def identity_services(con: DuckDBPyConnection, *, principal_arn: str, window_days: int) -> pd.DataFrame:
    """One row per service that the identity holds or used, heaviest unused first."""
    return con.execute(SERVICES, {"principal_arn": principal_arn, "window_days": window_days}).df()


def identity_policies(con: DuckDBPyConnection, *, principal_arn: str) -> pd.DataFrame:
    """The policies attached to the identity or its groups, its boundary and its trust policy; documents as JSON."""
    return con.execute(POLICIES, {"principal_arn": principal_arn}).df()
