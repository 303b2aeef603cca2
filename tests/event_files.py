"""Real CloudTrail records, and writers that put them into Parquet as the layouts of docs/EVENTS.md do."""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.sources.cloudtrail import discover, events_select, inspect

EVENTS = Path(__file__).parent / "data" / "cloudtrail"
REAL = ("invictus", "flaws", "stratus")
TEXT = pa.string()


def event(**fields: Any) -> dict[str, Any]:
    """A record that needs nothing more; name only what a test is about."""
    return {
        "eventTime": "2026-01-31T12:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
    } | fields


def raw_files(*folders: str) -> list[Path]:
    """The raw log files of these folders of tests/data/cloudtrail."""
    return sorted(path for folder in folders for path in (EVENTS / folder).rglob("*.json.gz"))


def records_of(path: Path) -> list[dict[str, Any]]:
    """The records of a `{"Records": [...]}` file, by the standard library alone."""
    return json.loads(gzip.decompress(path.read_bytes()))["Records"]


def write_raw(path: Path, value: Any) -> Path:
    """A JSON value as a gzip file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps(value).encode()))
    return path


def write_parquet(path: Path, columns: Mapping[str, Any]) -> Path:
    """Arrow columns as a Parquet file, without Arrow's own schema in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path, store_schema=False)
    return path


_ISSUER = pa.struct([(name, TEXT) for name in ("type", "principalid", "arn", "accountid", "username")])
_SESSION = pa.struct(
    [
        ("attributes", pa.struct([("mfaauthenticated", TEXT), ("creationdate", TEXT)])),
        ("sessionissuer", _ISSUER),
        ("ec2roledelivery", TEXT),
        (
            "webidfederationdata",
            pa.struct([("federatedprovider", TEXT), ("attributes", pa.map_(TEXT, TEXT))]),
        ),
    ]
)
_NAMES_A = ["type", "principalid", "arn", "accountid", "invokedby", "accesskeyid", "username"]
_IDENTITY = pa.struct([*((name, TEXT) for name in _NAMES_A), ("sessioncontext", _SESSION)])
_RESOURCE = pa.struct([("arn", TEXT), ("accountid", TEXT), ("type", TEXT)])
_TLS = pa.struct([(name, TEXT) for name in ("tlsversion", "ciphersuite", "clientprovidedhostheader")])
ATHENA = pa.schema(
    [
        ("eventversion", TEXT),
        ("useridentity", _IDENTITY),
        *((name, TEXT) for name in ["eventtime", "eventsource", "eventname", "awsregion", "sourceipaddress"]),
        *((name, TEXT) for name in ["errorcode", "errormessage", "requestparameters", "responseelements"]),
        *((name, TEXT) for name in ["additionaleventdata", "requestid", "eventid", "apiversion"]),
        ("resources", pa.list_(_RESOURCE)),
        *((name, TEXT) for name in ["eventtype", "readonly", "recipientaccountid", "serviceeventdetails"]),
        *(
            (name, TEXT)
            for name in ["useragent", "sharedeventid", "vpcendpointid", "vpcendpointaccountid", "eventcategory"]
        ),
        ("tlsdetails", _TLS),
    ]
)
"""The table of the Athena documentation, as CREATE TABLE AS writes it."""


def _as_glue(value: Any, kind: pa.DataType) -> Any:
    """A JSON value as Athena's JSON reader fills a column of this type: names in lower case, objects as text."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        lowered = {name.lower(): item for name, item in value.items()}
        return {field.name: _as_glue(lowered.get(field.name), field.type) for field in kind}
    if pa.types.is_map(kind):
        return list(value.items())
    if pa.types.is_list(kind):
        return [_as_glue(item, kind.value_type) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def write_layout_a(path: Path, records: Iterable[Mapping[str, Any]], schema: pa.Schema = ATHENA) -> Path:
    """An Athena table unloaded to Parquet."""
    row = pa.struct(list(schema))
    rows = [_as_glue(record, row) for record in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, store_schema=False)
    return path


_INFERRED = "COPY (SELECT unnest(record) FROM (SELECT unnest(Records) AS record FROM read_json($source{options}))) TO "


def write_layout_b(path: Path, source: Path) -> Path:
    """A raw file as DuckDB's own inference converts it; where that fails, with the free-form columns as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        # S3 PutBucketTagging has both `tagging` and `Tagging`, which no struct of DuckDB can hold.
        declared = (
            ", columns = {Records: 'STRUCT("
            + ", ".join(f'"{name}" {kind}' for name, kind in _DECLARED.items())
            + ")[]'}"
        )
        for options in ("", declared):
            try:
                con.execute(_INFERRED.format(options=options) + f"'{path}' (FORMAT parquet)", {"source": str(source)})
            except duckdb.Error:
                continue
            return path
    raise AssertionError(source)


_DECLARED = {
    "eventTime": "TIMESTAMPTZ",
    "eventSource": "VARCHAR",
    "eventName": "VARCHAR",
    "eventType": "VARCHAR",
    "eventID": "UUID",
    "eventCategory": "VARCHAR",
    "managementEvent": "BOOLEAN",
    "readOnly": "BOOLEAN",
    "awsRegion": "VARCHAR",
    "sourceIPAddress": "VARCHAR",
    "userAgent": "VARCHAR",
    "errorCode": "VARCHAR",
    "errorMessage": "VARCHAR",
    "userIdentity": "JSON",
    "recipientAccountId": "VARCHAR",
    "sharedEventID": "UUID",
    "vpcEndpointId": "VARCHAR",
    "requestParameters": "JSON",
    "responseElements": "JSON",
    "additionalEventData": "JSON",
    "resources": "JSON",
    "tlsDetails": "JSON",
}


def read_events(*paths: Path, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """The canonical rows of these files and folders, in the order of their event ids."""
    files = inspect(discover(paths))
    assert [file.problem for file in files if file.problem] == []
    with duckdb.connect() as con:
        # A zone far from UTC: no canonical time may depend on it.
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        cursor = con.execute(events_select(files, columns))
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: (row.get("event_id") or "", str(row.get("event_time"))))


def without_nulls(value: Any) -> Any:
    """JSON without null members, at any depth."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def each_column(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Name and values of each column of rows that all have the same ones."""
    rows = list(rows)
    for name in rows[0]:
        yield name, [row[name] for row in rows]
