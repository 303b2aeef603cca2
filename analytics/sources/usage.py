"""From events to the roll-up: months of calls become counts per principal, event and day, once.

Files are taken in batches of about `batch_rows` rows, one transaction each, so time and memory stay linear
(docs/PERFORMANCE.md). The manifest `source_file` makes a repeated build read new and changed files only.
INVARIANT: every row of a loaded file is in the roll-up, among the shared events, or counted as rejected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from analytics.sources import columns
from analytics.sources.cloudtrail import SourceFile, events_select, verified
from analytics.sql import read_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOADED_TABLES = ("rollup", "shared_event", "source_file")
# The canonical columns that the roll-up reads: a file is read no further, and needs no more of them to be sound.
EVENT_COLUMNS = (
    *("event_time", "event_source", "event_name", "event_type", "read_only", "aws_region", "error_code"),
    *("identity_type", "identity_arn", "identity_principal_id", "identity_account_id", "identity_user_name"),
    *("invoked_by", "issuer_arn", "recipient_account_id", "shared_event_id", "source_file"),
)


class IngestError(RuntimeError):
    """Events that cannot be brought into the roll-up at all; the message says what to do."""


def open_work(path: Path, *, memory_limit: str) -> DuckDBPyConnection:
    """The ingester's database, made if need be; one process holds it at a time."""
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
    con.execute(read_sql("principal_ref"))
    _prepare(con)
    return con


def _prepare(con: DuckDBPyConnection) -> None:
    """The tables; what another version of the roll-up counted is dropped, so that every file is read again."""
    version = _version()
    con.execute("create table if not exists made_by (version varchar)")
    if con.execute("select version from made_by").fetchall() != [(version,)]:
        con.execute("begin")
        for table in LOADED_TABLES:
            con.execute(f"drop table if exists {table}")
        con.execute("delete from made_by")
        con.execute("insert into made_by values ($version)", {"version": version})
        con.execute(read_sql("work_tables"))
        con.execute("commit")


def _version() -> str:
    """A digest of all that decides what a row of the roll-up is."""
    parts = [read_sql(name) for name in ("work_tables", "principal_ref", *LOADED_TABLES)]
    return hashlib.sha256("\n".join([*parts, Path(columns.__file__).read_text("utf-8")]).encode()).hexdigest()


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
    progress(sum(file.rows for file in files) - sum(file.rows for file in fresh))
    for batch in _batches(fresh, batch_rows):
        _load_readable(con, batch, stamps)
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


def _load_readable(con: DuckDBPyConnection, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]) -> None:
    """One transaction for the batch; files whose data turn out to be damaged are set aside, the others loaded."""
    try:
        _load(con, batch, stamps)
    except duckdb.Error as error:
        con.execute("rollback")
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
            _load_readable(con, readable, stamps)


def _load(con: DuckDBPyConnection, batch: list[SourceFile], stamps: dict[str, tuple[int, int]]) -> None:
    con.execute("begin")
    (load_id,) = con.execute("select coalesce(max(load_id), 0) + 1 from source_file").fetchall()[0]
    con.execute(f"create or replace temp view events as {events_select(batch, EVENT_COLUMNS)}")
    inspected = pa.table(
        {
            "path": [file.path for file in batch],
            "size": [stamps[file.path][0] for file in batch],
            "modified_ns": [stamps[file.path][1] for file in batch],
            "layout": [file.layout for file in batch],
        }
    )
    con.register("inspected", inspected)
    for name in LOADED_TABLES:
        con.execute(read_sql(name), {"load_id": load_id})
    con.unregister("inspected")
    _assert_nothing_lost(con, load_id, batch)
    con.execute("commit")


ROWS_OF_LOAD = """
select
    (select coalesce(sum(rows_read), 0) from source_file where load_id = $load_id) as read,
    (select coalesce(sum(rows_rejected), 0) from source_file where load_id = $load_id)
        + (select coalesce(sum(calls), 0) from rollup where load_id = $load_id)
        + (select count(*) from shared_event where load_id = $load_id) as kept
"""


def _assert_nothing_lost(con: DuckDBPyConnection, load_id: int, batch: Sequence[SourceFile]) -> None:
    expected = sum(file.rows for file in batch)
    read, kept = con.execute(ROWS_OF_LOAD, {"load_id": load_id}).fetchall()[0]
    if read == kept == expected:
        return
    con.execute("rollback")
    if read != expected:
        raise IngestError(
            f"{len(batch)} files from `{batch[0].path}` on changed while they were read: {expected} rows at first, "
            f"then {read}; build again when nothing writes to them"
        )
    raise IngestError(
        f"of {read} rows from `{batch[0].path}` on, {kept} are accounted for; this is a fault of Headroom"
    )


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0]
