"""From a CloudTrail event to the IAM actions that it used.

The rules, in order: events that are no authorised call; the source's IAM prefixes; AWS's own operation table
(`event_map.json`: only what the later rules cannot derive); the same without the API version in the name
(`ListFunctions20150331`); an action of the event's own name. What is left is unresolved: counted and shown.
INVARIANT: every action that comes back exists in the catalogue, in the catalogue's case.
The facts and their sources: data/reference/README.md.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"
# No action of the catalogue has six digits in a row, so a name that ends like this carries an API version.
API_VERSION = re.compile(r"(?:[0-9]{8}|[0-9]{4}_[0-9]{2}_[0-9]{2})(?:v[0-9]+)?\Z")
ANYTHING = "*"


class Outcome(StrEnum):
    """What became of an event's name."""

    RESOLVED = "resolved"
    NOT_IAM = "not_iam"  # no authorised call, or a call that needs no permission
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The actions behind one event.

    `all` were all needed; of `any` at least one was, which one cannot be told; `also` may have been needed,
    depending on the parameters. A call uses `all`, and possibly uses `any` and `also`.
    """

    outcome: Outcome
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    basis: str = ""  # the rule that answered; for NOT_IAM the class in non_iam_events.csv


class ActionCatalogue(Protocol):
    """As much of the action catalogue as the resolver needs."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action, in AWS's case."""


class ActionsOf(NamedTuple):
    """One entry of AWS's operation table."""

    all: tuple[str, ...]
    any: tuple[str, ...]
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventTables:
    """The reference files, every name in lower case: CloudTrail's case varies between services."""

    prefixes: Mapping[str, tuple[str, ...]]  # event source, without `.amazonaws.com`
    operations: Mapping[tuple[str, str], ActionsOf]  # source or prefix, event name
    not_iam_types: Mapping[str, str]  # event type → class
    not_iam_names: Mapping[tuple[str, str], str]  # source, event name → class


def read_event_tables(folder: Path = REFERENCE) -> EventTables:
    """The four event tables of `data/reference`."""
    sources = _rows(folder / "event_sources.csv")
    not_iam = _rows(folder / "non_iam_events.csv")
    events = json.loads((folder / "event_map.json").read_text(encoding="utf-8"))["events"]
    return EventTables(
        prefixes={_service(row["event_source"]): tuple(row["iam_prefixes"].split("|")) for row in sources},
        operations={
            (source.lower(), name.lower()): ActionsOf(*(tuple(entry.get(kind, ())) for kind in ActionsOf._fields))
            for source, names in events.items()
            for name, entry in names.items()
        },
        not_iam_types={row["event_type"].lower(): row["class"] for row in not_iam if row["event_type"]},
        not_iam_names={
            (_service(row["event_source"]), row["event_name"].lower()): row["class"]
            for row in not_iam
            if row["event_name"] != ANYTHING
        },
    )


class Resolver:
    """Answers for any text; never raises, never guesses a name that the catalogue does not hold."""

    def __init__(self, catalogue_actions: Iterable[str], tables: EventTables | None = None) -> None:
        self._actions = {action.lower(): action for action in catalogue_actions}
        self._tables = tables or read_event_tables()

    @classmethod
    def load(cls, catalogue: ActionCatalogue) -> Self:
        """Take the actions of a catalogue and the tables of `data/reference`."""
        return cls(catalogue.actions)

    def resolve(self, event_source: str, event_name: str, event_type: str | None = None) -> Resolution:
        """What the event of this source, name and type needed."""
        source, name = _service(event_source), event_name.strip().lower()
        reason = self._tables.not_iam_types.get((event_type or "").lower())
        reason = reason or self._tables.not_iam_names.get((source, name))
        if reason:
            return Resolution(Outcome.NOT_IAM, basis=reason)
        prefixes = self._tables.prefixes.get(source, (source,))
        unversioned = API_VERSION.sub("", name)
        for candidate in dict.fromkeys((name, unversioned)):
            version = "" if candidate == name else ", API version removed"
            for resolution in self._by_operation((source, *prefixes), candidate, "AWS operation table" + version):
                return resolution
        version = "" if unversioned == name else ", API version removed"
        for prefix in prefixes:
            if action := self._actions.get(f"{prefix}:{unversioned}"):
                return Resolution(Outcome.RESOLVED, all=(action,), basis="action of the same name" + version)
        return Resolution(Outcome.UNRESOLVED, basis="no rule")

    def _by_operation(self, services: Iterable[str], name: str, basis: str) -> Iterator[Resolution]:
        """The entries of the operation table that still name an existing action (services are retired)."""
        for service in services:
            entry = self._tables.operations.get((service, name))
            needed, either, also = (self._existing(actions) for actions in entry or ((), (), ()))
            if len(either) == 1 and entry and len(set(map(str.lower, entry.any))) == 1:
                needed, either = (*needed, *either), ()  # two spellings of one action leave no choice
            if needed or either:
                rest = tuple(action for action in also if action not in {*needed, *either})
                yield Resolution(Outcome.RESOLVED, needed, either, rest, basis)

    def _existing(self, actions: Iterable[str]) -> tuple[str, ...]:
        """Those that the catalogue holds, in its case, each once."""
        found = (self._actions.get(action.lower()) for action in actions)
        return tuple(dict.fromkeys(action for action in found if action))


def _service(event_source: str) -> str:
    """`S3.amazonaws.com` → `s3`; also with China's ending."""
    return event_source.strip().lower().removesuffix(".cn").removesuffix(".amazonaws.com")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
