"""The charts: Plotly with the colours of palette.py, no toolbar, no grid lines that say nothing.

A chart is a pure function from rows to a figure; `data.drawn` keeps it for the build, the question and the theme.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app_pages.shared import palette
from app_pages.shared.text import plain, plotly

HEIGHT = 330  # pixels, so that charts side by side are equal
CONFIG = {"displayModeBar": False, "responsive": True}


class Kept(go.Figure):
    """A figure that is not changed any more: it tells itself as a dictionary once, not at each rerun of a page."""

    def to_dict(self) -> dict[str, Any]:
        """As of the first call; callers only read it."""
        if not hasattr(self, "_told"):
            self._told = super().to_dict()
        told: dict[str, Any] = self._told
        return told


def split_bars(rows: pd.DataFrame, limit: int = 10) -> go.Figure:
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
    bars = [_share_bar(state, shown, names) for state in palette.STATES]
    return _figure(bars, layout, height=max(HEIGHT, 70 + 30 * len(shown)))


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


def activity(days: pd.DataFrame) -> go.Figure:
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
    return _figure(bars, layout)


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


def risk_scatter(points: pd.DataFrame) -> go.Figure:
    """One mark per identity: privilege by unused points, as large as its exposure, coloured and marked by band.

    `customdata[0]` is the position in the rows. Identities of the same points stand in a spiral around them.
    """
    spread_x, spread_y = _spirals(points)
    marks = [
        _band_marks(band, points.assign(position=range(len(points)), x=spread_x, y=spread_y)) for band in palette.BANDS
    ]
    scale = {"zeroline": False, "showgrid": True, "gridcolor": palette.pick(palette.LINE)}
    layout = {
        "xaxis": {"title": {"text": "privilege, points of 40"}, "range": [-1, 43.5], "dtick": 10, **scale},
        "yaxis": {"title": {"text": "unused, points of 25"}, "range": [-1.5, 28], "dtick": 5, **scale},
        "clickmode": "event+select",
        "hovermode": "closest",
    }
    layout["legend_traceorder"] = "reversed"
    return _figure([trace for trace in reversed(marks) if trace["x"]], layout, height=270)


def _spirals(points: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Where the marks stand: the k-th of those at one point k steps along a spiral around it."""
    at = points.groupby(["privilege_points", "unused_points"], sort=False)
    number = at.cumcount(ascending=False)  # the highest score last, drawn on top, and in the middle
    crowd = at["score"].transform("size").clip(lower=1)
    radius = np.sqrt(number) * np.minimum(0.42, 3 / np.sqrt(crowd))
    angle = number * 2.399963  # the golden angle: no two in one direction
    return points["privilege_points"] + radius * np.cos(angle), points["unused_points"] + radius * np.sin(angle)


def _band_marks(band: palette.Band, points: pd.DataFrame) -> dict[str, Any]:
    rows = points[points["band"] == band.word]
    names = [plotly(name, 50) for name in rows["name"]]
    accounts = [plotly(account, 30) for account in rows["account_name"].fillna(rows["account_id"])]
    told = zip(
        rows["position"], names, accounts, rows["score"], rows["privilege_points"], rows["unused_points"],
        rows["exposure_points"], [f"<br>{count:,} more at this point" if count else "" for count in rows["beside"]],
        strict=True,
    )  # fmt: skip
    return {
        "type": "scatter",
        "mode": "markers",
        "name": band.word,
        "x": list(rows["x"]),
        "y": list(rows["y"]),
        "marker": {
            "color": palette.pick(band.colour),
            "symbol": band.symbol,
            "size": [6 + 0.6 * points for points in rows["exposure_points"]],
            "opacity": 0.85,
            "line": {"width": 1, "color": palette.pick(palette.PAPER)},
        },
        "customdata": [list(values) for values in told],
        "hovertemplate": "<b>%{customdata[1]}</b> · %{customdata[2]}<br>score %{customdata[3]:.1f}: privilege "
        "%{customdata[4]:.1f}, unused %{customdata[5]:.1f}, exposure %{customdata[6]:.1f}%{customdata[7]}"
        "<extra></extra>",
    }


def life(known: tuple[pd.DataFrame, pd.DataFrame]) -> go.Figure:
    """Days and changes: calls and denied calls of one identity, and a mark at every change of what it may do."""
    days, changes = known
    scale = {"rangemode": "tozero", "zeroline": False, "tickformat": ",d"}
    start, end = days["day"].min(), days["day"].max()
    top = 2 * -(-max(2, int(days["denied"].max())) // 2)
    none_denied = not days["denied"].sum()  # then an axis of its own would be an empty panel
    layout = {
        "bargap": 0.15,
        "xaxis": {"showgrid": False, "tickformat": "%-d %b", "range": [start, end + pd.Timedelta(days=1)]},
        "yaxis": {"domain": [0 if none_denied else 0.46, 0.86], "title": {"text": "calls / day"}, "nticks": 4, **scale},
        "yaxis2": {"domain": [0, 0.3], "title": {"text": "denied"}, **scale, "range": [0, top], "dtick": top // 2},
        "yaxis3": {"domain": [0.9, 1], "visible": False, "range": [-1, 1]},
    }
    bars = [
        _day_bar(days, "calls", "calls", palette.USED.colour, "y"),
        _day_bar(days, "denied", "denied calls", palette.DENIED, "y2"),
        _change_marks(changes[changes["event_time"] >= start]),
    ]
    if none_denied:
        del bars[1], layout["yaxis2"]
    return _figure(bars, layout, height=240 if none_denied else 360)


def _change_marks(changes: pd.DataFrame) -> dict[str, Any]:
    told = [
        [plotly(row.event_name), plotly(row.summary or "", 90), plotly(plain(row.actor).rpartition("/")[2])]
        for row in changes.itertuples()
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "change of policy, trust or key",
        "x": list(changes["event_time"]),
        "y": [0] * len(changes),
        "yaxis": "y3",
        "marker": {"symbol": "diamond", "size": 10, "color": palette.pick(palette.CHANGED)},
        "customdata": told,
        "hovertemplate": "%{x|%a %d %b %Y %H:%M} UTC: <b>%{customdata[0]}</b> by %{customdata[2]}<br>%{customdata[1]}"
        "<extra></extra>",
    }


def _figure(bars: list[dict[str, Any]], layout: dict[str, Any], *, height: int = HEIGHT) -> go.Figure:
    """The whole chart at once: Plotly checks every separate update of a figure anew, which takes its time."""
    common = {
        "height": height,
        "margin": {"l": 0, "r": 8, "t": 30, "b": 0},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"namelength": -1},
    }
    return Kept(bars, common | layout)
