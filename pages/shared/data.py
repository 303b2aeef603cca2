"""Reads of the current build, cached under its id: one connection per build, one cursor per question.

A build never changes, so an answer is good for as long as its build is the current one. The connection can read
nothing but the build: no other file, no setting, no extension.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from analytics.outputs import queries
from analytics.settings import default_store
from analytics.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

Answer = TypeVar("Answer")

LOCKS = (
    "set threads = 2",
    "set memory_limit = '1GB'",
    "set enable_external_access = false",
    "set lock_configuration = true",  # last: nothing can be set after it
)


def current_build() -> queries.Build | None:
    """The build in use, or None in a store without one; StoreError for a store that is broken."""
    build_id = _store().current()
    return None if build_id is None else _build(str(_store().folder), build_id)


def read(question: Callable[..., Answer], **asked: Any) -> Answer:
    """The answer of one function of `analytics.outputs.queries`, from the cache where it was asked before."""
    build_id = _store().current()
    if build_id is None:
        msg = f"store `{_store().folder}` holds no build; run `python -m analytics demo`"
        raise LookupError(msg)
    return _answer(str(_store().folder), build_id, question.__name__, question, asked)


def read_fresh(question: Callable[..., Answer], **asked: Any) -> Answer:
    """Like `read`, and not kept: for exports, which are large and asked for once."""
    folder = _store().folder
    return question(_connection(str(folder), str(_store().current())).cursor(), **asked)


def _store() -> Store:
    return Store(default_store())


@st.cache_resource(max_entries=3, show_spinner=False)
def _connection(folder: str, build_id: str) -> DuckDBPyConnection:
    con = Store(Path(folder)).connect(build_id)
    for lock in LOCKS:
        con.execute(lock)
    return con


@st.cache_data(max_entries=3, show_spinner=False)
def _build(folder: str, build_id: str) -> queries.Build:
    return queries.build_info(_connection(folder, build_id).cursor())


@st.cache_data(max_entries=400, show_spinner=False)
def _answer(folder: str, build_id: str, name: str, _question: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """`name` is in the key of the cache and stands for the question, which Streamlit cannot hash."""
    del name
    return _question(_connection(folder, build_id).cursor(), **asked)
