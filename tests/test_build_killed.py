"""A build that is killed leaves the one before in use, and the next one comes out as if nothing had happened."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from analytics.build import STEPS, build_store
from analytics.settings import Settings
from analytics.sources.usage import IngestError
from analytics.store import Store
from tests.event_builders import call, outsider, role_session, user, write_events
from tests.snapshot_files import details, document, role, write_account
from tests.snapshot_files import user as user_entry

PROJECT = Path(__file__).resolve().parent.parent
SETTINGS = Settings(batch_rows=40)  # many small transactions

# Builds like `python -m analytics build`, and kills itself at the n-th sign of progress, or at the n-th fsync.
BUILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from analytics.build import build_store
from analytics.settings import Settings
from analytics.store import Store

events, snapshot, store, kind, moment = sys.argv[1:]
left = {kind: int(moment)}

def die_at(kind):
    if kind in left:
        left[kind] -= 1
        if left[kind] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

def progress(what, done, total):
    print(what, flush=True)
    die_at("progress")

fsync = os.fsync
def synced(handle):
    die_at("fsync")
    fsync(handle)
os.fsync = synced
build_store([events], Path(snapshot), Store(Path(store)), settings=Settings(batch_rows=40),
            now=datetime.now(UTC), progress=progress)
"""


HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


class Input(NamedTuple):
    """Events of which the store has seen some, the snapshot, and what a build of all must say."""

    events: Path
    snapshot: Path
    store: Store
    before: dict[str, list[tuple[Any, ...]]]
    whole: dict[str, list[tuple[Any, ...]]]


def figures(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables of the current build, but for what tells builds apart."""
    with store.connect() as con:
        tables = [name for (name,) in con.execute("select table_name from duckdb_tables() order by all").fetchall()]
        assert len(tables) >= 15
        return {
            name: con.execute(f"select * from {name} order by all").fetchall()
            for name in tables
            if name not in ("build", "history")
        }


def build(events: Path, snapshot: Path, store: Store) -> None:
    build_store([str(events)], snapshot, store, settings=SETTINGS, now=datetime.now(UTC))


@pytest.fixture
def given(tmp_path: Path) -> Input:
    events, store = tmp_path / "events", Store(tmp_path / "store")
    snapshot = write_account(
        tmp_path / "snapshot",
        details(
            roles=[role("app", RolePolicyList=[{"PolicyName": "work", "PolicyDocument": document("s3:*", "ec2:*")}])],
            users=[user_entry("ann")],
        ),
    )
    who = [role_session(), user(), outsider(), role_session(issuer=None)]
    for file in range(6):
        records = [
            call(
                ("s3:CreateBucket", "ec2:RunInstances", "s3:ListAllMyBuckets")[number % 3],
                who[number % len(who)],
                at=f"2026-03-{1 + number % 28:02}T12:00:00Z",
                sharedEventID=f"s-{number % 7}" if number % 5 == 0 else None,
            )
            for number in range(file, file + 30)
        ]
        write_events(events / f"{file}.parquet", records)
        if file == 1:
            build(events, snapshot, store)
    before = figures(store)
    undisturbed = Store(tmp_path / "undisturbed")
    build(events, snapshot, undisturbed)
    whole = figures(undisturbed)
    assert whole != before
    return Input(events, snapshot, store, before, whole)


def started(given: Input, kind: str, moment: int) -> subprocess.Popen[str]:
    arguments = [str(given.events), str(given.snapshot), str(given.store.folder), kind, str(moment)]
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_whole_after(given: Input) -> None:
    """What is in use is one of the two builds, and the next build is the whole one."""
    assert figures(given.store) in (given.before, given.whole)
    build(given.events, given.snapshot, given.store)
    assert figures(given.store) == given.whole
    left = {path.suffix for path in given.store.builds.iterdir()}
    assert left == {".duckdb"}


def kill_at(given: Input, moments: Sequence[tuple[str, int]]) -> None:
    for kind, moment in moments:
        process = started(given, kind, moment)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, errors
    assert_whole_after(given)


@pytest.mark.parametrize(("kind", "moment"), [("progress", 4), ("progress", 16), ("fsync", 0)])
def test_a_build_killed_midway_leaves_the_one_before(given: Input, kind: str, moment: int) -> None:
    kill_at(given, [(kind, moment)])


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(24))
def test_a_build_killed_at_any_step_leaves_the_one_before(given: Input, moment: int) -> None:
    process = started(given, "progress", moment)
    output, errors = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), errors
    assert process.returncode != 0 or len(output.splitlines()) <= moment
    assert_whole_after(given)


def test_a_build_killed_while_it_writes_its_loads_leaves_the_one_before(given: Input) -> None:
    """A load syncs five times: three tables, its folder, the folder of all."""
    kill_at(given, [("fsync", moment) for moment in (1, 6, 3, 4)])
    folders = {path.name for path in given.store.work.with_suffix(".loads").iterdir()}
    with duckdb.connect(str(given.store.work), read_only=True) as con:
        named = {str(load_id) for (load_id,) in con.execute("select distinct load_id from source_file").fetchall()}
    assert folders == {"0", *named}


@pytest.mark.slow
def test_a_build_killed_while_it_is_published_leaves_one_of_the_two(given: Input) -> None:
    loaded = [("progress", len(STEPS) + 5)]  # every load is there: what is synced now is the build
    kill_at(given, loaded + [("fsync", moment) for moment in range(4)])


@pytest.mark.slow
def test_builds_killed_again_and_again_at_random_moments_lose_nothing(given: Input) -> None:
    """At moments of the clock, not of the program: also inside a transaction, a checkpoint, an import."""
    start = time.monotonic()
    whole = started(given._replace(store=Store(given.store.folder.parent / "timed")), "never", 0)
    whole.communicate(timeout=120)
    assert whole.returncode == 0
    duration = time.monotonic() - start
    chance = random.Random(11)
    killed = 0
    for _ in range(15):
        process = started(given, "never", 0)
        try:
            process.wait(timeout=chance.uniform(0.2, 1.0) * duration)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert figures(given.store) in (given.before, given.whole)
    assert killed > 0
    assert_whole_after(given)


def test_a_second_builder_is_told_to_wait(given: Input) -> None:
    """The first has the ingester's database for as long as it builds."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(given.store.work)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(IngestError, match="wait until the other build of this store is done"):
        build(given.events, given.snapshot, given.store)
    holder.communicate("")
    assert_whole_after(given)
