"""Documents on a terminal: JSON for scripts, CSV for a sheet, a table for a person."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, JustifyMethod

MOST_BEFORE = 10  # of a table before the main one
MOST_ROWS = 40  # of a table on a terminal; `--csv` and `--json` have all
WIDTH_OF_A_FILE = 200  # characters a line, where there is no terminal
SHORT = 20  # characters; a column of short values is never broken, so that numbers, accounts and times stay whole
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_json(document: Mapping[str, Any]) -> None:
    """One document on stdout and nothing else."""
    json.dump(document, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows with a header; text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in flat)


def as_table(
    document: Mapping[str, Any],
    rows: str,
    columns: Sequence[str] = (),
    *,
    before: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """The build, what is single in the document, and the first rows of its main list: these columns, or all.

    `before`: other lists of the document with their columns, which come first.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
    build = document["build"]
    window = build["window"]
    console.print(
        Text(f"Build {build['id']}, window {window['start']} to {window['end']} ({window['days']} days), UTC"),
    )
    for name in ("totals", "identity"):
        for key, value in _flat(document.get(name, {})).items():
            if value is not None:
                console.print(Text(printable(f"  {_words(key)}: {value}")))
    for key in ("principal_arn", "action", "resource", "decision", "unknown_keys", "notes"):
        for value in _each(document.get(key)):
            console.print(Text(printable(f"  {_words(key)}: {value}")))
    for name, shown in (before or {}).items():
        if document[name]:
            console.print(Text(f"\n{_words(name).capitalize()}"))
            _print_rows(console, document[name], shown, MOST_BEFORE, has_all="--json")
    if before:
        console.print(Text(f"\n{_words(rows).capitalize()}"))
    _print_rows(console, document[rows], columns, MOST_ROWS, has_all="--csv or --json")


def _print_rows(
    console: Console, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], most: int, *, has_all: str
) -> None:
    """The first rows as a table, and how many there are beside them."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    entries = [_flat({name: _told(name, row[name]) for name in columns or row}) for row in rows]
    names = [name for name in dict.fromkeys(key for row in entries for key in row) if _any(entries, name)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        short = _longest(entries[:most], name) <= SHORT
        justify: JustifyMethod = "right" if _numeric(entries, name) else "left"
        table.add_column(_words(name), overflow="fold", no_wrap=short, justify=justify)
    for row in entries[:most]:
        table.add_row(*(Text("" if row.get(name) is None else printable(str(row[name]))) for name in names))
    console.print(table)
    if len(entries) > most:
        console.print(Text(f"{len(entries) - most:,} more rows; {has_all} has all {len(entries):,}"))


def _told(name: str, value: Any) -> Any:
    """An unknown value is an empty cell, but where it must not pass for nothing."""
    return "not proven" if value is None and name == "calls_broken" else value


def _each(value: Any) -> list[Any]:
    """A single value, or those of a list; nothing for an unknown one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values as text of one cell."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}_{key}": inner for key, inner in value.items()}
        elif isinstance(value, list | tuple):
            flat[name] = "; ".join(_one_line(item) for item in value)
        else:
            flat[name] = value
    return flat


def _one_line(item: Any) -> str:
    if isinstance(item, dict) and "policy" in item:
        place = item["sid"] or item["index"]
        return str(item["policy"]) if place is None else f"{item['policy']} [{place}]"
    if isinstance(item, dict) and "principal" in item:
        return f"{item['principal']} ({item['kind']})"
    return str(item)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def printable(text: str) -> str:
    """Names come from logs: none of them may steer the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _any(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(row.get(name) not in (None, "") for row in rows)


def _longest(rows: Sequence[Mapping[str, Any]], name: str) -> int:
    return max((len(str(row[name])) for row in rows if row.get(name) is not None), default=0)


def _numeric(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    values = [row[name] for row in rows if row.get(name) is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
