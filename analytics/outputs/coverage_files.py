"""The guardrail matrix as files for people: a wide table, and a coloured workbook with one sheet per layer.

Names are untrusted: they are written as text only. INVARIANT: a sheet has the very states of the matrix that it is
given, each by word and mark as well as by colour.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xlsxwriter

from analytics.outputs.coverage_look import LAYER_NAMES, LOOKS, OPEN, STATES, category_name, look_of
from analytics.outputs.queries.guardrail_values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from analytics.outputs.export_values import Provenance
    from analytics.outputs.queries.guardrail_values import Matrix

ABOUT = ("scenario", "title", "severity", "category")
WIDTHS = (11, 52, 10, 24)  # characters


def column_names(matrix: Matrix) -> list[str]:
    """A name for every column of the matrix; the id tells apart two of the same name."""
    if len(set(matrix.layers)) > 1:
        return [LAYER_NAMES[one] for one in matrix.layers]
    named = Counter(one.name for one in matrix.targets)
    return [
        one.name if named[one.name] == 1 and one.name not in ABOUT else f"{one.name} ({one.id})"
        for one in matrix.targets
    ]


def matrix_table(matrix: Matrix, *, marks: bool = False) -> pd.DataFrame:
    """One row per scenario, one column per target or layer, with the states in words."""
    words = [f"{look.mark} {look.word}" if marks else look.word for look in map(look_of, STATES)]
    cells = np.array([*words, *[""] * (ABSENT + 1 - len(words))], object)[matrix.states]
    about = [(one.id, one.title, one.severity, category_name(one.category)) for one in matrix.scenarios]
    return pd.concat(
        [pd.DataFrame(about, columns=list(ABOUT)), pd.DataFrame(cells, columns=column_names(matrix))], axis=1
    )


def matrix_workbook(by_layer: Mapping[str, Matrix], origin: Provenance) -> bytes:
    """One coloured sheet per layer (or one, of the layers of a target), then the legend and where it comes from."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f4f6f9", "valign": "bottom"})
        slanted = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f4f6f9", "rotation": 60})
        looks = {
            look.state: book.add_format(
                {"bg_color": look.fill[0], "font_color": look.ink[0], "align": "center", "border": 1,
                 "border_color": "#ffffff"}
            )
            for look in LOOKS
        }  # fmt: skip
        for name, matrix in by_layer.items():
            _fill(book.add_worksheet(name[:31]), matrix, (head, slanted), looks)
        _legend(book.add_worksheet("Legend"), head, looks)
        source = book.add_worksheet("Source")
        source.set_column(0, 0, 14)
        source.set_column(1, 1, 90)
        for row, (what, value) in enumerate(origin.document().items()):
            source.write_string(row, 0, what, head)
            source.write_string(row, 1, str(value))
    return out.getvalue()


def _fill(sheet: Worksheet, matrix: Matrix, heads: Sequence[Format], looks: Mapping[str, Format]) -> None:
    head, slanted = heads
    for column, (name, width) in enumerate(zip(ABOUT, WIDTHS, strict=True)):
        sheet.write_string(0, column, name, head)
        sheet.set_column(column, column, width)
    sheet.set_row(0, 96)
    sheet.set_column(len(ABOUT), len(ABOUT) + len(matrix.layers), 13)
    for column, name in enumerate(column_names(matrix), start=len(ABOUT)):
        sheet.write_string(0, column, name, slanted)
    for row, one in enumerate(matrix.scenarios, start=1):
        for column, text in enumerate((one.id, one.title, one.severity, category_name(one.category))):
            sheet.write_string(row, column, text)
        for column, state in enumerate(matrix.states[row - 1], start=len(ABOUT)):
            if state != ABSENT:
                look = look_of(STATES[state])
                sheet.write_string(row, column, f"{look.mark} {look.word}", looks[look.state])
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(matrix.scenarios)), len(ABOUT) + len(matrix.layers) - 1)


def _legend(sheet: Worksheet, head: Format, looks: Mapping[str, Format]) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90)
    for row, look in enumerate(LOOKS):
        sheet.write_string(row, 0, f"{look.mark} {look.word}", looks[look.state])
        sheet.write_string(row, 1, f"{look.meaning}{' (open)' if look.state in OPEN else ''}")
    sheet.write_string(len(LOOKS), 0, "", head)
