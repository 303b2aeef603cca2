"""Statements as policy documents that AWS stores: distinct Sids, and split where a document would be too long.

INVARIANT: together the documents say what the statements say. Characters are counted as IAM counts them, without white
space, but for blanks inside of texts, which are counted here: a document is never longer than it seems.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import count, groupby
from typing import TYPE_CHECKING

from analytics.findings.drafts_size import characters
from analytics.iam.policy import PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.iam.policy import Statement

VERSION = "2012-10-17"
_WILD = "*?"


def documents_of(
    statements: Iterable[tuple[str, Statement]], most_characters: int, most_documents: int
) -> tuple[PolicyDocument, ...] | None:
    """Statements with their language version as few documents within the size; None where they do not fit.

    The longest statements first, each into the first document with room.
    """
    tidy = sorted(((version, tidied(statement)) for version, statement in statements), key=lambda one: one[0])
    found: list[PolicyDocument] = []
    if _least_size(statement for _, statement in tidy) > most_characters * most_documents:
        return None
    for version, members in groupby(tidy, key=lambda one: one[0]):
        packed = _packed([statement for _, statement in members], version, most_characters)
        if packed is None:
            return None
        found += packed
    return tuple(found) if len(found) <= most_documents else None


def tidied(statement: Statement) -> Statement:
    """The statement without actions that another pattern of it matches anyway."""
    words = [word.lower() for word in statement.action]
    outer: list[str] = []  # none within another: of what stands before a word, the last one alone may match it
    for prefix in sorted({word[:-1] for word in words if word.endswith("*") and _is_prefix(word)}):
        if not outer or not prefix.startswith(outer[-1]):
            outer.append(prefix)
    if not outer:
        return statement
    kept = []
    for word, lower in zip(statement.action, words, strict=True):
        at = bisect_right(outer, lower)
        if not at or not lower.startswith(outer[at - 1]) or lower == f"{outer[at - 1]}*":
            kept.append(word)
    return replace(statement, action=tuple(kept)) if len(kept) < len(words) else statement


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


def _least_size(statements: Iterable[Statement]) -> int:
    """What the texts of actions and resources alone come to, quoted and with commas."""
    return sum(len(text) + 3 for one in statements for text in (*one.action, *one.not_action, *one.resource))


def _packed(statements: Sequence[Statement], version: str, most: int) -> list[PolicyDocument] | None:
    pieces: list[tuple[int, Statement]] = []
    for statement in statements:
        parts = _fitting(statement, version, most)
        if parts is None:
            return None
        pieces += [(_size([part], version), part) for part in parts]
    pieces.sort(key=lambda piece: -piece[0])  # stable: equal sizes keep their order
    frame = characters(PolicyDocument((), version))
    bins: list[list[Statement]] = []
    sizes: list[int] = []
    for size, piece in pieces:
        more = size - frame + 1  # with a comma
        roomy = (
            at for at, held in enumerate(bins) if sizes[at] + more <= most and _size([*held, piece], version) <= most
        )
        room = next(roomy, None)
        if room is None:
            bins.append([piece])
            sizes.append(size)
        else:
            bins[room].append(piece)
            sizes[room] += more
    return [PolicyDocument(with_distinct_sids(held), version) for held in bins]


def _fitting(statement: Statement, version: str, most: int) -> list[Statement] | None:
    """The statement, or halves of its actions, until each fits alone; a deny of all but some is never divided."""
    if _size([statement], version) <= most:
        return [statement]
    found: list[Statement] = []
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


def _size(statements: Sequence[Statement], version: str) -> int:
    return characters(PolicyDocument(with_distinct_sids(statements), version))


def _is_prefix(word: str) -> bool:
    prefix = word.removesuffix("*")
    return prefix != word and not any(mark in prefix for mark in _WILD)
