"""Data health: whether the numbers can be trusted, and what this export could not have shown."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, health_tables, shell

build = shell.header("Data health", "What was read, what was not, and what this export could not have shown.")
st.caption("Of the whole build, whatever the filters of the other pages.")
totals = data.read(queries.health_totals)
health_tables.tiles(totals, build)
health_tables.points(data.read(queries.health_points, now=data.now()))

files, accounts, names, problems = st.tabs(
    [
        f"Files ({totals['files']:,})",
        f"Accounts ({len(data.read(queries.health_accounts)):,})",
        "Event names",
        f"Problems ({totals['problems']:,})",
    ],
    key="health_tab",
)
with files:
    health_tables.files(build)
with accounts:
    health_tables.accounts(build)
with names:
    health_tables.event_names(build)
with problems:
    health_tables.problems(build)
