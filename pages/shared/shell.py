"""What every page opens with: its title, which build it speaks of, and the filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import data, widgets

if TYPE_CHECKING:
    from analytics.outputs.queries import Build, Filters


def start(title: str, question: str) -> tuple[Build, Filters]:
    """Title and filter bar; stops the page where there is no build (app.py has said so)."""
    build = data.current_build()
    if build is None:
        st.stop()
    st.title(title, anchor=False)
    st.caption(question)
    return build, widgets.filter_bar(build)
