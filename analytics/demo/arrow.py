"""String columns without Python loops, and the schema of CloudTrail as Athena's table has it (layout A)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

TEXT = pa.string()
ISSUER = pa.struct([(n, TEXT) for n in ("type", "principalid", "arn", "accountid", "username")])
ATTRIBUTES = pa.struct([("mfaauthenticated", TEXT), ("creationdate", TEXT)])
WEB_IDENTITY = pa.struct([("federatedprovider", TEXT), ("attributes", pa.map_(TEXT, TEXT))])
SESSION = pa.struct(
    [
        ("attributes", ATTRIBUTES),
        ("sessionissuer", ISSUER),
        ("ec2roledelivery", TEXT),
        ("webidfederationdata", WEB_IDENTITY),
    ]
)
ON_BEHALF_OF = pa.struct([("userid", TEXT), ("identitystorearn", TEXT)])
IDENTITY = pa.struct(
    [
        ("type", TEXT),
        ("principalid", TEXT),
        ("arn", TEXT),
        ("accountid", TEXT),
        ("invokedby", TEXT),
        ("accesskeyid", TEXT),
        ("username", TEXT),
        ("onbehalfof", ON_BEHALF_OF),
        ("sessioncontext", SESSION),
    ]
)
RESOURCE = pa.struct([("arn", TEXT), ("accountid", TEXT), ("type", TEXT)])
TLS = pa.struct([("tlsversion", TEXT), ("ciphersuite", TEXT), ("clientprovidedhostheader", TEXT)])
ADDENDUM = pa.struct([(n, TEXT) for n in ("reason", "updatedfields", "originalrequestid", "originaleventid")])
SCHEMA = pa.schema(
    [
        ("eventversion", TEXT),
        ("useridentity", IDENTITY),
        *((name, TEXT) for name in ("eventtime", "eventsource", "eventname", "awsregion", "sourceipaddress")),
        *((name, TEXT) for name in ("useragent", "errorcode", "errormessage", "requestparameters")),
        *((name, TEXT) for name in ("responseelements", "additionaleventdata", "requestid", "eventid")),
        ("resources", pa.list_(RESOURCE)),
        *((name, TEXT) for name in ("eventtype", "apiversion", "readonly", "recipientaccountid")),
        *((name, TEXT) for name in ("serviceeventdetails", "sharedeventid", "vpcendpointid")),
        *((name, TEXT) for name in ("vpcendpointaccountid", "eventcategory")),
        ("addendum", ADDENDUM),
        ("sessioncredentialfromconsole", TEXT),
        ("edgedevicedetails", TEXT),
        ("tlsdetails", TLS),
    ]
)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_BASE32 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)


def fixed(characters: npt.NDArray[np.uint8]) -> pa.Array:
    """Rows of ASCII codes as strings of equal length."""
    count, width = characters.shape
    offsets = np.arange(0, (count + 1) * width, max(width, 1), dtype=np.int32)
    body = pa.py_buffer(np.ascontiguousarray(characters))
    return pa.Array.from_buffers(TEXT, count, [None, pa.py_buffer(offsets), body])


def uuids(rng: np.random.Generator, count: int) -> pa.Array:
    """Random UUIDs."""
    characters = _HEX[rng.integers(0, 16, (count, 36), dtype=np.uint8)]
    characters[:, [8, 13, 18, 23]] = ord("-")
    characters[:, 14] = ord("4")
    return fixed(characters)


def temporary_keys(rng: np.random.Generator, count: int) -> pa.Array:
    """Access key ids of temporary credentials."""
    characters = _BASE32[rng.integers(0, 32, (count, 20), dtype=np.uint8)]
    characters[:, :4] = np.frombuffer(b"ASIA", np.uint8)
    return fixed(characters)


def iso_times(seconds: npt.NDArray[np.int64]) -> pa.Array:
    """Seconds since 1970 as CloudTrail prints times."""
    return pc.strftime(pa.array(seconds, pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")


def text(values: Sequence[str | None]) -> pa.Array:
    """A string column."""
    return pa.array(values, TEXT)


def join(*parts: Any) -> pa.Array:
    """Row by row concatenation of columns and constants; null where any part is null."""
    columns = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, pa.scalar("", TEXT))


def where(mask: npt.NDArray[np.bool_], values: Any, otherwise: Any = None) -> pa.Array:
    """`values` where the mask holds."""
    other = pa.scalar(otherwise, TEXT) if otherwise is None or isinstance(otherwise, str) else otherwise
    return pc.if_else(pa.array(mask), values, other)


def nulls(kind: pa.DataType, count: int) -> pa.Array:
    """A column without values."""
    return pa.nulls(count, kind)
