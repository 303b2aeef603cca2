"""The pipeline: from CloudTrail files and a snapshot to one published build, step by step.

The steps run in the order of STEPS; each leaves its tables in the database of the new build (schema `build`), which is
published as one immutable file when all are done. The ingester's roll-up (`work.duckdb`) is kept between builds.
"""

from __future__ import annotations

import csv
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analytics.engine.reach import Reach, Reachable
from analytics.findings import gap
from analytics.findings.bits import pack, to_blob
from analytics.findings.observed import Profiles
from analytics.findings.weights import ActionWeights, action_weights
from analytics.iam.catalogue import Catalogue, load_catalogue
from analytics.settings import REFERENCE, Settings
from analytics.sources.cloudtrail import SourceFile, discover, inspect
from analytics.sources.columns import literal
from analytics.sources.identity import KnownIdentities, caller
from analytics.sources.resolve import Outcome, Resolver
from analytics.sources.snapshot import Snapshot, read_snapshot
from analytics.sources.snapshot_rows import PolicyRows, account_rows, identity_rows, node_rows
from analytics.sources.usage import ingest, open_work
from analytics.sql import read_sql
from analytics.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = 1  # of the tables; a page refuses a build of another format
HISTORY_BUILDS = 50  # builds whose figures are carried along for "change since"
ERROR_CODES_FILE = REFERENCE / "error_codes.csv"

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For callers that do not watch."""


class BuildError(ValueError):
    """Input from which no build can be made; the message says what to give instead."""


@dataclass
class Build:
    """One build on its way: what it is made from, and what the steps so far have found."""

    con: DuckDBPyConnection
    build_id: str
    now: datetime
    settings: Settings
    files: Sequence[SourceFile]
    snapshot: Snapshot | None
    previous: Path | None
    progress: Progress
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

    def run(self, name: str, **rows: Any) -> None:
        """Run `analytics/sql/<name>.sql`; keyword arguments are Arrow data that it reads by that name."""
        for table, data in rows.items():
            self.con.register(table, data)
        self.con.execute(read_sql(name))
        for table in rows:
            self.con.unregister(table)

    def insert(self, table: str, batches: Any) -> None:
        """Append record batches to a table, one at a time."""
        for batch in batches:
            self.con.register("batch", pa.Table.from_batches([batch]))
            self.con.execute(f"insert into {table} by name select * from batch")
            self.con.unregister("batch")


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
    files = inspect(discover(events))
    identities = read_snapshot(snapshot) if snapshot is not None else None
    con = open_work(store.work, memory_limit=settings.memory_limit)
    try:
        total = sum(file.rows for file in files)
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            progress("Reading events", done, total)

        ingest(con, files, batch_rows=settings.batch_rows, progress=count)
        return _publish(con, files, identities, store, settings=settings, now=now, progress=progress)
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
    current = store.current()
    previous = store.path(current) if current else None
    with store.new_build(build_id) as partial:
        con.execute(f"attach {literal(str(partial))} as build")
        con.execute("set search_path = 'build.main,work.main'")
        build = Build(con, build_id, now, settings, files, snapshot, previous, progress)
        for index, (what, step) in enumerate(STEPS):
            progress(what, index, len(STEPS))
            step(build)
        progress("Publishing", len(STEPS), len(STEPS))
        con.execute("set search_path = 'work.main'")
        con.execute("checkpoint build")
        con.execute("detach build")
    store.remove_old(settings.keep_builds)
    return build_id


def _windows(build: Build) -> None:
    """The windows, all ending on the last event's UTC day."""
    row = build.con.execute("select max(last_time), min(first_time) from work.rollup").fetchall()[0]
    shared = build.con.execute("select max(event_time), min(event_time) from work.shared_event").fetchall()[0]
    last = max((time for time in (row[0], shared[0]) if time), default=None)
    if last is None:
        problems = "; ".join(f"`{file.path}`: {file.problem}" for file in build.files if file.problem)
        raise BuildError(f"no event could be read from the given files ({problems or 'they hold no rows'})")
    end: date = last.date()
    own = build.settings.window_days
    days = sorted({own, *(window for window in build.settings.windows if window < own)})
    rows = pa.table(
        {
            "window_days": pa.array(days, pa.int32()),
            "window_start": [end - timedelta(days=count - 1) for count in days],
            "window_end": [end] * len(days),
        }
    )
    build.run("windows", window_rows=rows)


def _call_days(build: Build) -> None:
    """Calls counted once, whoever logged them; and what each error means."""
    build.run("call_day")
    codes = [code for (code,) in build.con.execute("select distinct error_code from call_day").fetchall() if code]
    with ERROR_CODES_FILE.open(encoding="utf-8", newline="") as file:
        rules = [(row["error_code_like"].replace("%", "*"), row["outcome"]) for row in csv.DictReader(file)]
    outcomes = {code: next((outcome for like, outcome in rules if fnmatchcase(code, like)), None) for code in codes}
    known = {code: outcome for code, outcome in outcomes.items() if outcome}
    rows = pa.table({"error_code": pa.array(known, pa.string()), "outcome": pa.array(known.values(), pa.string())})
    _temporary(build, "error_outcome", rows)


def _callers(build: Build) -> None:
    """Who each reference of the roll-up is."""
    known = KnownIdentities.of(build.snapshot.identities if build.snapshot else ())
    seen = build.con.execute("select distinct principal_ref, account_id from call_day").fetchall()
    callers = [caller(reference, account_id, known) for reference, account_id in seen]
    rows = pa.table(
        {
            "principal_ref": pa.array([reference for reference, _ in seen], pa.string()),
            "seen_account_id": pa.array([account_id for _, account_id in seen], pa.string()),
            "principal_arn": pa.array([found.principal_arn for found in callers], pa.string()),
            "kind": pa.array([str(found.kind) for found in callers], pa.string()),
            "account_id": pa.array([found.account_id for found in callers], pa.string()),
        }
    )
    _temporary(build, "caller", rows)


def _events_to_actions(build: Build) -> None:
    """What each distinct event needs, looked up once."""
    resolver = Resolver.load(build.catalogue)
    names = build.con.execute("select distinct event_source, event_name, event_type from call_day").fetchall()
    rows: list[tuple[str, str, str | None, str, str | None, str | None]] = []
    for source, name, kind in names:
        found = resolver.resolve(source, name, kind)
        actions = [(match, action) for match in ("all", "any", "also") for action in getattr(found, match)]
        outcome = "possible" if found.outcome is Outcome.RESOLVED and not found.all else str(found.outcome)
        rows += [(source, name, kind, outcome, action, match) for match, action in actions or [(None, None)]]
    columns = ("event_source", "event_name", "event_type", "outcome", "action", "match")
    _temporary(build, "event_action", _text_table(columns, rows))
    build.run("event_names")


def _temporary(build: Build, name: str, rows: pa.Table) -> None:
    build.con.register("rows_of_step", rows)
    build.con.execute(f"create or replace temp table {name} as select * from rows_of_step")
    build.con.unregister("rows_of_step")


def _text_table(columns: Sequence[str], rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)})


def _actions(build: Build) -> None:
    """The catalogue as a table, with weights."""
    catalogue, weights = build.catalogue, build.weights
    rows = pa.table(
        {
            "number": pa.array(range(len(catalogue.actions)), pa.int32()),
            "action": list(catalogue.actions),
            "service": [action.partition(":")[0].lower() for action in catalogue.actions],
            "access_level": [str(level) for level in catalogue.levels],
            "visibility": [str(kind) for kind in catalogue.visibility],
            "weight": list(weights.weights),
            "weight_class": list(weights.classes),
            "high_risk": [weight >= weights.high_risk_from for weight in weights.weights],
        }
    )
    build.run("actions", action_rows=rows)


def _reach(build: Build) -> None:
    """What every identity can do; equal pairs of sets are kept once."""
    identities = build.snapshot.identities if build.snapshot else ()
    reachable = Reachable(build.catalogue)
    numbers: dict[Reach, int] = {}
    reach_ids: list[int] = []
    for done, identity in enumerate(identities):
        if build.snapshot is None:
            break
        if done % 1000 == 0:
            build.progress("Effective permissions", done, len(identities))
        reach = reachable.of(build.snapshot.stack_of(identity))
        reach_ids.append(numbers.setdefault(reach, len(numbers)))
    build.reaches = list(numbers)
    rows = pa.table(
        {
            "reach_id": pa.array(range(len(build.reaches)), pa.int32()),
            "surely": pa.array([to_blob(reach.surely) for reach in build.reaches], pa.binary()),
            "maybe": pa.array([to_blob(reach.maybe) for reach in build.reaches], pa.binary()),
            "surely_actions": pa.array([reach.surely.bit_count() for reach in build.reaches], pa.int32()),
            "maybe_actions": pa.array([reach.maybe.bit_count() for reach in build.reaches], pa.int32()),
        }
    )
    build.run("reach", reach_rows=rows)
    build.run("reach_service")
    build.insert("reach_service", gap.reach_service(build.catalogue, build.reaches))
    _temporary(build, "identity_rows", identity_rows(identities, reach_ids, owner_tags=build.settings.owner_tags))


def _usage(build: Build) -> None:
    """Calls as actions."""
    build.run("usage")


def _accounts(build: Build) -> None:
    """Accounts and the organisation, with what the export holds of each."""
    build.run("account_coverage")
    rows = account_rows(
        build.snapshot.accounts if build.snapshot else (),
        environment_tags=build.settings.environment_tags,
        environment_words=build.settings.environment_words,
    )
    build.run("accounts", account_rows=rows)
    build.run("nodes", node_rows=node_rows(build.snapshot))


def _observable(build: Build) -> None:
    """Of which actions each account would have shown a call."""
    rows = build.con.execute(
        "select account_id, window_days, calls > 0, sees_read_only, sees_kms from account_coverage"
    ).fetchall()
    trails = build.snapshot.trails if build.snapshot else None
    always = frozenset(build.settings.data_events_logged.get("*", ()))
    found: list[tuple[str, int, int]] = []
    for account_id, window_days, has_events, sees_read_only, sees_kms in rows:
        logged = always | frozenset(build.settings.data_events_logged.get(account_id, ()))
        coverage = gap.Coverage(
            has_events=bool(has_events),
            sees_read_only=sees_read_only and not (trails and trails.leaves_out_read_only(account_id)),
            sees_kms=sees_kms and not (trails and trails.leaves_out_kms(account_id)),
            data_events_logged=logged | (trails.data_events_logged(account_id) if trails else frozenset()),
        )
        found.append((account_id, window_days, build.profiles.number(coverage)))
    masks = [to_blob(mask) for mask in build.profiles.masks]
    table = pa.table(
        {
            "account_id": pa.array([row[0] for row in found], pa.string()),
            "window_days": pa.array([row[1] for row in found], pa.int32()),
            "profile_id": pa.array([row[2] for row in found], pa.int32()),
            "mask": pa.array([masks[row[2]] for row in found], pa.binary()),
        }
    )
    build.run("observable", observable_rows=table)


def _principals(build: Build) -> None:
    """Every identity, of the snapshot or of the logs, and the policies that bear on it."""
    build.run("principals")
    policies = PolicyRows()
    if build.snapshot:
        policies.add(build.snapshot)
    for name, rows in policies.tables():
        build.run(name, **{f"{name}_rows": rows})


def _gap(build: Build) -> None:
    """Granted against used."""
    con, size = build.con, len(build.catalogue.actions)
    build.run("granted_service")
    pairs = con.execute(
        "select distinct reach_id, coalesce(profile_id, 0) from principals cross join windows"
        " left join observable using (account_id, window_days) where reach_id is not null"
    ).fetchall()
    batches = gap.granted_service(build.catalogue, build.weights, build.reaches, build.profiles.masks, sorted(pairs))
    build.insert("granted_service", batches)
    build.run("seen_action")
    seen = con.execute(
        "select seen_id, reach_id, coalesce(profile_id, 0) as profile_id, number from seen_action where reach_id is not null"
    ).fetchnumpy()
    facts = gap.seen_actions(
        build.weights,
        pack([reach.maybe for reach in build.reaches] or [0], size),
        pack([reach.surely for reach in build.reaches] or [0], size),
        pack(build.profiles.masks, size),
        reach_id=seen["reach_id"].astype("int64"),
        profile_id=seen["profile_id"].astype("int64"),
        number=seen["number"].astype("int64"),
    )
    build.run("seen_fact", known_facts=pa.table({"seen_id": seen["seen_id"], **facts}))
    build.run("gap_service")
    build.run("gap_identity")


def _health(build: Build) -> None:
    """Can one trust this: files, problems, and the build itself."""
    build.run("health")
    problems = [
        ("snapshot", problem.subject, problem.reason) for problem in (build.snapshot.problems if build.snapshot else ())
    ]
    build.run("problems", problem_rows=_text_table(("source", "subject", "reason"), problems))
    facts = pa.table(
        {
            "id": [build.build_id],
            "created_at": pa.array([build.now.replace(tzinfo=None)], pa.timestamp("us")),
            "catalogue": [build.catalogue.version],
            "weights": [build.weights.version],
            "snapshot_taken_at": pa.array(
                [build.snapshot.taken_at.replace(tzinfo=None) if build.snapshot and build.snapshot.taken_at else None],
                pa.timestamp("us"),
            ),
            "has_snapshot": [build.snapshot is not None],
            "has_organization": [bool(build.snapshot and build.snapshot.organization)],
            "format": pa.array([FORMAT], pa.int32()),
        }
    )
    build.run("build", build_rows=facts)


def _history(build: Build) -> None:
    """This build's figures beside those of earlier builds of the store."""
    build.run("history")
    if build.previous is not None:
        build.con.execute(f"attach {literal(str(build.previous))} as previous (read_only)")
        build.con.execute(
            "insert into history by name select * from previous.main.history where build_id in ("
            " select build_id from previous.main.history group by build_id order by max(created_at) desc limit $most)",
            {"most": HISTORY_BUILDS},
        )
        build.con.execute("detach previous")


STEPS: tuple[tuple[str, Callable[[Build], None]], ...] = (
    ("Finding the window", _windows),
    ("Counting calls once", _call_days),
    ("Naming the callers", _callers),
    ("Resolving events to actions", _events_to_actions),
    ("Weighing actions", _actions),
    ("Counting use", _usage),
    ("Effective permissions", _reach),
    ("Measuring coverage", _accounts),
    ("Telling unused from unobserved", _observable),
    ("Listing identities", _principals),
    ("Comparing grants with use", _gap),
    ("Checking the data", _health),
    ("Keeping the history", _history),
)
