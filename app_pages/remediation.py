"""Remediation: what to change first, with the risk that it removes and the calls that it breaks."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, remediation_item, remediation_list, shell, widgets

ROWS_PER_PAGE = 50

build, filters = shell.start(
    "Remediation", "What to change first: risk removed against calls broken, and how to do it."
)
if not build.has_snapshot:
    widgets.nothing("There is nothing to change yet.", "What is granted is not known without a snapshot.")
    st.stop()
kind, proof = remediation_list.choices(build, filters)
counts = data.read(queries.item_counts, filters=filters, kind=kind)
size = counts.proofs[proof] if proof else counts.everything
if size == 0:
    widgets.nothing("No item matches.", "Choose “Everything”, clear the search or widen the filters above.")
    st.stop()

left, right = st.columns([2.2, 1], gap="small")
with left:
    pages = -(-size // ROWS_PER_PAGE)
    offset = widgets.pager(pages, ROWS_PER_PAGE, size, "items", key="items_page")
    rows = data.read(queries.items, filters=filters, kind=kind, proof=proof, limit=ROWS_PER_PAGE, offset=offset)
    remediation_list.show(rows)
with right, st.container(border=True):
    remediation_item.show(st.query_params.get("item") or rows["item_id"].iloc[0])
