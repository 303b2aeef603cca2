"""Which CloudTrail layout a Parquet file has: read off the names and types of its columns, never their order.

A schema is kept as plain frozen values (`ColumnType`), so that it hashes, compares and prints without pyarrow.
Names are matched without regard to case: Glue lower-cases the top level and may leave struct fields as they were.
The layouts and their letters: docs/EVENTS.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

NEEDED = ("eventTime", "eventSource", "eventName")
"""A row without any of these is no event, so a file without them is not read."""


class Kind(StrEnum):
    """What a column holds, as far as reading it as text, truth value, time or JSON goes."""

    TEXT = "text"
    JSON = "json"
    UUID = "uuid"
    BOOLEAN = "boolean"
    NUMBER = "number"
    TIMESTAMP = "timestamp"
    TIMESTAMP_TZ = "timestamp with time zone"
    DATE = "date"
    BINARY = "binary"
    STRUCT = "struct"
    MAP = "map"
    LIST = "list"
    NULL = "null"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type as a tree: the fields of a struct, `key` and `value` of a map, `element` of a list."""

    kind: Kind
    fields: tuple[tuple[str, ColumnType], ...] = ()

    def field(self, name: str) -> tuple[str, ColumnType] | None:
        """The field of that name, its exact spelling first, else the first that differs only in case."""
        return find(self.fields, name)

    def __str__(self) -> str:
        inner = ",".join(f"{name}:{field}" for name, field in self.fields)
        return f"{self.kind}({inner})" if self.fields else str(self.kind)


Schema = tuple[tuple[str, ColumnType], ...]


def find(fields: Schema, name: str) -> tuple[str, ColumnType] | None:
    """The field of that name, its exact spelling first, else the first that differs only in case."""
    folded = name.lower()
    same = [field for field in fields if field[0].lower() == folded]
    return next((field for field in same if field[0] == name), same[0] if same else None)


# Each test with the kind it means; the first that holds decides.
_KINDS: tuple[tuple[Callable[[pa.DataType], bool], Kind], ...] = (
    (pa.types.is_null, Kind.NULL),
    (pa.types.is_boolean, Kind.BOOLEAN),
    (pa.types.is_string, Kind.TEXT),
    (pa.types.is_large_string, Kind.TEXT),
    (pa.types.is_string_view, Kind.TEXT),
    (pa.types.is_date, Kind.DATE),
    (pa.types.is_integer, Kind.NUMBER),
    (pa.types.is_floating, Kind.NUMBER),
    (pa.types.is_decimal, Kind.NUMBER),
    (pa.types.is_binary, Kind.BINARY),
    (pa.types.is_large_binary, Kind.BINARY),
    (pa.types.is_binary_view, Kind.BINARY),
)
_EXTENSIONS = {"arrow.uuid": Kind.UUID, "arrow.json": Kind.JSON}


def _struct(arrow: pa.DataType) -> ColumnType:
    return ColumnType(Kind.STRUCT, tuple((field.name, column_type(field.type)) for field in arrow))


def _map(arrow: pa.DataType) -> ColumnType:
    return ColumnType(Kind.MAP, (("key", column_type(arrow.key_type)), ("value", column_type(arrow.item_type))))


def _list(arrow: pa.DataType) -> ColumnType:
    return ColumnType(Kind.LIST, (("element", column_type(arrow.value_type)),))


def _timestamp(arrow: pa.DataType) -> ColumnType:
    return ColumnType(Kind.TIMESTAMP_TZ if arrow.tz else Kind.TIMESTAMP)


def _extension(arrow: pa.DataType) -> ColumnType:
    kind = _EXTENSIONS.get(arrow.extension_name)
    return ColumnType(kind) if kind else column_type(arrow.storage_type)


_COMPOSED: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], ColumnType]], ...] = (
    (lambda arrow: isinstance(arrow, pa.BaseExtensionType), _extension),
    (pa.types.is_dictionary, lambda arrow: column_type(arrow.value_type)),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_struct, _struct),
    (pa.types.is_map, _map),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
)


def column_type(arrow: pa.DataType) -> ColumnType:
    """An Arrow type as our own tree; what no event column can be is `OTHER`."""
    for holds, composed in _COMPOSED:
        if holds(arrow):
            return composed(arrow)
    return ColumnType(next((kind for holds, kind in _KINDS if holds(arrow)), Kind.OTHER))


def schema_of(arrow: pa.Schema) -> Schema:
    """The columns of a file."""
    return tuple((field.name, column_type(field.type)) for field in arrow)


def _kind(schema: Schema, name: str) -> Kind | None:
    column = find(schema, name)
    return column[1].kind if column else None


def _has(schema: Schema, *names: str) -> bool:
    return all(find(schema, name) for name in names)


def _is_lake(schema: Schema) -> bool:
    return _has(schema, "eventjson") or (
        _kind(schema, "requestparameters") is Kind.MAP and any(name == "requestparameters" for name, _ in schema)
    )


def _is_security_lake(schema: Schema) -> bool:
    return _has(schema, "class_uid", "metadata", "api")


_CONVERT_RAW = "convert the raw CloudTrail logs with `convert`, or unload the table in the columns of docs/EVENTS.md"
# Layouts that are known by name and not read yet: what gives them away, and what they are called.
_NOT_READ: tuple[tuple[Callable[[Schema], bool], str], ...] = (
    (lambda schema: _has(schema, "event_source", "user_identity"), "Tailpipe (layout C)"),
    (lambda schema: _is_security_lake(schema) and _has(schema, "time_dt"), "Security Lake, OCSF 1.1 (layout F)"),
    (_is_security_lake, "Security Lake, OCSF 1.0 (layout E)"),
    (lambda schema: _has(schema, *NEEDED) and _is_lake(schema), "CloudTrail Lake (layout G)"),
    (lambda schema: _kind(schema, "aws") is Kind.STRUCT and _has(schema, "event", "ts"), "Matano (layout H)"),
)
_FREE_FORM = ("requestParameters", "responseElements", "additionalEventData")


def _is_parquet_lambda(schema: Schema) -> bool:
    """Layout D: a timestamp without zone, a full `userIdentity`, JSON text in every free-form column."""
    identity = find(schema, "userIdentity")
    return (
        _kind(schema, "eventTime") is Kind.TIMESTAMP
        and all(_kind(schema, name) is Kind.TEXT for name in _FREE_FORM)
        and identity is not None
        and identity[1].field("sessionContext") is not None
    )


@dataclass(frozen=True, slots=True)
class Recognition:
    """The letter of the layout (A, B, D), or a sentence saying why the file cannot be read and what to do."""

    layout: str | None = None
    problem: str | None = None


def recognise(schema: Schema) -> Recognition:
    """Which layout these columns are."""
    for holds, name in _NOT_READ:
        if holds(schema):
            return Recognition(problem=f"is in the layout of {name}, which is not read yet; {_CONVERT_RAW}")
    missing = [name for name in NEEDED if find(schema, name) is None]
    if missing:
        return Recognition(problem=_missing(missing, schema))
    if any(name == "eventsource" for name, _ in schema):
        return Recognition("A")
    return Recognition("D" if _is_parquet_lambda(schema) else "B")


def _missing(missing: Iterable[str], schema: Schema, shown: int = 8) -> str:
    names = [name for name, _ in schema]
    has = ", ".join(f"`{name}`" for name in names[:shown]) + (", …" if len(names) > shown else "")
    lacks = ", ".join(f"`{name}`" for name in missing)
    return (
        f"is not a CloudTrail table: no column {lacks} (it has {has or 'no columns'}); leave it out, or {_CONVERT_RAW}"
    )


LAYOUTS: Mapping[str, str] = {
    "A": "Athena or Glue table, unloaded to Parquet",
    "B": "raw records converted as they are",
    "D": "cloudtrail-parquet-lambda, and our own `convert`",
}
"""The layouts that are read, by letter."""
