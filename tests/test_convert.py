"""Raw logs to Parquet: every record is written or rejected, and running again changes nothing."""

import gzip
import json
import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import duckdb
import pytest

from analytics.sources import convert as convert_module
from analytics.sources.cloudtrail import SourceError, discover, inspect
from analytics.sources.convert import REJECTS, ConvertReport, convert, output_name
from analytics.sources.convert_file import Job, Outcome
from tests.event_files import EVENTS, event, raw_files, read_events, records_of, write_raw


def rejects(report: ConvertReport) -> list[dict]:
    if report.rejects is None:
        return []
    return [json.loads(line) for line in Path(report.rejects).read_text().splitlines()]


def converted(tmp_path, content: bytes | str, name: str = "log.json", **options) -> ConvertReport:
    """One file of this content, converted."""
    source = tmp_path / "raw" / name
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = convert([source], tmp_path / "out", workers=1, **options)
    assert_balanced(report)
    return report


def assert_balanced(report: ConvertReport) -> None:
    """Found = written + rejected in every file, and the Parquet and the rejects hold just as many."""
    for file in report.files:
        assert file.found == file.written + file.rejected, file
    outputs = [path for file in report.files for path in file.outputs]
    assert sum(file.rows for file in inspect(outputs)) == report.written
    named = [one for one in rejects(report) if one["file"] in {file.path for file in report.files}]
    assert sum(one["position"] is not None for one in named) == report.rejected


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ConvertReport:
    return convert([EVENTS], tmp_path_factory.mktemp("out"), workers=1)


class TestRealEvents:
    def test_every_record_of_every_file_is_accounted_for(self, real):
        assert_balanced(real)
        # Counted by the standard library alone: 2,403 events of real accounts, 302 fixtures of which 7 in envelopes.
        (envelopes,) = EVENTS.glob("eventbridge/*.gz")
        counted = {str(path): len(records_of(path)) for path in EVENTS.rglob("*.gz") if path != envelopes}
        counted[str(envelopes)] = 7
        assert {file.path: file.found for file in real.files if file.path in counted} == counted
        assert sum(counted.values()) == 2403 + 302

    def test_only_the_event_whose_time_is_redacted_is_rejected(self, real):
        (named,) = (one for one in rejects(real) if one["file"].endswith(".gz"))
        assert named["reason"] == "`eventTime` is `redacted`, which is not a time such as 2026-01-31T12:00:00Z"
        (source,) = EVENTS.glob("panther-fixtures/*.gz")
        assert (named["file"], json.loads(named["record"])) == (str(source), records_of(source)[named["position"] - 1])

    def test_files_that_hold_no_events_are_named(self, real):
        odd = {Path(file.path).name: (file.outcome, file.reason) for file in real.files if file.reason}
        assert odd == {
            "811596193553_CloudTrail_ap-southeast-1-20200930T2358.json.gz": (Outcome.NO_EVENTS, "holds no records"),
            "AddroletoInstanceProfile.ocsf.gz.parquet": (
                Outcome.UNREADABLE,
                "is already Parquet; give it to `build` as it is",
            ),
        }

    def test_what_layout_d_has_no_room_for_is_kept_and_counted(self, real):
        assert real.other_fields["p_log_type"] == 63
        outputs = [path for file in real.files for path in file.outputs]
        query = "SELECT count(otherFields ->> 'p_log_type') FROM read_parquet($1, hive_partitioning = false)"
        with duckdb.connect() as con:
            assert con.execute(query, [outputs]).fetchall() == [(63,)]

    def test_events_stand_in_the_folder_of_their_utc_day(self, real):
        rows = read_events(Path(real.rejects).parent, columns=["event_time", "source_file"])
        assert len(rows) == real.written
        for row in rows:
            assert f"/date={row['event_time']:%Y-%m-%d}/" in row["source_file"]


ONE = json.dumps(event(eventID="1"))
TWO = json.dumps(event(eventID="2"))
BRIDGE = {"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3"}


class TestEnvelopes:
    @pytest.mark.parametrize(
        "content",
        [
            f'{{"Records": [{ONE}, {TWO}]}}',
            f"[{ONE}, {TWO}]",
            f"{ONE}\n{TWO}\n",
            f"{ONE}\r\n\r\n{TWO}",
            f"{ONE}{TWO}",
            f" {ONE} {TWO}\n",
            json.dumps(event(eventID="1"), indent=2) + "\n" + json.dumps(event(eventID="2"), indent=2),
            "\ufeff" + f'{{"Records": [{ONE}, {TWO}]}}',
            json.dumps([BRIDGE | {"detail": json.loads(ONE)}, BRIDGE | {"detail": json.loads(TWO)}]),
            "\n".join(json.dumps(BRIDGE | {"detail": json.loads(one)}) for one in (ONE, TWO)),
            json.dumps(
                {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "x", "message": one} for one in (ONE, TWO)]}
            ),
            json.dumps(
                {"events": [{"message": json.dumps(BRIDGE | {"detail": json.loads(one)})} for one in (ONE, TWO)]}
            ),
            json.dumps({"Events": [{"EventId": "1", "CloudTrailEvent": ONE}, {"CloudTrailEvent": TWO}]}),
            f'{{"Records": [{ONE}]}}\n{{"Records": [{TWO}]}}',
        ],
    )
    @pytest.mark.parametrize("packed", [True, False])
    def test_records_are_found_in_any_wrapping(self, tmp_path, content, packed):
        data = content.encode()
        report = converted(tmp_path, gzip.compress(data) if packed else data, "log.json.gz" if not packed else "log")
        assert (report.found, report.written) == (2, 2)
        assert [row["event_id"] for row in read_events(tmp_path / "out")] == ["1", "2"]

    def test_wrappings_may_be_wrapped(self, tmp_path):
        export = {"events": [{"message": json.dumps(BRIDGE | {"detail": json.loads(ONE)})}]}
        assert converted(tmp_path, json.dumps([export, export])).written == 2

    def test_wrappings_without_end_are_a_reject(self, tmp_path):
        wrapped = json.loads(ONE)
        for _ in range(50):
            wrapped = {"detail": wrapped}
        (named,) = rejects(converted(tmp_path, json.dumps(wrapped)))
        assert named["reason"] == "has no `eventTime`"

    def test_one_record_alone_is_a_file(self, tmp_path):
        assert converted(tmp_path, ONE).written == 1

    def test_a_record_with_a_member_named_like_an_envelope_is_a_record(self, tmp_path):
        report = converted(tmp_path, json.dumps(event(detail={"x": 1})))
        assert (report.written, report.other_fields) == (1, {"detail": 1})

    def test_several_gzip_members_are_one_file(self, tmp_path):
        assert converted(tmp_path, gzip.compress(ONE.encode() + b"\n") + gzip.compress(TWO.encode())).written == 2


class TestBadFiles:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (b"  \n ", "is empty"),
            (gzip.compress(b"", mtime=0), "is empty"),
            (gzip.compress(ONE.encode(), mtime=0)[:-12], "is a gzip file that is cut off; copy it again"),
            (gzip.compress(ONE.encode(), mtime=0)[:-6] + b"xxxxxx", "is a damaged gzip file (CRC check failed"),
            (b"\x1f\x8b" + b"no gzip" * 9, "is a damaged gzip file"),
            (b"hello", "is neither JSON nor gzip of JSON"),
            (b"PAR1....PAR1", "is already Parquet"),
            (b'{"Records": [{"eventTime": ', "is not whole JSON"),
            (b'{"Records": [NaN]}', "is not whole JSON"),
            (b"[" * 100_000, "is not whole JSON"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(self, tmp_path, content, reason):
        write_raw(tmp_path / "raw" / "good.json.gz", {"Records": [event()]})
        (tmp_path / "raw" / "bad.json.gz").write_bytes(content)
        report = convert([tmp_path / "raw"], tmp_path / "out", workers=1)
        assert_balanced(report)
        bad, good = report.files
        assert (bad.outcome, bad.outputs) == (Outcome.UNREADABLE, ())
        assert reason in (bad.reason or "")
        assert (good.outcome, good.written) == (Outcome.CONVERTED, 1)
        (named,) = rejects(report)
        assert (named["file"], named["position"], named["record"]) == (bad.path, None, None)
        assert named["reason"] == bad.reason

    def test_a_digest_file_holds_no_events_and_is_no_fault(self, tmp_path):
        digest = {"awsAccountId": "1", "digestStartTime": "x", "digestEndTime": "y", "logFiles": [{"hashValue": "z"}]}
        report = converted(tmp_path, json.dumps(digest))
        (file,) = report.files
        assert (file.outcome, file.reason) == (
            Outcome.NO_EVENTS,
            "is a CloudTrail digest file, which holds no events",
        )
        assert report.rejects is None

    def test_a_file_larger_than_memory_allows_is_named(self, tmp_path, monkeypatch):
        monkeypatch.setattr("analytics.sources.records.read_records.__kwdefaults__", {"max_bytes": 1 << 20})
        report = converted(tmp_path, gzip.compress(b'{"Records": [' + b" " * (2 << 20) + b"]}", mtime=0))
        assert report.files[0].reason == "holds more than 1 MiB of JSON; split it into smaller files"

    def test_nothing_of_a_file_that_breaks_off_is_written(self, tmp_path):
        lines = "\n".join(json.dumps(event(eventID=str(n), userAgent=os.urandom(40).hex())) for n in range(2000))
        whole = gzip.compress(lines.encode(), mtime=0)
        assert converted(tmp_path, whole[: len(whole) // 2]).files[0].outcome is Outcome.UNREADABLE
        assert list((tmp_path / "out").glob("date=*")) == []


class TestBadRecords:
    @pytest.mark.parametrize(
        ("record", "reason"),
        [
            (None, "is null, not an object"),
            ("text", "is text, not an object"),
            (7, "is a number, not an object"),
            (True, "is a truth value, not an object"),
            ({}, "has no `eventTime`"),
            (event(eventTime=None), "has no `eventTime`"),
            (event(eventTime=""), "has no `eventTime`"),
            (event(eventTime=1_700_000_000), "`eventTime` is a number, not text"),
            (event(eventTime="yesterday"), "`eventTime` is `yesterday`, which is not a time such as"),
            (event(eventTime="2026-01-31"), "`eventTime` is `2026-01-31`, which is not a time such as"),
            (event(eventTime="2026-02-30T12:00:00Z"), "`eventTime` is `2026-02-30T12:00:00Z`, which is not a time"),
            (event(eventSource=None), "has no `eventSource`"),
            (event(eventName=["x"]), "`eventName` is a list, not text"),
            (event(userIdentity="root"), "`userIdentity` is text, not an object"),
        ],
    )
    def test_a_record_that_is_no_event_is_rejected_with_its_place_and_text(self, tmp_path, record, reason):
        report = converted(tmp_path, json.dumps({"Records": [event(), record, event()]}))
        assert (report.found, report.written, report.rejected) == (3, 2, 1)
        (named,) = rejects(report)
        assert named["position"] == 2
        assert named["reason"].startswith(reason)
        assert json.loads(named["record"]) == record

    def test_a_line_that_is_no_json_is_rejected_and_the_rest_goes_on(self, tmp_path):
        report = converted(tmp_path, f'{ONE}\n{{"eventTime": broken\n{TWO}\n')
        assert (report.found, report.written) == (3, 2)
        (named,) = rejects(report)
        assert (named["position"], named["record"]) == (2, '{"eventTime": broken')
        assert named["reason"].startswith("is not JSON: ")

    def test_a_message_that_is_no_json_is_rejected_with_its_text(self, tmp_path):
        control = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE: Checking"}]}
        (named,) = rejects(converted(tmp_path, json.dumps(control)))
        assert named["record"] == "CWL CONTROL MESSAGE: Checking"
        assert named["reason"].startswith("`message` is not JSON: ")

    def test_half_a_surrogate_pair_costs_a_character_and_no_record(self, tmp_path):
        report = converted(
            tmp_path, f'{{"Records": [{ONE}, {json.dumps(event(eventID="2", userAgent="a" + chr(0xD800)))}]}}'
        )
        assert report.written == 2
        assert [row["user_agent"] for row in read_events(tmp_path / "out")] == [None, "a\ufffd"]

    def test_values_that_fit_no_column_are_kept_under_their_names(self, tmp_path):
        odd = event(
            errorCode=404,
            readOnly="perhaps",
            userAgent={"tool": "x"},
            newInvention=[1],
            resources=[{"ARN": "r", "ARNPrefix": "p"}],
            userIdentity={"type": "Root", "novelty": 1, "sessionContext": "none"},
            requestParameters="text",
            sessionCredentialFromConsole="true",
        )
        report = converted(tmp_path, json.dumps(odd))
        columns = "otherFields, errorCode, userIdentity.type, requestParameters, sessionCredentialFromConsole"
        query = f"SELECT {columns} FROM read_parquet($1)"
        with duckdb.connect() as con:
            ((other, *row),) = con.execute(query, [list(report.files[0].outputs)]).fetchall()
        assert row == ["404", "Root", '"text"', True]
        assert json.loads(other) == {
            "readOnly": "perhaps",
            "userAgent": {"tool": "x"},
            "newInvention": [1],
            "resources": [{"ARN": "r", "ARNPrefix": "p"}],
            "userIdentity": {"novelty": 1, "sessionContext": "none"},
        }


class TestRunningAgain:
    def test_gives_the_same_files_byte_for_byte(self, tmp_path):
        sources = raw_files("stratus")
        first = convert(sources, tmp_path / "out", workers=1)
        before = contents(tmp_path / "out")
        assert convert(sources, tmp_path / "out", workers=1) == first
        assert contents(tmp_path / "out") == before

    def test_replaces_what_the_source_held_before(self, tmp_path):
        converted(tmp_path, json.dumps([event(eventTime="2026-01-30T00:00:00Z"), {}]))
        report = converted(tmp_path, json.dumps([event(eventTime="2026-01-31T00:00:00Z"), event()]))
        assert report.rejects is None
        assert [path.parent.name for path in (tmp_path / "out").rglob("*.parquet")] == ["date=2026-01-31"]
        assert len(read_events(tmp_path / "out")) == 2

    def test_keeps_what_was_converted_when_the_source_is_damaged_since(self, tmp_path):
        converted(tmp_path, ONE)
        report = converted(tmp_path, b"\x1f\x8b")
        assert (report.files[0].reason or "").endswith("what an earlier run converted from it is kept")
        assert len(read_events(tmp_path / "out")) == 1

    def test_keeps_the_rejects_of_other_sources(self, tmp_path):
        converted(tmp_path, "[1]", "a.json")
        converted(tmp_path, "[2]", "b.json")
        report = converted(tmp_path, "[3]", "a.json")
        assert [(Path(one["file"]).name, one["record"]) for one in rejects(report)] == [
            ("b.json", "2"),
            ("a.json", "3"),
        ]

    def test_does_not_read_its_own_output(self, tmp_path):
        write_raw(tmp_path / "log.json.gz", {"Records": [event()]})
        for _ in range(2):
            report = convert([tmp_path], tmp_path / "parquet", workers=1)
            assert [Path(file.path).name for file in report.files] == ["log.json.gz"]
        with pytest.raises(SourceError, match="name another folder as output"):
            convert([tmp_path / "parquet"], tmp_path / "parquet", workers=1)

    def test_same_names_in_two_folders_do_not_meet(self, tmp_path):
        write_raw(tmp_path / "1" / "log.json.gz", [event(eventID="1")])
        write_raw(tmp_path / "2" / "log.json.gz", [event(eventID="2")])
        assert convert([tmp_path / "1", tmp_path / "2"], tmp_path / "out", workers=1).written == 2
        assert [row["event_id"] for row in read_events(tmp_path / "out")] == ["1", "2"]


@pytest.mark.parametrize("name", ["_log.json", ".hidden.json", "ü €.json.gz", "x" * 200 + ".json", "...", "log"])
def test_an_output_has_a_name_that_every_reader_takes(tmp_path, name):
    given = output_name(str(tmp_path / name))
    assert given.isascii()
    assert given[0] not in "_."
    assert len(given) < 130
    assert given.endswith(".parquet")
    assert given != output_name(str(tmp_path / "other" / name))


def test_processes_give_what_one_process_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(convert_module, "_SMALL_WORK", 0)
    sources = raw_files("stratus", "flaws")
    steps: list[tuple[int, int]] = []
    many = convert(sources, tmp_path / "many", workers=2, progress=lambda done, of: steps.append((done, of)))
    one = convert(sources, tmp_path / "one", workers=1)
    assert contents(tmp_path / "many") == contents(tmp_path / "one")
    assert [(file.path, file.written) for file in many.files] == [(file.path, file.written) for file in one.files]
    assert steps == [(done, len(sources)) for done in range(1, len(sources) + 1)]


def test_a_process_that_ended_before_its_time_costs_files_and_not_the_run(tmp_path):
    future: Future = Future()
    future.set_exception(BrokenProcessPool("killed"))
    job = Job("big.json", str(tmp_path), "big.parquet")
    file = convert_module._result(future, job)
    assert file.outcome is Outcome.UNREADABLE
    assert "use fewer workers" in (file.reason or "")
    assert json.loads(job.rejects.read_text())["file"] == "big.json"


def test_a_file_appears_only_when_it_is_complete(tmp_path, monkeypatch):
    source = write_raw(tmp_path / "log.json.gz", [event()])

    def breaks_off(_table, path, **_options):
        Path(path).write_bytes(b"PAR1 half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analytics.sources.convert_file.pq.write_table", breaks_off)
    with pytest.raises(OSError, match="No space left"):
        convert([source], tmp_path / "out", workers=1)
    assert list((tmp_path / "out").rglob("*.parquet")) == []
    with pytest.raises(SourceError, match="holds no files"):
        discover([tmp_path / "out"])


def test_nothing_rejected_leaves_no_rejects_file(tmp_path):
    assert converted(tmp_path, ONE).rejects is None
    assert not (tmp_path / "out" / REJECTS).exists()
