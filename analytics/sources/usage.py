"""From events to the roll-up: months of calls become counts per principal, event and day, once.

Files are taken in batches of about `batch_rows` rows, one load each, so time and memory stay linear
(docs/PERFORMANCE.md). The manifest `source_file` makes a repeated build read new and changed files only.
INVARIANT: every row of a loaded file is in the roll-up, or counted as rejected.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from analytics.settings import REFERENCE
from analytics.sources import columns
from analytics.sources.cloudtrail import SourceFile, verified
from analytics.sources.loads import EVENT_COLUMNS, NO_FILES, TABLES, Loads
from analytics.sql import read_sql

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

POLICY_EVENTS_FILE = REFERENCE / "policy_events.csv"


class IngestError(RuntimeError):
    """Events that cannot be brought into the roll-up at all; the message says what to do."""


def open_work(path: Path, *, memory_limit: str) -> DuckDBPyConnection:
    """The ingester's database with its loads, made if need be; one process holds it at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        con = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise IngestError(
            f"`{path}` cannot be opened ({_first_line(error)}); wait until the other build of this store is done, "
            "or remove the file if there is none: it is made again from the events"
        ) from error
    con.execute("set preserve_insertion_order = false")
    con.execute("set memory_limit = $limit", {"limit": memory_limit})
    con.execute("set checkpoint_threshold = '1GB'")  # once at the end, not after every few batches
    con.execute("set temp_directory = $folder", {"folder": str(path.parent / "tmp")})
    for macro in ("principal_ref", "network_of"):
        con.execute(read_sql(macro))
    _name_trust_events(con)
    _prepare(con)
    return con


def _name_trust_events(con: DuckDBPyConnection) -> None:
    with POLICY_EVENTS_FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = pa.table({name: [row[name] for row in rows] for name in ("event_source", "event_name")})
    con.register("names", names)
    con.execute("create or replace temp table trust_event_name as select * from names")
    con.unregister("names")


def _prepare(con: DuckDBPyConnection) -> None:
    """The tables and views; what another version of them holds is dropped, so that every file is read again."""
    version, loads = _version(), _loads(con)
    con.execute("create table if not exists made_by (version varchar)")
    current = con.execute("select version from made_by").fetchall() == [(version,)]
    if not current or not loads.complete(NO_FILES):
        loads.write(con, NO_FILES, [])
    if not current:
        con.execute("begin")
        for table in con.execute("select table_name from duckdb_tables() where not temporary").fetchall():
            con.execute(f"drop table {columns.quoted(table[0])}")
        con.execute("create table made_by as select $version as version", {"version": version})
        con.execute(read_sql("work_tables"))
        con.execute("commit")
    lost = [load_id for load_id in _load_ids(con) if not loads.complete(load_id)]
    _forget(con, loads, lost)
    _show(con, loads)


def _loads(con: DuckDBPyConnection) -> Loads:
    """The loads of a database lie beside it."""
    (path,) = con.execute("select path from duckdb_databases() where database_name = current_database()").fetchall()[0]
    return Loads(Path(path).with_suffix(".loads"))


def _load_ids(con: DuckDBPyConnection) -> list[int]:
    found = con.execute("select distinct load_id from source_file where load_id is not null order by all").fetchall()
    return [load_id for (load_id,) in found]


def _forget(con: DuckDBPyConnection, loads: Loads, load_ids: Iterable[int]) -> None:
    """Take loads out of the manifest, at once; then remove the folders of all that it does not name."""
    con.execute("delete from source_file where list_contains($load_ids, load_id)", {"load_ids": list(load_ids)})
    loads.keep(_load_ids(con))


def _show(con: DuckDBPyConnection, loads: Loads) -> None:
    try:
        loads.show(con, _load_ids(con))
    except duckdb.Error as error:
        raise IngestError(
            f"the loads in `{loads.folder}` cannot be read ({_first_line(error)}); "
            "remove that folder: it is made again from the events"
        ) from error


def _version() -> str:
    """A digest of all that decides what a row of a load is."""
    names = ("work_tables", "source_file", "principal_ref", "network_of", "trust_event", *TABLES)
    parts = [*map(read_sql, names), Path(columns.__file__).read_text("utf-8"), POLICY_EVENTS_FILE.read_text("utf-8")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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
    loads = _loads(con)
    stamps = {file.path: _stamp(file.path) for file in files if file.problem is None}
    _drop_stale_loads(con, loads, stamps)
    _record_problems(con, [file for file in files if file.problem is not None])
    loaded = {path for (path,) in con.execute("select path from source_file").fetchall()}
    fresh = [file for file in files if file.problem is None and file.path not in loaded]
    progress(sum(file.rows for file in files) - sum(file.rows for file in fresh))
    for batch in _batches(fresh, batch_rows):
        _load_readable(con, loads, batch, stamps)
        progress(sum(file.rows for file in batch))
    _show(con, loads)


def _stamp(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


def _drop_stale_loads(con: DuckDBPyConnection, loads: Loads, stamps: dict[str, tuple[int, int]]) -> None:
    held = con.execute("select path, size, modified_ns, load_id from source_file where load_id is not null").fetchall()
    stale = {load_id for path, size, modified, load_id in held if stamps.get(path) != (size, modified)}
    con.execute("delete from source_file where load_id is null")
    _forget(con, loads, stale)


def _record_problems(con: DuckDBPyConnection, files: Iterable[SourceFile]) -> None:
    for file in files:
        con.execute(
            "insert into source_file (path, layout, rows_read, rows_rejected, problem)"
            " values ($path, $layout, $rejected, $rejected, $problem)",
            {"path": file.path, "layout": file.layout, "rejected": file.rejected, "problem": file.problem},
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


def _load_readable(
    con: DuckDBPyConnection, loads: Loads, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]
) -> None:
    """One load for the batch; files whose data turn out to be damaged are set aside, the others loaded."""
    try:
        _load(con, loads, batch, stamps)
    except duckdb.Error as error:
        checked = verified(batch, EVENT_COLUMNS)
        damaged = [file for file in checked if file.problem is not None]
        if not damaged:
            raise IngestError(
                f"{len(batch)} files from `{batch[0].path}` on cannot be loaded ({_first_line(error)}); "
                "give the store more room, or a lower `batch_rows` in headroom.toml"
            ) from error
        _record_problems(con, damaged)
        readable = [file for file in checked if file.problem is None]
        if readable:
            _load_readable(con, loads, readable, stamps)


def _load(con: DuckDBPyConnection, loads: Loads, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]) -> None:
    """Write the files of a load, then name it in the manifest by one statement: that is its commit."""
    (load_id,) = con.execute("select nextval('load_number')").fetchall()[0]
    try:
        loads.write(con, load_id, batch)
        rows = _counted(con, loads, load_id, batch)
        inspected = {
            "path": [file.path for file in batch],
            "size": [stamps[file.path][0] for file in batch],
            "modified_ns": [stamps[file.path][1] for file in batch],
            "layout": [file.layout for file in batch],
            "rows_read": [rows[file.path][0] for file in batch],
            "rows_rejected": [rows[file.path][1] for file in batch],
            "first_event": pa.array([rows[file.path][2] for file in batch], pa.timestamp("us")),
            "last_event": pa.array([rows[file.path][3] for file in batch], pa.timestamp("us")),
        }
        con.register("inspected", pa.table(inspected))
        con.execute(read_sql("source_file"), {"load_id": load_id})
        con.unregister("inspected")
    except BaseException:
        loads.remove(load_id)
        raise


Counts = tuple[int, int, "datetime | None", "datetime | None"]  # rows read, of them rejected; first and last event
ROWS_KEPT = "select coalesce(sum(calls), 0)::bigint from read_parquet($path)"
ROWS_OF_FILES = """
select source_file, count(*), count(*) filter (event_time is null or event_source is null or event_name is null),
    min(event_time), max(event_time)
from events group by source_file"""


def _counted(con: DuckDBPyConnection, loads: Loads, load_id: int, batch: Sequence[SourceFile]) -> dict[str, Counts]:
    """What each file holds: by its footer, or counted where that does not say, or where not every row was kept."""
    ((kept,),) = con.execute(ROWS_KEPT, {"path": str(loads.path(load_id, "rollup"))}).fetchall()
    expected = sum(file.rows for file in batch)
    if kept == expected and all(file.span for file in batch):
        return {file.path: (file.rows, 0, *file.span) for file in batch if file.span}
    rows: dict[str, Counts] = {path: tuple(counts) for path, *counts in con.execute(ROWS_OF_FILES).fetchall()}
    found = {file.path: rows.get(file.path, (0, 0, None, None)) for file in batch}
    read = sum(count[0] for count in found.values())
    if read != expected:
        raise IngestError(
            f"{len(batch)} files from `{batch[0].path}` on changed while they were read: {expected} rows at first, "
            f"then {read}; build again when nothing writes to them"
        )
    kept += sum(count[1] for count in found.values())
    if read != kept:
        raise IngestError(
            f"of {read} rows from `{batch[0].path}` on, {kept} are accounted for; this is a fault of Headroom"
        )
    return found


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]
