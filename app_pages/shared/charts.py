"""The charts: Plotly with the colours of palette.py, no toolbar, no grid lines that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    used = 100 * (shown["used"] + shown["possible"]) / shown["granted"]
    names = [plotly(name, 34) for name in shown["name"]]
    chart = go.Figure()
    for state in palette.STATES:
        share = 100 * shown[state.word] / shown["granted"]
        chart.add_bar(
            y=names,
            x=share,
            orientation="h",
            name=f"{state.mark} {state.word}",
            marker={"color": palette.pick(state.colour), "line_width": 0},
            customdata=shown[[state.word, "granted"]],
            hovertemplate=f"%{{y}}<br>{state.word}: %{{customdata[0]:,}} of %{{customdata[1]:,}} actions"
            " (%{x:.1f} %)<extra></extra>",
        )
    chart.update_layout(barmode="stack", bargap=0.35)
    for name, share in zip(names, used, strict=True):
        chart.add_annotation(
            x=101, y=name, text=f"{share:.2f} % used", showarrow=False, xanchor="left", font={"size": 12}
        )
    quarters = [0, 25, 50, 75, 100]
    labels = [f"{quarter} %" for quarter in quarters]
    chart.update_xaxes(range=[0, 117], showgrid=False, zeroline=False, tickvals=quarters, ticktext=labels)
    chart.update_yaxes(showgrid=False, ticklabelstandoff=8)
    alt = "Bars: share of granted actions that is used, possible, unused and unobserved, per row"
    _show(chart, key=key, height=max(HEIGHT, 70 + 30 * len(shown)), alt=alt)


def activity(days: pd.DataFrame, *, key: str) -> None:
    """Calls per day as bars; denied calls below on a scale of their own."""
    chart = go.Figure()
    chart.add_bar(
        x=days["day"],
        y=days["calls"],
        name="calls",
        marker={"color": palette.pick(palette.USED.colour), "line_width": 0},
        hovertemplate="%{x|%a %d %b %Y}: %{y:,} calls<extra></extra>",
    )
    chart.add_bar(
        x=days["day"],
        y=days["denied"],
        name="denied calls",
        yaxis="y2",
        marker={"color": palette.pick(palette.DENIED), "line_width": 0},
        hovertemplate="%{x|%a %d %b %Y}: %{y:,} denied<extra></extra>",
    )
    chart.update_layout(
        bargap=0.15,
        yaxis={"domain": [0.38, 1], "title": "calls / day", "rangemode": "tozero", "nticks": 4, "zeroline": False},
        yaxis2={"domain": [0, 0.26], "title": "denied", "rangemode": "tozero", "nticks": 3, "zeroline": False},
    )
    chart.update_xaxes(showgrid=False, tickformat="%-d %b")
    chart.update_layout(yaxis_tickformat=",d", yaxis2_tickformat=",d")
    _show(chart, key=key, height=HEIGHT, alt="Bars: calls per day, and denied calls per day below, UTC")


def _show(chart: go.Figure, *, key: str, height: int, alt: str) -> None:
    chart.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 30, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"namelength": -1},
    )
    st.plotly_chart(chart, key=key, config=CONFIG, alt=alt)
