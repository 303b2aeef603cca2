"""What a gap means today: identities that could act through it, and those that did.

Only the actions of scenarios count, so each identity is three small sets of bits, and equal ones are counted once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.estate import Subject
    from analytics.findings.scenarios import Scenario
    from analytics.iam.catalogue import Catalogue


class Use(NamedTuple):
    """Of an identity, as bits over the scenarios' actions: what it can do, did, and would have been seen doing."""

    can: int
    did: int
    seen: int


class UseCounter:
    """Counts identities by actions."""

    def __init__(self, scenarios: Sequence[Scenario], catalogue: Catalogue) -> None:
        names = sorted({action.lower() for scenario in scenarios for action in scenario.actions})
        self._bits = {name: 1 << at for at, name in enumerate(names)}
        self._numbers = [(catalogue.number(name), 1 << at) for at, name in enumerate(names)]
        self._small: dict[int, int] = {}

    def use(self, subject: Subject) -> Use:
        """One identity."""
        return Use(self._of(subject.reach.maybe), self._of(subject.seen), self._of(subject.observable))

    def mask(self, actions: Iterable[str]) -> int:
        """The bits of some actions."""
        bits = 0
        for action in actions:
            bits |= self._bits[action.lower()]
        return bits

    def _of(self, mask: int) -> int:
        found = self._small.get(mask)
        if found is None:
            found = 0
            for number, bit in self._numbers:
                if number is not None and mask >> number & 1:
                    found |= bit
            self._small[mask] = found
        return found


class Group:
    """The identities under a target."""

    def __init__(self, uses: Counter[Use]) -> None:
        self._uses = uses
        self._counts: dict[int, tuple[int, int | None]] = {}

    def counts(self, mask: int) -> tuple[int, int | None]:
        """How many can do one of the actions, and how many did; None: nobody did, and not all would have been seen."""
        found = self._counts.get(mask)
        if found is None:
            found = self._counts[mask] = self._counted(mask)
        return found

    def _counted(self, mask: int) -> tuple[int, int | None]:
        can = did = 0
        hidden = False
        for use, count in self._uses.items():
            if use.can & mask:
                can += count
                hidden |= bool(use.can & mask & ~use.seen)
            if use.did & mask:
                did += count
        return can, None if hidden and not did else did
