"""One CloudTrail record as one row in the names and types of layout D (docs/EVENTS.md).

INVARIANT: nothing of a record is lost. A member that the layout does not name, or whose value does not fit its column,
stands in `otherFields` as JSON, under its own name. A record without a time, a source and a name is no event and is
refused with the reason. CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

OTHER_FIELDS = "otherFields"
"""The column that this project adds to layout D."""


class RecordError(ValueError):
    """A record that is not a CloudTrail event: one clause that says why."""


class Row(NamedTuple):
    """The row of one record, and the UTC day that its partition is named for."""

    values: dict[str, Any]
    date: str


Fit = tuple[Any, Any]
"""What a column holds of a value, and what of it the column cannot hold (None: nothing)."""


class Shape(NamedTuple):
    """The Arrow type of a column and how a JSON value is made to fit."""

    arrow: pa.DataType
    fit: Callable[[Any], Fit]


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _text(value: Any) -> Fit:
    if isinstance(value, str):
        return value, None
    return (None, value) if isinstance(value, (dict, list)) else (_dumps(value), None)


def _truth(value: Any) -> Fit:
    if isinstance(value, bool):
        return value, None
    known = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None
    return (None, value) if known is None else (known, None)


def _json(value: Any) -> Fit:
    return _dumps(value), None


TEXT = Shape(pa.string(), _text)
TRUTH = Shape(pa.bool_(), _truth)
JSON = Shape(pa.string(), _json)
TIME = Shape(pa.timestamp("ms"), lambda value: (value, None))  # `row_of` replaces the text


def struct(**fields: Shape) -> Shape:
    """An object whose other members, and members that do not fit, are the rest."""

    def fit(value: Any) -> Fit:
        if not isinstance(value, dict):
            return None, value
        held: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, item in value.items():
            if item is None:
                continue
            shape = fields.get(name)
            if shape is TEXT and item.__class__ is str:
                held[name] = item
            elif shape is None:
                rest[name] = item
            else:
                held[name], over = shape.fit(item)
                if over is not None:
                    rest[name] = over
        return held, rest or None

    return Shape(pa.struct([(name, shape.arrow) for name, shape in fields.items()]), fit)


def listed(element: Shape) -> Shape:
    """A list; if any element has a rest, the whole list is the rest too, so that positions stay."""

    def fit(value: Any) -> Fit:
        if not isinstance(value, list):
            return None, value
        fits = [element.fit(item) for item in value]
        return [held for held, _ in fits], value if any(rest is not None for _, rest in fits) else None

    return Shape(pa.list_(element.arrow), fit)


_ISSUER = struct(type=TEXT, userName=TEXT, principalId=TEXT, arn=TEXT, accountId=TEXT)
_SESSION = struct(
    sessionIssuer=_ISSUER,
    webIdFederationData=struct(federatedProvider=TEXT, attributes=struct(appid=TEXT, aud=TEXT)),
    attributes=struct(creationDate=TEXT, mfaAuthenticated=TEXT, sessionCredentialFromConsole=TEXT),
    assumedRoot=TEXT,
    sourceIdentity=TEXT,
    ec2RoleDelivery=TEXT,
)
_IDENTITY = struct(
    type=TEXT,
    userName=TEXT,
    principalId=TEXT,
    arn=TEXT,
    accountId=TEXT,
    accessKeyId=TEXT,
    sessionContext=_SESSION,
    invokedBy=TEXT,
    invokedByDelegate=struct(accountId=TEXT),
    onBehalfOf=struct(userId=TEXT, identityStoreArn=TEXT),
    inScopeOf=struct(sourceArn=TEXT, sourceAccount=TEXT, issuerType=TEXT, credentialsIssuedTo=TEXT),
    credentialId=TEXT,
    identityProvider=TEXT,
)
SHAPES: Mapping[str, Shape] = {
    "eventTime": TIME,
    "eventVersion": TEXT,
    "userIdentity": _IDENTITY,
    "eventSource": TEXT,
    "eventName": TEXT,
    "awsRegion": TEXT,
    "sourceIPAddress": TEXT,
    "userAgent": TEXT,
    "errorCode": TEXT,
    "errorMessage": TEXT,
    "requestParameters": JSON,
    "responseElements": JSON,
    "additionalEventData": JSON,
    "requestID": TEXT,
    "eventID": TEXT,
    "eventType": TEXT,
    "apiVersion": TEXT,
    "managementEvent": TRUTH,
    "readOnly": TRUTH,
    "resources": listed(struct(ARN=TEXT, accountId=TEXT, type=TEXT)),
    "recipientAccountId": TEXT,
    "serviceEventDetails": JSON,
    "sharedEventID": TEXT,
    "vpcEndpointId": TEXT,
    "vpcEndpointAccountId": TEXT,
    "eventCategory": TEXT,
    "addendum": JSON,
    "sessionCredentialFromConsole": TRUTH,
    "eventContext": struct(requestContext=JSON, tagContext=JSON),
    "edgeDeviceDetails": JSON,
    "tlsDetails": JSON,
}
SCHEMA = pa.schema([*((name, shape.arrow) for name, shape in SHAPES.items()), (OTHER_FIELDS, pa.string())])
"""Layout D, and `otherFields`."""

_record = struct(**SHAPES)


def row_of(record: Any) -> Row:
    """The row of a record. Raises RecordError for what is not a CloudTrail event."""
    if not isinstance(record, dict):
        raise RecordError(f"is {_named(record)}, not an object")
    for name in ("eventTime", "eventSource", "eventName"):
        value = record.get(name)
        if not isinstance(value, str) or not value:
            raise RecordError(f"has no `{name}`" if value in (None, "") else f"`{name}` is {_named(value)}, not text")
    identity = record.get("userIdentity")
    if identity is not None and not isinstance(identity, dict):
        raise RecordError(f"`userIdentity` is {_named(identity)}, not an object")
    moment = _moment(record["eventTime"])
    if moment is None:
        raise RecordError(
            f"`eventTime` is `{record['eventTime'][:40]}`, which is not a time such as 2026-01-31T12:00:00Z"
        )
    values, rest = _record.fit(record)
    values["eventTime"], date = moment
    if rest:
        values[OTHER_FIELDS] = _dumps(rest)
    return Row(values, date)


_NAMES = {str: "text", bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _named(value: Any) -> str:
    return "null" if value is None else _NAMES.get(type(value), "no JSON value")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=1 << 16)
def _moment(text: str) -> tuple[int, str] | None:
    """Milliseconds since 1970 and the UTC day; a time without a zone is UTC, a day without a time is no time."""
    try:
        parsed = datetime.fromisoformat(text)
        moment = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if ":" not in text:
        return None
    return (moment - _EPOCH) // _MILLISECOND, moment.date().isoformat()
