"""The loads of a store on disk: a folder each, with one Parquet file for every table that a load gives.

Writing Parquet costs a third of writing a table of a database, and dropping a load is removing its folder.
INVARIANT: a load counts from the moment that `source_file` names it, and its files are complete and synced before that.
A folder that the manifest does not name is what a process that died left behind. Load 0 is of no file: it gives the
tables of a store without events their columns.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from analytics.sources.cloudtrail import events_select
from analytics.sources.columns import literal
from analytics.sql import read_sql

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from analytics.sources.cloudtrail import SourceFile

TABLES = ("rollup", "role_session", "policy_change")
# The canonical columns that a load reads: of every event, and of those few whose parameters matter (trust_event.sql).
# A file is read no further, and needs no more of them to be sound.
ROLLUP_COLUMNS = (
    *("event_time", "event_source", "event_name", "event_type", "read_only", "aws_region", "error_code"),
    *("identity_type", "identity_arn", "identity_principal_id", "identity_account_id", "identity_user_name"),
    *("invoked_by", "issuer_arn", "recipient_account_id", "shared_event_id"),
)
PARAMETER_COLUMNS = ("event_id", "error_message", "source_ip_address", "identity_provider", "request_parameters")
EVENT_COLUMNS = (*ROLLUP_COLUMNS, *PARAMETER_COLUMNS, "source_file")
NO_FILES = 0
_OPTIONS = "format parquet, compression lz4, parquet_version v2"


class Loads:
    """The folder of all loads of one ingester's database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, load_id: int, table: str) -> Path:
        """The file of one table of a load."""
        return self.folder / str(load_id) / f"{table}.parquet"

    def write(self, con: DuckDBPyConnection, load_id: int, files: Sequence[SourceFile]) -> None:
        """Write and sync the tables of these source files."""
        self.remove(load_id)
        (self.folder / str(load_id)).mkdir(parents=True)
        con.execute(f"create or replace temp view events as {events_select(files, EVENT_COLUMNS)}")
        con.execute(read_sql("trust_event"))
        for table in TABLES:
            path = self.path(load_id, table)
            con.execute(f"copy ({read_sql(table)}) to {literal(str(path))} ({_OPTIONS})")
            _sync(path)
        _sync(self.folder / str(load_id))
        _sync(self.folder)

    def complete(self, load_id: int) -> bool:
        """Whether every file is there."""
        return all(self.path(load_id, table).is_file() for table in TABLES)

    def remove(self, load_id: int) -> None:
        """Remove the folder of a load that the manifest does not name."""
        shutil.rmtree(self.folder / str(load_id), ignore_errors=True)

    def keep(self, load_ids: Collection[int]) -> None:
        """Remove the folders of all other loads."""
        kept = {str(load_id) for load_id in (*load_ids, NO_FILES)}
        for left in self.folder.iterdir():
            if left.name not in kept:
                shutil.rmtree(left)

    def show(self, con: DuckDBPyConnection, load_ids: Iterable[int]) -> None:
        """Make every table a view over its files of these loads."""
        ids = [NO_FILES, *load_ids]
        for table in TABLES:
            files = ", ".join(literal(str(self.path(load_id, table))) for load_id in ids)
            con.execute(
                f"create or replace temp view {table} as"
                f" select * from read_parquet([{files}], hive_partitioning = false, union_by_name = false)"
            )


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
