"""The API calls that the sample makes, as CloudTrail prints them: a table (`calls.json`) and how to fill it in.

A key is `service:Action`, with `#variant` where one action is called in several ways. Texts hold `%(name)s` places:
names that an identity's use gives (bucket, table, role …) or that are invented for each call (uuid, hex16 …).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

_TABLE = Path(__file__).parent / "calls.json"
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NUMERIC = ("number", "small")  # printed without quotes
_NAMED_DIFFERENTLY = {
    "apigateway:GetRestApis": "apigateway:GET",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call; texts are templates, `resources` pairs of type and ARN."""

    key: str
    source: str
    event: str
    read_only: bool
    data_type: str | None  # resource type of a data event; None: management event
    request: str | None
    response: str | None
    extra: str | None
    resources: tuple[tuple[str | None, str], ...]
    service_event: bool = False  # something that a service did by itself
    details: str | None = None

    @property
    def action(self) -> str:
        """The IAM action that the call needs."""
        return action_of(self.key)


def action_of(key: str) -> str:
    """The IAM action behind a key; a few calls of S3 and Lambda are not named like their action."""
    action = key.split("#", 1)[0]
    return _NAMED_DIFFERENTLY.get(action, action)


@functools.cache
def load_calls() -> dict[str, Call]:
    """The table of calls by key."""
    calls = {}
    for key, row in json.loads(_TABLE.read_text(encoding="utf-8")).items():
        service, action = key.split("#", 1)[0].split(":")
        calls[key] = Call(
            key,
            row.get("source", f"{service}.amazonaws.com"),
            row.get("event", action),
            not row.get("write", False),
            row.get("data"),
            _template(row.get("request")),
            _template(row.get("response")),
            _template(row.get("extra")),
            tuple((kind, arn) for kind, arn in row.get("resources", ())),
            row.get("service_event", False),
            _template(row.get("details")),
        )
    return calls


def _template(value: object) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, separators=(",", ":"))
    for name in _NUMERIC:
        text = text.replace(f'"%({name})s"', f"%({name})s")
    return text


class Fields(dict[str, str]):
    """What fills the places of one call; names that nobody gave are invented, once for all texts of the call."""

    def __init__(self, given: dict[str, str], random: Random) -> None:
        super().__init__(given)
        self._random = random

    def __missing__(self, name: str) -> str:
        value = _invent(name, self._random)
        self[name] = value
        return value

    def resolve(self) -> None:
        """Fill in the places inside given values (object keys, for example)."""
        for name in [name for name, value in self.items() if "%(" in value]:
            self[name] = self[name] % self


def _invent(name: str, random: Random) -> str:
    bits = random.getrandbits
    match name:
        case "uuid":
            text = f"{bits(128):032x}"
            return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-b{text[17:20]}-{text[20:]}"
        case "number":
            return str(1_000 + bits(21))
        case "small":
            return str(1 + bits(8))
        case "capital":
            return "".join(random.choices(_ALPHANUMERIC, k=13))
        case "private":
            return f"10.{40 + bits(4)}.{bits(7)}.{4 + bits(7)}"
        case _ if name.startswith("hex") and name[3:].isdigit():
            width = int(name[3:])
            return f"{bits(4 * width):0{width}x}"
        case _:
            msg = f"the table of calls names `{name}`, which no use gives"
            raise KeyError(msg)
