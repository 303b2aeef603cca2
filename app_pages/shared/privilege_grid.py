"""The privilege grid: one page of the heatmap as cells with a state, a level and numbers to tell.

Colour is the measure; the mark says what was seen: a dot for use, a ring for possible use, hatching where most of what
is left cannot be judged. No colour at all is nothing granted.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.outputs.queries import Measure
from app_pages.shared import palette
from app_pages.shared.matrix import EMPTY, Axis, Fact, Picked, Ramp, Style, matrix
from app_pages.shared.text import number, percent, plain, short_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.outputs.queries import Grid, HeatmapColumns, HeatmapPage

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

MEASURES = {
    Measure.WEIGHT: "Unused weight",
    Measure.SHARE: "Unused share",
    Measure.CALLS: "Uses",
}
ROW_TITLES = {"identity": "Identity", "account": "Account", "ou": "OU"}


class Cell(IntEnum):
    """What was seen of a cell, as it is marked."""

    UNUSED = 0
    USED = 1
    POSSIBLE = 2
    UNJUDGED = 3  # most of what was not seen used could not have been seen
    USED_UNJUDGED = 4
    POSSIBLE_UNJUDGED = 5
    OUTSIDE = 6  # used, though no collected policy grants it


_DOT, _RING = {"mark": "dot", "ink": palette.USED.colour}, {"mark": "ring", "ink": palette.USED.colour}
_GREY = ("#e9edf2", "#1c2635")
STYLES = {
    Cell.UNUSED: Style("no use seen"),
    Cell.USED: Style("some actions used", **_DOT),
    Cell.POSSIBLE: Style("possible use", **_RING),
    Cell.UNJUDGED: Style("mostly unobserved: cannot be judged", hatch=True),
    Cell.USED_UNJUDGED: Style("some used, the rest mostly unobserved", hatch=True, in_legend=False, **_DOT),
    Cell.POSSIBLE_UNJUDGED: Style("possible use, the rest mostly unobserved", hatch=True, in_legend=False, **_RING),
    Cell.OUTSIDE: Style("used, not granted by a collected policy", fill=_GREY, **_DOT),
}


def draw(
    page: HeatmapPage,
    columns: HeatmapColumns,
    grid: Grid,
    *,
    usage_only: bool,
    selected: tuple[str, str],
    on_pick: Callable[[Picked], None],
    key: str,
) -> None:
    """Draw one page; `selected` names the row and the service that are open, empty for none."""
    facts = page.facts
    calls = grid.measure is Measure.CALLS
    ramps = palette.BLUE_RAMP if calls else palette.ORANGE_RAMP
    ends = ("0 %", "100 % unused") if grid.measure is Measure.SHARE else ("0", _top(columns.largest, grid.measure))
    order = [page.services.index(grid.order_service)] if grid.order_service in page.services else [None]
    matrix(
        Axis(
            ROW_TITLES[grid.by],
            [plain(short_name(label)) for label in page.row_labels],
            [plain(note) for note in page.row_notes],
            [amount_text(amount, grid.measure) for amount in page.amounts],
            MEASURES[grid.measure],
        ),
        Axis("Service", page.services),
        states=cell_states(facts, usage_only=usage_only),
        levels=cell_levels(page.facts, grid.measure, columns.largest),
        styles=_styles(grid.measure, usage_only=usage_only),
        ramp=Ramp(*ramps, *ends),
        facts=(
            Fact("unused weight", facts["unused_weight"], digits=1),
            Fact("actions granted", facts["granted"]),
            Fact("used", facts["used"]),
            Fact("possible", facts["possible"]),
            Fact("unused", facts["unused"]),
            Fact("unobserved", facts["unobserved"]),
            Fact("used but not granted", facts["used_not_granted"]),
            Fact("uses", facts["calls"]),
        ),
        label=f"{MEASURES[grid.measure]} of {len(page.row_keys)} rows by {len(page.services)} services. "
        "Arrow keys move, Enter opens, s on a service sorts by it. The same numbers are in the table below.",
        selected=(_index(page.row_keys, selected[0]), _index(page.services, selected[1])),
        sorted_column=order[0],
        on_pick=on_pick,
        key=key,
    )


def _styles(measure: Measure, *, usage_only: bool) -> dict[Cell, Style]:
    """The states that can occur; where colour says use, a use that no policy grants has the ramp's colour too."""
    if usage_only:
        return {cell: STYLES[cell] for cell in (Cell.USED, Cell.POSSIBLE)}
    outside = STYLES[Cell.OUTSIDE]
    return STYLES | {Cell.OUTSIDE: replace(outside, fill=None)} if measure is Measure.CALLS else STYLES


def cell_states(facts: dict[str, Numbers], *, usage_only: bool = False) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The state of every cell, by what was seen of its actions; `usage_only`: no grant is known at all."""
    if usage_only:
        return np.where(facts["used"] > 0, Cell.USED, Cell.POSSIBLE).astype(np.uint8)
    used, possible = facts["used"] > 0, facts["possible"] > 0
    unjudged = facts["unobserved"] > facts["unused"]
    states = np.where(used, Cell.USED, np.where(possible, Cell.POSSIBLE, Cell.UNUSED))
    states = np.where(unjudged, states + Cell.UNJUDGED, states)
    outside = (facts["granted"] == 0) & (facts["calls"] > 0)
    return np.where(outside, Cell.OUTSIDE, states).astype(np.uint8)


def cell_levels(facts: dict[str, Numbers], measure: Measure, largest: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """0 to 100 per cell, up to the largest cell of all rows: weights by their root, uses by their logarithm."""
    there = (facts["granted"] > 0) | (facts["calls"] > 0)
    if measure is Measure.SHARE:
        level = 100 * facts["unused"] / np.maximum(facts["granted"], 1)
    elif measure is Measure.WEIGHT:
        level = 100 * np.sqrt(facts["unused_weight"] / max(largest, 1e-9))
    else:
        level = 100 * np.log1p(facts["calls"]) / np.log1p(max(largest, 1e-9))
    return np.where(there, np.clip(level, 0, 100), EMPTY).astype(np.uint8)


def amount_text(amount: float, measure: Measure) -> str:
    """The measure of a whole row, short enough for its column."""
    return percent(amount) if measure is Measure.SHARE else number(round(amount) if amount == amount else amount)  # noqa: PLR0124  NaN is the one number that differs from itself


def _top(largest: float, measure: Measure) -> str:
    if measure is Measure.CALLS:
        return f"{number(largest)} uses (calls × actions needed), log scale"
    return f"{number(largest)} unused weight, root scale"


def _index(names: tuple[str, ...], name: str) -> int | None:
    return names.index(name) if name in names else None
