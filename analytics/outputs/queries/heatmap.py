"""Privilege against use as a grid: identities, accounts or OUs by services, one page of rows at a time.

Numbers of actions of an account or an OU count pairs of identity and action. INVARIANT: of each cell,
granted = used + possible + unused + unobserved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.outputs.queries.filters import SCOPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters

COUNTS = ("granted", "used", "possible", "unused", "unobserved", "used_not_granted", "calls")
FACTS = (*COUNTS, "unused_weight")


class RowKind(StrEnum):
    """What a row of the grid stands for."""

    IDENTITY = "identity"
    ACCOUNT = "account"
    OU = "ou"


class Measure(StrEnum):
    """What the colour of a cell says."""

    WEIGHT = "weight"  # unused high-risk weight
    SHARE = "share"  # unused actions of the granted ones
    CALLS = "calls"  # calls in the window


class ServiceSet(StrEnum):
    """Which services are columns of the grid."""

    IN_USE = "in use"  # anyone of the filtered rows used it
    TOP = "top"  # the heaviest ones
    ALL = "all"


class Order(StrEnum):
    """How rows are sorted; a column's own order is given by the service's name instead."""

    MEASURE = "measure"
    RISK = "risk"  # the rank of the score; of several identities, of the first
    NAME = "name"
    LEAST_RECENT = "least recent"  # never used first
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Grid:
    """How the grid is laid out: what rows stand for, what colour says, how rows are sorted."""

    by: RowKind = RowKind.IDENTITY
    measure: Measure = Measure.WEIGHT
    order: Order = Order.MEASURE
    order_service: str | None = None  # sort rows by the measure in this service first


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    label: str
    note: str


_ROWS = {
    RowKind.IDENTITY: _Row("principal_arn", "coalesce(name, principal_arn)", "coalesce(account_name, account_id, '')"),
    RowKind.ACCOUNT: _Row(
        "coalesce(account_id, 'no account')",
        "coalesce(account_name, account_id, 'no account')",
        "coalesce(ou_path, '')",
    ),
    RowKind.OU: _Row("coalesce(ou_path, 'no OU known')", "coalesce(ou_path, 'no OU known')", "''"),
}
DEFAULT = Grid()
TOP_SERVICES = 40
_MEASURED = {
    Measure.WEIGHT: "sum(gap.unused_weight)",
    Measure.SHARE: "sum(gap.unused) / nullif(sum(gap.granted), 0)",
    Measure.CALLS: "sum(gap.calls)",
}
_SORTED = {
    Order.MEASURE: "amount desc nulls last",
    Order.RISK: "rank nulls last, amount desc nulls last",
    Order.NAME: "lower(label)",
    Order.LEAST_RECENT: "last_used nulls first",
    Order.CALLS: "calls desc",
}


@dataclass(frozen=True, slots=True)
class HeatmapColumns:
    """The services that are columns, heaviest first, and what lies in those that are not."""

    services: tuple[str, ...]
    total_services: int
    largest: float  # the largest cell of the measure over all filtered rows: one scale for every page
    shown: float  # share of the measure's sum over all services that lies in the columns; NaN without any


@dataclass(frozen=True, slots=True)
class HeatmapPage:
    """One page of rows. Arrays are rows by columns; `amounts` is the measure of each whole row, over all services."""

    row_keys: tuple[str, ...]
    row_labels: tuple[str, ...]
    row_notes: tuple[str, ...]
    amounts: np.ndarray[Any, np.dtype[np.float64]]
    services: tuple[str, ...]
    facts: dict[str, np.ndarray[Any, np.dtype[np.float64]]]  # of FACTS


def heatmap_page(
    con: DuckDBPyConnection,
    *,
    filters: Filters,
    services: tuple[str, ...],
    grid: Grid = DEFAULT,
    limit: int = 40,
    offset: int = 0,
) -> HeatmapPage:
    """The rows from `offset` on, with the cells of the given services."""
    rows = _rows(con, filters, grid, f"limit {int(limit)} offset {int(offset)}")
    keys = tuple(rows["row_key"])
    return HeatmapPage(
        row_keys=keys,
        row_labels=tuple(rows["label"]),
        row_notes=tuple(rows["note"]),
        amounts=rows["amount"].to_numpy("float64", na_value=float("nan")),
        services=services,
        facts=_cells(con, filters, grid.by, keys, services),
    )


def heatmap_columns(
    con: DuckDBPyConnection,
    *,
    filters: Filters,
    by: RowKind = RowKind.IDENTITY,
    measure: Measure = Measure.WEIGHT,
    services: ServiceSet = ServiceSet.IN_USE,
) -> HeatmapColumns:
    """The columns of a service set; where nobody used anything, the heaviest ones."""
    columns = _services(con, filters, by, measure)
    chosen = columns
    if services is ServiceSet.IN_USE:
        chosen = columns[columns["calls"] > 0]
    if services is ServiceSet.TOP or chosen.empty:
        chosen = columns.head(TOP_SERVICES)
    total = float(columns["total"].sum())
    return HeatmapColumns(
        services=tuple(chosen["service"]),
        total_services=len(columns),
        largest=float(columns["largest"].max()) if len(columns) else 0.0,
        shown=float(chosen["total"].sum()) / total if total else float("nan"),
    )


def heatmap_rank(con: DuckDBPyConnection, *, filters: Filters, row_key: str, grid: Grid = DEFAULT) -> int | None:
    """The position of a row in the sorted grid, 0 for the first; None when the filters leave it out."""
    keys = _rows(con, filters, grid)["row_key"]
    found = np.flatnonzero((keys == row_key).to_numpy())
    return int(found[0]) if len(found) else None


def _services(con: DuckDBPyConnection, filters: Filters, by: RowKind, measure: Measure) -> pd.DataFrame:
    """Every service of the filtered rows, heaviest first: total and largest cell of the measure, granted, calls."""
    row, value = _ROWS[by], _MEASURED[measure]
    total = "sum(gap.unused)" if measure is Measure.SHARE else value
    grouping = f"group by gap.service, {row.key}"
    if by is RowKind.IDENTITY:  # a row of gap_service is a cell already: grouping 30,000 identities is for nothing
        total, value, grouping = (re.sub(r"sum\((gap\.\w+)\)", r"\1", text) for text in (total, value, ""))
    figures = "gap.granted, gap.calls" if not grouping else "sum(gap.granted) as granted, sum(gap.calls) as calls"
    sql = f"""
    with {SCOPE}, cells as (
        select gap.service, {total} as total, {value} as value, {figures}
        from scope join gap_service gap using (principal_arn) where window_days = $window_days {grouping}
    )
    select service, coalesce(sum(total), 0) as total, coalesce(max(value), 0) as largest,
        sum(granted) as granted, sum(calls) as calls
    from cells group by service order by total desc, calls desc, granted desc, service"""
    return con.execute(sql, filters.params | {"window_days": filters.window_days}).df()


def services(con: DuckDBPyConnection) -> tuple[str, ...]:
    """Every service that anyone holds or used, by name."""
    return tuple(name for (name,) in con.execute("select distinct service from gap_service order by 1").fetchall())


def heatmap_export_rows(con: DuckDBPyConnection, *, filters: Filters, by: RowKind = RowKind.IDENTITY) -> int:
    """How many rows `heatmap_export` has."""
    # A row of gap_service is a cell of its identity already; only larger rows need to be told apart.
    counted = "*" if by is RowKind.IDENTITY else f"distinct ({_ROWS[by].key}, gap.service)"
    sql = f"""
    with {SCOPE} select count({counted})
    from scope join gap_service gap using (principal_arn) where window_days = $window_days"""
    ((rows,),) = con.execute(sql, filters.params | {"window_days": filters.window_days}).fetchall()
    return int(rows)


def heatmap_export(con: DuckDBPyConnection, *, filters: Filters, by: RowKind = RowKind.IDENTITY) -> pd.DataFrame:
    """Every cell of every filtered row: one row per row of the grid and service, heaviest first."""
    row = _ROWS[by]
    names = {
        RowKind.IDENTITY: "principal_arn, name, kind, account_id, account_name, ou_path, owner",
        RowKind.ACCOUNT: "account_id, account_name, ou_path",
        RowKind.OU: "ou_path",
    }[by]
    sums = ", ".join(f"sum(gap.{name})::bigint as {name}" for name in COUNTS)
    sql = f"""
    with {SCOPE}
    select {names}, gap.service, {sums}, sum(granted_weight) as granted_weight, sum(unused_weight) as unused_weight,
        sum(unobserved_weight) as unobserved_weight, max(gap.last_used) as last_used
    from scope join gap_service gap using (principal_arn) where window_days = $window_days
    group by {row.key}, {names}, gap.service order by unused_weight desc, {row.key}, service"""
    return con.execute(sql, filters.params | {"window_days": filters.window_days}).df()


def _rows(con: DuckDBPyConnection, filters: Filters, grid: Grid, page: str = "") -> pd.DataFrame:
    row, value = _ROWS[grid.by], _MEASURED[grid.measure]
    # What AWS alone manages comes last: nobody can take a privilege from a service-linked role.
    last = "" if grid.order is Order.NAME else "belongs_to_aws, "
    sql = f"""
    with {SCOPE}, totals as (
        select {row.key} as row_key, any_value({row.label}) as label, any_value({row.note}) as note,
            {value} as amount, sum(gap.calls) as calls, max(gap.last_used) as last_used,
            bool_and(kind = 'service-linked role') as belongs_to_aws, min(risk.rank) as rank
        from scope join gap_identity gap using (principal_arn) left join risk using (principal_arn)
        where window_days = $window_days group by row_key
    ), in_service as (
        select {row.key} as row_key, {value} as in_service
        from scope join gap_service gap using (principal_arn)
        where window_days = $window_days and service = $service group by row_key
    )
    select row_key, label, note, amount from totals left join in_service using (row_key)
    order by {last}in_service desc nulls last, {_SORTED[grid.order]}, label, row_key {page}"""
    return con.execute(sql, filters.params | {"window_days": filters.window_days, "service": grid.order_service}).df()


def heatmap_size(con: DuckDBPyConnection, *, filters: Filters, by: RowKind = RowKind.IDENTITY) -> int:
    """How many rows the filters let through."""
    sql = f"""
    with {SCOPE} select count(distinct {_ROWS[by].key})
    from scope join gap_identity using (principal_arn) where window_days = $window_days"""
    ((rows,),) = con.execute(sql, filters.params | {"window_days": filters.window_days}).fetchall()
    return int(rows)


def _cells(
    con: DuckDBPyConnection, filters: Filters, by: RowKind, keys: Sequence[str], services: Sequence[str]
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """FACTS of the asked rows and services as dense arrays; what is not there, or not known, is 0."""
    sums = ", ".join(f"sum(gap.{name}) as {name}" for name in FACTS)
    sql = f"""
    with {SCOPE} select {_ROWS[by].key} as row_key, service, {sums}
    from scope join gap_service gap using (principal_arn)
    where window_days = $window_days and row_key in (select unnest($keys)) group by row_key, service"""
    asked = filters.params | {"window_days": filters.window_days, "keys": list(keys)}
    found = con.execute(sql, asked).df()
    at_row, at_column = ({name: i for i, name in enumerate(names)} for names in (keys, services))
    found = found[found["service"].isin(at_column)]
    rows, columns = (
        found[name].map(places).to_numpy("int64") for name, places in (("row_key", at_row), ("service", at_column))
    )
    facts = {}
    for name in FACTS:
        facts[name] = np.zeros((len(keys), len(services)))
        facts[name][rows, columns] = found[name].fillna(0).to_numpy("float64")
    return facts
