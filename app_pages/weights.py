"""Weights: how the score is made, what the archetypes get, and how firm the order is when weights move."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, moved_weights, shell, widgets

build = shell.header("Weights", "How the score is made, and how firm the order is when weights move.")
left, right = st.columns([1, 2.1], gap="medium")
with left, st.container(border=True):
    changes = moved_weights.choices()
problem = moved_weights.problem(changes)
if problem:
    with right:
        widgets.nothing("The score cannot use these numbers.", problem, icon=":material/block:")
    st.stop()

with right:
    order = data.read(queries.moved_ranks, changes=changes) if build.has_snapshot else None
    if order is None or order.identities == 0:
        widgets.nothing(
            "No identity of this build has a score.", "A snapshot of IAM gives scores; add one to the build."
        )
    else:
        moved_weights.firmness(order, moved=bool(changes))
        moved_weights.top(order)
        moved_weights.ranking(changes, build, order.identities)
st.subheader("Archetypes", anchor=False)
st.caption(
    "Identities that everybody in security knows. The weights are right while these come out in a sensible order."
)
moved_weights.archetypes(changes)
