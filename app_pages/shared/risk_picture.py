"""The picture above the list of identities: privilege by unused, and how many stand in each band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.findings.risk.weights import risk_weights
from analytics.outputs import queries
from app_pages.shared import charts, data, palette, widgets
from app_pages.shared.text import number

if TYPE_CHECKING:
    from analytics.outputs.queries import Filters, Quick

SHOWN = 1000  # marks that a browser draws at once


def show(filters: Filters, quick: Quick | None) -> None:
    """Scatter and bands; a click on a mark opens its identity."""
    bands = data.read(queries.band_counts, filters=filters, quick=quick)
    scored = sum(bands.values())
    if scored == 0:
        widgets.nothing("None of these has a score.", "The snapshot does not hold them, or they belong to AWS.")
        return
    left, right = st.columns([2.6, 1], gap="medium")
    with left, st.container(border=True):
        shown = f"the {SHOWN:,} highest of {scored:,}" if scored > SHOWN else f"{scored:,}"
        st.markdown(
            f"**Privilege × unused**, {shown} identities with a score; the larger the mark, the more exposed. "
            "Click one to open it."
        )
        _scatter(filters, quick)
    with right, st.container(border=True, height="stretch"):
        st.markdown("**Bands**")
        for band in palette.BANDS:
            name, range_, count = st.columns([1.3, 1.3, 0.7], gap="small", vertical_alignment="center")
            name.markdown(f":{band.tone}[**{band.mark} {band.word}**]")
            range_.caption(meaning(band.word))
            count.markdown(f"**{number(bands[band.word])}**", text_alignment="right")
        unscored = data.read(queries.identity_counts, filters=filters)[quick] - scored
        if unscored:
            st.caption(
                f"{unscored:,} more have no score: the snapshot does not hold them, or they are AWS's service-linked "
                "roles."
            )
        st.caption(
            "The score adds six factors, 100 points at most; unused privilege counts by its weight, never as a ratio. "
            "Scores are of the build's whole window."
        )
        widgets.link("weights", "How the score is made, and how firm it is", icon=":material/tune:")


def meaning(band: str) -> str:
    """Which scores a band holds, by the weights of this version."""
    least = risk_weights().table("bands")
    bounds = [least[name] for name in ("critical", "high", "medium")]
    at = ("critical", "high", "medium", "low").index(band)
    if at == 0:
        return f"{bounds[0]:g} and above"
    return f"below {bounds[-1]:g}" if at == len(bounds) else f"{bounds[at]:g} to {bounds[at - 1] - 0.1:g}"


def _scatter(filters: Filters, quick: Quick | None) -> None:
    chart = st.plotly_chart(
        data.drawn(charts.risk_scatter, queries.identity_points, filters=filters, quick=quick, limit=SHOWN),
        key="risk_scatter",
        config=charts.CONFIG,
        alt="Scatter: privilege points by unused points per identity; size is exposure, colour and mark the band. "
        "The table below holds the same numbers.",
        on_select="rerun",
        selection_mode="points",
    )
    picked = chart.selection.points
    if picked:
        rows = data.read(queries.identity_points, filters=filters, quick=quick, limit=SHOWN)
        position = picked[0].get("customdata", [None])[0]
        if isinstance(position, int) and 0 <= position < len(rows):
            widgets.open_identity(rows["principal_arn"].iloc[position])
