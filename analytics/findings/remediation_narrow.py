"""A policy without the actions that nobody needs: each statement keeps its resources, its conditions and its effect.

Denies stay as they are. INVARIANT: an action that is kept is spoken of by the same statements as before, so that its
reach is the same; an action that is left out is spoken of by no Allow. Wildcards stand only where the old policy had
one that matches whatever they will match, so that an action that AWS adds later is never granted anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import spoken_of
from analytics.findings.drafts_merge import shortest
from analytics.iam.policy import Effect, PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Statement

_WILD = "*?"


class Narrower:
    """Narrows policies over one catalogue; each distinct list of actions of a service is put into words once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.services: dict[str, int] = {
            service: ((1 << len(numbers)) - 1) << numbers.start for service, numbers in catalogue.services.items()
        }
        self._words: dict[tuple[str, int], tuple[str, ...]] = {}
        self._documents: dict[tuple[int, int], tuple[PolicyDocument, PolicyDocument | None]] = {}

    def document(self, document: PolicyDocument, keep: int) -> PolicyDocument | None:
        """The policy with the actions of `keep` alone; the same object where nothing goes, None where nothing stays."""
        spoken = reduce(or_, (spoken_of(one, self.catalogue) for one in document.statements if _allows(one)), 0)
        key = (id(document), spoken & keep)
        known = self._documents.get(key)
        if known is None:
            known = self._documents[key] = (document, self._narrowed(document, keep))
        return known[1]

    def forget(self) -> None:
        """Drop what was kept of whole documents."""
        self._documents.clear()

    def whole_services(self, actions: int) -> int:
        """The actions of every service that has one of these."""
        return reduce(or_, (mask for mask in self.services.values() if actions & mask), 0)

    def _narrowed(self, document: PolicyDocument, keep: int) -> PolicyDocument | None:
        statements = [self._statement(one, keep) for one in document.statements]
        if all(new is old for new, old in zip(statements, document.statements, strict=True)):
            return document
        left = tuple(one for one in statements if one is not None)
        return replace(document, statements=left) if left else None

    def _statement(self, statement: Statement, keep: int) -> Statement | None:
        if not _allows(statement):
            return statement
        named = spoken_of(statement, self.catalogue)
        if not named & ~keep:
            return statement
        actions = self._from_all_but(statement, named & keep) if statement.not_action else self._from(statement, keep)
        return replace(statement, action=actions, not_action=()) if actions else None

    def _from(self, statement: Statement, keep: int) -> tuple[str, ...]:
        """Patterns that stay whole keep their words (unknown names too); of the others what is kept."""
        whole: list[str] = []
        cut: list[str] = []
        covered = left = 0
        for pattern in statement.action:
            named = self.catalogue.expand(pattern)
            if named & ~keep:
                cut.append(pattern)
                left |= named & keep
            else:
                whole.append(pattern)
                covered |= named
        words = self.words(left & ~covered, lambda word: any(_within(word, pattern) for pattern in cut))
        return tuple(sorted({*whole, *words}, key=str.lower))

    def _from_all_but(self, statement: Statement, kept: int) -> tuple[str, ...]:
        return self.words(kept, lambda word: not any(_may_share(word, pattern) for pattern in statement.not_action))

    def words(self, mask: int, may_stand: _Test) -> tuple[str, ...]:
        """The actions of a mask as few patterns; a wildcard only where it may stand."""
        found: list[str] = []
        for service, actions in self.services.items():
            mine = mask & actions
            if mine:
                for word in self.words_of(service, mine):
                    stands = not word.endswith("*") or may_stand(word)
                    found += [word] if stands else self.catalogue.names(self.catalogue.expand(word))
        return tuple(found)

    def words_of(self, service: str, mask: int) -> tuple[str, ...]:
        """The actions of a mask, all of one service, as few patterns."""
        key = (service, mask)
        words = self._words.get(key)
        if words is None:
            words = self._words[key] = shortest(mask, self.catalogue)
        return words


def joined(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Allows of the same resources under the same conditions as one; equal statements once. Sids of joined ones go."""
    found: dict[object, Statement] = {}
    for statement in statements:
        is_list = _allows(statement) and statement.action and "*" not in statement.action
        parts = (statement.effect, statement.resource, statement.not_resource, statement.condition)
        key = parts if is_list else replace(statement, sid=None)
        same = found.get(key)
        if same is None:
            found[key] = statement
        elif is_list:
            actions = tuple(sorted({*same.action, *statement.action}, key=str.lower))
            found[key] = replace(same, sid=None, action=actions)
    return tuple(found.values())


def _allows(statement: Statement) -> bool:
    return statement.effect is Effect.ALLOW


def _within(word: str, pattern: str) -> bool:
    """Whether a pattern of an old policy matches whatever `prefix*` matches, now and in future."""
    prefix = pattern.rstrip("*")
    open_ended = prefix != pattern and not any(mark in prefix for mark in _WILD)
    return open_ended and word.lower().startswith(prefix.lower())


def _may_share(word: str, pattern: str) -> bool:
    """Whether some name could match both `prefix*` and a pattern."""
    prefix, other = word[:-1].lower(), pattern.lower()
    literal = other[: min((other.find(mark) for mark in _WILD if mark in other), default=len(other))]
    return literal.startswith(prefix) or (literal != other and prefix.startswith(literal))


if TYPE_CHECKING:
    from collections.abc import Callable

    _Test = Callable[[str], bool]
