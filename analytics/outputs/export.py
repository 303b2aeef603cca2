"""Rows as CSV, XLSX, JSON or Parquet, with where they come from; formula injection is impossible.

A spreadsheet runs a text cell that starts with `=`, `+`, `-` or `@`, and names in an AWS account may start so (OWASP,
"CSV injection"). In CSV such a text gets a leading apostrophe; in XLSX text is written as text, which never runs.
Numbers stay numbers. INVARIANT: a file holds every row that it was given, or ExportError is raised.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import xlsxwriter

if TYPE_CHECKING:
    from analytics.outputs.queries import Build, Filters

XLSX_ROWS = 1_048_575  # of a sheet, below the header
XLSX_TEXT = 32_767  # characters of a cell
RUNS_AS_FORMULA = r"^([\s\x00-\x1f\x{a0}\x{200b}\x{feff}]*[=+\-@＝＋－＠]|[\t\r\n])"


class Format(StrEnum):
    """What a view can be saved as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PARQUET = "parquet"


MIME: Mapping[Format, str] = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class ExportError(ValueError):
    """Rows that a format cannot hold; the message says which format can."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where rows come from: enough to make them again."""

    view: str
    build_id: str
    window: str  # "2026-08-25 to 2026-11-22 (90 days)", UTC days
    filters: str
    catalogue: str
    weights: str  # hash of data/reference/risk.toml

    def document(self) -> dict[str, str]:
        """The facts by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def provenance(view: str, build: Build, filters: Filters) -> Provenance:
    """The provenance of a view of a build under these filters; the window is the one that the filters choose."""
    start = (pd.Timestamp(build.window_end) - pd.Timedelta(days=filters.window_days - 1)).date()
    window = f"{start} to {build.window_end} ({filters.window_days} days)"
    return Provenance(view, build.id, window, filters.sentence, build.catalogue, build.weights)


def export(rows: pd.DataFrame, file_format: Format, origin: Provenance) -> bytes:
    """The rows as one file. ExportError where the format cannot hold them all."""
    return _WRITERS[file_format](rows, origin)


def file_name(origin: Provenance, file_format: Format) -> str:
    """`headroom-identities-20261122T060000-0a1b2c.csv`."""
    return f"headroom-{origin.view}-{origin.build_id}.{file_format}"


def _csv(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it; provenance is repeated in the last columns of every row."""
    table = _arrow(rows)
    columns = {name: _harmless(table[name]) for name in table.column_names}
    for name, value in origin.document().items():
        columns[f"source_{name}"] = _harmless(pa.chunked_array([pa.repeat(pa.scalar(value), len(rows))]))
    out = io.BytesIO(b"\xef\xbb\xbf")
    out.seek(0, io.SEEK_END)
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), out, options)
    return out.getvalue()


def _harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text that a spreadsheet would run gets an apostrophe in front; other columns are as they are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.replace_substring_regex(column, RUNS_AS_FORMULA, r"'\1", max_replacements=1)


def _xlsx(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """A sheet with a frozen header, filters and widths, and a sheet that says where the rows come from."""
    if len(rows) > XLSX_ROWS:
        raise ExportError(
            f"an XLSX sheet holds {XLSX_ROWS:,} rows and this view has {len(rows):,}; "
            "narrow the filters, or take CSV or Parquet"
        )
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        _fill_sheet(book, origin.view[:31], rows)
        _fill_sheet(book, "Source", pd.DataFrame(origin.document().items(), columns=["what", "value"]))
    return out.getvalue()


def _fill_sheet(book: xlsxwriter.Workbook, name: str, rows: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f4f6f9", "valign": "top"})
    time_format = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    number_format = book.add_format({"num_format": "#,##0.##"})
    for position, column in enumerate(rows.columns):
        values = rows[column].tolist()
        sheet.write_string(0, position, str(column), header)
        sheet.set_column(position, position, _width(str(column), values))
        for row, value in enumerate(values, start=1):
            if _missing(value):
                continue
            if isinstance(value, (datetime, date)):
                sheet.write_datetime(row, position, value, time_format)
            elif isinstance(value, bool):
                sheet.write_boolean(row, position, value)
            elif isinstance(value, (int, float)):
                sheet.write_number(row, position, value, number_format)
            else:
                sheet.write_string(row, position, _cell_text(value, str(column)))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), max(0, len(rows.columns) - 1))


def _cell_text(value: Any, column: str) -> str:
    text = str(value)
    if len(text) > XLSX_TEXT:
        raise ExportError(
            f"column `{column}` has a text of {len(text):,} characters and an XLSX cell holds {XLSX_TEXT:,}; "
            "take CSV, JSON or Parquet"
        )
    return text


def _width(heading: str, values: list[Any]) -> int:
    longest = max((len(str(value)) for value in values[:200] if not _missing(value)), default=0)
    return min(60, max(len(heading), longest) + 2)


def _json(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """`{"provenance": {…}, "rows": [{…}]}`; times are ISO 8601 UTC, unknown is null."""
    columns = {str(name): [_json_value(value) for value in rows[name].tolist()] for name in rows.columns}
    records = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return orjson.dumps({"provenance": origin.document(), "rows": records}, option=orjson.OPT_INDENT_2)


def _json_value(value: Any) -> Any:
    if _missing(value):
        return None
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='seconds')}Z"
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def _parquet(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """Provenance stands in the schema's metadata, under `headroom`."""
    table = _arrow(rows)
    metadata = (table.schema.metadata or {}) | {b"headroom": orjson.dumps(origin.document())}
    out = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), out, compression="zstd")
    return out.getvalue()


def _arrow(rows: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    # A column without any value has no type of its own; text is what readers expect of it.
    kinds = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema]
    return table.cast(pa.schema(kinds))


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN alone differs from itself


_WRITERS: Mapping[Format, Callable[[pd.DataFrame, Provenance], bytes]] = {
    Format.CSV: _csv,
    Format.XLSX: _xlsx,
    Format.JSON: _json,
    Format.PARQUET: _parquet,
}
