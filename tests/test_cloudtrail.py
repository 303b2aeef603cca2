"""Finding Parquet files, what their footers say, and the SELECT over them."""

import gzip
import os
import re

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.sources.cloudtrail import CANONICAL, SourceError, SourceFile, discover, events_select, inspect, verified
from analytics.sources.columns import COLUMNS
from tests.event_files import EVENTS, event, read_events, write_layout_a, write_parquet

EVENT = {"eventTime": ["2026-01-31T12:00:00Z"], "eventSource": ["s3.amazonaws.com"], "eventName": ["GetObject"]}


def touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


class TestDiscover:
    def test_a_folder_is_searched_whole_and_notes_of_other_tools_are_left_out(self, tmp_path):
        wanted = [touch(tmp_path / "dt=2026" / "part-0"), touch(tmp_path / "x.parquet")]
        for name in ("_SUCCESS", ".x.parquet.crc", "_delta_log/0.json", "dt=2026/.x.unfinished"):
            touch(tmp_path / name)
        assert discover([tmp_path]) == wanted

    def test_files_folders_and_globs_together_give_each_file_once(self, tmp_path):
        a, b = touch(tmp_path / "a.parquet"), touch(tmp_path / "deep" / "b.parquet")
        given = [b, str(tmp_path), f"{tmp_path}/**/*.parquet", f"{tmp_path}/deep/../a.parquet"]
        assert discover(given) == [a, b]

    def test_a_name_with_pattern_characters_is_a_name_first(self, tmp_path):
        odd = touch(tmp_path / "[a]*.parquet")
        touch(tmp_path / "a.parquet")
        assert discover([odd]) == [odd]

    def test_links_are_followed_and_a_loop_ends(self, tmp_path):
        target = touch(tmp_path / "real" / "a.parquet")
        (tmp_path / "real" / "again").symlink_to(tmp_path / "real")
        (tmp_path / "root").mkdir()
        (tmp_path / "root" / "linked").symlink_to(tmp_path / "real")
        assert [os.path.realpath(path) for path in discover([tmp_path / "root"])] == [target]

    @pytest.mark.parametrize(
        ("path", "sentence"),
        [
            ("none.parquet", "`none.parquet` matches no file; check the spelling"),
            ("*.none", "`*.none` matches no file"),
            ("empty", "folder `empty` holds no files"),
            ("s3://bucket/logs/", "is a URL, which is not read; copy the files"),
        ],
    )
    def test_a_path_that_leads_nowhere_is_an_error_that_names_it(self, tmp_path, monkeypatch, path, sentence):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").mkdir()
        touch(tmp_path / "good.parquet")
        with pytest.raises(SourceError, match=re.escape(sentence)):
            discover(["good.parquet", path])


PARQUET_BYTES = pa.BufferOutputStream()
pq.write_table(pa.table(EVENT), PARQUET_BYTES)
WHOLE = PARQUET_BYTES.getvalue().to_pybytes()


class TestInspect:
    @pytest.mark.parametrize(
        ("times", "span"),
        [
            (["2026-01-31T12:00:00Z", "2026-01-30T23:59:59Z"], ("2026-01-30 23:59:59", "2026-01-31 12:00:00")),
            (["2026-01-31T12:00:00Z", None], None),  # a row group without a time: its rows are rejected, and counted
            (["2026-01-31T12:00:00+02:00"], None),  # the order of text is not that of time
            (["2026-01-31T12:00:00Z", "redacted"], None),
            ([None], None),
            (pa.array([1769860800, 1769731200], pa.timestamp("s")), ("2026-01-30 00:00:00", "2026-01-31 12:00:00")),
            (
                pa.array([1769860800], pa.timestamp("s", "Europe/Zurich")),
                ("2026-01-31 12:00:00", "2026-01-31 12:00:00"),  # the instant, whatever zone it is shown in
            ),
        ],
    )
    def test_first_and_last_event_are_taken_from_the_footer_where_it_tells(self, tmp_path, times, span):
        rows = {name: values * len(times) for name, values in EVENT.items()} | {"eventTime": times}
        pq.write_table(pa.table(rows), tmp_path / "a.parquet", row_group_size=1)
        (file,) = inspect([tmp_path / "a.parquet"])
        assert (file.span and tuple(map(str, file.span))) == span

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "is empty (0 bytes); copy it again or leave it out"),
            (b"hello, world", "is not a Parquet file ("),
            (WHOLE[:-20], "is a Parquet file that is cut off or damaged"),
            (WHOLE[:4], "is a Parquet file that is cut off or damaged"),
            (b"PARE" + WHOLE[4:-4] + b"PARE", "is an encrypted Parquet file"),
            (
                gzip.compress(b'{"Records":[]}', mtime=0),
                "is a gzip file and not Parquet; raw CloudTrail logs go through `convert`",
            ),
            (b'{"Records":[]}', "is JSON and not Parquet; raw CloudTrail logs go through `convert`"),
            (b"ORC....", "is an ORC file; write the table as Parquet"),
        ],
    )
    def test_what_is_no_parquet_is_named_with_what_to_do(self, tmp_path, content, sentence):
        good = touch(tmp_path / "good.parquet", WHOLE)
        bad = touch(tmp_path / "bad.parquet", content)
        first, second = inspect([bad, good])
        assert sentence in (first.problem or "")
        size, key, schema = second.uncompressed_bytes, second.schema_key, second.schema
        assert second == SourceFile(good, "B", 1, size, key, problem=None, schema=schema, filled=True, span=second.span)
        assert len(read_events(tmp_path / "good.parquet")) == 1

    def test_a_file_that_vanished_or_may_not_be_opened_is_named(self, tmp_path):
        (gone,) = inspect([tmp_path / "gone.parquet"])
        assert gone.problem == "cannot be opened (No such file or directory); check the path and its permissions"

    @pytest.mark.parametrize("lacking", ["eventTime", "eventSource", "eventName"])
    def test_a_table_without_a_needed_column_is_named_with_what_it_has(self, tmp_path, lacking):
        path = write_parquet(tmp_path / "x.parquet", {name: EVENT[name] for name in EVENT if name != lacking})
        (file,) = inspect([path])
        assert f"no column `{lacking}` (it has `event" in (file.problem or "")
        assert file.layout is None

    @pytest.mark.parametrize(
        ("columns", "name"),
        [
            ({"event_source": ["x"], "user_identity": [{"arn": "x"}], "tp_id": ["x"]}, "Tailpipe (layout C)"),
            ({"class_uid": [1], "metadata": [{"uid": "x"}], "api": [{"a": 1}], "time_dt": [1]}, "OCSF 1.1 (layout F)"),
            (
                {name.lower(): values for name, values in EVENT.items()} | {"eventjson": ["{}"]},
                "CloudTrail Lake (layout G)",
            ),
            ({"aws": [{"cloudtrail": {"x": 1}}], "event": [{"action": "x"}], "ts": [1]}, "Matano (layout H)"),
        ],
    )
    def test_a_layout_that_is_not_read_yet_is_recognised_by_name(self, tmp_path, columns, name):
        (file,) = inspect([write_parquet(tmp_path / "x.parquet", columns)])
        assert name in (file.problem or "")
        assert "`convert`" in (file.problem or "")

    def test_security_lake_of_aws_is_recognised(self):
        (path,) = (EVENTS / "security-lake").rglob("*.parquet")
        (file,) = inspect([path])
        assert "Security Lake, OCSF 1.0 (layout E), which is not read yet" in (file.problem or "")

    def test_a_file_of_no_rows_is_no_problem(self, tmp_path):
        empty = {name: pa.array([], pa.string()) for name in EVENT}
        path = write_parquet(tmp_path / "x.parquet", empty)
        (file,) = inspect([path])
        assert (file.rows, file.problem) == (0, None)
        assert read_events(path) == []

    def test_data_that_is_damaged_behind_a_good_footer_is_found(self, tmp_path):
        good = write_layout_a(tmp_path / "good.parquet", [event(eventID=str(n)) for n in range(100)])
        content = bytearray(good.read_bytes())
        content[4:400] = bytes(396)
        bad = touch(tmp_path / "bad.parquet", bytes(content))
        files = inspect([bad, good])
        assert [file.problem for file in files] == [None, None]
        damaged, whole = verified(files)
        assert "is a damaged Parquet file (" in (damaged.problem or "")
        assert whole == files[1]


def explained(query: str) -> str:
    with duckdb.connect() as con:
        return con.execute(f"EXPLAIN {query}").fetchall()[0][1]


class TestEventsSelect:
    def test_names_and_types_are_the_same_for_any_files_and_for_none(self, tmp_path):
        write_parquet(tmp_path / "b" / "x.parquet", EVENT)
        write_layout_a(tmp_path / "a" / "x.parquet", [event()])
        types = {column.name: column.type for column in COLUMNS} | {"source_file": "VARCHAR"}
        for folders in ([], ["a"], ["b"], ["a", "b"], ["b", "a"]):
            query = events_select(inspect(discover([tmp_path / name for name in folders])) if folders else [])
            with duckdb.connect() as con:
                described = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {query})").fetchall()
            assert dict(described) == types
            assert [name for name, _ in described] == list(CANONICAL)

    def test_files_with_a_problem_are_skipped_and_the_rest_goes_on(self, tmp_path):
        touch(tmp_path / "bad.parquet", b"no")
        write_parquet(tmp_path / "good.parquet", EVENT)
        files = inspect(discover([tmp_path]))
        with duckdb.connect() as con:
            rows = con.execute(f"SELECT source_file FROM ({events_select(files)})").fetchall()
        assert rows == [(str(tmp_path / "good.parquet"),)]

    def test_hive_folders_can_neither_shadow_nor_contradict_a_column(self, tmp_path):
        folder = tmp_path / "account=x" / "eventname=Wrong" / "event_name=Wrong" / "awsregion=wrong" / "date=2026-01-31"
        write_parquet(folder / "1.parquet", EVENT | {"awsRegion": ["eu-west-1"], "date": [5]})
        write_parquet(tmp_path / "2.parquet", EVENT | {"awsRegion": ["eu-west-1"]})
        rows = read_events(tmp_path, columns=["event_name", "aws_region"])
        assert rows == [{"event_name": "GetObject", "aws_region": "eu-west-1"}] * 2

    @pytest.mark.parametrize("name", ["it's.parquet", "[a].parquet", "a*?.parquet", "ü {b}.parquet", 'say "x".parquet'])
    def test_any_file_name_is_read_and_given_back(self, tmp_path, name):
        write_parquet(tmp_path / name, EVENT)
        write_parquet(tmp_path / "a.parquet", EVENT)
        (row,) = read_events(tmp_path / name, columns=["source_file"])
        assert row["source_file"] == str(tmp_path / name)

    def test_a_query_reads_only_the_leaves_that_it_names(self, tmp_path):
        path = write_layout_a(tmp_path / "x.parquet", [event()])
        plan = explained(f"SELECT event_name, issuer_arn FROM ({events_select(inspect([path]))})")
        read = plan[plan.index("Read Parquet") :]
        assert "eventname" in read
        assert "sessionissuer.arn" in read.replace('"', "")
        for other in ("principalid", "requestparameters", "resources", "eventtime", "sessionissuer.username"):
            assert other not in read

    def test_files_are_read_together_when_the_wanted_columns_agree(self, tmp_path):
        for number, parameters in enumerate([[{"a": 1}], [{"b": 1}], ["text"], [None]]):
            write_parquet(tmp_path / f"{number}.parquet", EVENT | {"requestParameters": parameters})
        files = inspect(discover([tmp_path]))
        assert events_select(files).count("read_parquet") == 4
        assert events_select(files, ["event_name", "event_time"]).count("read_parquet") == 1
        assert len(read_events(tmp_path, columns=["event_name"])) == 4

    def test_a_column_that_is_not_canonical_is_refused(self):
        with pytest.raises(ValueError, match="no canonical column `eventName`"):
            events_select([], ["eventName", "event_name"])

    def test_text_is_never_empty(self, tmp_path):
        path = write_parquet(tmp_path / "x.parquet", EVENT | {"errorCode": [""], "userAgent": [" "]})
        (row,) = read_events(path)
        assert (row["error_code"], row["user_agent"]) == (None, " ")

    @pytest.mark.parametrize("statistics", [True, False])
    def test_text_is_checked_for_emptiness_only_where_statistics_do_not_rule_it_out(self, tmp_path, statistics):
        full = tmp_path / "full.parquet"
        pq.write_table(pa.table({name: value * 2 for name, value in EVENT.items()}), full, write_statistics=statistics)
        partly = write_parquet(tmp_path / "partly.parquet", EVENT | {"awsRegion": [""]})
        files = inspect([full, partly])
        assert [file.filled for file in files] == [statistics, False]
        assert ("nullif" in events_select(files[:1], ["event_name", "aws_region"])) is not statistics
        assert {row["aws_region"] for row in read_events(partly)} == {None}

    def test_one_row_group_with_empty_text_is_enough_to_check_the_whole_file(self, tmp_path):
        path = tmp_path / "groups.parquet"
        columns = {name: value * 3 for name, value in EVENT.items()} | {"errorCode": ["x", "", None]}
        pq.write_table(pa.table(columns), path, row_group_size=1)
        assert [row["error_code"] for row in read_events(path)] == ["x", None, None]
