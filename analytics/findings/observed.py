"""What an export can show at all, account by account: only there does silence mean `unused`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from analytics.findings.gap import Coverage, observable
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from analytics.iam.catalogue import Catalogue

DATA_EVENTS_FILE = REFERENCE / "data_events.csv"


@dataclass
class Profiles:
    """The distinct sets of observable actions; accounts share few.

    Number 0 is the empty set, of an account without events: no silence of it says anything.
    """

    catalogue: Catalogue
    masks: list[int] = field(default_factory=lambda: [0])
    _numbers: dict[Coverage, int] = field(default_factory=dict)

    def number(self, coverage: Coverage) -> int:
        """The number of the set of actions that an account of this coverage would show."""
        known = self._numbers.get(coverage)
        if known is None:
            mask = observable(self.catalogue, coverage, data_event_types())
            if mask not in self.masks:
                self.masks.append(mask)
            known = self._numbers[coverage] = self.masks.index(mask)
        return known


@cache
def data_event_types() -> Mapping[str, frozenset[str]]:
    """Lower-case action -> the CloudTrail resource types under which its data events are logged.

    A cell such as `AWS::Bedrock::AgentAlias, KnowledgeBase` repeats the service of its first type.
    """
    with DATA_EVENTS_FILE.open(encoding="utf-8", newline="") as file:
        return {
            row["iam_action"].lower(): frozenset(_types(row["cloudtrail_resource_type"]))
            for row in csv.DictReader(file)
        }


def _types(cell: str) -> Iterable[str]:
    names = [name.strip() for name in cell.split(",")]
    service = names[0].rpartition("::")[0]
    return (name if "::" in name else f"{service}::{name}" for name in names)
