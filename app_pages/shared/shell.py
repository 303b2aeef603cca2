"""What every page opens with: its title, which build it speaks of, whether to trust it, and the filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import Level
from app_pages.shared import data, widgets
from app_pages.shared.text import age, counted, day

if TYPE_CHECKING:
    from analytics.outputs.queries import Build, Filters, HealthPoint

NO_SNAPSHOT = (
    "This build has no IAM snapshot, so it shows **usage only**: what is granted, and so what is unused, is not known. "
    "Add one with `python -m analytics build --events … --snapshot DIR`."
)
_BADGES = {
    Level.OK: (":material/verified:", ":green[Data health: good]"),
    Level.LOOK: (":material/info:", ":orange[Data health: {}]"),
    Level.BAD: (":material/warning:", ":red[Data health: {}]"),
}


def start(title: str, question: str) -> tuple[Build, Filters]:
    """Title, header line and filter bar of a page about identities."""
    build = header(title, question)
    return build, widgets.filter_bar(build)


def header(title: str, question: str) -> Build:
    """Title and header line; stops the page where there is no build (app.py has said so)."""
    build = data.current_build()
    if build is None:
        st.stop()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute", gap="medium"):
        st.title(title, anchor=False, help=question, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.caption(header_line(build), width="content")
            _health_badge(data.read(queries.health_points, now=data.now()))
    if not build.has_snapshot:
        st.info(NO_SNAPSHOT, icon=":material/visibility_off:")
    return build


def header_line(build: Build) -> str:
    """Build, window and age of the snapshot in one line."""
    snapshot = f"snapshot {age(build.snapshot_taken_at, data.now())}" if build.has_snapshot else "no snapshot"
    window = f"{day(build.window_start)} – {day(build.window_end)}"
    return f"Build {build.created_at:%d %b %Y %H:%M} UTC · {window} · {snapshot} · {build.events:,} events"


def _health_badge(points: tuple[HealthPoint, ...]) -> None:
    level = max((point.level for point in points), default=Level.OK)
    icon, text = _BADGES[level]
    widgets.link("health", text.format(counted(len(points), "point to know", "points to know")), icon=icon)
