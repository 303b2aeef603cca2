"""One meaning per colour everywhere: blue = used or covered, orange = unused or open, grey = not known, red = risk.

Each pair is (light theme, dark theme). A state also carries a mark, so that colour is never the only difference.
"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

Pair = tuple[str, str]

INK: Pair = ("#1b2433", "#e4e9f1")
QUIET: Pair = ("#5b6675", "#9aa6b8")
LINE: Pair = ("#dde3ea", "#2a3547")
ORANGE_RAMP: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#fef3e6", "#fde3c5", "#fbcf9b", "#f7b76d", "#f19c43", "#e58223", "#d26a12", "#b9550c", "#9c430a", "#7f3509"),
    ("#2a1f17", "#432c18", "#603b19", "#80491a", "#a25a1b", "#c26c1f", "#dc8430", "#ee9f4f", "#f8bd7c", "#fddcb2"),
)
BLUE_RAMP: tuple[tuple[str, ...], tuple[str, ...]] = (
    ("#e8f1fa", "#d2e4f4", "#b5d1eb", "#93bae0", "#6fa1d3", "#4e88c4", "#3470b2", "#235b9c", "#174782", "#0f3666"),
    ("#14243a", "#19304f", "#1f3f68", "#265082", "#2f639d", "#3b78b6", "#528fcb", "#73a9dc", "#9bc4ea", "#c6dff6"),
)


class State(NamedTuple):
    """How a state looks: the word, its mark, its colour."""

    word: str
    mark: str
    colour: Pair
    meaning: str


USED = State("used", "●", ("#0072b2", "#56b4e9"), "called in the window, and not denied")
POSSIBLE = State("possible", "◐", ("#7fb3d5", "#3d7ea6"), "a call was seen that may have needed it")
UNUSED = State("unused", "○", ("#d26a12", "#f0912d"), "this export would have shown a call, and there was none")
UNOBSERVED = State("unobserved", "?", ("#b3bcc8", "#5a6779"), "this export could not have shown a call")
STATES = (USED, POSSIBLE, UNUSED, UNOBSERVED)
DENIED: Pair = ("#b4232a", "#ff7b72")
CHANGED: Pair = ("#5b3a8c", "#b79cf0")
PAPER: Pair = ("#ffffff", "#0f1520")


class Band(NamedTuple):
    """How a band of the score looks. `symbol` is Plotly's name of the mark, `tone` Streamlit's name of a colour."""

    word: str
    mark: str
    symbol: str
    colour: Pair
    tone: str


BANDS = (
    Band("critical", "◆", "diamond", ("#a51d2d", "#ff6b62"), "red"),
    Band("high", "▲", "triangle-up", ("#d6604d", "#d4574e"), "red"),
    Band("medium", "■", "square", ("#e3a294", "#96504c"), "orange"),
    Band("low", "●", "circle", ("#b3bcc8", "#5a6779"), "gray"),
)
BAND_MARKS = {band.word: f"{band.mark} {band.word}" for band in BANDS}


def dark() -> bool:
    """Whether the viewer's theme is dark."""
    return st.context.theme.type == "dark"


def pick(pair: Pair) -> str:
    """The colour for the viewer's theme."""
    return pair[dark()]
