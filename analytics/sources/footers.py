"""What the statistics in the footers of Parquet files tell of their events.

DuckDB reads them: pyarrow 26 ends the whole process at the columns of a damaged footer, where nothing catches what
Parquet's own code throws. INVARIANT: a footer that tells nothing makes a file slower to read, never wrong.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analytics.sources.columns import TEXT_LEAVES

if TYPE_CHECKING:
    from collections.abc import Sequence

TIME_LEAF = "eventtime"  # of every layout, in lower case
_BATCH = 1_000  # files of one query: one that is damaged makes those beside it be asked one by one
_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")  # as CloudTrail writes it: the order of text is that of time
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?")  # as DuckDB writes a timestamp
STATISTICS = """
select
    file_name,
    coalesce(bool_and(
        type <> 'BYTE_ARRAY'
        or coalesce(stats_null_count = num_values, false)
        or coalesce(stats_min_value <> '', false)
    ) filter (leaf in (select unnest($texts))), true) as filled,
    list((type = 'BYTE_ARRAY', stats_min_value, stats_max_value)) filter (leaf = $time) as times
from (select *, replace(lower(path_in_schema), ', ', '.') as leaf from parquet_metadata($files))
group by file_name
"""


class Told(NamedTuple):
    """Of one file: no text that the canonical columns read is empty; the first and the last event, naive UTC."""

    filled: bool
    span: tuple[datetime, datetime] | None


NOTHING_TOLD = Told(filled=False, span=None)


def statistics(paths: Sequence[str]) -> dict[str, Told]:
    """By path; a file whose footer cannot be read is left out."""
    found: dict[str, Told] = {}
    with duckdb.connect() as con:
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            try:
                found |= _told(con, batch)
            except duckdb.Error:
                for path in batch:
                    found |= _alone(con, path)
    return found


def exact(path: str) -> str:
    """A path for DuckDB, which reads it as a glob: a bracket expression of one character stands for itself."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _alone(con: duckdb.DuckDBPyConnection, path: str) -> dict[str, Told]:
    try:
        return _told(con, [path])
    except duckdb.Error:
        return {}  # what is wrong with it, reading its data tells


def _told(con: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> dict[str, Told]:
    asked = {"files": [exact(path) for path in paths], "texts": sorted(TEXT_LEAVES), "time": TIME_LEAF}
    rows = con.execute(STATISTICS, asked).fetchall()
    return {path: Told(filled, _span(times or [])) for path, filled, times in rows}


def _span(times: list[tuple[bool, str | None, str | None]]) -> tuple[datetime, datetime] | None:
    """The smallest and the largest event time over all row groups; None where one of them does not tell.

    `times`: of each row group, whether they are text, the smallest and the largest.
    """
    moments = [_moment(value, _TEXT if is_text else _TIME) for is_text, *ends in times for value in ends]
    told = [moment for moment in moments if moment is not None]
    return (min(told), max(told)) if told and len(told) == len(moments) else None


def _moment(value: str | None, form: re.Pattern[str]) -> datetime | None:
    if value is None or not form.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:  # a 30th of February
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
