"""The canonical event columns, and the SQL that gives each of them from whatever a file holds.

Every expression reads one column by its path, so DuckDB prunes: a query pays for the leaves it names and no more.
A value that does not fit becomes NULL, an absent column becomes NULL, and text is never the empty string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analytics.sources.layouts import ColumnType, Kind, Schema, find

RELATION = "e"
"""The alias under which the expressions see the file."""


@dataclass(frozen=True, slots=True)
class Value:
    """A SQL expression over one file, and the type that it has there."""

    sql: str
    type: ColumnType
    filled: bool = False  # text that is never empty, by the file's own statistics


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column: its name, where CloudTrail records have it, its DuckDB type, and how to read it."""

    name: str
    path: str
    type: str
    read: Callable[[Value], str]


@dataclass(frozen=True, slots=True)
class Expression:
    """A canonical column over one schema. Files whose expressions are equal can be read together."""

    column: Column
    sql: str
    whole: str  # the type, where the expression takes a nested value whole: its members then matter


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _field(value: Value, name: str) -> Value | None:
    found = value.type.field(name)
    return Value(f"{value.sql}.{quoted(found[0])}", found[1], value.filled) if found else None


def _entry(value: Value, name: str) -> Value:
    # Map keys are data: CloudTrail's own spelling first, then Glue's lower case.
    key = literal(name)
    return Value(f"coalesce({value.sql}[{key}], {value.sql}[lower({key})])", value.type.fields[1][1])


def _member(value: Value, name: str) -> Value:
    member = literal(f'$."{name}"')
    return Value(f"TRY({value.sql} -> {member})", ColumnType(Kind.JSON))


_STEPS: Mapping[Kind, Callable[[Value, str], Value | None]] = {
    Kind.STRUCT: _field,
    Kind.MAP: _entry,
    Kind.JSON: _member,
    Kind.TEXT: _member,
}


def locate(schema: Schema, path: str, *, filled: bool = False) -> Value | None:
    """The value at `userIdentity.sessionContext.…` of a file, or None where the file cannot have it."""
    first, *rest = path.split(".")
    column = find(schema, first)
    value = Value(f"{RELATION}.{quoted(column[0])}", column[1], filled) if column else None
    for name in rest:
        step = _STEPS.get(value.type.kind) if value else None
        value = step(value, name) if value and step else None
    return value


def _json(value: Value) -> str:
    # An inferred struct has every field in every row; stripping nulls gives back the record as it was logged.
    return f"CAST(json_merge_patch('{{}}', to_json({value.sql})) AS VARCHAR)"


def _iso(sql: str) -> str:
    return f"strftime({sql}, '%Y-%m-%dT%H:%M:%SZ')"


def _utc(value: Value) -> str:
    return f"make_timestamp(epoch_us(CAST({value.sql} AS TIMESTAMPTZ)))"


_TEXT: Mapping[Kind, Callable[[Value], str]] = {
    Kind.TEXT: lambda value: value.sql,
    Kind.JSON: lambda value: f"TRY({value.sql} ->> '$')",
    Kind.TIMESTAMP: lambda value: _iso(value.sql),
    Kind.TIMESTAMP_TZ: lambda value: _iso(_utc(value)),
    Kind.BINARY: lambda value: f"TRY(decode({value.sql}))",
    Kind.STRUCT: _json,
    Kind.MAP: _json,
    Kind.LIST: lambda value: f"CAST(to_json({value.sql}) AS VARCHAR)",
}


def _as_text(value: Value) -> str:
    read = _TEXT.get(value.type.kind)
    return read(value) if read else f"CAST({value.sql} AS VARCHAR)"


def text(value: Value) -> str:
    """Any value as text; the empty string is no value.

    Where no text is empty it is passed as it is: grouping dictionary-encoded text is then a third cheaper.
    """
    if value.filled and value.type.kind is Kind.TEXT:
        return value.sql
    return f"nullif({_as_text(value)}, '')"


def account(value: Value) -> str:
    """A twelve-digit account: a converter that took it for a number lost the leading zeros."""
    if value.type.kind is Kind.NUMBER:
        return f"lpad(CAST(TRY_CAST({value.sql} AS BIGINT) AS VARCHAR), 12, '0')"
    return text(value)


def truth(value: Value) -> str:
    """A truth value, also from `'true'` and `'false'`."""
    if value.type.kind is Kind.BOOLEAN:
        return value.sql
    if value.type.kind is Kind.NUMBER:
        return f"({value.sql} <> 0)"
    return f"TRY_CAST({_as_text(value)} AS BOOLEAN)"


_OFFSET = literal(r":\d{2}(\.\d+)?[+-]\d{2}(:?\d{2})?$")


def _parsed(sql: str) -> str:
    # CloudTrail always ends in Z, which a plain cast reads; a cast would silently drop any other offset.
    with_zone = f"CASE WHEN regexp_matches({sql}, {_OFFSET}) THEN {sql} ELSE {sql} || 'Z' END"
    slow = f"make_timestamp(epoch_us(TRY_CAST({with_zone} AS TIMESTAMPTZ)))"
    return f"CASE WHEN suffix({sql}, 'Z') THEN TRY_CAST({sql} AS TIMESTAMP) ELSE {slow} END"


def time(value: Value) -> str:
    """A UTC timestamp from ISO text, a timestamp with or without zone, or a date."""
    kind = value.type.kind
    if kind is Kind.TIMESTAMP_TZ:
        return _utc(value)
    if kind in {Kind.TIMESTAMP, Kind.DATE, Kind.NULL}:
        return f"TRY_CAST({value.sql} AS TIMESTAMP)"
    return _parsed(_as_text(value))


_NESTED = {Kind.STRUCT, Kind.MAP, Kind.LIST}


def json(value: Value) -> str:
    """A free-form value as JSON text, however the file holds it; JSON's `null` is no value."""
    if value.type.kind in _NESTED:
        return _as_text(value)
    if value.type.kind is Kind.JSON:
        return f"nullif(nullif(CAST({value.sql} AS VARCHAR), ''), 'null')"
    return f"nullif({text(value)}, 'null')"


_RESOURCE = (("arn", "ARN"), ("accountId", "accountId"), ("type", "type"))


def resources(value: Value) -> str:
    """JSON text of `[{arn, accountId, type}]` from structs in any field order, a list of JSON, or text."""
    if value.type.kind is Kind.STRUCT:
        return resources(Value(f"[{value.sql}]", ColumnType(Kind.LIST, (("element", value.type),))))
    element = value.type.fields[0][1] if value.type.kind is Kind.LIST else None
    if element is not None and element.kind is Kind.STRUCT:
        members = [(name, found[0]) for name, spelling in _RESOURCE if (found := element.field(spelling))]
        packed = ", ".join(f"{quoted(name)} := r.{quoted(field)}" for name, field in members)
        one = f"json_merge_patch('{{}}', to_json(struct_pack({packed})))" if members else "to_json(r)"
        return f"CAST(to_json(list_transform({value.sql}, lambda r: {one})) AS VARCHAR)"
    return f"regexp_replace({json(value)}, '\"ARN\"\\s*:', '\"arn\":', 'g')"


_ISSUER = "userIdentity.sessionContext.sessionIssuer"
_SESSION = "userIdentity.sessionContext"

COLUMNS: tuple[Column, ...] = (
    Column("event_id", "eventID", "VARCHAR", text),
    Column("event_time", "eventTime", "TIMESTAMP", time),
    Column("event_source", "eventSource", "VARCHAR", text),
    Column("event_name", "eventName", "VARCHAR", text),
    Column("event_type", "eventType", "VARCHAR", text),
    Column("event_category", "eventCategory", "VARCHAR", text),
    Column("management_event", "managementEvent", "BOOLEAN", truth),
    Column("read_only", "readOnly", "BOOLEAN", truth),
    Column("aws_region", "awsRegion", "VARCHAR", text),
    Column("source_ip_address", "sourceIPAddress", "VARCHAR", text),
    Column("user_agent", "userAgent", "VARCHAR", text),
    Column("error_code", "errorCode", "VARCHAR", text),
    Column("error_message", "errorMessage", "VARCHAR", text),
    Column("identity_type", "userIdentity.type", "VARCHAR", text),
    Column("identity_arn", "userIdentity.arn", "VARCHAR", text),
    Column("identity_principal_id", "userIdentity.principalId", "VARCHAR", text),
    Column("identity_account_id", "userIdentity.accountId", "VARCHAR", account),
    Column("identity_user_name", "userIdentity.userName", "VARCHAR", text),
    Column("access_key_id", "userIdentity.accessKeyId", "VARCHAR", text),
    Column("invoked_by", "userIdentity.invokedBy", "VARCHAR", text),
    Column("identity_provider", "userIdentity.identityProvider", "VARCHAR", text),
    Column("issuer_type", f"{_ISSUER}.type", "VARCHAR", text),
    Column("issuer_arn", f"{_ISSUER}.arn", "VARCHAR", text),
    Column("issuer_principal_id", f"{_ISSUER}.principalId", "VARCHAR", text),
    Column("issuer_account_id", f"{_ISSUER}.accountId", "VARCHAR", account),
    Column("issuer_user_name", f"{_ISSUER}.userName", "VARCHAR", text),
    Column("federated_provider", f"{_SESSION}.webIdFederationData.federatedProvider", "VARCHAR", text),
    Column("mfa_authenticated", f"{_SESSION}.attributes.mfaAuthenticated", "BOOLEAN", truth),
    Column("session_created", f"{_SESSION}.attributes.creationDate", "TIMESTAMP", time),
    Column("source_identity", f"{_SESSION}.sourceIdentity", "VARCHAR", text),
    Column("recipient_account_id", "recipientAccountId", "VARCHAR", account),
    Column("shared_event_id", "sharedEventID", "VARCHAR", text),
    Column("vpc_endpoint_id", "vpcEndpointId", "VARCHAR", text),
    Column("request_parameters", "requestParameters", "VARCHAR", json),
    Column("response_elements", "responseElements", "VARCHAR", json),
    Column("additional_event_data", "additionalEventData", "VARCHAR", json),
    Column("resources", "resources", "VARCHAR", resources),
    Column("tls_version", "tlsDetails.tlsVersion", "VARCHAR", text),
)
"""Every canonical column but `source_file`, in order; docs/EVENTS.md is their dictionary."""


TEXT_LEAVES = frozenset(column.path.lower() for column in COLUMNS if column.read in {text, account})
"""The Parquet leaves, in lower case, that must not be empty for a file to count as filled."""


def expression(column: Column, schema: Schema, *, filled: bool = False) -> Expression:
    """The canonical column over files of this schema; `filled` says that none of TEXT_LEAVES is ever empty."""
    value = locate(schema, column.path, filled=filled)
    if value is None or value.type.kind in {Kind.NULL, Kind.OTHER}:
        return Expression(column, f"CAST(NULL AS {column.type})", "")
    return Expression(column, column.read(value), str(value.type) if value.type.kind in _NESTED else "")
