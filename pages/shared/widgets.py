"""What pages are put together from: the filter bar, empty states, downloads.

The widgets keep their values in the URL (`bind`), so that a link reproduces the view. What comes from there is
checked against what the build offers before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import Filters
from pages.shared import data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.outputs.queries import Build, FilterOptions


def filter_bar(build: Build) -> Filters:
    """One row of filters, the same on every page."""
    options = data.read(queries.filter_options)
    accounts = {f"{account} {name or ''}".strip(): account for account, name in options.accounts}
    windows = {f"{days} days": days for days in options.windows}
    columns = st.columns([1, 1.7, 1.7, 1.2, 2.2], gap="small")
    window = columns[0].selectbox(
        "Window", list(windows), index=list(windows.values()).index(build.window_days), key="window",
        bind="query-params", label_visibility="collapsed", help="How far back a call counts as use",
    )  # fmt: skip
    ou_path = _choice(columns[1], "OU", "All OUs", options.ou_paths, "ou")
    account = _choice(columns[2], "Account", "All accounts", tuple(accounts), "account")
    kind = _choice(columns[3], "Kind", "All kinds", options.kinds, "kind")
    search = columns[4].text_input(
        "Search", key="q", bind="query-params", type="search", live=True, max_chars=80, icon=":material/search:",
        placeholder="Search names, ARNs, owners, accounts", label_visibility="collapsed",
    )  # fmt: skip
    return Filters(
        window_days=windows.get(window or "", build.window_days),
        ou_path=ou_path,
        account_id=accounts.get(account or ""),
        kind=kind,
        search=search or "",
    )


def _choice(
    place: st.delta_generator.DeltaGenerator, label: str, every: str, options: Sequence[str], key: str
) -> str | None:
    chosen = place.selectbox(
        label, options, index=None, key=key, bind="query-params", placeholder=every, label_visibility="collapsed",
        filter_mode="contains",
    )  # fmt: skip
    return chosen if chosen in options else None


def nothing(why: str, what_to_do: str, *, icon: str = ":material/search_off:") -> None:
    """An empty panel that says why it is empty and what to do."""
    with st.container(border=True):
        st.markdown(f"{icon} **{why}**")
        st.caption(what_to_do)


def downloads(*a, **k):
    pass
