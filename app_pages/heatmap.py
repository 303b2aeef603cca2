"""Privilege vs usage: who holds which service's privileges, and which of them were never used."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import cell_panel, data, grid_controls, privilege_grid, shell, widgets

ROWS_PER_PAGE = 40

build, filters = shell.start(
    "Privilege vs usage", "Granted privilege by service, and how much of it was used in the window."
)
grid, services = grid_controls.choices(build, filters)
size = data.read(queries.heatmap_size, filters=filters, by=grid.by)
if size == 0:
    widgets.nothing("No identity matches these filters.", "Clear the search or widen the OU, account or kind above.")
    st.stop()

left, right = st.columns([2.75, 1.6], gap="medium")
with left:
    offset = grid_controls.pager(size, ROWS_PER_PAGE, filters, grid)
    columns = data.read(queries.heatmap_columns, filters=filters, by=grid.by, measure=grid.measure, services=services)
    page = data.read(
        queries.heatmap_page,
        filters=filters,
        services=columns.services,
        grid=grid,
        limit=ROWS_PER_PAGE,
        offset=offset,
    )
    selected = grid_controls.selection()
    privilege_grid.draw(
        page,
        columns,
        grid,
        usage_only=not build.has_snapshot,
        selected=selected,
        on_pick=grid_controls.open_picked(page),
        key="privilege_grid",
    )
    grid_controls.hidden_services_note(columns, grid, services)
with right, st.container(border=True):
    cell_panel.show(filters, grid, *selected)
grid_controls.table_twin(page, grid)
