"""Any JSON anywhere, and any bytes as a file, give an account and never an exception."""
# ruff: noqa: DTZ001 - hypothesis wants bounds without a zone

import gzip
import json
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.sources.cloudtrail import events_select, inspect, verified
from analytics.sources.convert import convert
from analytics.sources.convert_file import Outcome
from analytics.sources.rows import SCHEMA, SHAPES, RecordError, row_of
from tests.event_files import event, read_events

# No test fails because a machine is busy.
UNTIMED = settings(deadline=None)
UNTIMED_FEW = settings(deadline=None, max_examples=50)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
NAMES = st.sampled_from([*SHAPES, "Records", "detail", "logEvents", "message", "arn", "type", "sessionContext"])
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
)
TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.text(max_size=12)
EVENTS = st.builds(
    lambda required, others: others | required,
    st.fixed_dictionaries(
        {"eventTime": TIMES, "eventSource": st.text(max_size=9), "eventName": st.text(max_size=9)},
        optional={"userIdentity": st.dictionaries(NAMES, ANY_JSON, max_size=5) | SCALARS},
    ),
    st.dictionaries(NAMES, ANY_JSON, max_size=5),
)
BYTES = st.binary(max_size=200)
# A surrogate alone, NaN and whole numbers of any size are what JSON files in the wild hold against the rules.
JSON_TEXT = (ANY_JSON | EVENTS | st.lists(EVENTS, max_size=3)).map(json.dumps)
FILES = st.one_of(
    BYTES,
    JSON_TEXT.map(str.encode),
    st.lists(JSON_TEXT | st.text(max_size=9), max_size=4).map(
        lambda lines: "\n".join(lines).encode("utf-8", "replace")
    ),
    st.lists(JSON_TEXT, max_size=3).map(lambda values: "".join(values).encode()),
    st.tuples(JSON_TEXT, st.integers(0, 300)).map(lambda pair: gzip.compress(pair[0].encode(), mtime=0)[: pair[1]]),
    BYTES.map(lambda data: b"\x1f\x8b\x08" + data),
    BYTES.map(lambda data: b'{"Records": [' + data),
)


@UNTIMED
@given(FILES)
def test_any_bytes_as_a_raw_file_are_accounted_for(content):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "raw" / "log.json"
        source.parent.mkdir()
        source.write_bytes(content)
        out = Path(folder) / "out"
        report = convert([source], out, workers=1)
        (file,) = report.files
        assert file.found == file.written + file.rejected
        assert sum(one.rows for one in inspect(file.outputs)) == file.written
        named = (
            [orjson.loads(line) for line in (out / "_rejects.jsonl").read_bytes().splitlines()]
            if report.rejects
            else []
        )
        assert len(named) == file.rejected + (file.outcome is Outcome.UNREADABLE)
        assert all(one["reason"] for one in named)
        if file.outputs:
            assert len(read_events(out)) == file.written


@UNTIMED
@given(ANY_JSON | EVENTS)
def test_a_record_is_refused_or_a_row_that_fits_the_columns(record):
    try:
        plain = orjson.loads(orjson.dumps(record))
    except (TypeError, orjson.JSONEncodeError):
        return  # not JSON: what a file cannot hold, and is tested above
    try:
        row = row_of(plain)
    except RecordError:
        return
    assert set(row.values) <= set(SCHEMA.names)
    table = pa.Table.from_pylist([row.values], schema=SCHEMA)
    assert table.num_rows == 1


TOKENS = st.integers(10**8, 10**9).map("token{}".format)
TOKEN_JSON = st.recursive(
    TOKENS | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TOKENS, inner, max_size=6),
    max_leaves=20,
)


def tokens_of(value) -> set[str]:
    if isinstance(value, dict):
        return {token for inner in value.values() for token in tokens_of(inner)}
    return {token for inner in value for token in tokens_of(inner)} if isinstance(value, list) else {value} - {None}


@UNTIMED
@given(st.dictionaries(NAMES | TOKENS, TOKEN_JSON, max_size=8))
def test_nothing_of_a_record_is_lost(others):
    identity = others.pop("userIdentity", None)
    record = others | event(userIdentity=identity if isinstance(identity, dict) else {"arn": "token0"})
    row = row_of(record)
    held = orjson.dumps(pa.Table.from_pylist([row.values], schema=SCHEMA).drop(["eventTime"]).to_pylist()).decode()
    assert {token for token in tokens_of(record) if token not in held} == {record["eventTime"]}


@UNTIMED
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["T", " "]),
    st.sampled_from([0, 250_000]),
)
def test_a_time_with_an_offset_is_the_same_moment_and_its_utc_day(moment, offset, separator, fraction):
    at = moment.replace(microsecond=fraction, tzinfo=timezone(timedelta(minutes=offset)))
    values, day = row_of(event(eventTime=at.isoformat(separator)))
    assert values["eventTime"] == round(at.timestamp() * 1000)
    assert day == at.astimezone(UTC).date().isoformat()


@UNTIMED_FEW
@given(
    st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), min_size=1, max_size=5), st.integers(-840, 840)
)
def test_converted_times_and_text_times_are_read_as_the_same(moments, offset):
    zone = timezone(timedelta(minutes=offset))
    texts = [moment.replace(microsecond=0, tzinfo=zone).isoformat() for moment in moments]
    events = [event(eventTime=text, eventID=f"{number:03}") for number, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "raw.json"
        source.write_bytes(orjson.dumps(events))
        convert([source], Path(folder) / "d", workers=1)
        table = pa.Table.from_pylist(events)
        (Path(folder) / "b").mkdir()
        pq.write_table(table, Path(folder) / "b" / "x.parquet")
        converted, plain = (read_events(Path(folder) / name, columns=["event_id", "event_time"]) for name in "db")
    assert converted == plain


@UNTIMED
@given(st.binary(max_size=300), st.sampled_from([b"", b"PAR1", b"PARE", b"\x1f\x8b", b"{"]), st.booleans())
def test_any_bytes_as_a_parquet_file_are_a_problem_with_a_sentence(content, start, ended):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        path.write_bytes(start + content + (b"PAR1" if ended else b""))
        (file,) = inspect([path])
        assert file.problem
        assert "\n" not in file.problem
        assert "WHERE false" in events_select([file])


@UNTIMED_FEW
@given(st.lists(st.tuples(st.integers(4, 10_000), st.integers(0, 255)), min_size=1, max_size=20), st.data())
def test_damage_anywhere_in_a_parquet_file_is_found_or_harmless(changes, data):
    content = bytearray(_SOME_PARQUET)
    for at, byte in changes:
        content[at % len(content)] = byte
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        path.write_bytes(content)
        (file,) = verified(inspect([path]))
        if file.problem is None:
            read_events(path)
        else:
            assert "\n" not in file.problem


def test_a_damaged_footer_does_not_end_the_process(tmp_path):
    footer = int.from_bytes(_SOME_PARQUET[-8:-4], "little")
    paths = []
    for seed in range(600):
        chance, content = Random(seed), bytearray(_SOME_PARQUET)
        for _ in range(chance.randint(1, 4)):
            content[len(content) - 8 - chance.randrange(1, footer)] = chance.randrange(256)
        paths.append(tmp_path / f"{seed}.parquet")
        paths[-1].write_bytes(content)
    assert {file.problem is None for file in inspect(paths)} == {True, False}


def _some_parquet() -> bytes:
    sink = pa.BufferOutputStream()
    rows = [row_of(event(eventID=str(number), errorCode="AccessDenied")).values for number in range(50)]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink, store_schema=False)
    return sink.getvalue().to_pybytes()


_SOME_PARQUET = _some_parquet()
