"""Identities: which first, and why."""

from __future__ import annotations

from functools import partial

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import IdentityOrder
from app_pages.shared import data, factors, identity_table, risk_picture, shell, widgets

ROWS_PER_PAGE = 50

build, filters = shell.start("Identities", "Which identity first, and why: users and roles ranked by risk.")
counts = data.read(queries.identity_counts, filters=filters)
quick = identity_table.quick_filter(counts)
size = counts[quick]
if size == 0:
    widgets.nothing("No identity matches.", "Choose “Everyone”, clear the search or widen the filters above.")
    st.stop()

if build.has_snapshot:
    risk_picture.show(filters, quick)
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    orders = {str(order).capitalize(): order for order in IdentityOrder}
    chosen = st.selectbox("Rank by", list(orders), key="rank", bind="query-params", width=190)
    order = orders.get(chosen, IdentityOrder.RISK)
    everything = partial(queries.identities, filters=filters, quick=quick, order=order)
    widgets.downloads("identities", everything, build=build, filters=filters, rows=size, only=[quick])
    pages = -(-size // ROWS_PER_PAGE)
    offset = widgets.pager(pages, ROWS_PER_PAGE, size, "identities", key="identities_page")
    factors.legend()
asked = {"filters": filters, "quick": quick, "order": order, "limit": ROWS_PER_PAGE, "offset": offset}
identity_table.show(data.drawn(identity_table.pictured, queries.identities, **asked))
