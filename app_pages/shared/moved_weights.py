"""Weights that a reader moves, kept in the URL, and what becomes of the first twenty and of the archetypes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from analytics.findings.risk.archetypes import archetypes as scored
from analytics.findings.risk.weights import KEYS, WeightsError, risk_weights
from analytics.outputs import queries
from analytics.outputs.queries import Filters
from app_pages.shared import factors, palette, widgets
from app_pages.shared.text import counted, number

if TYPE_CHECKING:
    from analytics.findings.risk.score import Risk
    from analytics.outputs.queries import Build, Moved

Changes = tuple[tuple[str, float], ...]  # dotted keys of risk.toml with their new numbers
MOST = 60  # of a slider, points of a factor before all are scaled to be 100 again
OTHERS = [key for key in KEYS if not key.startswith(("factors.", "confidence.", "thresholds."))]


def choices() -> Changes:
    """A slider for each factor and one other number; only what differs from the reference file."""
    weights, changes = risk_weights(), []
    st.markdown("**Move a weight**")
    for factor in factors.FACTORS:
        key = f"factors.{factor.name}"
        points = st.slider(
            f"{factor.label.capitalize()}, points", 0, MOST, round(weights[key]), key=factor.name, bind="query-params",
            help=factor.meaning.capitalize(),
        )  # fmt: skip
        changes.append((key, float(points)))
    other = st.selectbox(
        "Any other number", OTHERS, index=None, key="number", bind="query-params", placeholder="None; choose one",
        filter_mode="contains", help="Of data/reference/risk.toml, where each has its reason",
    )  # fmt: skip
    if other in OTHERS:
        value = st.number_input(
            f"{other}, now {weights[other]:g}", min_value=0.0, value=weights[other], key="value", bind="query-params"
        )
        changes.append((other, float(value)))
    st.button("As they were", icon=":material/undo:", on_click=_reset)
    st.caption("Factors are scaled so that they are 100 together. Nothing is saved: scores of the build stay.")
    return tuple((key, value) for key, value in changes if value != weights[key])


def _reset() -> None:
    for factor in factors.FACTORS:
        st.session_state[factor.name] = round(risk_weights()[f"factors.{factor.name}"])
    st.session_state["number"] = None


def problem(changes: Changes) -> str:
    """Why the score cannot use these numbers; empty when it can."""
    try:
        risk_weights().with_changes(dict(changes))
    except WeightsError as error:
        return str(error)
    return ""


def firmness(order: Moved, *, moved: bool) -> None:
    """How many stay on top, and how many change their band."""
    new = order.rows[order.rows["rank"] <= order.top]
    stay, came, bands = st.columns(3, gap="small")
    stay.metric(
        f"Stay in the first {order.top}", f"{order.stay} of {order.top}", border=True,
        help="Identities that are on top under the weights of this version and under the moved ones",
    )  # fmt: skip
    came.metric(f"Came into the first {order.top}", number(int((new["rank_before"] > order.top).sum())), border=True)
    bands.metric("In another band", f"{order.other_band:,} of {order.identities:,}", border=True)
    if not moved:
        st.caption("No weight is moved: this is the order of the build. Move one to the left.")


def top(order: Moved) -> None:
    """The first identities under the moved weights, and below them those that fell out."""
    rows = order.rows.to_dict("records")
    shown = order.rows.assign(
        change=[_steps(row["rank_before"] - row["rank"]) for row in rows],
        scores=[f"{row['score_before']:.1f} → {row['score']:.1f}" for row in rows],
    )
    column = st.column_config

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["moved_top"], len(rows))
        st.session_state["open_moved"] = None if position is None else rows[position]["principal_arn"]

    widgets.table(
        shown,
        {
            "rank": column.NumberColumn("Rank", format="%,d", width=60),
            "rank_before": column.NumberColumn("Before", format="%,d", width=65),
            "change": column.TextColumn("Change", width=100),
            "name": column.TextColumn("Identity", width=250),
            "account": column.TextColumn("Account", width=170),
            "scores": column.TextColumn("Score", width=120, help="Before and after, of 100"),
        },
        key="moved_top",
        alt="The first identities under the moved weights, with rank and score before and after",
        on_select=opened,
        selection_mode="single-cell",
        height=min(460, 40 + 30 * len(rows)),
    )
    if chosen := st.session_state.pop("open_moved", None):
        widgets.open_identity(chosen)
    gone = len(rows) - order.top
    fell = f" The last {counted(gone, 'row')} fell out of the first {order.top}." if gone else ""
    st.caption(f"Click one to open it.{fell}")


def _steps(steps: int) -> str:
    return "same" if not steps else f"{'▲' if steps > 0 else '▼'} {abs(steps):,}"


def archetypes(changes: Changes) -> None:
    """Their scores under both weights, in the order of the reference weights."""
    weights = risk_weights()
    before, after = dict(scored(weights)), dict(scored(weights.with_changes(dict(changes))))
    frame = pd.DataFrame([_archetype(name, before[name], after[name]) for name in before])
    column = st.column_config
    widgets.table(
        frame,
        {
            "name": column.TextColumn("Archetype", width=470),
            "bar": column.ImageColumn("Six factors", width=150, help="Of 100 points; a floor is outlined"),
            "score": column.NumberColumn("Score", format="%.1f", width=70, help="Of 100, with the moved weights"),
            "was": column.NumberColumn("Before", format="%.1f", width=70),
            "band": column.TextColumn("Band", width=95),
            "floor": column.TextColumn("Floor", width=140, help="An administrator never counts less than it"),
        },
        key="archetypes",
        alt="Archetypes with the six factors, the score and the band under the moved weights, and the score before",
        height=40 + 30 * len(frame),
    )
    factors.legend(weights.with_changes(dict(changes)))


def ranking(changes: Changes, build: Build, rows: int) -> None:
    """Every identity by its rank under the moved weights as a file, which tells the weights."""
    moved = risk_weights().with_changes(dict(changes))
    told = ", ".join(f"{key} = {value:g}" for key, value in changes)
    widgets.downloads(
        "ranking", partial(queries.moved_ranking, changes=changes), build=build, filters=Filters(build.window_days),
        rows=rows, weights=f"{moved.version}: {build.weights} with {told}" if told else moved.version,
    )  # fmt: skip


def _archetype(name: str, before: Risk, after: Risk) -> dict[str, object]:
    return {
        "name": name,
        "bar": factors.bar(after.factors._asdict(), after.floor_points),
        "score": after.score,
        "was": before.score,
        "band": palette.BAND_MARKS[after.band],
        "floor": (after.floor or "").replace("_", " "),
    }
