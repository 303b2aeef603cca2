"""A build of many identities, for the speed of pages only: the identities of a small build, repeated.

Every table keeps its columns. Broad identities (more than 60 services) are a tenth of the copies, as in large estates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from analytics.store import Store

if TYPE_CHECKING:
    from pathlib import Path

BUILD_ID = "20261122T060000-0a1b2c"
REPEATED = (
    *(
        "principals",
        "gap_service",
        "gap_identity",
        "usage",
        "principal_day",
        "attachments",
        "access_keys",
        "credentials",
    ),
    *("trust", "assumed", "escalation", "escalation_step", "risk", "risk_facts", "would_lower", "remediation"),
)
# What numbers the rows of the small build, numbers those of the large one.
RENUMBERED = (
    """create or replace table risk as
        select * replace (row_number() over (order by rank, principal_arn)::integer as rank) from risk order by rank""",
    """create or replace table remediation as
        select * replace (
            md5(item_id || principal_arn) as item_id, row_number() over (order by rank, principal_arn)::integer as rank
        ) from remediation order by rank""",
)
COPIES = """
create temp table copy as
with ranked as (
    select principal_arn, case when services > 60 then 1 else 9 end as share
    from small.gap_identity join small.build using (window_days) where services > 0
), numbered as (
    select principal_arn, unnest(range(ceil($identities * share / (select sum(share) from ranked))::bigint)) as number
    from ranked
)
select principal_arn, principal_arn || '-' || number as copied_arn, number from numbered limit $identities"""


def write_large_store(source: Store, folder: Path, *, identities: int) -> Store:
    """A store with one build of so many identities, made from the current build of another store."""
    store = Store(folder)
    small = source.path(source.current() or "")
    with store.new_build(BUILD_ID) as path, duckdb.connect(str(path)) as con:
        con.execute(f"attach '{small}' as small (read_only)")
        con.execute(COPIES, {"identities": identities})
        tables = [
            name
            for (name,) in con.execute(
                "select table_name from duckdb_tables() where database_name = 'small'"
            ).fetchall()
        ]
        for table in tables:
            if table in REPEATED:
                con.execute(
                    f"create table {table} as select copied_arn as principal_arn, source.* exclude (principal_arn)"
                    f" from small.{table} source join copy using (principal_arn) order by copied_arn"
                )
            else:
                con.execute(f"create table {table} as from small.{table}")
        for renumbered in RENUMBERED:
            con.execute(renumbered)
        con.execute("update build set id = $id", {"id": BUILD_ID})
        con.execute("update principals set name = name || '-' || regexp_extract(principal_arn, '[0-9]+$')")
        con.execute("detach small")
    return store
