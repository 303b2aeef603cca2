"""Rows as CSV, JSON and Markdown. In CSV no text starts like a formula; in Markdown no text is anything but text."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from analytics.outputs.export_values import arrow, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from analytics.outputs.export_values import Provenance

RUNS_AS_FORMULA = r"^([\s\x00-\x1f\x{a0}\x{200b}\x{feff}]*[=+\-@＝＋－＠]|[\t\r\n])"
# Columns of text that runs over lines: below the table of Markdown, each in a block of its language.
BLOCKS = {"evidence": "", "commands": "sh", "policy": "json"}
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~=$^-])")
_BACKTICKS = re.compile(r"`+")


def csv(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it; provenance is repeated in the last columns of every row."""
    table = arrow(rows)
    columns = {name: _harmless(table[name]) for name in table.column_names}
    for name, value in origin.document().items():
        columns[f"source_{name}"] = _harmless(pa.chunked_array([pa.repeat(pa.scalar(value), len(rows))]))
    out = io.BytesIO(b"\xef\xbb\xbf")
    out.seek(0, io.SEEK_END)
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(pa.table(columns), out, options)
    return out.getvalue()


def json(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """`{"provenance": {…}, "rows": [{…}]}`; times are ISO 8601 UTC, unknown is null."""
    columns = {str(name): [_json_value(value) for value in rows[name].tolist()] for name in rows.columns}
    records = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return orjson.dumps({"provenance": origin.document(), "rows": records}, option=orjson.OPT_INDENT_2)


def markdown(rows: pd.DataFrame, origin: Provenance) -> bytes:
    """A heading, where the rows come from, a table, and below it what does not fit into a line of a table."""
    return "\n".join(_markdown(rows, origin)).encode("utf-8", "replace") + b"\n"


def plain(value: Any) -> str:
    """A cell as Markdown that shows exactly its text, on one line: no mark, link, tag or entity takes effect."""
    if missing(value):
        return ""
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    # Marks first: those of the entities below must stay what they are.
    escaped = _MARKS.sub(r"\\\1", _printable(text)) if isinstance(value, str) else text
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub makes links of bare addresses: these letters begin or join one.
    return escaped.replace("://", "&#58;//").replace("@", "&#64;").replace("www.", "www&#46;")


def _markdown(rows: pd.DataFrame, origin: Provenance) -> Iterator[str]:
    yield f"# Headroom: {plain(origin.view)}"
    yield ""
    yield from (f"- {plain(name.replace('_', ' '))}: {plain(value)}" for name, value in origin.document().items())
    yield ""
    if rows.empty:
        yield "No rows."
        return
    blocks = [name for name in rows.columns if name in BLOCKS]
    shown = [name for name in rows.columns if name not in BLOCKS and name != "detail"]
    yield "| " + " | ".join(plain(str(name).replace("_", " ")) for name in shown) + " |"
    yield "|" + " --- |" * len(shown)
    cells = [[plain(value) for value in rows[name].tolist()] for name in shown]
    yield from ("| " + " | ".join(row) + " |" for row in zip(*cells, strict=True))
    if blocks:
        for record in rows.to_dict("records"):
            yield from _below(record, blocks)


def _below(record: Mapping[Any, Any], blocks: list[Any]) -> Iterator[str]:
    yield ""
    title = (record.get("rank"), record.get("title"), record.get("principal_arn"), record.get("target"))
    yield "## " + " · ".join(plain(part) for part in title if not missing(part))
    for name in blocks:
        value = record[name]
        if not missing(value) and value:
            yield ""
            yield from _fenced(str(value), BLOCKS[name]) if BLOCKS[name] else (plain(value),)


def _fenced(text: str, language: str) -> Iterator[str]:
    """A block that no line of the text can end: its fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = map(_printable, text.split("\n"))
    yield from (f"{fence}{language}", *lines, fence)


def _printable(text: str) -> str:
    """The text on one line, and nothing in it that steers a terminal or turns the direction of writing."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text that a spreadsheet would run gets an apostrophe in front; other columns are as they are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.replace_substring_regex(column, RUNS_AS_FORMULA, r"'\1", max_replacements=1)


def _json_value(value: Any) -> Any:
    if missing(value):
        return None
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='seconds')}Z"
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value
