"""What the score is computed from: an identity as a handful of counts, which any weights can be put to.

Sets of actions become counts by weight class, so that a score costs a few multiplications, a page can try other weights
on every identity of an estate, and a build keeps no set twice.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.risk.weights import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.engine.reach import Reach
    from analytics.findings.escalation.values import Certainty, HeldPath
    from analytics.findings.weights import ActionWeights
    from analytics.iam.catalogue import Catalogue


class Counts(NamedTuple):
    """How many actions of each class (in the order of CLASSES) are allowed surely, and how many only maybe."""

    surely: tuple[int, ...]
    maybe: tuple[int, ...]


NO_COUNTS = Counts((0,) * len(CLASSES), (0,) * len(CLASSES))


class PathFact(NamedTuple):
    """What of a held escalation path counts."""

    category: str
    surely: bool
    target: str  # administrator, privileged, lesser, none


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """Everything that the score of one identity depends on."""

    reach: Counts = NO_COUNTS
    unused: Counts = NO_COUNTS  # of reach, what was not seen used: unused and unobserved alike
    reveals: tuple[int, int] = (0, 0)  # actions on secrets and data: surely, only maybe
    paths: frozenset[PathFact] = frozenset()
    administrator: Certainty | None = None  # a self-escalation to everything
    trust_classes: frozenset[str] = frozenset()  # of every way to become it; empty: nobody can
    environment: str = "unknown"  # a key of [environment]


def path_facts(paths: Iterable[HeldPath]) -> frozenset[PathFact]:
    """The paths of an identity as the score counts them."""
    return frozenset(PathFact(path.category, path.surely, path.target) for path in paths)


_KEPT = 4096  # counted sets: bounds memory where proposals make ever new ones


class ActionCounter:
    """Counts sets of actions by class over one catalogue; a set that many identities share is counted once."""

    def __init__(self, catalogue: Catalogue, weights: ActionWeights) -> None:
        self._masks = _class_masks(catalogue, weights)
        self._reveals = catalogue.mask(weights.reveals)
        self._kept: dict[tuple[int, int], Counts] = {}

    def counts(self, reach: Reach) -> Counts:
        """The actions of a reach by class."""
        key = (reach.surely, reach.maybe)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[key] = self._counted(*key)
        return found

    def unused(self, reach: Reach, seen: int) -> Counts:
        """The actions of a reach that were not seen used, by class."""
        used = seen & reach.maybe
        if not used:
            return self.counts(reach)
        whole, gone = self.counts(reach), self._counted(used & reach.surely, used)
        return Counts(_minus(whole.surely, gone.surely), _minus(whole.maybe, gone.maybe))

    def within(self, reach: Reach, actions: int) -> Counts:
        """Those of some actions that are in a reach, by class."""
        return self._counted(reach.surely & actions, reach.maybe & actions)

    def reveals(self, reach: Reach) -> tuple[int, int]:
        """The actions of a reach on secrets and data: surely, only maybe."""
        surely = (reach.surely & self._reveals).bit_count()
        return surely, (reach.maybe & self._reveals).bit_count() - surely

    def _counted(self, surely: int, maybe: int) -> Counts:
        sure = tuple((surely & mask).bit_count() for mask in self._masks)
        return Counts(sure, _minus(tuple((maybe & mask).bit_count() for mask in self._masks), sure))


@lru_cache(maxsize=4)
def _class_masks(catalogue: Catalogue, weights: ActionWeights) -> tuple[int, ...]:
    """The actions of each class, as a set."""
    by_class: defaultdict[str, list[str]] = defaultdict(list)
    for action, name in zip(catalogue.actions, weights.classes, strict=True):
        by_class[name].append(action)
    return tuple(catalogue.mask(by_class[name]) for name in CLASSES)


def _minus(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(have - gone for have, gone in zip(one, other, strict=True))
