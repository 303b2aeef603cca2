"""From events to the roll-up: months of calls become counts per principal, event and day, once.

Files are taken in batches of about `batch_rows` rows, one transaction each, so time and memory stay linear
(docs/PERFORMANCE.md). The manifest `source_file` makes a repeated build read new and changed files only.
INVARIANT: every row of a loaded file is in the roll-up, among the shared events, or counted as rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from analytics.sources.cloudtrail import SourceFile, events_select
from analytics.sql import read_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOADED_TABLES = ("rollup", "shared_event", "source_file")


class IngestError(RuntimeError):
    """Events went missing between a file and the roll-up: our bug, never the user's."""


def open_work(path: Path, *, memory_limit: str) -> DuckDBPyConnection:
    """The ingester's database, made if need be; one process holds it at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(path))
    con.execute("set preserve_insertion_order = false")
    con.execute("set memory_limit = $limit", {"limit": memory_limit})
    con.execute("set temp_directory = $folder", {"folder": str(path.parent / "tmp")})
    con.execute(read_sql("work_tables"))
    con.execute(read_sql("principal_ref"))
    return con


def ingest(
    con: DuckDBPyConnection,
    files: Sequence[SourceFile],
    *,
    batch_rows: int,
    progress: Callable[[int], None] = lambda _rows: None,
) -> None:
    """Bring the roll-up to exactly these files: drop what is gone or changed, load what is new.

    `progress` is told the rows done after each batch. A file whose data pages turn out to be damaged is recorded with
    its problem, and the rest goes on.
    """
    stamps = {file.path: _stamp(file.path) for file in files if file.problem is None}
    _drop_stale_loads(con, stamps)
    _record_problems(con, [file for file in files if file.problem is not None])
    loaded = {path for (path,) in con.execute("select path from source_file").fetchall()}
    fresh = [file for file in files if file.problem is None and file.path not in loaded]
    for batch in _batches(fresh, batch_rows):
        _load_or_isolate(con, batch, stamps)
        progress(sum(file.rows for file in batch))


def _stamp(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


def _drop_stale_loads(con: DuckDBPyConnection, stamps: dict[str, tuple[int, int]]) -> None:
    held = con.execute("select path, size, modified_ns, load_id from source_file").fetchall()
    stale = {load_id for path, size, modified, load_id in held if stamps.get(path) != (size, modified)}
    con.execute("begin")
    con.execute("delete from source_file where load_id is null")
    for load_id in sorted(load for load in stale if load is not None):
        for table in LOADED_TABLES:
            con.execute(f"delete from {table} where load_id = $load_id", {"load_id": load_id})
    con.execute("commit")


def _record_problems(con: DuckDBPyConnection, files: Iterable[SourceFile]) -> None:
    for file in files:
        con.execute(
            "insert into source_file (path, layout, rows_read, rows_rejected, problem)"
            " values ($path, $layout, 0, 0, $problem)",
            {"path": file.path, "layout": file.layout, "problem": file.problem},
        )


def _batches(files: Iterable[SourceFile], batch_rows: int) -> Iterator[list[SourceFile]]:
    batch: list[SourceFile] = []
    rows = 0
    for file in files:
        if batch and rows + file.rows > batch_rows:
            yield batch
            batch, rows = [], 0
        batch.append(file)
        rows += file.rows
    if batch:
        yield batch


def _load_or_isolate(con: DuckDBPyConnection, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]) -> None:
    """One transaction for the batch; when a file in it cannot be read, one for each file, to find the culprit."""
    try:
        _load(con, batch, stamps)
    except duckdb.Error as error:
        con.execute("rollback")
        if len(batch) == 1:
            reason = str(error).splitlines()[0]
            problem = f"the file cannot be read ({reason}); export it again"
            _record_problems(con, [replace(batch[0], problem=problem)])
            return
        for file in batch:
            _load_or_isolate(con, [file], stamps)


def _load(con: DuckDBPyConnection, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]) -> None:
    con.execute("begin")
    (load_id,) = con.execute("select coalesce(max(load_id), 0) + 1 from source_file").fetchall()[0]
    con.execute(f"create or replace temp view events as {events_select(batch)}")
    inspected = pa.table(
        {
            "path": [file.path for file in batch],
            "size": [stamps[file.path][0] for file in batch],
            "modified_ns": [stamps[file.path][1] for file in batch],
            "layout": [file.layout for file in batch],
        }
    )
    con.register("inspected", inspected)
    for name in ("rollup", "shared_event", "source_file"):
        con.execute(read_sql(name), {"load_id": load_id})
    con.unregister("inspected")
    _assert_nothing_lost(con, load_id, sum(file.rows for file in batch))
    con.execute("commit")


ROWS_OF_LOAD = """
select
    (select coalesce(sum(rows_read), 0) from source_file where load_id = $load_id) as read,
    (select coalesce(sum(rows_rejected), 0) from source_file where load_id = $load_id)
        + (select coalesce(sum(calls), 0) from rollup where load_id = $load_id)
        + (select count(*) from shared_event where load_id = $load_id) as kept
"""


def _assert_nothing_lost(con: DuckDBPyConnection, load_id: int, expected: int) -> None:
    read, kept = con.execute(ROWS_OF_LOAD, {"load_id": load_id}).fetchall()[0]
    if not read == kept == expected:
        con.execute("rollback")
        raise IngestError(f"load {load_id}: {expected} rows in the files, {read} read, {kept} accounted for")
