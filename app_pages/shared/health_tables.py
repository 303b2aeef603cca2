"""The tables of Data health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import Filters, Level
from app_pages.shared import data, widgets
from app_pages.shared.text import age, counted, number, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries import Build, HealthPoint

_MARKS = {
    Level.BAD: ":red[:material/warning:]",
    Level.LOOK: ":orange[:material/info:]",
    Level.OK: ":green[:material/check:]",
}


def tiles(totals: dict[str, int], build: Build) -> None:
    """How much was read, in five figures."""
    resolved = 1 - totals["events_unresolved"] / totals["events"] if totals["events"] else None
    unreadable, rejected = totals["files_with_problem"], totals["rows_rejected"]
    collected = totals["accounts"] - totals["accounts_not_collected"]
    snapshot = age(build.snapshot_taken_at, data.now()).removesuffix(" old") if build.has_snapshot else "none"
    with st.grid(5, gap="small"):
        _tile(
            "Files read",
            number(totals["files"] - unreadable),
            f"{counted(unreadable, 'file')} not readable",
            unreadable,
        )
        _tile("Records read", number(totals["rows_read"]), f"{rejected:,} rejected", rejected)
        _tile("Events understood", percent(resolved), f"{totals['events_unresolved']:,} unknown", resolved != 1)
        _tile("Accounts collected", f"{collected:,} of {totals['accounts']:,}", "", lacks=0)
        _tile("Snapshot age", snapshot, "", lacks=0)


def _tile(label: str, value: str, lacking: str, lacks: object) -> None:
    """A figure, and below it what is lacking where anything is."""
    st.metric(label, value, lacking if lacks else None, delta_color="inverse", delta_arrow="off", border=True)


def points(found: tuple[HealthPoint, ...]) -> None:
    """What limits the numbers, worst first."""
    with st.container(border=True, gap="xsmall"):
        st.markdown("**What limits the numbers**")
        if not found:
            st.markdown(f"{_MARKS[Level.OK]} Nothing: every file, account and event name was read and understood.")
        for point in found:
            st.markdown(f"{_MARKS[point.level]} **{point.what[0].upper()}{point.what[1:]}**: {point.so}.")


def files(build: Build) -> None:
    """Every source file."""
    rows, column = data.read(queries.health_files), st.column_config
    _downloads("files", queries.health_files, build, len(rows))
    widgets.table(
        rows,
        {
            "path": column.TextColumn("File", width=420),
            "layout": column.TextColumn(
                "Layout", width=70, help="A Athena table, B raw records, D cloudtrail-parquet-lambda"
            ),
            "rows_read": column.NumberColumn("Records read", format="%,d", width=110),
            "rows_rejected": column.NumberColumn("Rejected", format="%,d", width=80),
            "first_event": column.DatetimeColumn("First event", format="D MMM YYYY HH:mm", width=140),
            "last_event": column.DatetimeColumn("Last event", format="D MMM YYYY HH:mm", width=140),
            "problem": column.TextColumn("Problem", width=420),
        },
        key="health_files",
        height=_height(len(rows)),
        alt="Source files with what was read and rejected",
    )


def accounts(build: Build) -> None:
    """Every account: collected or not, and how much of the window its events cover."""
    rows, column = data.read(queries.health_accounts), st.column_config
    widgets.downloads(
        "accounts", queries.health_accounts, build=build, filters=Filters(build.window_days), rows=len(rows)
    )
    rows = rows.assign(label=rows["name"].fillna(rows["account_id"]))
    widgets.table(
        rows,
        {
            "label": column.TextColumn("Account", width=170),
            "account_id": column.TextColumn("Id", width=115),
            "ou_path": column.TextColumn("OU", width=190),
            "collected": column.TextColumn("Snapshot", width=100),
            "identities": column.NumberColumn("Identities", format="%,d", width=80),
            "calls": column.NumberColumn("Calls", format="%,d", width=90, help=f"In {build.window_days} days"),
            "days_covered": column.ProgressColumn(
                "Days with events",
                min_value=0,
                max_value=build.window_days,
                format=f"%d of {build.window_days}",
                width=150,
            ),
            "sees_read_only": column.CheckboxColumn("Read-only events", width=120),
            "sees_kms": column.CheckboxColumn("KMS events", width=95),
            "reason": column.TextColumn("Why not collected", width=260),
        },
        key="health_accounts",
        height=_height(len(rows)),
        alt="Accounts with collection state and days covered by events",
    )


def event_names(build: Build) -> None:
    """What every event name was taken for."""
    rows, column = data.read(queries.health_event_names), st.column_config
    unresolved = rows[rows["outcome"] == "unresolved"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shown = widgets.segments(
            "Event names", [f"Unresolved ({len(unresolved):,})", f"All ({len(rows):,})"], "names", hide_label=True
        )
        widgets.downloads(
            "event-names", queries.health_event_names, build=build, filters=Filters(build.window_days), rows=len(rows)
        )
    if shown.startswith("Unresolved"):
        rows = unresolved
    if rows.empty:
        widgets.nothing(
            "Every event name is understood.",
            "Choose “All” to see what each was taken for.",
            icon=":material/task_alt:",
        )
        return
    widgets.table(
        rows,
        {
            "event_source": column.TextColumn("Event source", width=240),
            "event_name": column.TextColumn("Event name", width=260),
            "event_type": column.TextColumn("Type", width=130),
            "events": column.NumberColumn("Events", format="%,d", width=90),
            "outcome": column.TextColumn("Outcome", width=100),
            "actions": column.TextColumn("IAM actions", width=420),
        },
        key="health_event_names",
        height=_height(len(rows)),
        alt="Event names and the IAM actions that they need",
    )


def problems(build: Build) -> None:
    """What was left out while reading."""
    rows, column = data.read(queries.health_problems), st.column_config
    if rows.empty:
        widgets.nothing(
            "No problem was met.", "Every policy and file of the snapshot was read.", icon=":material/task_alt:"
        )
        return
    widgets.downloads(
        "problems", queries.health_problems, build=build, filters=Filters(build.window_days), rows=len(rows)
    )
    widgets.table(
        rows,
        {
            "source": column.TextColumn("Where", width=120),
            "subject": column.TextColumn("What", width=420),
            "reason": column.TextColumn("Why it was left out", width=620),
        },
        key="health_problems",
        alt="Problems met while reading",
    )


def _height(rows: int) -> int:
    return min(560, 40 + 30 * rows)


def _downloads(view: str, question: Callable[[DuckDBPyConnection], pd.DataFrame], build: Build, rows: int) -> None:
    widgets.downloads(view, question, build=build, filters=Filters(build.window_days), rows=rows)
