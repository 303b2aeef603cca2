"""Example texts for sets of patterns: one for every way in which a text can match some and not the others.

The patterns run side by side as small automata over the characters that they name and one that none names, so the
list is complete: two texts that match the same patterns are interchangeable in every condition that uses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analytics.iam.match import ARN_PARTS, Variable, Wild

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.iam.match import Template

STATES = 3000  # of all automata together; a policy's patterns on one key stay far below
_FRESH = "xyzqj0123456789"


class TooManyStatesError(Exception):
    """The patterns are too many or too tangled to list every combination."""


class _Step(NamedTuple):
    """One place in a pattern: the characters it takes (None: any), those it never takes, whether it repeats."""

    takes: frozenset[str] | None
    never: str
    repeats: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as a row of steps; places in it are bits, and all of them move at once."""

    steps: tuple[_Step, ...]
    _repeating: int  # the places whose step repeats
    _open: tuple[tuple[str, int], ...]  # places that take any character, by the ones that they never take
    _named: Mapping[str, int]  # by a character: the places that take it by name

    @classmethod
    def of(cls, template: Template, *, ignore_case: bool = False, as_arn: bool = False) -> Pattern:
        """A filled template; `as_arn`: wildcards stay within the first five parts."""
        steps: list[_Step] = []
        colons = 0
        for part in template:
            never = ":" if as_arn and colons < ARN_PARTS - 1 else ""
            if isinstance(part, Wild):
                steps.append(_Step(None, never, repeats=part is Wild.RUN))
            elif not isinstance(part, Variable):
                colons += part.count(":")
                steps.extend(_Step(_letters(letter, ignore_case=ignore_case), "", repeats=False) for letter in part)
        return cls.from_steps(steps)

    @classmethod
    def from_steps(cls, steps: Sequence[_Step]) -> Pattern:
        """The pattern of these steps."""
        unnamed: dict[str, int] = {}
        named: dict[str, int] = {}
        for position, step in enumerate(steps):
            if step.takes is None:
                unnamed[step.never] = unnamed.get(step.never, 0) | 1 << position
            for letter in step.takes or ():
                named[letter] = named.get(letter, 0) | 1 << position
        repeating = sum(1 << position for position, step in enumerate(steps) if step.repeats)
        return cls(tuple(steps), repeating, tuple(unnamed.items()), named)

    def start(self) -> int:
        """The set of places before any character, as bits."""
        return self._closed(1)

    def after(self, places: int, letter: str) -> int:
        """The places that a character leads to."""
        taking = self._named.get(letter, 0)
        for never, unnamed in self._open:
            if letter not in never:
                taking |= unnamed
        taken = places & taking
        return self._closed(taken & self._repeating | (taken & ~self._repeating) << 1)

    def accepts(self, places: int) -> bool:
        """Whether the text so far matches."""
        return bool(places >> len(self.steps) & 1)

    def _closed(self, places: int) -> int:
        """With the places behind steps that may take nothing."""
        while (behind := (places & self._repeating) << 1) & ~places:
            places |= behind
        return places


ANY_ARN = Pattern.from_steps(
    [
        _Step(takes, never, repeats)
        for part in range(ARN_PARTS)
        for takes, never, repeats in ((None, ":" if part < ARN_PARTS - 1 else "", True), (frozenset(":"), "", False))
    ][:-1],
)


def examples(patterns: Sequence[Pattern]) -> dict[tuple[bool, ...], str]:
    """For every possible row of answers (does the text match pattern 1, 2, …) the shortest text that gives it."""
    alphabet = _alphabet(patterns)
    start = tuple(pattern.start() for pattern in patterns)
    seen = {start: ""}
    queue = [start]
    found: dict[tuple[bool, ...], str] = {}
    for state in queue:
        text = seen[state]
        answers = tuple(pattern.accepts(places) for pattern, places in zip(patterns, state, strict=True))
        found.setdefault(answers, text)
        for letter in alphabet:
            after = tuple(pattern.after(places, letter) for pattern, places in zip(patterns, state, strict=True))
            if after not in seen:
                seen[after] = text + letter
                queue.append(after)
        if len(seen) > STATES:
            raise TooManyStatesError
    return found


def _alphabet(patterns: Iterable[Pattern]) -> list[str]:
    """The characters that the patterns tell apart, and one for all others, which comes first."""
    named = {letter for pattern in patterns for step in pattern.steps for letter in (step.takes or step.never)}
    fresh = next((letter for letter in _FRESH if letter not in named), "\N{BULLET}")
    return [fresh, *sorted(named)]


def _letters(letter: str, *, ignore_case: bool) -> frozenset[str]:
    return frozenset({letter.lower(), letter.upper()}) if ignore_case else frozenset({letter})
