"""Identities as a ranked table and a picture, and one of them in detail.

Score, band and factors are those of table `risk`, of the build's own window; an identity that the snapshot does not
hold has none. Totals of actions are of the window that the filters choose.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from analytics.findings.risk.weights import risk_weights
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

FACTORS = ("control_reach", "data_reach", "breadth", "unused", "exposure", "asset")
BANDS = ("critical", "high", "medium", "low")
PRIVILEGED = 20.0  # of the 40 points that control, data and breadth can make

# Common table expression behind SCOPE: the identities with their totals in the window and their risk.
WITH_GAP = f"""identity as (
    select scope.*, gap.* exclude (principal_arn, calls, last_used), gap.calls as uses, windows.window_start,
        accounts.days_covered
    from scope join gap_identity gap using (principal_arn) join windows using (window_days)
    left join accounts using (account_id) where window_days = $window_days
), labelled as (select *, {DORMANT} as is_dormant, {JUDGED} as is_judged from identity)"""
_RISK_COLUMNS = "rank, score, band, floor, floor_points, administrator, steps_to_administrator, trust_class, paths"
_POINTS = ", ".join(f"{factor} as {factor}_points" for factor in FACTORS)
# Ways to become an identity, in the words of table `trust`.
AUTOMATED = ("service", "oidc", "access_key")
OPEN = ("anyone", "unknown_account", "oidc_any_subject", "unknown_account_external_id", "anyone_conditional")
FROM_OUTSIDE = ("anyone", "saml", "oidc", "identity_center")
WITH_RISK = f"""{WITH_GAP}, scored as (
    select principal_arn, {_RISK_COLUMNS}, {_POINTS}, control_reach + data_reach + breadth as privilege_points,
        confidence, confidence_share
    from risk
), ways as (
    select principal_arn, bool_or(kind in {AUTOMATED}) as is_automated,
        bool_or(kind in {FROM_OUTSIDE}
            or (kind in ('account', 'principal') and party_account_id is distinct from principals.account_id))
            as is_from_outside,
        bool_or(trust_class in {OPEN}) as is_open
    from (select principal_arn, trust.kind, party_account_id, trust_class, principals.account_id
          from trust join principals using (principal_arn)) principals
    group by principal_arn
), on_path as (
    select distinct principal_arn from escalation where strength > 0
), ranked as (
    select labelled.*, scored.* exclude (principal_arn), coalesce(is_automated, false) as is_automated,
        coalesce(is_from_outside, false) as is_from_outside, coalesce(is_open, false) as is_open,
        on_path.principal_arn is not null as is_on_path
    from labelled left join scored using (principal_arn) left join ways using (principal_arn)
    left join on_path using (principal_arn)
)"""

COLUMNS = """principal_arn, name, kind, account_id, account_name, ou_path, environment, owner, rank, score, band,
    control_reach_points, data_reach_points, breadth_points, unused_points, exposure_points, asset_points,
    floor, floor_points, administrator, steps_to_administrator, paths, trust_class, confidence, confidence_share,
    granted_weight, unused_weight, unobserved_weight, granted, surely, used, possible, unused, unobserved,
    used_not_granted, services, services_used, last_used, last_used_basis, created, judged_from, boundary_name,
    boundary_not_collected, policies_not_collected, in_snapshot, seen_in_logs, is_new, is_dormant"""

IDENTITY = f"""
with one as (select * from principals where principal_arn = $principal_arn), scope as (select * from one), {WITH_RISK}
select {COLUMNS}, owner_basis, boundary_arn, unique_id, path, tags, first_call,
    (select coalesce(sum(principal_day.calls), 0)::bigint
     from principal_day join windows on day between windows.window_start and window_end
     where principal_arn = $principal_arn and window_days = $window_days) as calls
from ranked"""

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

    PRIVILEGED = "high privilege, sensitive account"
    AUTOMATED = "service and automation"
    FROM_OUTSIDE = "cross-account and federated"
    DORMANT = "dormant"
    ESCALATING = "on an escalation path"
    NO_BOUNDARY = "no boundary"
    UNOWNED = "no owner"
    NEW = "new"
    CRITICAL = "critical"
    OPEN = "open to strangers"
    OUTSIDE = "used, not granted"
    INCOMPLETE = "policies missing"
    NOT_IN_SNAPSHOT = "not in snapshot"


_QUICK = {
    # What counts as sensitive is what the score counts as production: everything but its words for elsewhere.
    Quick.PRIVILEGED: f"""(administrator is not null or privilege_points >= {PRIVILEGED})
        and not list_contains($elsewhere, lower(trim(coalesce(environment, ''))))""",
    Quick.AUTOMATED: "is_automated",
    Quick.FROM_OUTSIDE: "is_from_outside",
    Quick.DORMANT: "is_dormant",
    Quick.ESCALATING: "(administrator is not null or steps_to_administrator is not null or is_on_path)",
    Quick.NO_BOUNDARY: "boundary_arn is null and is_judged",
    Quick.UNOWNED: "owner is null and is_judged",
    Quick.NEW: "is_new and is_judged",
    Quick.CRITICAL: "band = 'critical'",
    Quick.OPEN: "is_open",
    Quick.OUTSIDE: "used_not_granted > 0",
    Quick.INCOMPLETE: "(policies_not_collected > 0 or boundary_not_collected)",
    Quick.NOT_IN_SNAPSHOT: "not in_snapshot",
}


class IdentityOrder(StrEnum):
    """How the list is ranked."""

    RISK = "risk"
    UNUSED_WEIGHT = "unused weight"
    UNOBSERVED_WEIGHT = "unobserved weight"
    LEAST_RECENT = "least recently used"
    NEWEST = "newest"
    NAME = "name"


_ORDERS = {
    IdentityOrder.RISK: "rank nulls last",
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
    order: IdentityOrder = IdentityOrder.RISK,
    limit: int | None = None,
    offset: int = 0,
) -> pd.DataFrame:
    """One row per identity of the filters, ranked; totals are of the window. Without a limit, all of them."""
    page = "" if limit is None else f"limit {int(limit)} offset {int(offset)}"
    sql = f"""
    with {SCOPE}, {WITH_RISK} select {COLUMNS} from ranked where {_QUICK[quick] if quick else "true"}
    order by {_ORDERS[order]}, unused_weight desc nulls last, principal_arn {page}"""
    return con.execute(sql, _asked(filters, quick)).df()


def identity_counts(con: DuckDBPyConnection, *, filters: Filters) -> dict[Quick | None, int]:
    """How many identities the filters let through (None), and how many of them each quick filter."""
    counts = ", ".join(f'count(*) filter ({condition}) as "{quick}"' for quick, condition in _QUICK.items())
    sql = f"with {SCOPE}, {WITH_RISK} select count(*) as everyone, {counts} from ranked"
    (row,) = con.execute(sql, _asked(filters, Quick.PRIVILEGED)).fetchall()
    return dict(zip((None, *_QUICK), row, strict=True))


def identity_points(
    con: DuckDBPyConnection, *, filters: Filters, quick: Quick | None = None, limit: int = 1000
) -> pd.DataFrame:
    """The picture of the list: privilege, unused and exposure points of the highest scores, the highest last.

    Identities at one and the same point are told by `beside`, the number of others there.
    """
    sql = f"""
    with {SCOPE}, {WITH_RISK}, first as (
        select principal_arn, name, account_name, account_id, kind, rank, score, band, privilege_points, unused_points,
            exposure_points
        from ranked where score is not null and ({_QUICK[quick] if quick else "true"}) order by rank limit $limit
    )
    select *, count(*) over (partition by privilege_points, unused_points) - 1 as beside
    from first order by rank desc"""
    return con.execute(sql, _asked(filters, quick) | {"limit": limit}).df()


def band_counts(con: DuckDBPyConnection, *, filters: Filters, quick: Quick | None = None) -> dict[str, int]:
    """How many of the identities stand in each of BANDS."""
    sql = f"""
    with {SCOPE}, {WITH_RISK} select band, count(*) from ranked
    where band is not null and ({_QUICK[quick] if quick else "true"}) group by band"""
    found = dict(con.execute(sql, _asked(filters, quick)).fetchall())
    return {band: found.get(band, 0) for band in BANDS}


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


def _asked(filters: Filters, quick: Quick | None) -> dict[str, Any]:
    """The parameters of a query of WITH_RISK and this quick filter."""
    asked = filters.params | {"window_days": filters.window_days}
    return asked | {"elsewhere": risk_weights().elsewhere} if quick is Quick.PRIVILEGED else asked
