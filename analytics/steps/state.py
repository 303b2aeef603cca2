"""One build on its way: what it is made from, and what the steps so far have found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analytics.findings.assess import Assessor
from analytics.findings.escalation.escalations import Escalations
from analytics.findings.guardrails.matrix import Guardrails
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.findings.observed import Profiles
from analytics.findings.weights import ActionWeights, action_weights
from analytics.iam.catalogue import Catalogue, load_catalogue
from analytics.outputs.estate import read_estate
from analytics.outputs.matrix import guardrail_settings
from analytics.sql import read_sql

if TYPE_CHECKING:
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from analytics.engine.reach import Reach
    from analytics.findings.estate import Estate
    from analytics.settings import Settings
    from analytics.sources.cloudtrail import SourceFile
    from analytics.sources.snapshot import Snapshot

Note = tuple[str, str, str]  # where (store), what it is about, one sentence: what is wrong and what follows
Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


class BuildError(ValueError):
    """Input from which no build can be made; the message says what to give instead."""


@dataclass
class Build:
    """The connection writes to the new build and reads the ingester's tables; steps add to it in order."""

    con: DuckDBPyConnection
    build_id: str
    now: datetime  # UTC
    settings: Settings
    files: Sequence[SourceFile]
    snapshot: Snapshot | None  # None: usage only
    previous: Path | None  # the build in use until this one is published
    progress: Progress
    notes: list[Note] = field(default_factory=list)  # what went wrong beside the events and the snapshot
    folder: Path | None = None  # of the store, with what a team keeps there
    catalogue: Catalogue = field(default_factory=load_catalogue)
    reaches: list[Reach] = field(default_factory=list)  # distinct; the position is the reach_id

    @cached_property
    def weights(self) -> ActionWeights:
        """The weights of the catalogue's actions."""
        return action_weights(self.catalogue)

    @cached_property
    def profiles(self) -> Profiles:
        """The distinct sets of observable actions."""
        return Profiles(self.catalogue)

    @cached_property
    def estate(self) -> Estate:
        """The tables so far as the findings look at them; for steps after "Comparing grants with use"."""
        return read_estate(self.con)

    @cached_property
    def escalations(self) -> Escalations:
        """The escalation paths of the estate; what they stand on is found once."""
        return Escalations(self.estate)

    @cached_property
    def assessor(self) -> Assessor:
        """The risk of every identity of the estate, and of changed copies."""
        return Assessor(self.estate, escalations=self.escalations)

    @cached_property
    def guardrails(self) -> Guardrails:
        """The matrix of the estate, with the scenarios of its store."""
        return Guardrails(self.estate, load_scenarios(self.folder), guardrail_settings(self.settings))

    def run(self, name: str, **rows: pa.Table) -> None:
        """Run `analytics/sql/<name>.sql`; keyword arguments are rows that it reads by that name."""
        for table, data in rows.items():
            self.con.register(table, data)
        self.con.execute(read_sql(name))
        for table in rows:
            self.con.unregister(table)

    def insert(self, table: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Append record batches to a table, one at a time, so that memory stays flat."""
        for batch in batches:
            self.con.register("batch", pa.Table.from_batches([batch]))
            self.con.execute(f"insert into {table} by name select * from batch")
            self.con.unregister("batch")

    def temporary(self, name: str, rows: pa.Table) -> None:
        """Rows that later steps read and that the build does not keep."""
        self.con.register("rows_of_step", rows)
        self.con.execute(f"create or replace temp table {name} as select * from rows_of_step")
        self.con.unregister("rows_of_step")


def text_table(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Rows of text, null where a value is None."""
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)})
