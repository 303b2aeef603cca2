"""The remediation list as the page reads it: by filter, page by page, and one item in full."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from analytics.outputs.queries.build import records
from analytics.outputs.queries.filters import SCOPE
from analytics.outputs.queries.risk import read_json

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

# Common table expressions behind SCOPE, which here does not search: a search also means the item and its owner.
# PLACE: what items about a target stand under, as an identity stands under its account. A node is changed from the
# management account.
PLACE = """place as (
    select distinct target,
        case when target_kind = 'account' then accounts.ou_path else nodes.path end as target_ou_path,
        coalesce(accounts.account_id, management.account_id) as target_account_id,
        if(accounts.account_id is null, management.name, accounts.name) as target_account_name
    from remediation
    left join nodes on node_id = target
    left join accounts on accounts.account_id = target
    left join (select account_id, name from accounts where is_management) as management on true
    where target is not null
)"""
ITEMS = f"""{PLACE}, item as (
    select remediation.* exclude (detail, evidence, commands, policy), coalesce(scope.name, target_name) as name,
        scope.kind as principal_kind, coalesce(scope.account_id, target_account_id) as account_id,
        coalesce(scope.account_name, target_account_name) as account_name,
        coalesce(scope.ou_path, target_ou_path) as ou_path, risk.band
    from remediation
    left join scope using (principal_arn)
    left join risk using (principal_arn)
    left join place using (target)
    where case
            when target is not null then $kind is null and ($account_id is null or target = $account_id)
                and ($ou_path is null or target_ou_path = $ou_path
                    or (not $ou_alone and starts_with(target_ou_path, $ou_path || '/')))
            else scope.principal_arn is not null
                or (not $narrowed and remediation.principal_arn not in (select principal_arn from principals))
        end
      and ($words = '' or contains(lower(remediation.title), $words) or contains(lower(remediation.item_id), $words)
           or contains(lower(coalesce(remediation.principal_arn, target || ' ' || target_name)), $words)
           or contains(lower(coalesce(remediation.owner, '')), $words)
           or contains(lower(coalesce(scope.account_name, target_account_name, '')), $words))
)"""
COLUMNS = """rank, item_id, kind, title, principal_arn, target, target_kind, name, principal_kind, account_id,
    account_name, ou_path, owner, band, score_before, score_after, risk_removed, calls_broken, blocked_reason,
    priority"""
ONE = f"""
with {PLACE}
select remediation.*, coalesce(principals.name, target_name) as name,
    coalesce(principals.account_id, target_account_id) as account_id,
    coalesce(principals.account_name, target_account_name) as account_name, risk.band, risk.rank as risk_rank
from remediation
left join principals using (principal_arn)
left join risk using (principal_arn)
left join place using (target)
where item_id = $item_id"""


class Proof(StrEnum):
    """What is known of the calls that an item would break, and who could answer for it."""

    BREAKS_NOTHING = "breaks nothing"
    BREAKS = "breaks calls"
    NOT_PROVEN = "not proven"
    UNOWNED = "no owner"
    BLOCKED = "cannot be done here"


_PROOF = {
    Proof.BREAKS_NOTHING: "calls_broken = 0 and blocked_reason is null",
    Proof.BREAKS: "calls_broken > 0",
    Proof.NOT_PROVEN: "calls_broken is null and blocked_reason is null",
    Proof.UNOWNED: "owner is null",
    Proof.BLOCKED: "blocked_reason is not null",
}


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """How many items the filters let through: in all, by kind, and by each Proof."""

    everything: int
    kinds: dict[str, int]
    proofs: dict[Proof, int]


def item_counts(con: DuckDBPyConnection, *, filters: Filters, kind: str | None = None) -> ItemCounts:
    """Counts by kind are of all kinds; the others of the kind that is asked for."""
    asked = _asked(filters)
    by_kind = con.execute(
        f"with {SCOPE}, {ITEMS} select kind, count(*) from item group by kind order by 2 desc, 1", asked
    )
    kinds = dict(by_kind.fetchall())
    counts = ", ".join(f'count(*) filter ({condition}) as "{proof}"' for proof, condition in _PROOF.items())
    sql = f"with {SCOPE}, {ITEMS} select count(*), {counts} from item where $item_kind is null or kind = $item_kind"
    ((everything, *proofs),) = con.execute(sql, asked | {"item_kind": kind}).fetchall()
    return ItemCounts(everything, kinds, dict(zip(_PROOF, proofs, strict=True)))


def items(
    con: DuckDBPyConnection,
    *,
    filters: Filters,
    kind: str | None = None,
    proof: Proof | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> pd.DataFrame:
    """One row per item in the order of the list: risk removed, discounted by calls broken."""
    page = "" if limit is None else f"limit {int(limit)} offset {int(offset)}"
    sql = f"""
    with {SCOPE}, {ITEMS} select {COLUMNS} from item
    where ($item_kind is null or kind = $item_kind) and ({_PROOF[proof] if proof else "true"})
    order by rank, item_id {page}"""
    return con.execute(sql, _asked(filters) | {"item_kind": kind}).df()


def item(con: DuckDBPyConnection, *, item_id: str) -> dict[str, Any] | None:
    """One item in full, JSON columns as values; None for an id that this build does not have."""
    found = records(con, ONE, {"item_id": item_id})
    if not found:
        return None
    return found[0] | {name: read_json(found[0][name]) for name in ("detail", "evidence", "commands")}


def _asked(filters: Filters) -> dict[str, Any]:
    everywhere = replace(filters, search="")
    return everywhere.params | {"narrowed": everywhere.narrows, "words": filters.params["search"]}
