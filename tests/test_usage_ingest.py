"""From files to the roll-up: only what is new or changed is read, nothing is lost, whatever the batches are."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.sources import loads, usage
from analytics.sources.cloudtrail import SourceFile, discover, inspect
from analytics.sources.loads import Loads
from analytics.sources.rejects import rejects_beside
from analytics.sources.usage import IngestError, ingest, open_work
from analytics.sql import read_sql
from tests.event_builders import ACCOUNT, OTHER, call, outsider, role_session, user, write_events

ROLLUP = "select * from rollup order by all"


class Watched:
    """The ingester's database on a folder, and the files that each ingest really read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events = folder / "events"
        self.con = open_work(folder / "work.duckdb", memory_limit="1GB")
        self.read: list[str] = []
        load = usage._load

        def watched(con: duckdb.DuckDBPyConnection, held: Loads, batch: list[SourceFile], stamps: Any) -> None:
            self.read += [Path(file.path).name for file in batch]
            load(con, held, batch, stamps)

        monkeypatch.setattr(usage, "_load", watched)

    def ingest(self, *, batch_rows: int = 1000) -> list[str]:
        """Ingest the folder as it is; the names of the files that were read."""
        self.read.clear()
        ingest(self.con, inspect(discover([str(self.events)])), batch_rows=batch_rows)
        return sorted(self.read)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    @property
    def calls(self) -> int:
        return self.rows("select coalesce(sum(calls), 0)::bigint from rollup")[0][0]

    @property
    def problems(self) -> dict[str, str]:
        rows = self.rows("select path, problem from source_file where problem is not null")
        return {Path(path).name: problem for path, problem in rows}


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    found = Watched(tmp_path, monkeypatch)
    yield found
    found.con.close()


def write(folder: Path, name: str, calls: int) -> Path:
    return write_events(folder / name, [call("s3:CreateBucket") for _ in range(calls)])


def test_a_repeated_ingest_reads_nothing(watched: Watched) -> None:
    write(watched.events, "a.parquet", 3)
    write(watched.events, "b.parquet", 4)
    assert watched.ingest() == ["a.parquet", "b.parquet"]
    before = watched.rows(ROLLUP)
    assert watched.ingest() == []
    assert (watched.rows(ROLLUP), watched.calls) == (before, 7)


def test_a_new_file_alone_is_read(watched: Watched) -> None:
    write(watched.events, "a.parquet", 3)
    watched.ingest()
    write(watched.events, "b.parquet", 4)
    assert watched.ingest() == ["b.parquet"]
    assert watched.calls == 7


def test_a_changed_file_is_read_again_with_those_of_its_load(watched: Watched) -> None:
    for name in ("a.parquet", "b.parquet", "c.parquet"):
        write(watched.events, name, 2)
    watched.ingest(batch_rows=4)  # a and b are one load, c another
    write(watched.events, "a.parquet", 5)
    assert watched.ingest(batch_rows=4) == ["a.parquet", "b.parquet"]
    assert watched.calls == 9


def test_a_file_of_the_same_size_and_another_time_is_read_again(watched: Watched) -> None:
    path = write(watched.events, "a.parquet", 2)
    watched.ingest()
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert watched.ingest() == ["a.parquet"]
    assert watched.calls == 2


def test_what_a_removed_file_gave_goes_with_it(watched: Watched) -> None:
    write(watched.events, "a.parquet", 3)
    write_events(watched.events / "b.parquet", [call("s3:CreateBucket", sharedEventID="s"), call("s3:CreateBucket")])
    watched.ingest()
    (watched.events / "b.parquet").unlink()
    assert watched.ingest() == ["a.parquet"]
    assert watched.calls == 3
    assert watched.rows("select count(*) from source_file") == [(1,)]


def test_a_file_that_is_no_parquet_is_recorded_until_it_is_mended(watched: Watched) -> None:
    write(watched.events, "a.parquet", 3)
    (watched.events / "b.parquet").write_text("nonsense")
    assert watched.ingest() == ["a.parquet"]
    assert list(watched.problems) == ["b.parquet"]
    assert watched.ingest() == []
    write(watched.events, "b.parquet", 1)
    assert watched.ingest() == ["b.parquet"]
    assert (watched.calls, watched.problems) == (4, {})


def damage(path: Path) -> None:
    """Spoil the data of a Parquet file and leave its footer whole."""
    data = bytearray(path.read_bytes())
    start = 4
    data[start : start + len(data) // 2] = bytes(len(data) // 2)
    path.write_bytes(data)


def test_a_file_with_damaged_data_is_set_aside_and_the_rest_of_its_batch_loaded(watched: Watched) -> None:
    for name in ("a.parquet", "b.parquet", "c.parquet"):
        write(watched.events, name, 2)
    damage(watched.events / "b.parquet")
    watched.ingest()
    assert list(watched.problems) == ["b.parquet"]
    assert "damaged" in watched.problems["b.parquet"]
    assert watched.calls == 4
    assert watched.rows("select sum(rows_read)::integer from source_file") == [(4,)]


def test_a_file_that_is_damaged_later_loses_what_it_gave(watched: Watched) -> None:
    path = write(watched.events, "a.parquet", 2)
    write(watched.events, "b.parquet", 1)
    watched.ingest()
    damage(path)
    watched.ingest()
    assert (watched.calls, list(watched.problems)) == (1, ["a.parquet"])


def test_no_file_is_blamed_for_what_is_not_its_fault(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    write(watched.events, "a.parquet", 2)

    def full(*_: Any) -> None:
        raise duckdb.OutOfMemoryException("no space left")

    monkeypatch.setattr(usage, "_load", full)
    with pytest.raises(IngestError, match=r"1 files from `.*a\.parquet` on cannot be loaded \(no space left\)"):
        watched.ingest()
    assert watched.problems == {}


def test_a_file_that_changes_while_it_is_read_is_not_counted_half(watched: Watched) -> None:
    path = write(watched.events, "a.parquet", 2)
    files = inspect([str(path)])
    write(watched.events, "a.parquet", 3)
    with pytest.raises(IngestError, match=r"changed while they were read: 2 rows at first, then 3"):
        ingest(watched.con, files, batch_rows=10)
    assert (watched.calls, watched.rows("select count(*) from source_file")) == (0, [(0,)])
    watched.ingest()
    assert watched.calls == 3


def test_rows_that_get_lost_are_never_published(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    write(watched.events, "a.parquet", 2)
    lossy = read_sql("rollup") + " and false"
    monkeypatch.setattr(loads, "read_sql", lambda name: lossy if name == "rollup" else read_sql(name))
    with pytest.raises(IngestError, match=r"of 2 rows .* 0 are accounted for"):
        watched.ingest()
    assert watched.rows("select count(*) from source_file") == [(0,)]


def test_another_version_of_the_roll_up_reads_every_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Watched(tmp_path, monkeypatch)
    write(work.events, "a.parquet", 2)
    assert work.ingest() == ["a.parquet"]
    work.con.close()
    monkeypatch.setattr(usage, "_version", lambda: "another")
    work.con = open_work(tmp_path / "work.duckdb", memory_limit="1GB")
    assert (work.calls, work.ingest(), work.calls) == (0, ["a.parquet"], 2)
    work.con.close()
    work.con = open_work(tmp_path / "work.duckdb", memory_limit="1GB")
    assert work.ingest() == []
    work.con.close()


def reopened(watched: Watched) -> None:
    watched.con.close()
    watched.con = open_work(watched.events.parent / "work.duckdb", memory_limit="1GB")


def loads_of(watched: Watched) -> Path:
    return watched.events.parent / "work.loads"


def test_what_a_process_that_died_left_behind_is_removed_and_counts_for_nothing(watched: Watched) -> None:
    write(watched.events, "a.parquet", 2)
    watched.ingest()
    left = loads_of(watched) / "77"
    left.mkdir()
    (left / "rollup.parquet").write_text("half a fi")
    reopened(watched)
    assert (watched.calls, left.exists(), watched.ingest()) == (2, False, [])


@pytest.mark.parametrize("table", ["rollup", "role_session", "policy_change"])
def test_a_load_of_which_a_file_is_gone_is_read_again(watched: Watched, table: str) -> None:
    write(watched.events, "a.parquet", 2)
    write(watched.events, "b.parquet", 3)
    watched.ingest(batch_rows=2)
    (load_id,) = watched.rows("select load_id from source_file where path like '%b.parquet'")[0]
    (loads_of(watched) / str(load_id) / f"{table}.parquet").unlink()
    reopened(watched)
    assert watched.calls == 2
    assert watched.ingest() == ["b.parquet"]
    assert watched.calls == 5


def test_a_store_without_its_loads_reads_everything_again(watched: Watched) -> None:
    write(watched.events, "a.parquet", 2)
    watched.ingest()
    shutil.rmtree(loads_of(watched))
    reopened(watched)
    assert (watched.calls, watched.ingest(), watched.calls) == (0, ["a.parquet"], 2)


def test_a_work_file_that_was_removed_leaves_no_load_behind(watched: Watched) -> None:
    write(watched.events, "a.parquet", 2)
    watched.ingest()
    watched.con.close()
    (watched.events.parent / "work.duckdb").unlink()
    reopened(watched)
    assert [path.name for path in loads_of(watched).iterdir()] == ["0"]
    assert (watched.ingest(), watched.calls) == (["a.parquet"], 2)


def test_a_load_that_is_damaged_is_named_with_what_to_do(watched: Watched) -> None:
    write(watched.events, "a.parquet", 2)
    watched.ingest()
    for path in loads_of(watched).glob("*/rollup.parquet"):
        path.write_text("damaged")
    watched.con.close()
    with pytest.raises(IngestError, match=r"the loads in `.*work\.loads` cannot be read .*remove that folder"):
        open_work(watched.events.parent / "work.duckdb", memory_limit="1GB")


def test_the_manifest_says_what_a_file_holds_from_its_footer_or_by_counting(watched: Watched) -> None:
    times = ["2026-03-11T12:00:00Z", "2026-03-10T12:00:00Z"]
    write_events(watched.events / "a.parquet", [call("s3:CreateBucket", at=at) for at in times])
    lacking = {"eventTime": ["redacted", times[0]], "eventSource": ["s3.amazonaws.com"] * 2, "eventName": ["X", "X"]}
    pq.write_table(pa.table(lacking), watched.events / "b.parquet")
    watched.ingest(batch_rows=2)
    columns = "rows_read, rows_rejected, first_event::varchar, last_event::varchar, problem is not null"
    assert watched.rows(f"select {columns} from source_file order by path") == [
        (2, 0, "2026-03-10 12:00:00", "2026-03-11 12:00:00", False),
        (2, 1, "2026-03-11 12:00:00", "2026-03-11 12:00:00", True),
    ]


def test_a_work_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "work.duckdb"
    path.write_text("this is not a database")
    with pytest.raises(IngestError, match=r"work\.duckdb` cannot be opened .*remove the file"):
        open_work(path, memory_limit="1GB")


def test_progress_tells_every_row_once_and_those_that_were_known_at_once(watched: Watched) -> None:
    for name, calls in (("a.parquet", 3), ("b.parquet", 4), ("c.parquet", 5)):
        write(watched.events, name, calls)
    files = inspect(discover([str(watched.events)]))
    told: list[int] = []
    ingest(watched.con, files, batch_rows=4, progress=told.append)
    assert told == [0, 3, 4, 5]
    told.clear()
    ingest(watched.con, files, batch_rows=4, progress=told.append)
    assert told == [12]


# --- rejects of a conversion


def test_rejects_beside_the_events_are_counted_and_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    day = write(out / "date=2026-03-10", "a.parquet", 1)
    lines = ['{"file":"x","position":3,"reason":"r","record":"{}"}', '{"file":"y","position":null,"reason":"r"}']
    (out / "_rejects.jsonl").write_text("\n".join([*lines, lines[0]]) + "\n")
    for given_paths in ([str(day)], [str(day), str(write(out, "b.parquet", 1))]):
        (found,) = rejects_beside(given_paths)
        assert (found.path, found.rejected) == (str(out / "_rejects.jsonl"), 2)
        assert found.problem.startswith("lists 2 records and 1 whole file that `convert` could not use")


def test_rejects_that_are_none_are_a_problem_and_no_failure(tmp_path: Path) -> None:
    path = write(tmp_path, "a.parquet", 1)
    (tmp_path / "_rejects.jsonl").write_text("[]\n")
    (found,) = rejects_beside([str(path)])
    assert (found.rejected, found.problem.startswith("cannot be read as the rejects of `convert`")) == (0, True)


def test_events_without_rejects_have_none(tmp_path: Path) -> None:
    assert rejects_beside([str(write(tmp_path, "a.parquet", 1))]) == []


# --- laws

WHO = [role_session(), role_session(issuer=None), user(), outsider(), outsider(ACCOUNT, "AROAAPP")]
records = st.builds(
    lambda name, who, at, shared, fields: call(name, who, at=at, sharedEventID=shared, **fields),
    name=st.sampled_from(["s3:CreateBucket", "ec2:RunInstances", "kms:Decrypt"]),
    who=st.sampled_from(WHO),
    at=st.sampled_from(["2026-03-09T23:59:59Z", "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z"]),
    shared=st.sampled_from([None, None, "s-1", "s-2"]),
    fields=st.sampled_from(
        [
            *[{}, {"readOnly": True}, {"readOnly": None}, {"errorCode": "AccessDenied"}, {"awsRegion": None}],
            *[{"recipientAccountId": OTHER}, {"eventType": None}, {"userIdentity": None}],
        ]
    ),
)
files_of_records = st.lists(st.lists(records, max_size=6), min_size=1, max_size=5)
LAWS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CALLS = "select * from call_day order by all"


@LAWS
@given(contents=files_of_records, batch_rows=st.integers(1, 12), data=st.data())
def test_batches_and_the_order_of_files_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, contents: list[list[dict[str, Any]]], batch_rows: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("law")
    files = inspect([str(write_events(folder / f"{at}.parquet", rows)) for at, rows in enumerate(contents)])
    shuffled = data.draw(st.permutations(files))
    found = []
    for at, (order, size) in enumerate([(files, 10**6), (shuffled, batch_rows)]):
        with open_work(folder / f"{at}.duckdb", memory_limit="1GB") as con:
            ingest(con, order, batch_rows=size)
            con.execute(read_sql("call_day"))
            totals = (
                "select coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_rejected), 0)::bigint from source_file"
            )
            found.append((con.execute(CALLS).fetchall(), con.execute(totals).fetchall()))
            assert con.execute("select coalesce(sum(calls), 0)::bigint from rollup").fetchall() == [
                (sum(map(len, contents)),)
            ]
    assert found[0] == found[1]
