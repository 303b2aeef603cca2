"""What a chain of policies does about an action and about a scenario, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.guardrails.values import State

if TYPE_CHECKING:
    from analytics.findings.guardrails.chain import At


class Degree(IntEnum):
    """How far an action is stopped."""

    NOT = 0
    IN_PART = 1  # some requests are, or those of some principals
    PERHAPS = 2  # all are, some of them under a condition
    SURELY = 3


class Spared(NamedTuple):
    """A principal that the policies name, and do not stop."""

    principal: str
    wild: bool
    at: At


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chain does about one action."""

    degree: Degree = Degree.NOT
    places: tuple[At, ...] = ()
    spared: tuple[Spared, ...] = ()
    unlisted: bool = False  # it hangs on a list that the team has not given
    capped: bool = False  # on a class of resources whose patterns the team has not given
    hangs: tuple[str, ...] = ()  # on these condition keys, of which nothing is known, and on PART of the resources
    by_several: bool = False  # only denies that each spare some by a pattern stop it, and nobody known is spared


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a chain does about a scenario."""

    state: State
    answers: tuple[Answer, ...]  # in the order of the scenario's actions
    missing: tuple[str, ...]
    open: tuple[str, ...]
    closed: frozenset[str]

    @property
    def places(self) -> tuple[At, ...]:
        """The deciding statements, each once."""
        return tuple(dict.fromkeys(at for answer in self.answers for at in answer.places))

    @property
    def spared(self) -> tuple[Spared, ...]:
        """Who is left out, each once."""
        return tuple(dict.fromkeys(one for answer in self.answers for one in answer.spared))


NOTHING = Answer()


def state_of(degrees: Sequence[Degree]) -> State:
    """The state of a cell, from what becomes of its actions."""
    if all(degree is Degree.SURELY for degree in degrees):
        return State.COVERED
    if all(degree >= Degree.PERHAPS for degree in degrees):
        return State.CONDITIONAL
    return State.PARTIAL if any(degrees) else State.GAP
