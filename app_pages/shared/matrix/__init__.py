"""A big grid that can be clicked and driven by keyboard: canvases, no library.

Names reach the browser as data and are drawn with `fillText` or set as `textContent`; nothing is parsed as HTML.
A cell is a state (how it is marked) and a level (how dark it is, 0 to 100, where the state has no colour of its own).
The same numbers must stand beside the grid as a table, for readers who cannot see it.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EMPTY = 255  # the level of a cell that holds nothing
NAMES, LEAST_CELL = 176, 13  # pixels, unless an axis says otherwise

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "headroom_matrix",
    html=(_HERE / "matrix.html").read_text("utf-8"),
    css=(_HERE / "matrix.css").read_text("utf-8"),
    js="\n".join((_HERE / name).read_text("utf-8") for name in ("matrix.js", "drawing.js")),
)


@dataclass(frozen=True, slots=True)
class Style:
    """How the cells of one state look. Colour pairs are (light, dark)."""

    name: str  # in the legend and read aloud
    fill: tuple[str, str] | None = None  # None: the ramp's colour at the cell's level
    mark: str = ""  # "dot", "ring" or a character
    ink: tuple[str, str] = ("#1b2433", "#e4e9f1")
    hatch: bool = False
    in_legend: bool = True


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of every cell, told when the cell is pointed at: `12 unused`."""

    label: str
    values: np.ndarray[Any, Any]
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Ramp:
    """The colours of levels 0 to 100, light and dark, and what its ends mean."""

    light: tuple[str, ...]
    dark: tuple[str, ...]
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The names along one side, a quiet note beside each, and (rows only) an amount as text.

    Where the group changes, rows get a heading and columns a line. `width`: of the names of rows; of columns the least
    width of a cell, and from 56 pixels on its width, with words in the cells.
    """

    title: str
    labels: Sequence[str]
    notes: Sequence[str] = ()
    amounts: Sequence[str] = ()
    amount_title: str = ""
    groups: Sequence[str] = ()
    width: int = 0  # 0: the usual one
    note_width: int = 104


@dataclass(frozen=True, slots=True)
class Picked:
    """What was clicked: a cell, or a header (the other position is None). `sort` asks to sort by the column."""

    row: int | None
    column: int | None
    sort: bool = False


def matrix(
    rows: Axis,
    columns: Axis,
    *,
    states: np.ndarray[Any, np.dtype[np.uint8]],
    levels: np.ndarray[Any, np.dtype[np.uint8]],
    styles: Mapping[int, Style],
    ramp: Ramp | None,
    label: str,
    key: str,
    facts: Sequence[Fact] = (),
    selected: tuple[int | None, int | None] = (None, None),
    sorted_column: int | None = None,
    nothing: str = "nothing granted",
    flags: tuple[str, np.ndarray[Any, np.dtype[np.bool_]]] | None = None,
    can_sort: bool = True,
    on_pick: Callable[[Picked], None],
) -> None:
    """Draw the grid. `on_pick` is called before the next run when a cell or a header was clicked or entered.

    `states` and `levels` are rows by columns; a level of EMPTY draws no cell and is called `nothing`. `flags` names
    what a mark in the corner of a cell says; cells of a colour of their own have it.
    """
    shape = (len(rows.labels), len(columns.labels))
    if states.shape != shape or levels.shape != shape:
        msg = f"the grid is {shape}, but its cells are {states.shape} and {levels.shape}"
        raise ValueError(msg)
    data = {
        "label": label,
        "rows": _axis(rows, NAMES),
        "columns": _axis(columns, LEAST_CELL),
        "states": _packed(states.astype(np.uint8)),
        "levels": _packed(levels.astype(np.uint8)) if ramp or (levels == EMPTY).any() else None,
        "facts": [{"label": fact.label, "digits": fact.digits, **_numbers(fact.values)} for fact in facts],
        "styles": {str(state): asdict(style) for state, style in styles.items()},
        "ramp": asdict(ramp) if ramp else None,
        "selected": [-1 if position is None else position for position in selected],
        "sorted": sorted_column,
        "nothing": nothing,
        "flag_name": flags[0] if flags else "",
        "flags": _packed(np.packbits(flags[1])) if flags else None,
        "can_sort": can_sort,
    }

    def picked() -> None:
        if chosen := _picked(st.session_state[key].picked, shape):
            on_pick(chosen)

    _component(key=key, data=data, height="content", on_picked_change=picked)


def _axis(axis: Axis, usual: int) -> dict[str, Any]:
    names: dict[str, Any] = {"title": axis.title, "amount_title": axis.amount_title}
    names |= {"width": axis.width or usual, "note_width": axis.note_width}
    lists = {"labels": axis.labels, "notes": axis.notes, "amounts": axis.amounts, "groups": axis.groups}
    return names | {name: [str(item) for item in items] for name, items in lists.items()}


def _numbers(values: np.ndarray[Any, Any]) -> dict[str, str]:
    """The numbers in the least type that holds them exactly, else as 32-bit floats."""
    for kind in ("u1", "<u2"):
        least = np.nan_to_num(values).clip(0, np.iinfo(kind).max).astype(kind)
        if np.array_equal(least, values):
            return {"kind": kind, "values": _packed(least)}
    return {"kind": "<f4", "values": _packed(values.astype("<f4"))}


def _packed(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _picked(event: Any, shape: tuple[int, int]) -> Picked | None:
    """The event as a value; None for anything that the grid cannot have sent (it comes from a browser)."""
    if not isinstance(event, dict):
        return None
    positions = []
    for name, length in zip(("row", "column"), shape, strict=True):
        position = event.get(name)
        if type(position) is not int or not -1 <= position < length:
            return None
        positions.append(None if position < 0 else position)
    if positions == [None, None]:
        return None
    return Picked(positions[0], positions[1], sort=event.get("sort") is True)
