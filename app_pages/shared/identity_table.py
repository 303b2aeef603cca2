"""The ranked table of identities, and the quick filters above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs.queries import Quick
from app_pages.shared import factors, palette, widgets
from app_pages.shared.text import short_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

EVERYONE = "Everyone"
ALWAYS = tuple(Quick)[:7]  # the rest only where there are any
MARKS = "administrator · new · dormant · incomplete (policies not collected) · not in snapshot"


def quick_filter(counts: Mapping[Quick | None, int]) -> Quick | None:
    """One of the questions that people ask of the list, kept in the URL; None for everyone."""
    asked = st.session_state.get("only", st.query_params.get("only"))
    shown = [quick for quick in Quick if counts[quick] or quick in ALWAYS or quick == asked]
    names = {EVERYONE: None} | {str(quick): quick for quick in shown}
    chosen = st.pills(
        "Show",
        list(names),
        default=EVERYONE,
        required=True,
        key="only",
        bind="query-params",
        label_visibility="collapsed",
        help="How many: " + ", ".join(f"{name} {counts[quick]:,}" for name, quick in names.items()),
    )
    return names.get(chosen)


def pictured(rows: pd.DataFrame) -> pd.DataFrame:
    """Identities with their marks in words and their factors as a picture."""
    records = rows.to_dict("records")
    return rows.assign(
        name=[short_name(name) for name in rows["name"]],
        marks=[_marks(row) for row in records],
        bar=factors.bars(records),
        band=rows["band"].map(palette.BAND_MARKS),
    )


def show(rows: pd.DataFrame) -> None:
    """One page of `pictured` identities; choosing a row opens its identity."""
    column = st.column_config
    chosen = widgets.table(
        rows,
        {
            "rank": column.NumberColumn("#", format="%,d", width=40, help="Rank by score in the whole build"),
            "name": column.TextColumn("Identity", width=200),
            "score": column.NumberColumn("Score", format="%.1f", width=56, help="0 to 100; sum of the six factors"),
            "band": column.TextColumn("Band", width=78),
            "bar": column.ImageColumn("Factors", width=156, help="control, data, breadth, unused, exposure, asset"),
            "confidence": column.TextColumn("Confidence", width=82, help="How much of it this export could show"),
            "account_name": column.TextColumn("Account", width=140),
            "kind": column.TextColumn("Kind", width=84),
            "marks": column.TextColumn("Marks", width=152, help=MARKS),
            "granted": column.NumberColumn("Granted", format="%,d", width=66, help="Actions, surely or maybe"),
            "used": column.NumberColumn("Used", format="%,d", width=50, help="Actions"),
            "unused_weight": column.NumberColumn("Unused weight", format="%,.0f", width=100, help="High-risk"),
            "last_used": column.DatetimeColumn("Last used", format="D MMM YYYY", width=95, help="UTC; logs or IAM"),
            "owner": column.TextColumn("Owner", width=130),
            "boundary_name": column.TextColumn("Boundary", width=120),
        },
        key="identity_rows",
        alt="Identities ranked by risk; select a cell to open its identity",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(760, 40 + 30 * len(rows)),
    )  # fmt: skip
    position = widgets.chosen_row(chosen, len(rows))
    if position is not None:
        widgets.open_identity(rows["principal_arn"].iloc[position])


def _marks(row: dict[str, object]) -> str:
    marks = {
        "administrator": row["administrator"] == "surely",
        "administrator?": row["administrator"] == "maybe",
        "not in snapshot": not row["in_snapshot"],
        "new": row["is_new"],
        "dormant": row["is_dormant"],
        "incomplete": row["policies_not_collected"] or row["boundary_not_collected"],
    }
    return " · ".join(mark for mark, holds in marks.items() if holds)
