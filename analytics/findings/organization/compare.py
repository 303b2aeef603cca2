"""Two nodes of the organisation side by side: what is stopped at one and not at the other, and what they share.

An action counts as different where its state differs: allowed to everybody, hanging on caller, resource or request, or
stopped. Two nodes where it hangs on different statements are not told apart by this; their policies tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.findings.organization.view import LAYERS, effective_set, policies_here

if TYPE_CHECKING:
    from analytics.findings.estate import Estate
    from analytics.findings.organization.view import EffectiveSet


class State(StrEnum):
    """What the control policies of a layer make of an action at a node."""

    ALLOWED = "allowed"
    DEPENDS = "depends"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ActionDifference:
    """One action whose state differs."""

    layer: str
    action: str
    weight: float  # of the action, as in the score
    first: State
    second: State


@dataclass(frozen=True, slots=True)
class NodeComparison:
    """What two nodes have in common, and what not; policies by layer, name and ARN."""

    in_common: tuple[tuple[str, str, str | None], ...]
    only_first: tuple[tuple[str, str, str | None], ...]
    only_second: tuple[tuple[str, str, str | None], ...]
    differences: tuple[ActionDifference, ...]  # SCPs first, the heaviest first


def compare_nodes(estate: Estate, first: str, second: str) -> NodeComparison:
    """Compare two nodes by what is in force at them."""
    here, there = _policies(estate, first), _policies(estate, second)
    differences = [
        difference
        for layer in LAYERS
        for difference in _differences(
            estate, effective_set(estate, first, layer), effective_set(estate, second, layer)
        )
    ]
    return NodeComparison(
        in_common=tuple(one for one in here if one in there),
        only_first=tuple(one for one in here if one not in there),
        only_second=tuple(one for one in there if one not in here),
        differences=tuple(sorted(differences, key=lambda one: (LAYERS.index(one.layer), -one.weight, one.action))),
    )


def _policies(estate: Estate, node_id: str) -> tuple[tuple[str, str, str | None], ...]:
    found = (one for one in policies_here(estate, node_id) if one.in_force)
    return tuple(dict.fromkeys((one.layer, one.policy.name, one.policy.arn) for one in found))


def _differences(estate: Estate, first: EffectiveSet, second: EffectiveSet) -> list[ActionDifference]:
    differing = (first.reach.surely ^ second.reach.surely) | (first.reach.maybe ^ second.reach.maybe)
    catalogue, found = estate.catalogue, []
    for number, action in enumerate(catalogue.actions):
        if differing >> number & 1:
            weight = estate.weights.weights[number]
            found.append(ActionDifference(first.layer, action, weight, _state(first, number), _state(second, number)))
    return found


def _state(effective: EffectiveSet, number: int) -> State:
    if effective.reach.surely >> number & 1:
        return State.ALLOWED
    return State.DEPENDS if effective.reach.maybe >> number & 1 else State.STOPPED
