"""The actions of one identity in one service: what was used, what was not, and which statement grants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, palette, statements, widgets

if TYPE_CHECKING:
    import pandas as pd

MARKS = {state.word: f"{state.mark} {state.word}" for state in palette.STATES}


def show(principal_arn: str, service: str, window_days: int, *, height: int = 390) -> None:
    """The table with its states to choose from, and below it the statements behind the chosen action."""
    actions = data.read(queries.cell_actions, principal_arn=principal_arn, service=service, window_days=window_days)
    if actions.empty:
        st.caption("No action of it is granted, and none was used.")
        return
    counts = actions["state"].value_counts()
    labels = {f"{MARKS[word]} {counts[word]:,}": word for word in queries.STATES if counts[word]}
    chosen = st.pills("State", list(labels), key="cell_state", label_visibility="collapsed")
    _table(principal_arn, actions if chosen not in labels else actions[actions["state"] == labels[chosen]], height)


def _table(principal_arn: str, actions: pd.DataFrame, height: int) -> None:
    column = st.column_config
    shown = actions.assign(
        mark=actions["state"].astype(str).map(MARKS),
        short=actions["action"].str.partition(":")[2],
        risk=actions["weight_class"].str.replace("_", " "),
    )
    chosen = widgets.table(
        shown,
        {
            "mark": column.TextColumn("State", width=90),
            "short": column.TextColumn("Action", width=215),
            "weight": column.NumberColumn("Weight", format="%.2g", width=58, help="data/reference/risk.toml"),
            "calls": column.NumberColumn("Calls", format="%,d", width=50, help="In the window, denied ones included"),
            "last_used": column.DatetimeColumn("Last used", format="D MMM YYYY", width=90),
            "reach": column.TextColumn("Reach", width=60, help="surely; maybe: under a condition or on some resources"),
            "risk": column.TextColumn("Class", width=100),
        },
        key="cell_actions",
        alt="Actions of the cell with state, weight, reach, calls and last use",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(height, 40 + 30 * len(shown)),
    )
    position = widgets.chosen_row(chosen, len(shown)) or 0
    statements.show(principal_arn, shown.iloc[position].to_dict())
