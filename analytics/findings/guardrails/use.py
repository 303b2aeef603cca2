"""What a gap means today: identities that could act through it, and those that did.

Only the actions of scenarios count, so each identity is three small sets of bits, and equal ones are counted once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.estate import Subject
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.catalogue import Catalogue


class Use(NamedTuple):
    """Of an identity, as bits over the scenarios' actions: what it can do, did, and would have been seen doing."""

    can: int
    did: int
    seen: int
    is_whole: bool  # all its policies were collected; otherwise it can do at least this


class UseCounter:
    """Counts identities by actions."""

    def __init__(self, scenarios: Sequence[Scenario], catalogue: Catalogue) -> None:
        names = sorted({action.lower() for scenario in scenarios for action in scenario.actions})
        self._bits = {name: 1 << at for at, name in enumerate(names)}
        self._numbers = [(catalogue.number(name), 1 << at) for at, name in enumerate(names)]
        self._small: dict[int, int] = {}

    def use(self, subject: Subject) -> Use:
        """One identity."""
        is_whole = not subject.stack.not_collected
        return Use(self._of(subject.reach.maybe), self._of(subject.seen), self._of(subject.observable), is_whole)

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
    """The identities under a target; `is_whole`: those of every account in scope were collected."""

    def __init__(self, uses: Counter[Use], *, is_whole: bool = True) -> None:
        self._uses = uses
        self._is_whole = is_whole
        self._counts: dict[int, tuple[int | None, int | None]] = {}

    def counts(self, mask: int) -> tuple[int | None, int | None]:
        """How many can do one of the actions, and how many did; None: none that is known, and not all is known."""
        found = self._counts.get(mask)
        if found is None:
            found = self._counts[mask] = self._counted(mask)
        return found

    def _counted(self, mask: int) -> tuple[int | None, int | None]:
        can = did = 0
        unread = hidden = not self._is_whole
        for use, count in self._uses.items():
            unread |= not use.is_whole
            if use.can & mask:
                can += count
            if use.did & mask:
                did += count
            hidden |= bool((use.can if use.is_whole else mask) & mask & ~use.seen)
        return None if unread and not can else can, None if hidden and not did else did
