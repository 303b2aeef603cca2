"""The ranked table of identities, and the quick filters above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs.queries import Quick
from app_pages.shared import widgets

if TYPE_CHECKING:
    import pandas as pd

EVERYONE = "Everyone"


def quick_filter() -> Quick | None:
    """One of the questions that people ask of the list, kept in the URL; None for everyone."""
    names = {EVERYONE: None} | {str(quick): quick for quick in Quick}
    chosen = st.pills(
        "Show",
        list(names),
        default=EVERYONE,
        required=True,
        key="only",
        bind="query-params",
    )
    return names.get(chosen)


def show(rows: pd.DataFrame) -> None:
    """One page of the table; choosing a row opens its identity."""
    largest = float(rows["unused_weight"].fillna(0).max())
    shown = rows.assign(marks=[_marks(row) for row in rows.to_dict("records")])
    column = st.column_config
    widgets.table(
        shown,
        {
            "name": column.TextColumn("Identity", width=190),
            "marks": column.TextColumn("Marks", width=80, help="new · dormant · incomplete · not in snapshot"),
            "account_name": column.TextColumn("Account", width=112),
            "unused_weight": column.ProgressColumn(
                "Unused weight", min_value=0, max_value=max(largest, 1), format="%,.0f", width=115, color="orange",
                help="Weight of high-risk actions granted, observable and not used in the window",
            ),
            "granted": column.NumberColumn("Granted", format="%,d", width=66, help="Actions, surely or maybe"),
            "used": column.NumberColumn("Used", format="%,d", width=50, help="Actions"),
            "unused": column.NumberColumn("Unused", format="%,d", width=64, help="Actions"),
            "unobserved": column.NumberColumn("Unobs.", format="%,d", width=64, help="Actions: cannot be judged"),
            "last_used": column.DatetimeColumn("Last used", format="D MMM YYYY", width=95, help="UTC; logs or IAM"),
            "owner": column.TextColumn("Owner", width=100),
            "kind": column.TextColumn("Kind", width=90),
            "boundary_name": column.TextColumn("Boundary", width=120),
        },
        key="identity_rows",
        alt="Identities ranked by unused high-risk weight; select a cell to open its identity",
        on_select=lambda: _open(rows),
        selection_mode="single-cell",
        height=min(760, 40 + 30 * len(rows)),
    )  # fmt: skip


def _open(rows: pd.DataFrame) -> None:
    position = widgets.chosen_row(st.session_state["identity_rows"], len(rows))
    if position is not None:
        st.query_params["identity"] = rows["principal_arn"].iloc[position]


def _marks(row: dict[str, object]) -> str:
    marks = {
        "not in snapshot": not row["in_snapshot"],
        "new": row["is_new"],
        "dormant": row["is_dormant"],
        "incomplete": row["policies_not_collected"] or row["boundary_not_collected"],
    }
    return " · ".join(mark for mark, holds in marks.items() if holds)
