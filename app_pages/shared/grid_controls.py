"""The controls of the privilege grid, kept in the URL: layout, sorting, page, and the cell that is open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import Grid, Measure, Order, RowKind, ServiceSet
from analytics.outputs.queries.heatmap import TOP_SERVICES
from app_pages.shared import data, widgets
from app_pages.shared.privilege_grid import MEASURES, ROW_TITLES
from app_pages.shared.text import percent
from app_pages.shared.widgets import segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.outputs.queries import Build, Filters, HeatmapColumns, HeatmapPage
    from app_pages.shared.matrix import Picked

ROWS = {"Identities": RowKind.IDENTITY, "Accounts": RowKind.ACCOUNT, "OUs": RowKind.OU}
MEASURED = {Measure.WEIGHT: "unused weight", Measure.SHARE: "unused actions", Measure.CALLS: "uses"}
ROW_NAMES = {RowKind.IDENTITY: "identities", RowKind.ACCOUNT: "accounts", RowKind.OU: "OUs"}
SERVICES = {"In use": ServiceSet.IN_USE, f"Top {TOP_SERVICES}": ServiceSet.TOP, "All": ServiceSet.ALL}
ORDERS = {
    "Risk": Order.RISK,
    "Measure": Order.MEASURE,
    "Name": Order.NAME,
    "Least recently used": Order.LEAST_RECENT,
    "Calls": Order.CALLS,
}


def choices(build: Build, filters: Filters) -> tuple[Grid, ServiceSet]:
    """How the grid is laid out, and which services it shows."""
    measures = {name: measure for measure, name in MEASURES.items()}
    if not build.has_snapshot:
        measures = {MEASURES[Measure.CALLS]: Measure.CALLS}
    services = data.read(queries.services)
    orders = [name for name, order in ORDERS.items() if build.has_snapshot or order is not Order.RISK]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        by = segments("Rows", list(ROWS), "by", on_change=_close_row)
        measure = segments("Colour", list(measures), "measure")
        width = segments("Services", list(SERVICES), "services")
        order = st.selectbox(
            "Sort rows by", [*orders, *services], key="sort", bind="query-params", filter_mode="contains", width=200
        )
        grid = Grid(
            by=ROWS[by],
            measure=measures[measure],
            order=ORDERS.get(order, Order.RISK),
            order_service=order if order in services else None,
        )
        rows = data.read(queries.heatmap_export_rows, filters=filters, by=grid.by)
        everything = partial(queries.heatmap_export, filters=filters, by=grid.by)
        widgets.downloads("privilege-vs-usage", everything, build=build, filters=filters, rows=rows)
    return grid, SERVICES[width]


def _close_row() -> None:
    """A row that is open is not one of the new rows."""
    st.query_params.pop("row", None)


def pager(size: int, rows: int, filters: Filters, grid: Grid) -> int:
    """The pages of the grid; the offset of the chosen one. A link to a row opens the page that the row is on."""
    pages = max(1, -(-size // rows))
    row = st.query_params.get("row")
    if row and row != st.session_state.get("grid_opened_row"):
        st.session_state["grid_opened_row"] = row
        rank = data.read(queries.heatmap_rank, filters=filters, row_key=row, grid=grid)
        if rank is not None:
            st.session_state["page"] = rank // rows + 1
    return widgets.pager(pages, rows, size, ROW_NAMES[grid.by], key="page")


def selection() -> tuple[str, str]:
    """The row and the service that are open, as the URL names them; empty for none. Not checked yet."""
    return st.query_params.get("row", ""), st.query_params.get("service", "")


def open_picked(page: HeatmapPage) -> Callable[[Picked], None]:
    """What a click does: names, never positions, go into the URL."""

    def opened(picked: Picked) -> None:
        service = None if picked.column is None else page.services[picked.column]
        if picked.sort and service:
            st.session_state["sort"] = service
            return
        row = None if picked.row is None else page.row_keys[picked.row]
        st.session_state["grid_opened_row"] = row
        for name, value in (("row", row), ("service", service)):
            if value is None:
                st.query_params.pop(name, None)
            else:
                st.query_params[name] = value

    return opened


def hidden_services_note(columns: HeatmapColumns, grid: Grid, services: ServiceSet) -> None:
    """How much of the picture lies in the services that are not shown."""
    hidden = columns.total_services - len(columns.services)
    if hidden > 0:
        share = f" hold {percent(1 - columns.shown)} of the {MEASURED[grid.measure]}" if columns.shown < 1 else ""
        why = ", and nobody here used them" if services is ServiceSet.IN_USE else ""
        st.caption(f"{hidden} more services{share}{why}; choose “All” to see them.")


def table_twin(page: HeatmapPage, grid: Grid) -> None:
    """The numbers of the grid as a table, for readers who cannot see a canvas."""
    with st.expander("The same rows as a table", key="grid_table", on_change="rerun") as expander:
        if not expander.open:
            return
        numbers = {name.replace("_", " ").capitalize(): name for name in page.facts}
        shown = st.selectbox("Number in the cells", list(numbers), key="grid_table_number", width=220)
        frame = pd.DataFrame(page.facts[numbers[shown]], columns=list(page.services))
        frame.insert(0, ROW_TITLES[grid.by], list(page.row_labels))
        frame.insert(1, MEASURES[grid.measure], page.amounts)
        st.dataframe(frame, hide_index=True)
