"""Sets of actions service by service: small integers that many identities share, and the words for them.

Bit n of a part is the n-th action of its service. What is known of a part is worked out once per distinct part.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analytics.iam.catalogue import bit_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analytics.iam.catalogue import Catalogue

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")  # of `DeleteDBInstance`: Delete, DB, Instance


_KEPT = 200_000  # distinct parts that are remembered at a time
_HEAVIEST = 3


class Weighed(NamedTuple):
    """What the actions of a part weigh together, and the heaviest of them."""

    weight: float
    rounded: float  # to one decimal, summed from the heaviest down
    heaviest: tuple[str, ...]


class ActionParts:
    """The parts of sets over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._bytes = len(catalogue.actions) // 8 + 1
        self._cuts = tuple(
            (service, numbers.start >> 3, (numbers.stop >> 3) + 1, numbers.start & 7, (1 << len(numbers)) - 1)
            for service, numbers in catalogue.services.items()
        )
        self._place = {cut[0]: cut for cut in self._cuts}
        self._first = np.array([first for _, first, _, _, _ in self._cuts])
        self._last = np.array([end - 1 for _, _, end, _, _ in self._cuts])
        self._prefixes: dict[str, tuple[tuple[int, str], ...]] = {}
        self._words: dict[tuple[str, int], tuple[str, ...]] = {}

    def split(self, mask: int) -> dict[str, int]:
        """The part of every service of which the set has an action, in the catalogue's order."""
        data, read = mask.to_bytes(self._bytes, "little"), int.from_bytes
        octets = np.frombuffer(data, np.uint8)
        touched = np.bitwise_or.reduceat(octets, self._first) | octets[self._last]
        return {
            service: part
            for service, first, end, shift, whole in map(self._cuts.__getitem__, np.flatnonzero(touched).tolist())
            if (part := read(data[first:end], "little") >> shift & whole)
        }

    def reader(self, mask: int) -> Callable[[str], int]:
        """What gives the part of a service: for who asks of few of them."""
        data = mask.to_bytes(self._bytes, "little")
        known: dict[str, int] = {}

        def part(service: str) -> int:
            found = known.get(service)
            if found is None:
                _, first, end, shift, whole = self._place[service]
                found = known[service] = int.from_bytes(data[first:end], "little") >> shift & whole
            return found

        return part

    def part(self, service: str, mask: int) -> int:
        """The part of one service."""
        numbers = self.catalogue.services[service]
        return mask >> numbers.start & ((1 << len(numbers)) - 1)

    def whole(self, service: str) -> int:
        """All actions of a service, as a set over the catalogue."""
        numbers = self.catalogue.services[service]
        return ((1 << len(numbers)) - 1) << numbers.start

    def names(self, service: str, part: int) -> list[str]:
        """The actions of a part, in the catalogue's order."""
        start, actions = self.catalogue.services[service].start, self.catalogue.actions
        return [actions[start + number] for number in bit_numbers(part)]

    def words(self, service: str, part: int) -> tuple[str, ...]:
        """The actions of a part as the fewest patterns.

        A wildcard stands only after a whole word, and where it matches actions of the part alone, two at least.
        """
        key = (service, part)
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= _KEPT:
                self._words.clear()
            found = self._words[key] = tuple(sorted(self._shortest(service, part), key=str.lower))
        return found

    def _shortest(self, service: str, part: int) -> list[str]:
        found, left = [], part
        for matched, pattern in self._prefixes_of(service):  # the widest first, inside one another or apart
            if not matched & ~part and matched & left:
                found.append(pattern)
                left &= ~matched
        return found + self.names(service, left)

    def _prefixes_of(self, service: str) -> tuple[tuple[int, str], ...]:
        """`ec2:*`, `ec2:Delete*`, `ec2:DeleteFlow*` … of a service with what they match, where that is two or more."""
        found = self._prefixes.get(service)
        if found is None:
            numbers = self.catalogue.services[service]
            patterns: dict[int, str] = {}
            for action in self.catalogue.actions[numbers.start : numbers.stop]:
                longest_first = reversed(_prefixes(action))  # of two that match the same the shorter one is left
                patterns |= {self.part(service, self.catalogue.expand(one)): one for one in longest_first}
            several = [entry for entry in patterns.items() if entry[0].bit_count() > 1]
            several.sort(key=lambda entry: -entry[0].bit_count())
            found = self._prefixes[service] = tuple(several)
        return found


class PartWeights:
    """The weights of parts; each distinct part is weighed once."""

    def __init__(self, parts: ActionParts, weights: Sequence[float]) -> None:
        self._parts, self._weights = parts, weights
        self._kept: dict[tuple[str, int], Weighed] = {}

    def of(self, service: str, part: int) -> Weighed:
        """Of one part."""
        key = (service, part)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            start = self._parts.catalogue.services[service].start
            each = [self._weights[start + number] for number in bit_numbers(part)]
            ranked = sorted(zip((-weight for weight in each), self._parts.names(service, part), strict=True))
            names = tuple(name for _, name in ranked[:_HEAVIEST])
            found = self._kept[key] = Weighed(sum(each), round(sum(sorted(each, reverse=True)), 1), names)
        return found


@lru_cache(maxsize=4)
def action_parts(catalogue: Catalogue) -> ActionParts:
    """The parts of sets over a catalogue; kept, as the catalogue is."""
    return ActionParts(catalogue)


def _prefixes(action: str) -> list[str]:
    """`ec2:*`, `ec2:Delete*`, `ec2:DeleteFlow*` … of an action, the widest first."""
    service, _, name = action.partition(":")
    ends = [0, *(word.end() for word in _WORDS.finditer(name))]
    return [f"{service}:{name[:end]}*" for end in ends]
