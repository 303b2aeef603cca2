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


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `detail` is a plain value, ready to be printed as JSON."""

    kind: ChangeKind
    title: str
    detail: Mapping[str, Any] = field(hash=False)
    score_after: float
