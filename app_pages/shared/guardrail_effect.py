"""What a draft does: its figures, the cells and the scores before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_look import LAYER_NAMES, look_of
from app_pages.shared import data, widgets
from app_pages.shared.text import counted, number, plain, short_name, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.drafts.effect import Effect

BROKEN = "Observed calls that it would deny: told when replay has proven it, never guessed"


def broken(calls: float | None) -> str:
    """Calls that a change would deny; where nothing has proven their number, that is said."""
    return "not proven" if calls is None or pd.isna(calls) else f"{calls:,.0f}"


def figures(effect: Effect) -> None:
    """Both promises: risk removed, and calls broken; with what else changes."""
    places = st.columns(4, gap="small")
    places[0].metric(
        "Cells closed",
        number(sum(one.is_closed for one in effect.cells)),
        help="Open cells that it stops, here and below",
    )
    places[1].metric("Risk removed", f"{effect.risk_removed:.1f} points", help="Of the score, summed over identities")
    places[2].metric(
        "Identities changed", number(effect.identities_changed), help="Whose effective permissions are fewer"
    )
    places[3].metric("Calls broken", broken(effect.calls_broken), help=BROKEN)


def changes(effect: Effect) -> None:
    """The matrix and the scores, before and after."""
    targets = {one.id: one.name for one in data.shared(queries.guardrail_targets)}
    column = st.column_config
    if effect.cells:
        cells = [
            (
                one.scenario,
                plain(targets.get(one.target, one.target), 60),
                LAYER_NAMES.get(one.layer, one.layer),
                _state(one.before),
                _state(one.after),
            )
            for one in effect.cells
        ]
        rows = pd.DataFrame(cells, columns=["scenario", "target", "layer", "before", "after"])
        widgets.heading(f"**The matrix before and after** ({counted(len(rows), 'cell')})", "draft-cells", rows)
        widgets.table(
            rows,
            {
                "scenario": column.TextColumn("Scenario", width=85),
                "target": column.TextColumn("Target", width=220),
                "layer": column.TextColumn("Layer", width=110),
                "before": column.TextColumn("Before", width=120),
                "after": column.TextColumn("After", width=120),
            },
            key="draft_cells",
            alt="Cells that the draft changes",
            height=min(260, 40 + 30 * len(cells)),
        )
    lower = [
        (
            short_name(one.principal_arn.rpartition("/")[2]),
            one.before,
            one.after,
            one.before - one.after,
            one.principal_arn,
        )
        for one in effect.scores
        if one.before != one.after
    ]
    if not lower:
        st.caption("No score changes: nobody who is limited holds these actions beyond what is denied already.")
        return
    scores = pd.DataFrame(lower, columns=["name", "before", "after", "removed", "principal_arn"])
    said = f"**Scores before and after** ({counted(len(lower), 'identity', 'identities')})"
    widgets.heading(said, "draft-scores", scores)
    widgets.table(
        scores,
        {
            "name": column.TextColumn("Identity", width=300),
            "before": column.NumberColumn("Before", format="%.1f", width=80, help="Of 100"),
            "after": column.NumberColumn("After", format="%.1f", width=80, help="Of 100"),
            "removed": column.NumberColumn("Removed", format="%.1f", width=90, help="Points"),
        },
        key="draft_scores",
        alt="Scores that the draft lowers",
        height=min(260, 40 + 30 * len(lower)),
    )


def evaluated(row: Mapping[str, Any] | None) -> str:
    """What the build said of a kept draft, in one line."""
    if row is None:
        return "Not evaluated yet: it was kept after this build was made."
    if row["problem"]:
        return f"Problem: {span(plain(row['problem'], 200))}"
    removed = f"{row['risk_removed'] or 0:.1f} points"
    closed = counted(row["cells_closed"] or 0, "cell")
    return f"Closes {closed}, removes {removed}; calls broken: {broken(row['calls_broken'])}."


def _state(state: str) -> str:
    return f"{look_of(state).mark} {look_of(state).word}"
