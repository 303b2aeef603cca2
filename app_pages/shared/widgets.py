"""What pages are put together from: the filter bar, empty states, tables, links, downloads.

The widgets keep their values in the URL (`bind`), so that a link reproduces the view. What comes from there is
checked against what the build offers before it is used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.export import MIME, XLSX_ROWS, Format, export, file_name, provenance
from analytics.outputs.queries import Filters
from app_pages.shared import data, navigation
from app_pages.shared.text import counted, plain, short_name, span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from duckdb import DuckDBPyConnection
    from streamlit.delta_generator import DeltaGenerator

    from analytics.outputs.queries import Build


def filter_bar(build: Build) -> Filters:
    """One row of filters, the same on every page and kept from page to page."""
    options = data.shared(queries.filter_options)
    accounts = {f"{account} {name or ''}".strip(): account for account, name in options.accounts}
    windows = {f"{days} days": days for days in options.windows}
    places = st.columns([1, 1.8, 1.8, 1.2, 2.2], gap="small")
    window = places[0].selectbox(
        "Window",
        list(windows),
        index=list(windows.values()).index(build.window_days),
        key="window",
        bind="query-params",
        label_visibility="collapsed",
    )
    ou_path = choice(places[1], "OU", "All OUs", options.ou_paths, "ou")
    account = choice(places[2], "Account", "All accounts", tuple(accounts), "account")
    kind = choice(places[3], "Kind", "All kinds", options.kinds, "kind")
    search = places[4].text_input(
        "Search",
        key="q",
        bind="query-params",
        type="search",
        live=True,
        max_chars=80,
        icon=":material/search:",
        placeholder="Search names, ARNs, owners, accounts",
        label_visibility="collapsed",
    )
    return Filters(
        window_days=windows.get(window or "", build.window_days),
        ou_path=ou_path,
        account_id=accounts.get(account or ""),
        kind=kind,
        search=search or "",
    )


def choice(place: DeltaGenerator, label: str, every: str, options: Sequence[str], key: str) -> str | None:
    """One of the options or all of them (None), kept in the URL."""
    chosen = place.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        placeholder=every,
        label_visibility="collapsed",
        filter_mode="contains",
    )
    return chosen if chosen in options else None


def segments(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    hide_label: bool = False,
    on_change: Callable[[], None] | None = None,
) -> str:
    """One of a few, kept in the URL; the first one unless chosen."""
    visible = "collapsed" if hide_label else "visible"
    chosen = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility=visible,
        on_change=on_change or "rerun",
    )
    return chosen if chosen in options else options[0]


def nothing(why: str, what_to_do: str, *, icon: str = ":material/search_off:") -> None:
    """An empty panel that says why it is empty and what to do."""
    with st.container(border=True):
        st.markdown(f"{icon} **{why}**")
        st.caption(what_to_do)


def link(page: str, label: str, *, icon: str | None = None, **params: str) -> None:
    """A link to another page with its parameters in the URL; the label is Markdown, so untrusted text needs `span`."""
    st.page_link(navigation.target(page), label=label, icon=icon, query_params=params or None)


def open_identity(principal_arn: str) -> NoReturn:
    """Go to the page of one identity."""
    st.switch_page(navigation.path("identity"), query_params={"arn": principal_arn})


def identity_link(principal_arn: str, name: str | None = None, *, icon: str | None = None, length: int = 40) -> None:
    """A link to the page of one identity, under its name; names are untrusted and shown as code."""
    label = name or principal_arn.rpartition("/")[2] or principal_arn
    link("identity", span(plain(short_name(label), length)), icon=icon, arn=principal_arn)


def table(rows: pd.DataFrame, columns: Mapping[str, Any], *, key: str, alt: str, **options: Any) -> Any:
    """A table of the named columns, in that order; the other columns of the rows do not reach the browser."""
    return st.dataframe(
        rows[list(columns)],
        column_config=dict(columns),
        hide_index=True,
        key=key,
        alt=alt,
        row_height=30,
        placeholder="–",
        **options,
    )


def downloads(
    view: str,
    question: Callable[[DuckDBPyConnection], pd.DataFrame],
    *,
    build: Build,
    filters: Filters,
    rows: int,
    only: Sequence[str | None] = (),
    weights: str = "",
) -> None:
    """All rows of a view, not just the page that is shown, in every format; made when a button is pressed.

    `only`: what else narrows the rows beside the filter bar; `weights`: where they are not those of the build.
    """
    origin = provenance(view, build, filters, only=only)
    origin = replace(origin, weights=weights) if weights else origin
    source = data.source()

    def make(file_format: Format) -> Callable[[], bytes]:
        return lambda: export(question(source().cursor()), file_format, origin)

    with st.popover(f"Export {counted(rows, 'row')}", icon=":material/download:", key=f"export_{view}"):
        every = "The row" if rows == 1 else f"All {rows:,} rows"
        st.caption(f"{every} of these filters, with build, window and versions in the file.")
        for file_format in Format:
            too_many = file_format is Format.XLSX and rows > XLSX_ROWS
            st.download_button(
                file_format.upper(),
                make(file_format),
                file_name=file_name(origin, file_format),
                mime=MIME[file_format],
                on_click="ignore",
                disabled=too_many,
                help=f"An XLSX sheet holds {XLSX_ROWS:,} rows: narrow the filters." if too_many else None,
                key=f"export_{view}_{file_format}",
                width="stretch",
            )


def heading(said: str, view: str, rows: pd.DataFrame, *, narrowed_to: str = "") -> None:
    """The heading of a table that stands whole on the page, with its export; `narrowed_to` is told in the file."""
    build = data.current_build()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(said, width="content")
        if build is not None and len(rows):
            asked = Filters(build.window_days, search=narrowed_to)
            downloads(view, lambda _con: rows, build=build, filters=asked, rows=len(rows))


def chosen_row(event: Any, length: int) -> int | None:
    """The row of the selected cell of a table; None without one, or when the table has changed since."""
    cells = event.selection.cells
    return cells[0][0] if cells and cells[0][0] < length else None


def pager(pages: int, rows: int, size: int, what: str, *, key: str) -> int:
    """Page buttons where there is more than one page; the offset of the chosen page."""
    if st.session_state.get(key, 1) > pages:
        st.session_state[key] = pages
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        page = st.pagination(pages, key=key, bind="query-params") if pages > 1 else 1
        first = (page - 1) * rows
        st.caption(f"{first + 1:,}–{min(size, first + rows):,} of {size:,} {what}", width="content")
    return first
