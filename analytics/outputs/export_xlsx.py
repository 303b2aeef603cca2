"""Rows as an XLSX workbook that is read without work: frozen header, filters, widths, links to the console, colours.

Text is written as text, which never runs, and a link is made from parts that are percent-encoded. Scripts and documents
that are longer than a cell say so in their place; any other text that long is an ExportError, never cut.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
import xlsxwriter

from analytics.findings.risk.weights import risk_weights
from analytics.iam.names import PrincipalKind, kind_of_arn, parse_arn
from analytics.outputs.export_text import BLOCKS
from analytics.outputs.export_values import ExportError, missing

if TYPE_CHECKING:
    from xlsxwriter.format import Format as CellFormat
    from xlsxwriter.worksheet import Worksheet

    from analytics.outputs.export_values import Provenance

XLSX_ROWS = 1_048_575  # of a sheet, below the header
XLSX_TEXT = 32_767  # characters of a cell
XLSX_LINKS = 65_530  # of a sheet; Excel drops the rest
TIP = "Open in the AWS console of its account"
WIDEST = 60  # characters of a column
LONG = frozenset({*BLOCKS, "detail"})  # columns whose texts may be too long for a cell
CONSOLES = {  # partition -> address of the IAM console (AWS General Reference, "Management Console endpoints")
    "aws": "https://console.aws.amazon.com/iam/home#",
    "aws-cn": "https://console.amazonaws.cn/iam/home#",
    "aws-us-gov": "https://console.amazonaws-us-gov.com/iam/home#",
}
BANDS = {"critical": "#f6c6c8", "high": "#fbdcc0", "medium": "#fdf0c2", "low": "#d9eedd"}
SCORES = frozenset({"score", "score_before", "score_after"})
ONE_DECIMAL = frozenset({*SCORES, "risk_removed", "priority"})


def xlsx(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """The rows on a sheet named for the view, and a sheet that says where they come from."""
    if len(rows) > XLSX_ROWS:
        raise ExportError(
            f"an XLSX sheet holds {XLSX_ROWS:,} rows and this view has {len(rows):,}; "
            "narrow the filters, or take CSV or Parquet"
        )
    out = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,  # rows are written as they come: 30,000 items take no more memory than one
    }
    with xlsxwriter.Workbook(out, options) as book:
        _fill_sheet(book, origin.view[:31], rows)
        _fill_sheet(book, "Source", pd.DataFrame(origin.document().items(), columns=["what", "value"]))
    return out.getvalue()


def console_link(arn: str) -> str | None:
    """The identity in the AWS console; None for what is no user or role, or lies in a partition without a known one."""
    parsed, kind = parse_arn(arn), kind_of_arn(arn)
    page = "users" if kind is PrincipalKind.USER else "roles"
    if parsed is None or kind in (PrincipalKind.UNKNOWN, PrincipalKind.ROOT) or parsed.partition not in CONSOLES:
        return None
    return f"{CONSOLES[parsed.partition]}/{page}/details/{quote(parsed.resource.rpartition('/')[2], safe='')}"


def _fill_sheet(book: xlsxwriter.Workbook, name: str, rows: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f4f6f9", "valign": "top", "text_wrap": True})
    formats = {
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"}),
        "points": book.add_format({"num_format": "0.0", "valign": "top"}),
        "number": book.add_format({"num_format": "#,##0.##", "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "text": book.add_format({"valign": "top"}),
        "link": book.add_format({"valign": "top", "font_color": "#0b57a4", "underline": 1}),
    }
    columns = [str(column) for column in rows.columns]
    values = [rows[column].tolist() for column in rows.columns]
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column, header)
        sheet.set_column(position, position, _width(column, values[position]), formats["text"])
        _colour(book, sheet, position, column, len(rows))
    writers = [_writer(sheet, position, column, formats, len(rows)) for position, column in enumerate(columns)]
    for row, cells in enumerate(zip(*values, strict=True), start=1):
        for write, value in zip(writers, cells, strict=True):
            write(row, value)
    sheet.freeze_panes(1, _frozen(rows))
    sheet.autofilter(0, 0, max(1, len(rows)), max(0, len(rows.columns) - 1))


def _writer(
    sheet: Worksheet, position: int, column: str, formats: dict[str, CellFormat], rows: int
) -> Callable[[int, Any], None]:
    """What writes a value of a column into a row."""
    points = column in ONE_DECIMAL
    links = column == "principal_arn" and rows <= XLSX_LINKS

    def write(row: int, value: Any) -> None:
        if missing(value):
            return
        if isinstance(value, str):
            link = console_link(value) if links else None
            if link:
                sheet.write_url(row, position, link, formats["link"], _cell_text(value, column), TIP)
            else:
                sheet.write_string(row, position, _cell_text(value, column))
        elif isinstance(value, (datetime, date)):
            sheet.write_datetime(row, position, value, formats["time"])
        elif isinstance(value, bool):
            sheet.write_boolean(row, position, value)
        elif isinstance(value, (int, float)):
            whole = "whole" if isinstance(value, int) else "number"
            sheet.write_number(row, position, value, formats["points" if points else whole])
        else:
            sheet.write_string(row, position, _cell_text(str(value), column))

    return write


def _colour(book: xlsxwriter.Workbook, sheet: Worksheet, position: int, column: str, rows: int) -> None:
    """Bands by colour, which the text repeats; risk removed and priority as bars."""
    if not rows:
        return
    where = (1, position, rows, position)
    if column == "band":
        for band, colour in BANDS.items():
            rule = {
                "type": "cell",
                "criteria": "==",
                "value": f'"{band}"',
                "format": book.add_format({"bg_color": colour}),
            }
            sheet.conditional_format(*where, rule)
    elif column in SCORES:
        # An empty cell counts as 0 to Excel, and has no band.
        sheet.conditional_format(*where, {"type": "blanks", "stop_if_true": True})
        bands = risk_weights().table("bands")
        for band, shade in BANDS.items():
            colour, least = book.add_format({"bg_color": shade}), bands.get(band, 0)
            rule = {"type": "cell", "criteria": ">=", "value": least, "format": colour, "stop_if_true": True}
            sheet.conditional_format(*where, rule)
    elif column in {"risk_removed", "priority"}:
        sheet.conditional_format(
            *where, {"type": "data_bar", "bar_color": "#8fb4e3", "bar_solid": True, "min_value": 0}
        )


def _frozen(rows: pd.DataFrame) -> int:
    """Columns that stay in sight: up to the title of an item, or the first one."""
    names = [str(name) for name in rows.columns]
    return names.index("title") + 1 if "title" in names[:6] else 0


def _cell_text(text: str, column: str) -> str:
    if len(text) <= XLSX_TEXT:
        return text
    if column in LONG:
        return f"{len(text):,} characters, more than a cell holds: take JSON, Markdown or Parquet."
    raise ExportError(
        f"column `{column}` has a text of {len(text):,} characters and an XLSX cell holds {XLSX_TEXT:,}; "
        "take CSV, JSON or Parquet"
    )


def _width(heading: str, values: list[Any]) -> int:
    longest = max((len(str(value)) for value in values[:200] if not missing(value)), default=0)
    return min(WIDEST, max(len(heading), longest) + 2)
