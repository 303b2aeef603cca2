"""The same records in every layout give the same canonical rows, whatever a converter made of their types."""
# ruff: noqa: DTZ001 - canonical times are UTC and carry no zone

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.sources.cloudtrail import CANONICAL, discover, inspect
from analytics.sources.convert import convert
from analytics.sources.rows import SCHEMA
from tests.event_files import (
    ATHENA,
    REAL,
    event,
    raw_files,
    read_events,
    records_of,
    without_nulls,
    write_layout_a,
    write_layout_b,
    write_parquet,
    write_raw,
)

FREE_FORM = ("request_parameters", "response_elements", "additional_event_data", "resources")
EVENT = {"eventTime": ["2026-01-31T12:00:00Z"], "eventSource": ["s3.amazonaws.com"], "eventName": ["GetObject"]}


@pytest.fixture(scope="module")
def layouts(tmp_path_factory) -> Path:
    """The 2,390 events of real accounts, a Parquet file for each raw file, in folders `a`, `b` and `d`."""
    folder = tmp_path_factory.mktemp("layouts")
    for number, source in enumerate(raw_files(*REAL)):
        if records := records_of(source):
            write_layout_a(folder / "a" / f"{number}.parquet", records)
            write_layout_b(folder / "b" / f"{number}.parquet", source)
    convert(raw_files(*REAL), folder / "d", workers=1)
    return folder


def parsed(text):
    return without_nulls(json.loads(text)) if text else text


@pytest.mark.parametrize("layout", ["a", "b", "d"])
def test_the_layout_is_recognised_in_every_file(layouts, layout):
    files = inspect(discover([layouts / layout]))
    assert Counter((file.layout, file.problem) for file in files) == {(layout.upper(), None): len(files)}


def test_layout_d_with_its_time_as_text_is_a_conversion_of_raw_records(layouts, tmp_path):
    path = next((layouts / "d").rglob("*.parquet"))
    columns = {name: pq.ParquetFile(path).read()[name] for name in SCHEMA.names}
    texts = columns | {"eventTime": columns["eventTime"].cast(pa.string())}
    (as_it_is, as_text) = inspect(
        [write_parquet(tmp_path / "1.parquet", columns), write_parquet(tmp_path / "2.parquet", texts)]
    )
    assert (as_it_is.layout, as_text.layout) == ("D", "B")


def test_real_events_read_the_same_from_every_layout(layouts):
    in_a, in_b, in_d = (read_events(layouts / layout) for layout in "abd")
    assert len(in_a) == len(in_b) == len(in_d) == 2390
    for name in CANONICAL:
        if name in (*FREE_FORM, "source_file"):
            continue
        columns = [[row[name] for row in rows] for rows in (in_a, in_b, in_d)]
        assert columns[1] == columns[2], name
        if name == "management_event":
            assert set(columns[0]) == {None}, "the documented Athena table has no such column"
        else:
            assert columns[0] == columns[2], name


@pytest.mark.parametrize("name", FREE_FORM)
def test_free_form_columns_are_the_same_json_text(layouts, name):
    in_a, in_d = (read_events(layouts / layout, columns=["event_id", name]) for layout in "ad")
    assert [parsed(row[name]) for row in in_a] == [parsed(row[name]) for row in in_d]
    assert any(row[name] for row in in_d)


def keys_of(value) -> object:
    if isinstance(value, dict):
        return {name: keys_of(item) for name, item in value.items()}
    return [keys_of(item) for item in value] if isinstance(value, list) else "value"


@pytest.mark.parametrize("name", FREE_FORM)
def test_inferred_structs_maps_and_nulls_keep_every_member(layouts, name):
    # Inference rewrites a time or an upper-case UUID inside a request; which members there are, it cannot change.
    in_b, in_d = (read_events(layouts / layout, columns=["event_id", name]) for layout in "bd")
    assert [keys_of(parsed(row[name])) for row in in_b] == [keys_of(parsed(row[name])) for row in in_d]


def test_resources_have_the_same_names_in_every_layout(layouts):
    for layout in "abd":
        texts = {row["resources"] for row in read_events(layouts / layout, columns=["resources"])} - {None}
        names = {key for text in texts for resource in json.loads(text) for key in resource}
        assert names == {"arn", "accountId", "type"}, layout


def map_of_json(**members: str | None) -> pa.Array:
    """One row of the MAP(VARCHAR, JSON) that DuckDB infers where the members vary."""
    values = pa.ExtensionArray.from_storage(pa.json_(), pa.array(list(members.values()), pa.string()))
    return pa.MapArray.from_arrays([0, len(members)], pa.array(list(members), pa.string()), values)


def list_of_json(*elements: str) -> pa.Array:
    values = pa.ExtensionArray.from_storage(pa.json_(), pa.array(elements, pa.string()))
    return pa.ListArray.from_arrays([0, len(elements)], values)


@pytest.mark.parametrize(
    ("column", "values", "canonical", "expected"),
    [
        ("eventID", pa.array([UUID(int=1).bytes], pa.uuid()), "event_id", str(UUID(int=1))),
        ("eventID", pa.array(["x"]), "event_id", "x"),
        ("eventID", pa.nulls(1), "event_id", None),
        ("eventID", pa.nulls(1, pa.int32()), "event_id", None),
        ("sharedEventID", pa.array([""]), "shared_event_id", None),
        ("errorCode", pa.array([404]), "error_code", "404"),
        ("errorCode", pa.array([b"AccessDenied"]), "error_code", "AccessDenied"),
        ("errorCode", pa.array([b"\xff"]), "error_code", None),
        ("errorCode", pa.array(["AccessDenied"]).dictionary_encode(), "error_code", "AccessDenied"),
        ("errorCode", pa.array(["AccessDenied"], pa.large_string()), "error_code", "AccessDenied"),
        ("errorCode", pa.array(['"AccessDenied"'], pa.json_()), "error_code", "AccessDenied"),
        ("errorCode", pa.array([date(2015, 3, 31)]), "error_code", "2015-03-31"),
        ("readOnly", pa.array(["true"]), "read_only", True),
        ("readOnly", pa.array(["perhaps"]), "read_only", None),
        ("readOnly", pa.array([False]), "read_only", False),
        ("readOnly", pa.array(["true"], pa.json_()), "read_only", True),
        ("readOnly", pa.array([1.0]), "read_only", True),
        ("recipientAccountId", pa.array([11_122_223_333]), "recipient_account_id", "011122223333"),
        ("recipientAccountId", pa.array([1.1e10]), "recipient_account_id", "011000000000"),
        ("recipientAccountId", pa.array(["anonymous"]), "recipient_account_id", "anonymous"),
        ("requestParameters", pa.array([{"a": 1, "b": None}]), "request_parameters", '{"a":1}'),
        ("requestParameters", map_of_json(a="1", b=None, c="null"), "request_parameters", '{"a":1}'),
        ("requestParameters", map_of_json(), "request_parameters", "{}"),
        ("requestParameters", pa.array(['{"a":1}'], pa.json_()), "request_parameters", '{"a":1}'),
        ("requestParameters", pa.array(["null"], pa.json_()), "request_parameters", None),
        ("requestParameters", pa.array(['{"a":1}']), "request_parameters", '{"a":1}'),
        ("requestParameters", pa.array(["{'a': 1}"]), "request_parameters", "{'a': 1}"),
        ("requestParameters", pa.array(["null"]), "request_parameters", None),
        ("requestParameters", pa.nulls(1), "request_parameters", None),
        ("requestParameters", pa.array([None], pa.struct([("a", pa.string())])), "request_parameters", None),
        ("resources", pa.array([[{"type": "T", "ARN": "r"}]]), "resources", '[{"arn":"r","type":"T"}]'),
        ("resources", pa.array([[{"ARNPrefix": "p"}]]), "resources", '[{"ARNPrefix":"p"}]'),
        ("resources", pa.array([{"ARN": "r"}]), "resources", '[{"arn":"r"}]'),
        ("resources", list_of_json('{"ARN":"r"}'), "resources", '[{"arn":"r"}]'),
        ("resources", pa.array(['[{"ARN": "r"}]']), "resources", '[{"arn": "r"}]'),
        ("resources", pa.array([None], pa.list_(pa.struct([("ARN", pa.string())]))), "resources", None),
        ("tlsDetails", pa.array(['{"tlsVersion":"TLSv1.3"}']), "tls_version", "TLSv1.3"),
        ("tlsDetails", pa.array(["{broken"]), "tls_version", None),
        ("tlsDetails", pa.array([{"tlsVersion": "TLSv1.3"}]), "tls_version", "TLSv1.3"),
        ("tlsDetails", pa.array([7]), "tls_version", None),
        ("userIdentity", pa.array([{"type": "Root"}]), "identity_type", "Root"),
        ("userIdentity", pa.array(['{"type":"Root"}']), "identity_type", "Root"),
        ("userIdentity", pa.array([{"accountid": 7}]), "identity_account_id", "000000000007"),
    ],
)
def test_a_converter_may_have_taken_any_type(tmp_path, column, values, canonical, expected):
    path = write_parquet(tmp_path / "x.parquet", EVENT | {column: values})
    assert read_events(path)[0][canonical] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array(["2026-01-31T12:00:00Z"]), datetime(2026, 1, 31, 12)),
        (pa.array(["2026-01-31T12:00:00.250Z"]), datetime(2026, 1, 31, 12, 0, 0, 250000)),
        (pa.array(["2026-01-31 12:00:00"]), datetime(2026, 1, 31, 12)),
        (pa.array(["2026-01-31 12:00:00.000000000"]), datetime(2026, 1, 31, 12)),
        (pa.array(["2026-01-31T12:00:00+02:00"]), datetime(2026, 1, 31, 10)),
        (pa.array(["2026-01-31T12:00:00-0530"]), datetime(2026, 1, 31, 17, 30)),
        (pa.array(["redacted"]), None),
        (pa.array([""]), None),
        (pa.array([datetime(2026, 1, 31, 12, tzinfo=UTC)]), datetime(2026, 1, 31, 12)),
        (pa.array([datetime(2026, 1, 31, 12, tzinfo=UTC)], pa.timestamp("ns", "UTC")), datetime(2026, 1, 31, 12)),
        (pa.array([datetime(2026, 1, 31, 12)], pa.timestamp("ms")), datetime(2026, 1, 31, 12)),
        (pa.array([datetime(2026, 1, 31, 12)], pa.timestamp("ns")), datetime(2026, 1, 31, 12)),
        (pa.array(['"2026-01-31T12:00:00Z"'], pa.json_()), datetime(2026, 1, 31, 12)),
        (pa.array([b"2026-01-31T12:00:00Z"]), datetime(2026, 1, 31, 12)),
        (pa.nulls(1), None),
    ],
)
def test_event_time_is_utc_from_any_type_and_in_any_session_zone(tmp_path, values, expected):
    path = write_parquet(tmp_path / "x.parquet", EVENT | {"eventTime": values})
    assert read_events(path)[0]["event_time"] == expected


def test_files_of_one_folder_may_contradict_each_other_in_every_column(tmp_path):
    write_parquet(tmp_path / "1.parquet", EVENT | {"requestParameters": pa.array([{"a": 1}]), "eventID": ["1"]})
    write_parquet(tmp_path / "2.parquet", EVENT | {"requestParameters": pa.array([{"b": 2}]), "eventID": ["2"]})
    write_parquet(tmp_path / "3.parquet", EVENT | {"requestParameters": pa.nulls(1), "eventID": pa.array([3])})
    write_parquet(tmp_path / "4.parquet", {name.lower(): values for name, values in EVENT.items()})
    rows = read_events(tmp_path)
    assert [row["request_parameters"] for row in rows] == [None, '{"a":1}', '{"b":2}', None]
    assert [row["event_id"] for row in rows] == [None, "1", "2", "3"]


def test_glue_tables_may_keep_camel_case_inside_structs(tmp_path):
    inner = pa.array([{"sessionContext": {"sessionIssuer": {"userName": "deploy", "ARN": "r"}}}])
    path = write_parquet(
        tmp_path / "x.parquet", {name.lower(): values for name, values in EVENT.items()} | {"useridentity": inner}
    )
    (row,) = read_events(path)
    assert (row["issuer_user_name"], row["issuer_arn"]) == ("deploy", "r")


@pytest.mark.parametrize(
    "provider",
    [
        pa.array([[("federatedprovider", "idp")]], pa.map_(pa.string(), pa.string())),
        pa.array([[("federatedProvider", "idp")]], pa.map_(pa.string(), pa.string())),
        pa.array([{"federatedprovider": "idp", "attributes": "x"}]),
    ],
)
def test_web_identity_may_be_a_map_or_a_struct(tmp_path, provider):
    session = pa.StructArray.from_arrays([provider], names=["webidfederationdata"])
    identity = pa.StructArray.from_arrays([session], names=["sessioncontext"])
    path = write_parquet(
        tmp_path / "x.parquet", {name.lower(): values for name, values in EVENT.items()} | {"useridentity": identity}
    )
    assert read_events(path)[0]["federated_provider"] == "idp"


def test_an_old_athena_table_lacks_columns_and_struct_fields(tmp_path):
    old = pa.schema([field for field in ATHENA if field.name not in {"tlsdetails", "eventcategory", "resources"}])
    (row,) = read_events(write_layout_a(tmp_path / "x.parquet", [event(eventID="1")], old))
    assert row["event_id"] == "1"
    assert row["tls_version"] is row["event_category"] is row["resources"] is None


def test_columns_in_another_order_or_number_are_the_same_layout(tmp_path):
    for number, names in enumerate([ATHENA.names, sorted(ATHENA.names), [*ATHENA.names[::-1]]]):
        schema = pa.schema([ATHENA.field(name) for name in names])
        write_layout_a(tmp_path / f"{number}.parquet", [event(eventID=str(number))], schema)
    assert len({file.schema_key for file in inspect(discover([tmp_path]))}) == 1
    assert [row["event_id"] for row in read_events(tmp_path)] == ["0", "1", "2"]


def test_an_event_without_user_identity_is_read(tmp_path):
    source = write_raw(tmp_path / "raw" / "x.json.gz", {"Records": [event(userIdentity=None, eventID="1")]})
    write_layout_b(tmp_path / "b" / "x.parquet", source)
    (row,) = read_events(tmp_path / "b")
    assert (row["event_name"], row["identity_type"], row["identity_arn"]) == ("GetObject", None, None)
