"""A policy without the actions that nobody needs: each statement keeps its resources, its conditions and its effect.

Denies stay as they are. INVARIANT: an action that is kept is spoken of by the same statements as before, so that its
reach is the same; an action that is left out is spoken of by no Allow. Wildcards stand only where the old policy had
one that matches whatever they will match, so that an action that AWS adds later is never granted anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import spoken_of
from analytics.findings.action_parts import action_parts
from analytics.iam.policy import Effect, PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Statement

_WILD = "*?"
_KEPT_DOCUMENTS = 5_000  # policies of the estate that are kept as read
_KEPT = 200_000  # answers of a service that are remembered for the next identities


@dataclass(frozen=True, slots=True)
class _Allow:
    """A statement that allows, with what it speaks of."""

    statement: Statement
    spoken: int
    services: Mapping[str, tuple[int, tuple[str, ...]]]  # the part of each, and the patterns that may match names there
    unknown: tuple[str, ...]  # patterns that match no action that is known


@dataclass(frozen=True, slots=True)
class _Read:
    """A document as it is narrowed."""

    document: PolicyDocument
    spoken: int  # by any statement that allows
    statements: tuple[Statement | _Allow, ...]


class Narrower:
    """Narrows policies over one catalogue; each distinct list of actions of a service is put into words once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.parts = action_parts(catalogue)
        self.services: dict[str, int] = {service: self.parts.whole(service) for service in catalogue.services}
        self._read: dict[int, _Read] = {}
        self._words: dict[object, tuple[str, ...]] = {}
        self._documents: dict[tuple[int, int], PolicyDocument | None] = {}
        self._kept: tuple[int, Callable[[str], int]] | None = None

    def document(self, document: PolicyDocument, keep: int) -> PolicyDocument | None:
        """The policy with the actions of `keep` alone; the same object where nothing goes, None where nothing stays."""
        read = self._read.get(id(document)) or self._reading(document)
        kept = read.spoken & keep
        if kept == read.spoken:
            return document
        key = (id(document), kept)
        if key not in self._documents:
            self._documents[key] = self._narrowed(read, keep)
        return self._documents[key]

    def forget(self) -> None:
        """Drop what was kept of proposals; what they are made from is kept while it is not too much."""
        self._documents.clear()
        if len(self._read) > _KEPT_DOCUMENTS:
            self._read.clear()
        if len(self._words) > _KEPT:
            self._words.clear()

    def whole_services(self, actions: int) -> int:
        """The actions of every service that has one of these."""
        return reduce(or_, (self.services[service] for service in self.parts.split(actions)), 0)

    def _reading(self, document: PolicyDocument) -> _Read:
        statements = tuple(self._allow(one) if one.effect is Effect.ALLOW else one for one in document.statements)
        spoken = reduce(or_, (one.spoken for one in statements if isinstance(one, _Allow)), 0)
        found = self._read[id(document)] = _Read(document, spoken, statements)
        return found

    def _allow(self, statement: Statement) -> _Allow:
        spoken, broad = spoken_of(statement, self.catalogue), []
        of_service: dict[str, list[str]] = {}
        for pattern in statement.not_action or statement.action:
            if _is_broad(pattern):
                broad.append(pattern)
            else:
                of_service.setdefault(pattern.partition(":")[0].lower(), []).append(pattern)
        if broad or statement.not_action:
            parts = self.parts.split(spoken)
        else:
            parts = {
                service: self.parts.part(service, spoken) for service in sorted(of_service) if service in self.services
            }
        services = {service: (part, (*of_service.get(service, ()), *broad)) for service, part in parts.items()}
        unknown = tuple(one for one in statement.action if not self.catalogue.expand(one))
        return _Allow(statement, spoken, services, unknown)

    def _narrowed(self, read: _Read, keep: int) -> PolicyDocument | None:
        statements = (self._statement(one, keep) if isinstance(one, _Allow) else one for one in read.statements)
        left = tuple(one for one in statements if one is not None)
        return replace(read.document, statements=left) if left else None

    def _statement(self, one: _Allow, keep: int) -> Statement | None:
        if one.spoken & keep == one.spoken:
            return one.statement
        kept = self._reader(keep)
        is_rest = bool(one.statement.not_action)
        words: list[str] = []
        for service, (spoken, patterns) in one.services.items():
            part = spoken & kept(service)
            if part:
                words += self._left(service, part, patterns, is_rest=is_rest)
        if not is_rest:
            words = sorted({*words, *one.unknown}, key=str.lower)
        return replace(one.statement, action=tuple(words), not_action=()) if words else None

    def _reader(self, keep: int) -> Callable[[str], int]:
        """Of the set that was asked last it is kept: an identity has many statements."""
        if self._kept is None or self._kept[0] != keep:
            self._kept = (keep, self.parts.reader(keep & self.catalogue.full))
        return self._kept[1]

    def _left(self, service: str, part: int, patterns: tuple[str, ...], *, is_rest: bool) -> tuple[str, ...]:
        """What is left of a statement in a service; `is_rest`: its patterns are those of NotAction."""
        key = (service, part, patterns, is_rest)
        found = self._words.get(key)
        if found is None:
            found = tuple(self._all_but(service, part, patterns) if is_rest else self._cut(service, part, patterns))
            self._words[key] = found
        return found

    def _cut(self, service: str, part: int, patterns: tuple[str, ...]) -> Iterator[str]:
        """Patterns that stay whole keep their words; of the others what is kept."""
        cut: list[str] = []
        covered = left = 0
        for pattern in patterns:
            named = self.parts.part(service, self.catalogue.expand(pattern))
            if named & ~part or (named and _is_broad(pattern)):
                cut.append(pattern)
                left |= named & part
            else:
                covered |= named
                yield pattern
        yield from self._worded(service, left & ~covered, lambda word: any(_within(word, one) for one in cut))

    def _all_but(self, service: str, part: int, patterns: tuple[str, ...]) -> Iterator[str]:
        return self._worded(service, part, lambda word: not any(_may_share(word, one) for one in patterns))

    def _worded(self, service: str, part: int, may_stand: Callable[[str], bool]) -> Iterator[str]:
        """The actions of a part as few patterns; a wildcard only where it may stand."""
        for word in self.parts.words(service, part):
            if word.endswith("*") and not may_stand(word):
                yield from self.parts.names(service, self.parts.part(service, self.catalogue.expand(word)))
            else:
                yield word


def joined(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Allows of the same resources under the same conditions as one; equal statements once. Sids of joined ones go."""
    found: dict[object, list[Statement]] = {}
    for statement in statements:
        is_list = _allows(statement) and statement.action and "*" not in statement.action
        parts = (statement.effect, statement.resource, statement.not_resource, statement.condition)
        found.setdefault(parts if is_list else replace(statement, sid=None), []).append(statement)
    return tuple(map(_as_one, found.values()))


def _as_one(alike: Sequence[Statement]) -> Statement:
    first = alike[0]
    if len(alike) == 1 or not first.action or not _allows(first) or "*" in first.action:
        return first
    actions = sorted({action for one in alike for action in one.action}, key=str.lower)
    return replace(first, sid=None, action=tuple(actions))


def _allows(statement: Statement) -> bool:
    return statement.effect is Effect.ALLOW


def _is_broad(pattern: str) -> bool:
    """Whether a pattern may match names of many services."""
    return ":" not in _literal(pattern)


def _literal(pattern: str) -> str:
    """A pattern in lower case up to its first wildcard."""
    found = min((at for mark in _WILD if (at := pattern.find(mark)) >= 0), default=len(pattern))
    return pattern[:found].lower()


def _within(word: str, pattern: str) -> bool:
    """Whether a pattern of an old policy matches whatever `prefix*` matches, now and in future."""
    prefix = pattern.rstrip("*")
    open_ended = prefix != pattern and not any(mark in prefix for mark in _WILD)
    return open_ended and word.lower().startswith(prefix.lower())


def _may_share(word: str, pattern: str) -> bool:
    """Whether some name could match both `prefix*` and a pattern."""
    prefix, literal = word[:-1].lower(), _literal(pattern)
    return literal.startswith(prefix) or (len(literal) != len(pattern) and prefix.startswith(literal))
