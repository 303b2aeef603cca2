"""How privileged identities are: what they hold, and what they would hold if nothing but their limits limited them.

The cap of an identity is what its permissions boundary and the SCP levels above it leave of everything: to so much a
self-escalation leads, and no further.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.stack import PolicyStack

ADMINISTRATOR = "administrator"
PRIVILEGED = "privileged"
LESSER = "lesser"
NONE = "none"
LEVELS = (ADMINISTRATOR, PRIVILEGED, LESSER, NONE)  # from the most privileged down

# `reference/risk_parameters.md` of the method: shares of the total weight that a cap keeps.
ADMINISTRATOR_SHARE = 0.9
PRIVILEGED_SHARE = 0.25
_PRIVILEGED_CLASSES = frozenset({"credential", "sensitive_read", "control"})
EVERYTHING = NamedPolicy(
    "everything",
    PolicyDocument((Statement(Effect.ALLOW, action=("*",), resource=("*",)),), version="2012-10-17"),
)


class Weighing:
    """Sets of actions weighed, over one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        masks: defaultdict[str, list[str]] = defaultdict(list)
        weight_of: dict[str, float] = {}
        facts = zip(estate.catalogue.actions, estate.weights.classes, estate.weights.weights, strict=True)
        for action, name, weight in facts:
            masks[name].append(action)
            weight_of[name] = weight
        self._classes = [(weight_of[name], estate.catalogue.mask(actions)) for name, actions in masks.items()]
        self._total = self.weight(estate.catalogue.full)
        self._privileged = estate.catalogue.mask(
            action for name, actions in masks.items() if name in _PRIVILEGED_CLASSES for action in actions
        )
        self._caps: dict[int, str] = {}
        self._known: dict[tuple[str, bool], tuple[PolicyStack, str]] = {}  # of the last stack of each identity

    def weight(self, actions: int) -> float:
        """The sum of the weights of a set of actions."""
        return sum(weight * (actions & mask).bit_count() for weight, mask in self._classes)

    def level(self, subject: Subject) -> str:
        """By what it can do, administrators aside."""
        return PRIVILEGED if subject.reach.maybe & self._privileged else LESSER

    def cap(self, stack: PolicyStack, *, bounded: bool = True) -> str:
        """The level of one who has everything under the limits of this stack; without its boundary, if so asked."""
        is_bounded = bounded and (stack.boundary is not None or stack.boundary_not_collected)
        key = (stack.principal.arn, is_bounded)
        known = self._known.get(key)
        if known is None or known[0] is not stack:
            known = self._known[key] = (stack, self._cap(stack, bounded=is_bounded))
        return known[1]

    def _cap(self, stack: PolicyStack, *, bounded: bool) -> str:
        full = replace(stack, identity=(EVERYTHING,))
        if not bounded:
            full = replace(full, boundary=None, boundary_not_collected=False)
        kept = self._estate.reachable.of(full).maybe
        level = self._caps.get(kept)
        if level is None:
            share = self.weight(kept) / self._total if self._total else 0.0
            level = ADMINISTRATOR if share >= ADMINISTRATOR_SHARE else PRIVILEGED
            level = self._caps[kept] = level if share >= PRIVILEGED_SHARE else LESSER
        return level
