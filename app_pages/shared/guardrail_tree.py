"""The OU tree beside the matrix: how much is open at each node; a click opens its column, or the cell of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from analytics.outputs.coverage_look import STATES
from app_pages.shared import guardrail_choice, widgets
from app_pages.shared.text import plain

if TYPE_CHECKING:
    from analytics.outputs.queries import Matrix

KIND_MARKS = {"root": "▣", "ou": "▸", "account": ""}
INDENT = "\u2003"  # wide enough to be seen in a table
MOST_HEIGHT = 420  # pixels
OPEN_UNTIL = 40  # targets: with more of them the matrix comes first, and the tree when it is asked for


def show(found: Matrix, scenario: str) -> None:
    """The targets of the matrix, in the order of its columns; a table costs the browser a fifth of a second."""
    few = len(found.targets) <= OPEN_UNTIL
    name = "Organisation, with what is open at each node"
    with st.expander(name, expanded=few, key="guardrail_tree_open", on_change="rerun") as expander:
        if expander.open:
            _tree(found, scenario)


def _tree(found: Matrix, scenario: str) -> None:
    states, ids = found.states, [one.id for one in found.targets]
    rows = pd.DataFrame(
        {
            "node": [
                f"{INDENT * one.depth}{KIND_MARKS.get(one.kind, '')} {plain(one.name, 60)}" for one in found.targets
            ],
            "gaps": (states == STATES.index("gap")).sum(axis=0),
            "partial": (states == STATES.index("partial")).sum(axis=0),
        }
    )

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["guardrail_tree"], len(ids))
        if position is not None:
            guardrail_choice.open_cell(scenario or None, ids[position])

    column = st.column_config
    widgets.table(
        rows,
        {
            "node": column.TextColumn("Node", width=230),
            "gaps": column.NumberColumn("Gaps", format="%,d", width=60, help="Scenarios with a gap there"),
            "partial": column.NumberColumn("Partial", format="%,d", width=65, help="Scenarios that are partly stopped"),
        },
        key="guardrail_tree",
        alt="Root, OUs and accounts with the number of open scenarios; select one to open its column of the matrix",
        on_select=opened,
        selection_mode="single-cell",
        height=min(MOST_HEIGHT, 40 + 30 * len(rows)),
    )
