"""The head of an identity's page: score, band, confidence with its reasons, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app_pages.shared import identity_panel, palette, widgets
from app_pages.shared.text import counted, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping


def unknown(arn: str) -> None:
    """What to do where the link names nobody, or nobody that this build knows."""
    if arn:
        st.markdown(f"**Not in this build:** {span(plain(arn, 160))}")
        st.caption("The link may be of another store, or the identity is gone from snapshot and logs.")
    else:
        st.markdown("**No identity is named in this link.**")
    widgets.link("identities", "Choose one from the list", icon=":material/group:")


def show(known: Mapping[str, Any], risk: Mapping[str, Any] | None, window_days: int) -> None:
    """Score, confidence and facts side by side."""
    score, confidence, facts = st.columns([1, 1.5, 3.2], gap="small")
    with score, st.container(border=True, height="stretch", gap="xsmall"):
        _score(known, risk)
    with confidence, st.container(border=True, height="stretch", gap="xsmall"):
        _confidence(risk)
    with facts, st.container(border=True, height="stretch", gap="xsmall"):
        st.caption(identity_panel.facts(dict(known)))
        st.code(known["principal_arn"], language=None, wrap_lines=True)
        st.markdown(identity_panel.totals(dict(known), window_days))
        for note in identity_panel.notes(dict(known)):
            st.caption(f":material/info: {note}")
        arn = known["principal_arn"]
        with st.container(horizontal=True, gap="medium"):
            widgets.link("heatmap", "Privilege vs usage", icon=":material/grid_on:", row=arn)
            widgets.link("remediation", "Its remediation", icon=":material/build:", q=arn)


def _score(known: Mapping[str, Any], risk: Mapping[str, Any] | None) -> None:
    if risk is None:
        st.metric("Score, of 100", "–")
        st.caption(
            "No score: it belongs to AWS, and nobody can change what it may do."
            if known["kind"] == "service-linked role"
            else "No score: the snapshot does not hold its policies, so what it may do is not known."
        )
        return
    band = next(band for band in palette.BANDS if band.word == risk["band"])
    st.metric("Score, of 100", f"{risk['score']:.1f}")
    st.markdown(f":{band.tone}[**{band.mark} {band.word}**] · rank {risk['rank']:,} of {risk['of']:,}")
    if risk["administrator"]:
        st.caption("Administrator" + ("" if risk["administrator"] == "surely" else ", under a condition"))
    elif risk["steps_to_administrator"]:
        st.caption(f"Administrator in {counted(risk['steps_to_administrator'], 'step')}")


def _confidence(risk: Mapping[str, Any] | None) -> None:
    if risk is None:
        st.metric("Confidence", "–")
        st.caption("Nothing to be confident of without a score.")
        return
    st.metric(
        "Confidence",
        risk["confidence"],
        help="How much of the score rests on what this export could show. Unknown use counts as unused.",
    )
    for reason in risk["confidence_reasons"] or ():
        st.text(plain(reason, 160))
