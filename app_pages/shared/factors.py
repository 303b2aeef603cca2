"""The six factors of the score as one bar: a picture for a table's row, and rows of bars for one identity.

The pictures are SVG made of numbers and our own words alone; no text of an AWS account ever stands in them.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from analytics.findings.risk.weights import risk_weights
from app_pages.shared import palette

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.risk.weights import RiskWeights
    from app_pages.shared.palette import Pair


class Factor(NamedTuple):
    """One factor: its name in table `risk`, its words, its colour."""

    name: str
    label: str
    colour: Pair
    meaning: str

    @property
    def most(self) -> float:
        """The points that it can make, by the weights of this version."""
        return risk_weights()[f"factors.{self.name}"]


# What the identity could do has one hue, what it did not use is orange as everywhere, who may become it is teal.
FACTORS = (
    Factor("control_reach", "control", ("#5b3a8c", "#b79cf0"), "the strongest way to more privilege"),
    Factor("data_reach", "data", ("#8d6bc0", "#8f73cc"), "secrets and sensitive data within reach"),
    Factor("breadth", "breadth", ("#c3aee3", "#644f96"), "how much of all AWS actions it holds, by weight"),
    Factor("unused", "unused", palette.UNUSED.colour, "high-risk privilege that was not seen used"),
    Factor("exposure", "exposure", ("#0e8a83", "#2bc4b6"), "who can become it"),
    Factor("asset", "asset", ("#7d8897", "#8592a5"), "what its account is worth"),
)
FLOOR: Pair = ("#1b2433", "#e4e9f1")
HEIGHT, WIDTH = 16, 128  # of a picture; a table shows it 20 pixels high
_GAP = 0.8


def bar(points: Mapping[str, float | None], floor_points: float | None = 0, *, most: float = 100) -> str:
    """The factors side by side as a picture (a data URI); what a floor adds is outlined at the end."""
    scale, left, parts = WIDTH / most, 0.0, []
    for factor in FACTORS:
        width = (points.get(factor.name) or 0) * scale
        if width > 0:
            drawn = max(0.6, width - _GAP)
            parts.append(
                f'<rect x="{left:.2f}" y="2" width="{drawn:.2f}" height="12" fill="{palette.pick(factor.colour)}"/>'
            )
        left += width
    if floor_points:
        width = max(0.0, floor_points * scale - 1)
        parts.append(
            f'<rect x="{left + 0.5:.2f}" y="2.5" width="{width:.2f}" height="11" fill="none" '
            f'stroke="{palette.pick(FLOOR)}" stroke-dasharray="3 2"/>'
        )
    track = f'<rect y="7.5" width="{WIDTH}" height="1" fill="{palette.pick(palette.LINE)}"/>'
    return _uri(WIDTH, HEIGHT, track + "".join(parts))


def bars(rows: Sequence[Mapping[str, float | None]]) -> list[str | None]:
    """A picture per row with columns `…_points`, as `queries.identities` has them; None without a score."""
    named = [{factor.name: row[f"{factor.name}_points"] for factor in FACTORS} for row in rows]
    return [
        None if _missing(row["score"]) else bar(points, row["floor_points"])
        for row, points in zip(rows, named, strict=True)
    ]


def single(factor: Factor, points: float) -> str:
    """HTML of one factor against the most that it can be, with its points in numbers."""
    longest = max(one.most for one in FACTORS)
    track, filled = factor.most * 100 / longest, points * 100 / longest
    return (
        f'<div style="display:flex;align-items:center;gap:8px;white-space:nowrap;font-variant-numeric:tabular-nums">'
        f'<div style="width:100px"><div style="width:{track:.1f}px;border-radius:3px;background:'
        f'{palette.pick(palette.LINE)}"><div style="width:{filled:.1f}px;height:10px;border-radius:3px;background:'
        f'{palette.pick(factor.colour)}"></div></div></div>{points:.1f} of {factor.most:g}</div>'
    )


def legend(weights: RiskWeights | None = None) -> None:
    """Which colour is which factor, and how many points each can make: by these weights, or this version's."""
    most = (weights or risk_weights()).table("factors")
    dots = "".join(
        f'<span style="white-space:nowrap;margin-right:14px"><span style="display:inline-block;width:10px;height:10px;'
        f'border-radius:2px;margin-right:5px;background:{palette.pick(factor.colour)}"></span>'
        f"{factor.label} {round(most[factor.name], 1):g}</span>"
        for factor in FACTORS
    )
    title = '<span style="margin-right:10px">Points of 100:</span>'
    st.html(f'<div style="font-size:0.85rem;color:{palette.pick(palette.QUIET)}">{title}{dots}</div>')


def _uri(width: int, height: int, inside: str) -> str:
    # The viewBox alone would leave the size to the browser: a table's picture is as wide as its file says.
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * 2}" height="{height * 2}" '
        f'viewBox="0 0 {width} {height}">{inside}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _missing(value: float | None) -> bool:
    return value is None or value != value  # noqa: PLR0124  NaN is the one number that differs from itself
