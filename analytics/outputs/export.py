"""Rows as CSV, XLSX, JSON, Markdown or Parquet, with where they come from; formula injection is impossible.

A spreadsheet runs a text cell that starts with `=`, `+`, `-` or `@`, and names in an AWS account may start so (OWASP,
"CSV injection"). In CSV such a text gets a leading apostrophe; in XLSX text is written as text, which never runs.
Numbers stay numbers. INVARIANT: a file holds every row that it was given, or ExportError is raised.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import orjson
import pyarrow.parquet

from analytics.outputs import export_text
from analytics.outputs.export_values import ExportError, Provenance, arrow, provenance
from analytics.outputs.export_words import for_people
from analytics.outputs.export_xlsx import XLSX_ROWS, xlsx

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIME", "XLSX_ROWS", "ExportError", "Format", "Provenance", "export", "file_name", "provenance"]


class Format(StrEnum):
    """What a view can be saved as."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PARQUET = "parquet"
    MARKDOWN = "md"


MIME: Mapping[Format, str] = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.MARKDOWN: "text/markdown",
}


def export(rows: pd.DataFrame, file_format: Format, origin: Provenance) -> bytes:
    """The rows as one file. ExportError where the format cannot hold them all."""
    read_by_people = file_format in (Format.XLSX, Format.MARKDOWN)
    return _WRITERS[file_format](for_people(rows, origin.view) if read_by_people else rows, origin)


def file_name(origin: Provenance, file_format: str) -> str:
    """`headroom-identities-20261122T060000-0a1b2c.csv`."""
    return f"headroom-{origin.view}-{origin.build_id}.{file_format}"


def _parquet(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """Provenance stands in the schema's metadata, under `headroom`."""
    table = arrow(rows)
    metadata = (table.schema.metadata or {}) | {b"headroom": orjson.dumps(origin.document())}
    out = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), out, compression="zstd")
    return out.getvalue()


_WRITERS: Mapping[Format, Callable[[pd.DataFrame, Provenance], bytes]] = {
    Format.CSV: export_text.csv,
    Format.XLSX: xlsx,
    Format.JSON: export_text.json,
    Format.PARQUET: _parquet,
    Format.MARKDOWN: export_text.markdown,
}
