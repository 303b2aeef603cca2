"""Reads of the current build, cached under its id: one connection per build, one cursor per question.

A build never changes, so an answer is good for as long as its build is the current one. The connection can read
nothing but the build: no other file, no setting, no extension.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.outputs import queries
from analytics.outputs.drafts import Drafter, draft_settings
from analytics.outputs.estate import read_estate
from analytics.outputs.matrix import guardrail_settings
from analytics.settings import Settings, default_store, read_settings
from analytics.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

    from analytics.findings.estate import Estate
    from analytics.outputs.drafts import Asked, Made

Answer = TypeVar("Answer")
Drawn = TypeVar("Drawn")

_SETTLED = "build_of_this_run"
LOCKS = (
    "set threads = 2",
    "set memory_limit = '1GB'",
    "set enable_external_access = false",
    "set lock_configuration = true",  # last: nothing can be set after it
)


def start() -> queries.Build | None:
    """Settle which build this run reads, so that a new one does not come in midway; the build, or None without one.

    StoreError for a store that is broken. Called once a run, by app.py.
    """
    st.session_state[_SETTLED] = _store().current() or ""
    return current_build()


def current_build() -> queries.Build | None:
    """The build that this run reads; None in a store without one."""
    return read(queries.build_info) if _build_id() else None


def read(question: Callable[..., Answer], **asked: Any) -> Answer:
    """The answer of one function of `analytics.outputs`, from the cache where it was asked before."""
    store = _store()
    answer: Answer = _answer(str(store.folder), _build_id(), question.__qualname__, question, asked)
    return answer


def shared(question: Callable[..., Answer], **asked: Any) -> Answer:
    """As `read`, but the answer itself and no copy: for frozen values, slow to copy. Never change it."""
    answer: Answer = _shared(str(_store().folder), _build_id(), question.__qualname__, question, asked)
    return answer


def of_estate(question: Callable[..., Answer], **asked: Any) -> Answer:
    """The answer of a function of the build's estate, which is read once, from the cache where it was asked before."""
    store = _store()
    answer: Answer = _of_estate(str(store.folder), _build_id(), question.__qualname__, question, asked)
    return answer


def of_estate_and_reads(question: Callable[..., Answer], **asked: Any) -> Answer:
    """As `of_estate`, for a function of a connection and the estate."""
    store = _store()
    answer: Answer = _of_reads(str(store.folder), _build_id(), question.__qualname__, question, asked)
    return answer


def estate() -> Estate:
    """The estate of the build in use; shared by all sessions, so it must not be changed."""
    store = _store()
    return _estate(str(store.folder), _build_id())


def draft(asked: Asked) -> Made:
    """The draft for some cells, proven, and what it does; DraftError where there is none."""
    store = _store()
    return _draft(str(store.folder), _build_id(), settings(), asked)


def settings() -> Settings:
    """What the team of this store has decided."""
    return read_settings(_store().folder)


def folder() -> Path:
    """The folder of the store: of what is kept beside the builds."""
    return _store().folder


def drawn(draw: Callable[[Answer], Drawn], question: Callable[..., Answer], **asked: Any) -> Drawn:
    """A chart or a table made from an answer, kept for the viewer's theme; shared by all sessions: never change it."""
    names = f"{draw.__qualname__} {question.__qualname__}"
    theme = str(st.context.theme.type)
    made: Drawn = _drawn(str(_store().folder), _build_id(), names, theme, draw, question, asked)
    return made


def source() -> Callable[[], DuckDBPyConnection]:
    """What gives the connection of this build, also on a thread without a session: for answers too large to keep."""
    store = _store()
    return partial(_connection, str(store.folder), _build_id())


def now() -> datetime:
    """The moment, UTC without a zone as a build's times are, to the hour so that answers can be kept."""
    return datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0)


def _build_id() -> str:
    settled: str = st.session_state[_SETTLED]
    return settled


def _store() -> Store:
    return Store(default_store())


@st.cache_resource(max_entries=2, show_spinner="Reading policies …")
def _estate(folder: str, build_id: str) -> Estate:
    return read_estate(_connection(folder, build_id).cursor())


@st.cache_resource(max_entries=1, show_spinner=False)
def _drafter(folder: str, build_id: str, settings: Settings) -> Drafter:
    lists, resources = settings.guardrail_lists, settings.guardrail_resources
    return Drafter(
        _estate(folder, build_id),
        load_scenarios(Path(folder)),
        guardrail_settings(settings),
        draft_settings(settings, lists, resources),
    )


@st.cache_resource(max_entries=20, show_spinner="Drafting, and proving the draft …")
def _draft(folder: str, build_id: str, settings: Settings, asked: Asked) -> Made:
    """Shared by all sessions: what was made is frozen."""
    return _drafter(folder, build_id, settings).make(asked)


@st.cache_data(max_entries=200, show_spinner="Deciding …")
def _of_estate(folder: str, build_id: str, name: str, _question: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """`name` stands for the question in the key of the cache, as in `_answer`."""
    del name
    return _question(_estate(folder, build_id), **asked)


@st.cache_data(max_entries=100, show_spinner="Deciding …")
def _of_reads(folder: str, build_id: str, name: str, _question: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """As `_of_estate`."""
    del name
    return _question(_connection(folder, build_id).cursor(), _estate(folder, build_id), **asked)


@st.cache_resource(max_entries=3, show_spinner=False)
def _connection(folder: str, build_id: str) -> DuckDBPyConnection:
    con = Store(Path(folder)).connect(build_id)
    for lock in LOCKS:
        con.execute(lock)
    return con


@st.cache_resource(max_entries=100, show_spinner=False)
def _drawn(
    folder: str,
    build_id: str,
    names: str,
    theme: str,
    _draw: Callable[[Any], Any],
    _question: Callable[..., Any],
    asked: dict[str, Any],
) -> Any:
    """`names` and `theme` are in the key of the cache: they stand for the functions and for the colours they pick."""
    del names, theme
    return _draw(_question(_connection(folder, build_id).cursor(), **asked))


@st.cache_resource(max_entries=100, show_spinner=False)
def _shared(folder: str, build_id: str, name: str, _question: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """As `_answer`."""
    del name
    return _question(_connection(folder, build_id).cursor(), **asked)


@st.cache_data(max_entries=500, show_spinner=False)
def _answer(folder: str, build_id: str, name: str, _question: Callable[..., Any], asked: dict[str, Any]) -> Any:
    """`name` is in the key of the cache and stands for the question, which Streamlit does not hash."""
    del name
    return _question(_connection(folder, build_id).cursor(), **asked)
