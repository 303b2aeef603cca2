"""The panel beside the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from pages.shared import data
from pages.shared.text import span

if TYPE_CHECKING:
    from analytics.outputs.queries import Filters, Grid


def show(filters: Filters, grid: Grid, row: str, service: str) -> None:
    """What is open: a cell, a row, a service, or nothing yet."""
    if not (row or service):
        st.subheader("Select a cell", anchor=False)
        st.caption("Click a cell, or move with the arrow keys and press Enter.")
        return
    st.subheader(span(row.rpartition("/")[2]), anchor=False)
    st.caption(span(service))
    actions = data.read(
        queries.cell_actions, principal_arn=row, service=service or None, window_days=filters.window_days
    )
    st.dataframe(actions, hide_index=True)
