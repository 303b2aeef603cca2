"""Overview: whether the estate is safer than last time, and what needs a decision."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import charts, data, decisions, shell, tiles, widgets

build, filters = shell.start("Overview", "Is the estate safer than last time, and what needs a decision?")
figures = data.read(queries.figures, filters=filters)
tiles.show(figures, data.read(queries.history), build, filters)

st.subheader("What needs a decision", anchor=False)
decisions.show(data.read(queries.decisions, filters=filters), build, filters)

left, right = st.columns([1.1, 1], gap="medium")
with left, st.container(border=True, height="stretch"):
    splits = {
        "By service": queries.split_by_service,
        "By OU": queries.split_by_ou,
        "By account": queries.split_by_account,
    }
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("What was granted, and what of it was used", anchor=False, width="content")
        split = widgets.segments("Split", list(splits), "split", hide_label=True)
    rows = data.read(splits[split], filters=filters)
    if rows.empty:
        widgets.nothing("No grants are known here.", "Add a snapshot to the build, or widen the filters.")
    else:
        st.plotly_chart(
            data.drawn(charts.split_bars, splits[split], filters=filters),
            key="split_chart",
            config=charts.CONFIG,
            alt="Bars: share of granted actions that is used, possible, unused and unobserved, per row",
        )
        st.caption(f"Share of granted actions (identity × action) in {filters.window_days} days; most used first.")
with right, st.container(border=True, height="stretch"):
    st.subheader("Calls and denied calls per day", anchor=False)
    days = data.read(queries.activity_by_day, filters=filters)
    if not days["calls"].sum():
        widgets.nothing("No calls in this window.", "Widen the filters or choose a longer window.")
    else:
        st.plotly_chart(
            data.drawn(charts.activity, queries.activity_by_day, filters=filters),
            key="activity_chart",
            config=charts.CONFIG,
            alt="Bars: calls per day, and denied calls per day below, UTC",
        )
        st.caption(f"{int(days['calls'].sum()):,} calls, {int(days['denied'].sum()):,} of them denied; UTC days.")
