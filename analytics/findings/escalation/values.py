"""What the search for escalation paths gives back: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """Whether something is possible in every case, or only perhaps."""

    SURELY = "surely"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class HeldPath:
    """One path whose actions are all in an identity's reach, and the strongest target that it leads to."""

    path_id: str
    title: str
    category: str  # effective, for this kind of identity and this target
    surely: bool
    target_arn: str | None  # None: nobody, or nobody whom the snapshot names
    target: str  # administrator, privileged, lesser, none
    target_factor: float
    strength: float  # category × certainty × target
    actions: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to an administrator."""

    from_arn: str
    to_arn: str | None  # None: an administrator whom the snapshot does not name
    path_id: str
    actions: tuple[str, ...]
    surely: bool
