"""A single change of an identity, with the score that it would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ChangeKind(StrEnum):
    """What is changed; the order is that among equal scores."""

    DROP_UNUSED = "drop-unused"
    BOUNDARY = "boundary"
    TEMPLATE = "boundary-template"
    TRUST = "narrow-trust"
    KEY = "remove-key"
    SCP = "scp"

    @property
    def words(self) -> str:
        """For people; files for machines have the value."""
        return _WORDS[self]


_WORDS = {
    ChangeKind.DROP_UNUSED: "Drop unused actions",
    ChangeKind.BOUNDARY: "Add boundary",
    ChangeKind.TEMPLATE: "Add boundary template",
    ChangeKind.TRUST: "Narrow trust",
    ChangeKind.KEY: "Remove key",
    ChangeKind.SCP: "Deny by SCP",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `detail` is a plain value, ready to be printed as JSON."""

    kind: ChangeKind
    title: str
    detail: Mapping[str, Any] = field(hash=False)
    score_after: float
    calls_broken: int | None = None  # of the window: 0 where the sets prove it, None where that is not proven
