"""The pipeline: from CloudTrail files and a snapshot to one published build, step by step.

The steps run in the order of STEPS; each leaves its tables in the database of the new build, which is published as one
immutable file when all are done. The ingester's loads (`work.duckdb`, `work.loads`) are kept between builds.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from analytics.sources.cloudtrail import SourceFile, discover, inspect
from analytics.sources.collector import uncollected
from analytics.sources.columns import literal
from analytics.sources.rejects import rejects_beside
from analytics.sources.snapshot import Snapshot, read_snapshot
from analytics.sources.usage import ingest, open_work
from analytics.steps import about, escalation, guardrails, identities, remediation, risk, trust_events
from analytics.steps import events as logs
from analytics.steps.state import Build, Note, Progress
from analytics.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from analytics.settings import Settings
    from analytics.store import Store


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For callers that do not watch."""


def build_store(
    events: Sequence[str],
    snapshot: Path | None,
    store: Store,
    *,
    settings: Settings,
    now: datetime,
    progress: Progress = no_progress,
) -> str:
    """Make and publish a build of these events and this snapshot; its id.

    Raises SourceError for a path that leads nowhere, SnapshotError for a snapshot that is none, BuildError when not one
    event can be read. `now` (UTC) only names the build: the window ends with the last event.
    """
    progress("Looking at the event files", 0, 1)
    paths = discover(events)
    files = [*inspect(paths), *rejects_beside(paths)]
    iam = read_snapshot(snapshot) if snapshot is not None else None
    con = open_work(store.work, memory_limit=settings.memory_limit)
    try:
        total = sum(file.rows for file in files)
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            progress("Reading events", done, total)

        ingest(con, files, batch_rows=settings.batch_rows, progress=count)
        return _publish(con, files, iam, store, settings=settings, now=now, progress=progress)
    finally:
        con.close()


def _publish(
    con: DuckDBPyConnection,
    files: Sequence[SourceFile],
    snapshot: Snapshot | None,
    store: Store,
    *,
    settings: Settings,
    now: datetime,
    progress: Progress,
) -> str:
    build_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    previous, notes = _in_use(store)
    with store.new_build(build_id) as partial:
        con.execute(f"attach {literal(str(partial))} as build")
        con.execute("set search_path = 'build.main,work.main'")
        build = Build(con, build_id, now, settings, files, snapshot, previous, progress, notes, folder=store.folder)
        with uncollected():
            for index, (what, step) in enumerate(STEPS):
                progress(what, index, len(STEPS))
                step(build)
        progress("Publishing", len(STEPS), len(STEPS))
        con.execute("set search_path = 'work.main'")
        con.execute("checkpoint build")
        con.execute("detach build")
    store.remove_old(settings.keep_builds)
    return build_id


def _in_use(store: Store) -> tuple[Path | None, list[Note]]:
    """The build in use until now. A broken pointer must not stop the build that mends it: it is noted."""
    try:
        current = store.current()
    except StoreError as error:
        return None, [("store", "CURRENT", str(error))]
    return (store.path(current) if current else None), []


STEPS: tuple[tuple[str, Callable[[Build], None]], ...] = (
    ("Finding the window", logs.find_windows),
    ("Counting calls once", logs.count_calls_once),
    ("Naming the callers", logs.name_callers),
    ("Resolving events to actions", logs.resolve_events),
    ("Weighing actions", identities.list_actions),
    ("Counting use", logs.count_usage),
    ("Effective permissions", identities.find_reach),
    ("Measuring coverage", identities.measure_coverage),
    ("Telling unused from unobserved", identities.find_observable),
    ("Listing identities", identities.list_principals),
    ("Comparing grants with use", identities.compare),
    ("Finding who became whom", trust_events.find_assumed),
    ("Finding changes of policies", trust_events.find_changes),
    ("Finding escalation paths", escalation.find_escalation),
    ("Finding who can become whom", risk.find_trust),
    ("Scoring identities", risk.score_identities),
    ("Finding what would lower a score", risk.find_changes),
    ("Measuring guardrails", guardrails.measure_guardrails),
    ("Trying kept drafts", guardrails.try_drafts),
    ("Listing what to change first", remediation.list_remediation),
    ("Checking the data", about.describe),
    ("Keeping the history", about.keep_history),
    ("Listing problems", about.list_problems),
)
