"""Statements as policy documents that AWS stores: distinct Sids, and split where a document would be too long.

INVARIANT: together the documents say what the statements say. Characters are counted as IAM counts them, without white
space, but for blanks inside of texts, which are counted here: a document is never longer than it seems.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import lru_cache
from itertools import count, groupby
from typing import TYPE_CHECKING

from analytics.findings.drafts.size import characters
from analytics.iam.policy import PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.iam.policy import Statement

VERSION = "2012-10-17"
_KEPT = 8192  # statements that are remembered: identities share many


def documents_of(
    statements: Sequence[tuple[str, Statement]], most_characters: int, most_documents: int
) -> tuple[PolicyDocument, ...] | None:
    """Statements with their language version as few documents within the size; None where they do not fit.

    The longest statements first, each into the first document with room.
    """
    tidy: dict[int, Statement] = {}
    least = 0
    # What is too long mostly is so for one statement: the others need no tidying then.
    for at, (_, statement) in sorted(enumerate(statements), key=lambda entry: -len(entry[1][1].action)):
        tidy[at] = tidied(statement)
        least += _least_size(tidy[at])
        if least > most_characters * most_documents:
            return None
    by_version = sorted(((version, tidy[at]) for at, (version, _) in enumerate(statements)), key=lambda one: one[0])
    found: list[PolicyDocument] = []
    for version, members in groupby(by_version, key=lambda one: one[0]):
        packed = _packed([statement for _, statement in members], version, most_characters)
        if packed is None:
            return None
        found += packed
    return tuple(found) if len(found) <= most_documents else None


@lru_cache(maxsize=_KEPT)
def tidied(statement: Statement) -> Statement:
    """The statement without actions that another pattern of it matches anyway."""
    words = [word.lower() for word in statement.action]
    outer: list[str] = []  # none within another: of what stands before a word, the last one alone may match it
    for prefix in sorted(word[:-1] for word in words if word[-1:] == "*" and not _is_wild(word[:-1])):
        if not outer or not prefix.startswith(outer[-1]):
            outer.append(prefix)
    if not outer:
        return statement
    if not outer[0]:
        return replace(statement, action=("*",))
    outer = ["", *outer]
    kept = tuple(
        word
        for word, lower in zip(statement.action, words, strict=True)
        if not (before := outer[bisect_right(outer, lower) - 1])
        or lower == f"{before}*"
        or not lower.startswith(before)
    )
    return replace(statement, action=kept) if len(kept) < len(words) else statement


def with_distinct_sids(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements in order; a Sid that stands twice gets a number."""
    taken: set[str] = set()
    found = []
    for statement in statements:
        sid = statement.sid
        if sid is not None and sid in taken:
            sid = next(name for number in count(2) if (name := f"{sid}{number}") not in taken)
            statement = replace(statement, sid=sid)  # noqa: PLW2901  the numbered one takes its place
        taken |= {sid} if sid else set()
        found.append(statement)
    return tuple(found)


def _least_size(one: Statement) -> int:
    """What the texts of actions and resources alone come to, quoted and with commas."""
    return sum(sum(map(len, texts)) + 3 * len(texts) for texts in (one.action, one.not_action, one.resource))


def _packed(statements: Sequence[Statement], version: str, most: int) -> list[PolicyDocument] | None:
    pieces: list[tuple[int, Statement]] = []
    for statement in statements:
        parts = _fitting(statement, version, most)
        if parts is None:
            return None
        pieces += parts
    pieces.sort(key=lambda piece: -piece[0])  # stable: equal sizes keep their order
    frame = characters(PolicyDocument((), version))
    bins: list[tuple[int, list[Statement]]] = []
    for size, piece in pieces:
        for at, (full, held) in enumerate(bins):
            together = full + 1 + size - frame  # with a comma
            if together <= most and piece.sid is not None:  # a Sid may get a number
                together = _size([*held, piece], version)
            if together <= most:
                bins[at] = (together, [*held, piece])
                break
        else:
            bins.append((size, [piece]))
    return [PolicyDocument(with_distinct_sids(held), version) for _, held in bins]


def _fitting(statement: Statement, version: str, most: int) -> list[tuple[int, Statement]] | None:
    """The statement, or halves of its actions, until each fits alone; a deny of all but some is never divided."""
    size = _alone(statement, version)
    if size <= most:
        return [(size, statement)]
    found: list[tuple[int, Statement]] = []
    for half in _halves(statement):
        parts = _fitting(half, version, most)
        if parts is None:
            return None
        found += parts
    return found or None


def _halves(statement: Statement) -> tuple[Statement, ...]:
    """The statement by halves of its actions, else of its resources; none where it has one of each."""
    if len(statement.action) > 1:
        middle = len(statement.action) // 2
        return tuple(replace(statement, action=half) for half in (statement.action[:middle], statement.action[middle:]))
    if len(statement.resource) > 1:
        middle = len(statement.resource) // 2
        halves = (statement.resource[:middle], statement.resource[middle:])
        return tuple(replace(statement, resource=half) for half in halves)
    return ()


@lru_cache(maxsize=_KEPT)
def _alone(statement: Statement, version: str) -> int:
    return _size([statement], version)


def _size(statements: Sequence[Statement], version: str) -> int:
    return characters(PolicyDocument(with_distinct_sids(statements), version))


def _is_wild(text: str) -> bool:
    return "*" in text or "?" in text
