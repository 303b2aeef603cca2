"""The timeline of an identity: its use, its denials by action and day, and every change of what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import charts, data, widgets
from app_pages.shared.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TAB = "Timeline"


def show(known: Mapping[str, Any], window_days: int) -> None:
    """Use per day with the changes above it; below, denials and changes as rows."""
    arn = known["principal_arn"]
    asked = {"principal_arn": arn, "window_days": window_days}
    days, changes = data.read(queries.identity_life, **asked)
    denied = data.read(queries.identity_denied, **asked)
    with st.container(border=True):
        st.markdown(
            f"**Use and changes in {window_days} days**: {int(days['calls'].sum()):,} calls, "
            f"{int(days['denied'].sum()):,} of them denied; UTC days"
        )
        if not days["calls"].sum() and changes.empty:
            st.caption("No call of it and no change of its policies, trust or keys is in the logs of the window.")
        else:
            st.plotly_chart(
                data.drawn(charts.life, queries.identity_life, **asked),
                key="life",
                config=charts.CONFIG,
                alt="Bars: calls and denied calls per day; marks: changes of policy, trust or key",
            )
    _denied(denied, window_days, arn)
    _changes(changes, arn)


def _denied(rows: pd.DataFrame, window_days: int, arn: str) -> None:
    if rows.empty:
        st.markdown("**Denied calls**")
        st.caption(f"No call of it was denied in {window_days} days.")
        return
    widgets.heading(f"**Denied calls**, {counted(len(rows), 'action')}", "denied", rows, narrowed_to=arn)
    column = st.column_config
    widgets.table(
        rows,
        {
            "action": column.TextColumn("Action", width=340),
            "denied": column.NumberColumn("Denied", format="%,d", width=62, help="Calls"),
            "allowed": column.NumberColumn("Allowed", format="%,d", width=66, help="Calls of the same action"),
            "by_day": column.BarChartColumn(f"Per day, {window_days} days", width=380, y_min=0, color="red"),
            "days": column.NumberColumn("Days", format="%,d", width=48, help="Days with a denial"),
            "last_time": column.DatetimeColumn("Last", format="D MMM YYYY HH:mm", width=125, help="UTC"),
        },
        key="life_denied",
        alt="Denied actions with calls per day",
        height=min(340, 40 + 30 * len(rows)),
    )


def _changes(rows: pd.DataFrame, arn: str) -> None:
    if rows.empty:
        st.markdown("**Changes of policy, boundary, trust or key**")
        st.caption("None is in the logs, about it or by it.")
        return
    said = f"**Changes of policy, boundary, trust or key**, {len(rows):,}, the latest first"
    widgets.heading(said, "changes", rows, narrowed_to=arn)
    column = st.column_config
    chosen = widgets.table(
        rows.assign(done=rows["succeeded"].map({True: "done", False: "refused"})),
        {
            "event_time": column.DatetimeColumn("When", format="D MMM YYYY HH:mm", width=125, help="UTC"),
            "event_name": column.TextColumn("Event", width=190),
            "part": column.TextColumn("Part", width=70),
            "summary": column.TextColumn("What", width=400),
            "actor": column.TextColumn("By", width=420),
            "done": column.TextColumn("Outcome", width=70),
        },
        key="life_changes",
        alt="Changes about the identity or by it; select one to see who made it",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(340, 40 + 30 * len(rows)),
    )
    position = widgets.chosen_row(chosen, len(rows))
    if position is not None:
        change = rows.iloc[position]
        other = change["actor"] if change["part"] == "about it" else change["subject"]
        st.caption("By" if change["part"] == "about it" else "About")
        widgets.identity_link(str(other), icon=":material/person:", length=80)
        st.caption(f"Event id {change['event_id']}")
