"""One raw CloudTrail file as Parquet, one file per UTC day: whole or not at all.

A Parquet file is written under a name that begins with a dot, which every reader skips, and renamed when it is
complete. Records that are no events go to a part of the rejects file, which `convert` puts together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.sources.collector import uncollected
from analytics.sources.records import DigestError, Unparsed, UnreadableError, read_records
from analytics.sources.rows import OTHER_FIELDS, SCHEMA, RecordError, Row, row_of

_ROWS_AT_ONCE = 10_000  # as Python objects; what is done is kept as Arrow, a tenth of the size


class Outcome(StrEnum):
    """What became of a source file."""

    CONVERTED = "converted"
    NO_EVENTS = "no events"  # an empty log file, or a digest file
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """One source file. INVARIANT: found = written + rejected."""

    path: str
    outcome: Outcome
    found: int = 0
    written: int = 0
    rejected: int = 0
    reason: str | None = None  # one sentence without the path, for a file of which nothing is written
    outputs: tuple[str, ...] = ()
    other_fields: Mapping[str, int] = field(default_factory=dict)  # top-level names kept in `otherFields`: records


@dataclass(frozen=True, slots=True)
class Job:
    """One source file, where its Parquet goes, and what an earlier run has written from it."""

    source: str
    out: str
    name: str
    earlier: tuple[str, ...] = ()

    @property
    def rejects(self) -> Path:
        """This file's part of the rejects."""
        return Path(self.out) / f"_rejects.{self.name}.part"


@dataclass(slots=True)
class _Tally:
    """What a file has given so far."""

    found: int = 0
    rejects: list[bytes] = field(default_factory=list)
    other_fields: Counter[str] = field(default_factory=Counter)


def convert_file(job: Job) -> ConvertedFile:
    """Convert one file. What is wrong with it or with a record is in the answer and the rejects, never an exception."""
    tally = _Tally()
    try:
        with uncollected():
            days = _tables(_rows(job.source, tally))
    except DigestError as error:
        return ConvertedFile(job.source, Outcome.NO_EVENTS, reason=str(error))
    except UnreadableError as error:
        return unreadable(job, str(error))
    outputs = tuple(_write(tables, Path(job.out) / f"date={date}" / job.name) for date, tables in sorted(days.items()))
    for stale in set(job.earlier) - set(outputs):
        Path(stale).unlink(missing_ok=True)
    _write_rejects(job, tally.rejects)
    rejected = len(tally.rejects)
    return ConvertedFile(
        job.source,
        Outcome.CONVERTED if tally.found else Outcome.NO_EVENTS,
        found=tally.found,
        written=sum(table.num_rows for tables in days.values() for table in tables),
        rejected=rejected,
        reason=None if tally.found else "holds no records",
        outputs=outputs,
        other_fields=dict(tally.other_fields),
    )


def unreadable(job: Job, reason: str) -> ConvertedFile:
    """The file is named in the rejects; what an earlier run wrote from it stays."""
    kept = "; what an earlier run converted from it is kept" if job.earlier else ""
    _write_rejects(job, [_reject(job.source, None, reason, None)])
    return ConvertedFile(job.source, Outcome.UNREADABLE, reason=f"{reason}{kept}")


def _rows(source: str, tally: _Tally) -> Iterator[Row]:
    for record in read_records(Path(source)):
        tally.found += 1
        try:
            row = _row(record)
        except RecordError as error:
            tally.rejects.append(_reject(source, tally.found, str(error), record))
            continue
        if OTHER_FIELDS in row.values:
            tally.other_fields.update(orjson.loads(row.values[OTHER_FIELDS]).keys())
        yield row


def _row(record: Any) -> Row:
    if isinstance(record, Unparsed):
        raise RecordError(record.reason)
    return row_of(record)


def _reject(source: str, position: int | None, reason: str, record: Any) -> bytes:
    """A line of the rejects file. `position` counts the records of the file from 1; null: the file itself."""
    text = record.text if isinstance(record, Unparsed) else None if position is None else orjson.dumps(record).decode()
    return orjson.dumps({"file": source, "position": position, "reason": reason, "record": text})


def _write_rejects(job: Job, lines: list[bytes]) -> None:
    if lines:
        job.rejects.write_bytes(b"".join(line + b"\n" for line in lines))


def _tables(rows: Iterator[Row]) -> dict[str, list[pa.Table]]:
    days: dict[str, list[pa.Table]] = defaultdict(list)
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, row in enumerate(rows, start=1):
        waiting[row.date].append(row.values)
        if number % _ROWS_AT_ONCE == 0:
            _settle(waiting, days)
    _settle(waiting, days)
    return days


def _settle(waiting: dict[str, list[dict[str, Any]]], days: dict[str, list[pa.Table]]) -> None:
    for date, values in waiting.items():
        days[date].append(pa.Table.from_pylist(values, schema=SCHEMA))
    waiting.clear()


def _write(tables: list[pa.Table], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    pq.write_table(pa.concat_tables(tables), unfinished, compression="zstd", store_schema=False)
    unfinished.replace(path)
    return str(path)
