"""Identities: who holds the most that they do not use, and what is known of each."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import IdentityOrder
from app_pages.shared import data, identity_panel, identity_table, shell, widgets

ROWS_PER_PAGE = 50

build, filters = shell.start("Identities", "Users and roles, ranked by the high-risk privilege that they do not use.")
counts = data.read(queries.identity_counts, filters=filters)
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    quick = identity_table.quick_filter()
    orders = {str(order).capitalize(): order for order in IdentityOrder}
    chosen = st.selectbox("Rank by", list(orders), key="rank", bind="query-params", width=200)
    order = orders.get(chosen, IdentityOrder.UNUSED_WEIGHT)
    everything = partial(queries.identities, filters=filters, quick=quick, order=order)
    widgets.downloads("identities", everything, build=build, filters=filters, rows=counts[quick])
size = counts[quick]
if size == 0:
    widgets.nothing("No identity matches.", "Choose “Everyone”, clear the search or widen the filters above.")
    st.stop()

left, right = st.columns([2.1, 1], gap="medium")
with left:
    pages = -(-size // ROWS_PER_PAGE)
    offset = widgets.pager(pages, ROWS_PER_PAGE, size, "identities", key="identities_page")
    rows = data.read(queries.identities, filters=filters, quick=quick, order=order, limit=ROWS_PER_PAGE, offset=offset)
    identity_table.show(rows)
with right, st.container(border=True):
    identity_panel.show(st.query_params.get("identity", ""), filters)
