"""The prioritised list: what to choose from it, and one page of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.export_words import KIND_TITLES
from analytics.outputs.queries import Proof
from app_pages.shared import data, widgets
from app_pages.shared.text import short_name

if TYPE_CHECKING:
    import pandas as pd

    from analytics.outputs.queries import Build, Filters

EVERYTHING, ANY = "Everything", "Any proof"


def choices(build: Build, filters: Filters) -> tuple[str | None, Proof | None]:
    """The kind of change and the state of its proof, kept in the URL; and the export of what they leave."""
    by_kind = data.read(queries.item_counts, filters=filters).kinds
    kinds = {KIND_TITLES.get(kind, kind): kind for kind in by_kind}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = st.pills(
            "Kind", [EVERYTHING, *kinds], default=EVERYTHING, required=True, key="do", bind="query-params",
            label_visibility="collapsed",
            help=", ".join(f"{title} {by_kind[kind]:,}" for title, kind in kinds.items()),
        )  # fmt: skip
        proofs = {ANY: None} | {str(proof).capitalize(): proof for proof in Proof}
        named = st.selectbox(
            "Proof", list(proofs), key="proof", bind="query-params", width=190, label_visibility="collapsed"
        )
        kind, proof = kinds.get(chosen), proofs.get(named)
        counts = data.read(queries.item_counts, filters=filters, kind=kind)
        size = counts.proofs[proof] if proof else counts.everything
        everything = partial(queries.items, filters=filters, kind=kind, proof=proof)
        widgets.downloads("remediation", everything, build=build, filters=filters, rows=size, only=[kind, proof])
    return kind, proof


def show(rows: pd.DataFrame) -> None:
    """One page of the list; choosing a row opens the item beside it."""
    records = rows.to_dict("records")
    shown = rows.assign(
        score=[score(row["score_before"], row["score_after"]) for row in records],
        broken=[calls(row["calls_broken"], row["blocked_reason"]) for row in records],
        removed=rows["risk_removed"].astype(float),
        name=[short_name(row["name"] or "") for row in records],
    )
    column = st.column_config
    widgets.table(
        shown,
        {
            "rank": column.NumberColumn("#", format="%,d", width=36, help="Place in the whole list"),
            "title": column.TextColumn("What to change", width=236),
            "name": column.TextColumn("Identity or target", width=182),
            "removed": column.ProgressColumn(
                "Risk removed", min_value=0, max_value=_longest(rows), format="%,.1f",
                width=84, help="Points of the score; of a guardrail, over all identities under it",
            ),
            "score": column.TextColumn("Score", width=82, help="Before and after, of 100"),
            "broken": column.TextColumn("Calls broken", width=84, help="Observed calls that it would deny"),
            "owner": column.TextColumn("Owner", width=176),
            "account_name": column.TextColumn("Account", width=150),
        },
        key="items",
        alt="Remediation items, the most worthwhile first; select one to see how to do it",
        on_select=lambda: _open(rows["item_id"].tolist()),
        selection_mode="single-cell",
        height=min(640, 40 + 30 * len(rows)),
    )  # fmt: skip


def calls(broken: float | None, blocked: str | None = None) -> str:
    """`0`, `12`, or that nobody has proven it."""
    if blocked:
        return "–"
    return "not proven" if broken is None or broken != broken else f"{int(broken):,}"  # noqa: PLR0124  NaN alone differs from itself


def score(before: float | None, after: float | None) -> str:
    """`62.0 → 41.5`; a target has no score of its own."""
    known = all(one is not None and one == one for one in (before, after))  # noqa: PLR0124  NaN alone differs from itself
    return f"{before:.1f} → {after:.1f}" if known else "–"


def _longest(rows: pd.DataFrame) -> float:
    """What fills the bar: the most of one identity, so that the sum of a guardrail does not flatten the rest."""
    one_identity = rows.loc[rows["target"].isna(), "risk_removed"]
    return max(float(one_identity.fillna(0).max()) if len(one_identity) else 0.0, 1.0)


def _open(ids: list[str]) -> None:
    position = widgets.chosen_row(st.session_state["items"], len(ids))
    if position is not None:
        st.query_params["item"] = ids[position]
