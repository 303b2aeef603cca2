"""The algebra of reach: pairs of action sets, and what becomes of them through limits and denies.

INVARIANT: `surely` is a subset of `maybe`; every operation here keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Reach:
    """Two bit sets over the catalogue's actions."""

    surely: int
    maybe: int

    def within(self, limit: Reach) -> Reach:
        """Both must allow: a permissions boundary, or one level of SCPs."""
        return Reach(self.surely & limit.surely, self.maybe & limit.maybe)

    def without(self, denied: Reach) -> Reach:
        """A possible deny spoils certainty; only a certain deny spoils possibility."""
        return Reach(self.surely & ~denied.maybe, self.maybe & ~denied.surely)

    def also(self, other: Reach) -> Reach:
        """Either grants: one more policy."""
        return Reach(self.surely | other.surely, self.maybe | other.maybe)


NOTHING = Reach(0, 0)


@dataclass(frozen=True, slots=True)
class LayerReach:
    """What one layer lets through: some of it is sure only because the caller chooses a condition key freely.

    `by_choice` maps such a key to the actions of `reach.surely` that depend on it.
    """

    reach: Reach
    by_choice: Mapping[str, int] = field(default_factory=dict)

    def within(self, limit: LayerReach) -> LayerReach:
        """Both layers must allow; where both ask for a choice of the same key, one value may not serve both."""
        reach = self.reach.within(limit.reach)
        if not (self.by_choice and limit.by_choice):
            return LayerReach(reach, self.by_choice or limit.by_choice)
        contested, merged = 0, dict(self.by_choice)
        for key, actions in limit.by_choice.items():
            contested |= actions & merged.get(key, 0)
            merged[key] = actions | merged.get(key, 0)
        return LayerReach(Reach(reach.surely & ~contested, reach.maybe), merged)
