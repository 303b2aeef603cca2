"""The tiles of the overview: a figure, its unit, and its change since the build before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from app_pages.shared.text import number, percent

if TYPE_CHECKING:
    import pandas as pd

    from analytics.outputs.queries import Build, Filters

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure; `worse_up` colours a rise as worse, None leaves a change without judgement."""

    label: str
    value: Callable[[Figures], float | None]
    icon: str
    help: str
    share: bool = False
    worse_up: bool | None = None
    needs_snapshot: bool = True


def _share(part: str, whole: str) -> Callable[[Figures], float | None]:
    def share(figures: Figures) -> float | None:
        above, below = figures.get(part), figures.get(whole)
        return above / below if above is not None and below else None

    return share


TILES = (
    Tile(
        "Critical identities",
        lambda figures: figures.get("critical"),
        ":material/priority_high:",
        "Users and roles of the snapshot with a score of 75 or more; AWS's service-linked roles have none.",
        worse_up=True,
    ),
    Tile(
        "High-risk identities",
        lambda figures: figures.get("high"),
        ":material/warning:",
        "Users and roles of the snapshot with a score from 50 to 74.9.",
        worse_up=True,
    ),
    Tile(
        "Unused high-risk",
        _share("unused_weight", "granted_weight"),
        ":material/lock_open:",
        "Share of the granted weight of high-risk actions (write, permissions, credentials, sensitive reads) that was "
        "not used in the window, though this export would have shown it.",
        share=True,
        worse_up=True,
    ),
    Tile(
        "Cannot be judged",
        _share("unobserved", "granted"),
        ":material/visibility_off:",
        "Share of granted actions whose use CloudTrail does not log, or that this export leaves out: unobserved, never "
        "called unused.",
        share=True,
        worse_up=True,
    ),
    Tile(
        "Dormant identities",
        lambda figures: figures.get("dormant"),
        ":material/hotel:",
        "Hold high-risk privilege; neither the logs nor IAM's own last-used date show any use in the window.",
        worse_up=True,
    ),
    Tile(
        "Denied calls",
        lambda figures: figures.get("denied"),
        ":material/block:",
        "Calls in the window that a policy refused.",
        needs_snapshot=False,
    ),
)


def show(figures: Figures, history: pd.DataFrame, build: Build, filters: Filters) -> None:
    """The tiles. Change and trend only where they compare like with like: the whole estate in the build's window."""
    comparable = filters.window_days == build.window_days and not filters.narrows
    builds = [group for _id, group in history.groupby("build_id", sort=False)] if comparable else []
    ends = {group["window_end"].iloc[0]: number for number, group in enumerate(builds)}
    series = [dict(zip(group["metric"], group["value"], strict=True)) for group in builds]
    latest = [ends[end] for end in sorted(ends)]  # a trend is over time, not over builds of one day
    since = _since([(group["window_end"].iloc[0], group["created_at"].iloc[0]) for group in builds])
    with st.grid(len(TILES), gap="small"):
        for tile in TILES:
            known = build.has_snapshot or not tile.needs_snapshot
            value = tile.value(figures) if known else None
            change = _change(tile, series) if comparable and known else None
            trend = [point for at in latest if (point := tile.value(series[at])) is not None]
            st.metric(
                tile.label,
                percent(value) if tile.share else number(value),
                change,
                delta_color=_colour(tile, change),
                delta_arrow="auto" if change and change[0] in "+-" else "off",
                delta_description=since if change else None,
                icon=tile.icon,
                help=tile.help,
                border=True,
                chart_data=trend if known and len(trend) > 2 else None,
                chart_type="area",
                height="stretch",
            )


def _since(builds: list[tuple[pd.Timestamp, pd.Timestamp]]) -> str | None:
    """The state that figures are compared with: the last day of its events, or its hour where that is the same."""
    if len(builds) < 2:
        return None
    (before, made), (now, _made) = builds[-2:]
    year = "" if before.year == now.year else f" {before.year}"
    return f"since {made:%H:%M} UTC" if before == now else f"since {before.day} {before:%b}{year}"


def _change(tile: Tile, series: list[Figures]) -> str:
    """The change since the build before, as text."""
    if len(series) < 2:
        return "first build"
    now, before = tile.value(series[-1]), tile.value(series[-2])
    if now is None or before is None:
        return "no earlier figure"
    change = 100 * (now - before) if tile.share else now - before
    if round(change, 1) == 0:
        return "no change"
    return f"{change:+,.1f} points" if tile.share else f"{change:+,.0f}"


def _colour(tile: Tile, change: str | None) -> str:
    if tile.worse_up is None or not change or change[0] not in "+-":
        return "off"
    return "inverse" if tile.worse_up else "normal"
