"""The pages of the app: their order, titles and addresses, and links between them."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import streamlit as st


class Entry(NamedTuple):
    """One page: the name of its file, its title and icon; hidden ones are reached by links only."""

    name: str
    title: str
    icon: str
    hidden: bool = False


ENTRIES = (
    Entry("overview", "Overview", ":material/space_dashboard:"),
    Entry("identities", "Identities", ":material/group:"),
    Entry("identity", "Identity", ":material/person:", hidden=True),
    Entry("heatmap", "Privilege vs usage", ":material/grid_on:"),
    Entry("guardrails", "Guardrails", ":material/shield:"),
    Entry("remediation", "Remediation", ":material/build:"),
    Entry("weights", "Weights", ":material/tune:", hidden=True),
    Entry("health", "Data health", ":material/verified:"),
)


def start() -> Any:
    """The page that the address asks for."""
    return st.navigation([_page(entry) for entry in ENTRIES], position="top")


def path(name: str) -> str:
    """The file of a page, as `st.switch_page` takes it."""
    return f"app_pages/{name}.py"


@cache
def target(name: str) -> Any:
    """What `st.page_link` leads to. Kept: a link by its path would look the file up on the disk each time."""
    return _page(next(entry for entry in ENTRIES if entry.name == name))


def _page(entry: Entry) -> Any:
    first = entry is ENTRIES[0]
    return st.Page(
        path(entry.name),
        title=entry.title,
        icon=entry.icon,
        default=first,
        url_path=None if first else entry.name,
        visibility="hidden" if entry.hidden else "visible",
    )
