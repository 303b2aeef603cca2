"""The charts: Plotly with the colours of palette.py, no toolbar, no grid lines that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from app_pages.shared import palette
from app_pages.shared.text import plotly

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 330  # pixels, so that charts side by side are equal
CONFIG = {"displayModeBar": False, "responsive": True}


def split_bars(rows: pd.DataFrame, *, key: str, limit: int = 10) -> None:
    """One bar per row: which share of its granted actions is used, possible, unused and unobserved."""
    shown = rows.head(limit).iloc[::-1]
    names = [plotly(name, 34) for name in shown["name"]]
    used = 100 * (shown["used"] + shown["possible"]) / shown["granted"]
    beside = {"x": 101, "showarrow": False, "xanchor": "left", "font": {"size": 12}}
    quarters = [0, 25, 50, 75, 100]
    layout = {
        "barmode": "stack",
        "bargap": 0.35,
        "annotations": [
            {"y": name, "text": f"{share:.2f} % used", **beside} for name, share in zip(names, used, strict=True)
        ],
        "xaxis": {
            "range": [0, 117],
            "showgrid": False,
            "zeroline": False,
            "tickvals": quarters,
            "ticktext": [f"{quarter} %" for quarter in quarters],
        },
        "yaxis": {"showgrid": False, "ticklabelstandoff": 8},
    }
    alt = "Bars: share of granted actions that is used, possible, unused and unobserved, per row"
    bars = [_share_bar(state, shown, names) for state in palette.STATES]
    _show(bars, layout, key=key, height=max(HEIGHT, 70 + 30 * len(shown)), alt=alt)


def _share_bar(state: palette.State, shown: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": f"{state.mark} {state.word}",
        "y": names,
        "x": 100 * shown[state.word] / shown["granted"],
        "marker": {"color": palette.pick(state.colour), "line": {"width": 0}},
        "customdata": shown[[state.word, "granted"]],
        "hovertemplate": f"%{{y}}<br>{state.word}: %{{customdata[0]:,}} of %{{customdata[1]:,}} actions"
        " (%{x:.1f} %)<extra></extra>",
    }


def activity(days: pd.DataFrame, *, key: str) -> None:
    """Calls per day as bars; denied calls below on a scale of their own."""
    scale = {"rangemode": "tozero", "zeroline": False, "tickformat": ",d"}
    layout = {
        "bargap": 0.15,
        "xaxis": {"showgrid": False, "tickformat": "%-d %b"},
        "yaxis": {"domain": [0.38, 1], "title": {"text": "calls / day"}, "nticks": 4, **scale},
        "yaxis2": {"domain": [0, 0.26], "title": {"text": "denied"}, "nticks": 3, **scale},
    }
    bars = [
        _day_bar(days, "calls", "calls", palette.USED.colour, "y"),
        _day_bar(days, "denied", "denied calls", palette.DENIED, "y2"),
    ]
    _show(bars, layout, key=key, height=HEIGHT, alt="Bars: calls per day, and denied calls per day below, UTC")


def _day_bar(days: pd.DataFrame, column: str, name: str, colour: palette.Pair, axis: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": days["day"],
        "y": days[column],
        "yaxis": axis,
        "marker": {"color": palette.pick(colour), "line": {"width": 0}},
        "hovertemplate": f"%{{x|%a %d %b %Y}}: %{{y:,}} {name}<extra></extra>",
    }


def _show(bars: list[dict[str, Any]], layout: dict[str, Any], *, key: str, height: int, alt: str) -> None:
    """Draw the whole chart at once: Plotly checks every separate update of a figure anew, which takes its time."""
    common = {
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 30, "b": 0},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"namelength": -1},
    }
    st.plotly_chart(go.Figure(bars, common | layout), key=key, config=CONFIG, alt=alt)
