"""Which services could be the best one whose unused actions are dropped: no other takes more of everything along.

The actions of all services are counted at once: an identity holds a hundred services, and only a few are worth a score.
INVARIANT: a service that is left out would not lower the score more than one that is tried before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analytics.findings.risk.weights import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.engine.reach import Reach
    from analytics.findings.risk.weights import RiskWeights
    from analytics.findings.weights import ActionWeights
    from analytics.iam.catalogue import Catalogue

LOSSES = 3  # columns: weight of the high-risk actions, weight of all, actions on secrets and data


class ServiceLosses:
    """What goes with the actions of every service, over one catalogue."""

    def __init__(self, catalogue: Catalogue, actions: ActionWeights, weights: RiskWeights) -> None:
        self.services = tuple(catalogue.services)
        self.service_of = np.repeat(
            np.arange(len(self.services)), [len(numbers) for numbers in catalogue.services.values()]
        )
        place = {name: at for at, name in enumerate(CLASSES)}
        class_of = np.array([place[name] for name in actions.classes])
        reveals = np.array([name.lower() in actions.reveals for name in catalogue.actions])
        self._cell_of = (self.service_of * len(CLASSES) + class_of) * 2 + reveals
        self._shape = (len(self.services), len(CLASSES), 2)
        self._certainty = weights.table("certainty")
        self._weights = [weights[f"weights.{name}"] for name in CLASSES]
        self._high_weights = [weight if weight >= actions.high_risk_from else 0.0 for weight in self._weights]

    def of(self, reach: Reach) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The services with actions in a reach, by their places, and a row of losses for each."""
        sure, possible = self._counts(reach.surely), self._counts(reach.maybe)
        held = np.flatnonzero(possible.any(axis=(1, 2)))
        sure, possible = sure[held], possible[held]
        certain, perhaps = self._certainty["surely"], self._certainty["maybe"]
        counted = certain * sure + perhaps * (possible - sure)
        by_class = counted.sum(axis=2).T
        losses = np.empty((len(held), LOSSES))
        losses[:, 0] = sum(weight * column for weight, column in zip(self._high_weights, by_class, strict=True))
        losses[:, 1] = sum(weight * column for weight, column in zip(self._weights, by_class, strict=True))
        losses[:, 2] = counted[:, :, 1].sum(axis=1)
        return held, losses

    def _counts(self, actions: int) -> NDArray[np.intp]:
        """Actions by service, class, and whether they reveal secrets or data."""
        total = len(self._cell_of)
        octets = np.frombuffer(actions.to_bytes((total + 7) // 8, "little"), np.uint8)
        held = np.unpackbits(octets, count=total, bitorder="little").view(np.bool_)
        return np.bincount(self._cell_of[held], minlength=int(np.prod(self._shape))).reshape(self._shape)


def best_first(losses: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows in the order of their losses, the first column first; stable."""
    return np.lexsort(-losses.T[::-1])


def not_outdone(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of rows in that order, those to which no earlier one is equal or more in everything."""
    found = np.zeros(len(losses), np.bool_)
    left = np.arange(len(losses))
    while len(left):
        first = left[0]
        found[first] = True
        left = left[(losses[left] > losses[first]).any(axis=1)]
    return found
