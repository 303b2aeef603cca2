"""The boundaries tab: who has which, who lacks one and can make others, the ways out, and drift from the team's map."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from analytics.findings.boundaries.boundary_map import FILE_NAME, BoundaryMapError, read_boundary_map
from analytics.outputs import queries
from analytics.outputs.queries import Filters
from app_pages.shared import data, guardrail_effect, widgets
from app_pages.shared.text import counted, number, percent, plain, quoted, short_name, span

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from analytics.outputs.queries import Build

TALL = 520


def show(build: Build) -> None:
    """The figures, and one of the lists."""
    coverage = data.of_estate(queries.boundary_coverage)
    if coverage.empty:
        widgets.nothing("No identity was collected.", "Boundaries are known from the snapshot of IAM only.")
        return
    ways = data.of_estate_and_reads(queries.boundary_ways_out)
    identities, bounded = int(coverage["identities"].sum()), int(coverage["bounded"].sum())
    figures = st.columns(4, gap="small")
    figures[0].metric(
        "Identities with a boundary",
        f"{bounded:,} of {identities:,}",
        border=True,
        help="Users and roles; service-linked roles cannot have one",
    )
    figures[1].metric("Share bounded", percent(bounded / identities if identities else None), border=True)
    figures[2].metric(
        "Makers without one",
        number(int(coverage["makers"].sum())),
        border=True,
        help="Identities without a boundary that can create roles or users",
    )
    figures[3].metric(
        "Boundaries with a way out",
        number(ways["boundary_arn"].nunique()),
        border=True,
        help="That let a holder remove, replace or rewrite them, or make identities without",
    )
    views = {
        "Inventory": _inventory,
        "Ways out": _ways_out,
        "Makers without one": _makers,
        "By account": _accounts,
        "Drift": _drift,
    }
    bar = st.container(horizontal=True, gap="medium", vertical_alignment="center")
    with bar:
        chosen = widgets.segments("List", list(views), "boundaries", hide_label=True)
    views[chosen](build, bar)


def _export(bar: DeltaGenerator, view: str, build: Build, question: Callable, rows: pd.DataFrame) -> None:
    with bar:
        widgets.downloads(view, question, build=build, filters=Filters(build.window_days), rows=len(rows))


def _inventory(build: Build, bar: DeltaGenerator) -> None:
    rows = data.of_estate_and_reads(queries.boundary_inventory)
    if rows.empty:
        widgets.nothing("No identity has a permissions boundary.", "“Templates” holds some to begin with.")
        return
    _export(bar, "boundaries", build, partial(queries.boundary_inventory, estate=data.estate()), rows)
    column = st.column_config
    shown = rows.assign(
        state=["collected" if one else "not collected" for one in rows["collected"]],
        open=[
            f"✕ {ways}" if ways else "● none found" if known else "? not known"
            for ways, known in zip(rows["ways_out"], rows["collected"], strict=True)
        ],
    )
    widgets.table(
        shown,
        {
            "boundary": column.TextColumn("Boundary", width=230),
            "account_name": column.TextColumn("Account", width=160),
            "ou_path": column.TextColumn("OU", width=150),
            "holders": column.NumberColumn("Holders", format="%,d", width=65),
            "characters": column.NumberColumn("Characters", format="%,d", width=85, help="Of 6,144"),
            "state": column.TextColumn("Document", width=95),
            "open": column.TextColumn("Ways out", width=420),
        },
        key="boundary_inventory",
        alt="Boundaries by account with holders and ways out",
        height=min(TALL, 40 + 30 * len(shown)),
    )  # fmt: skip


def _ways_out(build: Build, bar: DeltaGenerator) -> None:
    rows = data.of_estate_and_reads(queries.boundary_ways_out)
    if rows.empty:
        widgets.nothing(
            "No boundary leaves a way out.",
            "Every one denies its own removal and the making of unbounded identities.",
            icon=":material/task_alt:",
        )
        return
    _export(bar, "boundary-ways-out", build, partial(queries.boundary_ways_out, estate=data.estate()), rows)
    for (boundary, account), found in rows.groupby(["boundary_arn", "account_id"], sort=False):
        first = found.iloc[0]
        with st.container(border=True, gap="xsmall"):
            name = f"{span(plain(first['boundary'], 60))} in {span(plain(first['account_name'] or account, 40))}"
            st.markdown(f"{name} · {counted(int(first['holders']), 'holder')}")
            st.caption(span(plain(boundary, 140)))
            for row in found.to_dict("records"):
                sure = ":red[✕]" if row["permits"] == "yes" else ":orange[△]"
                keys = f", if {span(plain(row['unknown_keys'], 60))} lets it" if row["unknown_keys"] else ""
                given = row["permissions_boundary"]
                with_ = f" with {span(plain(given.rpartition('/')[2], 40))}" if given.startswith("arn:") else ""
                able, by = len(row["able"]), span(plain(row["statements"] or "no deny", 60))
                st.markdown(
                    f"{sure} {row['way_out']}: {span(row['action'])}{with_} by {by}"
                    f"{keys} · {counted(able, 'holder')} can today"
                )


def _makers(build: Build, bar: DeltaGenerator) -> None:
    rows = data.of_estate(queries.unbounded_makers)
    if rows.empty:
        widgets.nothing(
            "Nobody without a boundary can make roles or users.",
            "Every maker is bounded itself.",
            icon=":material/task_alt:",
        )
        return
    _export(bar, "boundary-makers", build, lambda _con: queries.unbounded_makers(data.estate()), rows)
    column = st.column_config

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["unbounded_makers"], len(rows))
        if position is not None:
            st.session_state["boundary_open_identity"] = rows["principal_arn"].iloc[position]

    widgets.table(
        rows.assign(name=rows["name"].map(short_name), sure=["surely" if one else "maybe" for one in rows["surely"]]),
        {
            "name": column.TextColumn("Identity", width=260),
            "kind": column.TextColumn("Kind", width=80),
            "account_name": column.TextColumn("Account", width=160),
            "owner": column.TextColumn("Owner", width=180),
            "actions": column.TextColumn("Can", width=220),
            "sure": column.TextColumn("How sure", width=75),
            "unbounded": column.TextColumn("Without a boundary", width=125, help="Can it make one without?"),
        },
        key="unbounded_makers",
        alt="Identities without a boundary that can make roles or users; select one to open it",
        on_select=opened,
        selection_mode="single-cell",
        height=min(TALL, 40 + 30 * len(rows)),
    )  # fmt: skip
    st.caption("Click an identity to open it.")
    if arn := st.session_state.pop("boundary_open_identity", None):
        widgets.open_identity(arn)


def _accounts(build: Build, bar: DeltaGenerator) -> None:
    rows = data.of_estate(queries.boundary_coverage)
    _export(bar, "boundary-coverage", build, lambda _con: rows, rows)
    column = st.column_config
    widgets.table(
        rows.assign(share=rows["bounded"] / rows["identities"]),
        {
            "account_name": column.TextColumn("Account", width=190),
            "account_id": column.TextColumn("Id", width=120),
            "ou_path": column.TextColumn("OU", width=190),
            "environment": column.TextColumn("Environment", width=110),
            "identities": column.NumberColumn("Identities", format="%,d", width=75),
            "bounded": column.NumberColumn("Bounded", format="%,d", width=75),
            "share": column.ProgressColumn("Share", format="percent", min_value=0, max_value=1, width=120),
            "makers": column.NumberColumn("Makers without one", format="%,d", width=130),
        },
        key="boundary_coverage",
        alt="Boundaries by account",
        height=min(TALL, 40 + 30 * len(rows)),
    )


def _drift(build: Build, bar: DeltaGenerator) -> None:
    """Actual against expected; the map is read anew on each run, for it changes without a build."""
    try:
        rules = read_boundary_map(data.folder())
    except BoundaryMapError as error:
        st.warning("The boundary map cannot be used as it stands.", icon=":material/error:")
        st.text(plain(error, 600))
        return
    if rules is None:
        widgets.nothing(
            "No team has said yet which boundary is expected where.",
            f"Put {span(FILE_NAME)} into the store's folder; its first line that fits an identity decides.",
            icon=":material/rule:",
        )
        return
    rows = data.of_estate_and_reads(queries.boundary_drift_rows, rules=rules, settings=data.settings())
    if rows.empty:
        widgets.nothing(
            "Every identity has the boundary that is expected of it.",
            f"{counted(len(rules), 'line')} of the map.",
            icon=":material/task_alt:",
        )
        return
    _export(
        bar,
        "drift",
        build,
        partial(queries.boundary_drift_rows, estate=data.estate(), rules=rules, settings=data.settings()),
        rows,
    )
    column = st.column_config
    chosen = widgets.table(
        rows.assign(
            broken=rows["calls_broken"].map(guardrail_effect.broken),
            expected=rows["expected"].map(_policy_name),
            actual=rows["actual"].map(_policy_name),
        ),
        {
            "name": column.TextColumn("Identity", width=220),
            "account_name": column.TextColumn("Account", width=140),
            "drift": column.TextColumn("Drift", width=150),
            "expected": column.TextColumn("Expected", width=270),
            "actual": column.TextColumn("Actual", width=270),
            "broken": column.TextColumn("Calls broken", width=95, help="Of the window"),
            "map_line": column.NumberColumn("Line", format="%d", width=50, help="Of the map"),
        },
        key="boundary_drift",
        alt="Identities with another boundary than expected; select one for the commands",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(360, 40 + 30 * len(rows)),
    )  # fmt: skip
    at = widgets.chosen_row(chosen, len(rows)) or 0
    row = rows.iloc[at]
    st.markdown(f"**Commands for** {span(plain(row['name'], 60))}")
    if row["blocked_reason"]:
        st.text(quoted(row["blocked_reason"], 300))
    if row["commands"]:
        st.code(row["commands"], language="bash", wrap_lines=True)


def _policy_name(arn: str | None) -> str | None:
    """Path and name of a policy: the account stands in a column of its own."""
    return arn.partition(":policy/")[2] or arn if isinstance(arn, str) else None
