"""Whether a statement's condition holds for a principal: always, never, or depending on the request.

Each condition of a block asks about something known of the principal, about a key that the caller chooses freely, or
about something else; only the last kind leaves room for doubt. INVARIANT: ALWAYS and NEVER are never guesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_choice import candidates, free_keys
from analytics.engine.reach_facts import KNOWN_OF_ALL, ROLES, about_principal, known_context
from analytics.engine.reach_sessions import USER_ID, holds_for_sessions
from analytics.iam.condition import all_true, compile_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.condition import Presence, Requirement
    from analytics.iam.policy import Condition
    from analytics.iam.stack import PrincipalFacts

    Test = Requirement | Presence


class Certainty(Enum):
    """Over all requests of a principal."""

    NEVER = 0
    MAYBE = 1
    ALWAYS = 2


class Verdict(NamedTuple):
    """How certain a condition block is; ALWAYS may ask the caller to choose the values of free keys."""

    certainty: Certainty
    choice: tuple[tuple[str, int], ...] = ()  # each free key, and the actions whose requests carry it


ALWAYS, MAYBE, NEVER = Verdict(Certainty.ALWAYS), Verdict(Certainty.MAYBE), Verdict(Certainty.NEVER)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A condition block, taken apart; equal blocks of one judge are the same object."""

    about_principal: tuple[Test, ...]
    otherwise: Verdict  # the verdict where everything about the principal holds

    @property
    def same_for_all(self) -> Verdict | None:
        """The verdict for every principal alike, where the block asks nothing about the principal."""
        return None if self.about_principal else self.otherwise


class KnownPrincipal:
    """One principal, and how each block falls for it: judged once, however many statements repeat it."""

    def __init__(self, facts: PrincipalFacts) -> None:
        self._context = known_context(facts)
        self._role_id = facts.unique_id if facts.kind in ROLES else None
        self._verdicts: dict[Block, Verdict] = {}

    def verdict(self, block: Block) -> Verdict:
        """How certain it is that the block holds in a request of this principal."""
        if not block.about_principal:
            return block.otherwise
        verdict = self._verdicts.get(block)
        if verdict is None:
            holds = all_true([self._truth(test) for test in block.about_principal])
            verdict = block.otherwise if holds else NEVER if holds is False else _at_most_maybe(block.otherwise)
            self._verdicts[block] = verdict
        return verdict

    def _truth(self, test: Test) -> bool | None:
        if test.key == USER_ID and self._role_id is not None:
            return holds_for_sessions(test.condition, self._role_id)
        return test.truth(self._context)


class Judge:
    """Judges condition blocks over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._free = free_keys(catalogue)
        self._blocks: dict[tuple[str, tuple[Condition, ...]], Block] = {}

    def block(self, conditions: tuple[Condition, ...], version: str) -> Block:
        """The conditions of one statement, taken apart once; `version` is that of the policy's language."""
        key = (version if conditions else "", conditions)
        block = self._blocks.get(key)
        if block is None:
            tests = [compile_condition(condition, version) for condition in conditions]
            block = self._blocks[key] = self._take_apart(tests)
        return block

    def principal(self, facts: PrincipalFacts) -> KnownPrincipal:
        """What is known of one principal."""
        return KnownPrincipal(facts)

    def _take_apart(self, tests: Sequence[Test]) -> Block:
        about = tuple(test for test in tests if about_principal(test.key))
        others = [test for test in tests if not about_principal(test.key)]
        truths = [test.truth(KNOWN_OF_ALL) for test in others]
        if False in truths:
            return Block((), NEVER)
        undecided = [test for test, truth in zip(others, truths, strict=True) if truth is None]
        return Block(about, self._by_choice(undecided))

    def _by_choice(self, tests: Sequence[Test]) -> Verdict:
        """ALWAYS where the caller can meet all the tests by choosing free keys, each key on its own."""
        keys = sorted({test.key for test in tests})
        for key in keys:
            same_key = [test for test in tests if test.key == key]
            if key not in self._free or not _can_be_met(key, same_key):
                return MAYBE
        return Verdict(Certainty.ALWAYS, tuple((key, self._free[key]) for key in keys))


def _can_be_met(key: str, tests: Sequence[Test]) -> bool:
    """Whether some value of a freely chosen key meets all the tests on it."""
    tried = (
        KNOWN_OF_ALL._replace(values={**KNOWN_OF_ALL.values, key: (value,)})
        for value in candidates([test.condition for test in tests])
    )
    return any(all(test.truth(context) for test in tests) for context in tried)


def _at_most_maybe(verdict: Verdict) -> Verdict:
    return MAYBE if verdict.certainty is Certainty.ALWAYS else verdict
