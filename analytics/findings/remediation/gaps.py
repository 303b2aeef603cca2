"""Items that close gaps of the guardrail matrix: one draft for all that one layer can close at one target.

A gap is closed at the highest node that is open for its scenario, so that one policy does for everything below. What
cannot be drafted there together has an item that says why. INVARIANT: commands are printed only of drafts that were
proven, and two items never write the same policy.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError, NoRoomError
from analytics.findings.drafts.drafter import Asked
from analytics.findings.drafts.effect import proven
from analytics.findings.remediation.gap_words import blocked_item, drafted_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from analytics.findings.drafts.compose import Draft
    from analytics.findings.drafts.drafter import Drafter
    from analytics.findings.drafts.effect import Effect
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.remediation.rules import Rules
    from analytics.findings.remediation.values import Item

CONTROL = ("scp", "rcp")
BOUNDARY = "boundary"
NO_LAYER = "the scenario names no layer that can be drafted here"
TOO_MANY = (
    "a build drafts for no more than {most} of its targets, each being tried on the estate; `draft` makes this one"
)
UNBOUND = "control policies do not bind the management account, and the scenario names no boundary"


@dataclass(frozen=True, slots=True)
class OpenScenario:
    """Where a scenario is open, by the best of all layers."""

    id: str
    accounts: frozenset[str]  # open for sure
    nodes: frozenset[str]  # of the organisation, open or not known to be closed
    can_act: Mapping[str, int] = field(default_factory=dict, hash=False)  # target -> identities that could act


def gap_items(
    scenarios: Iterable[OpenScenario],
    drafter: Drafter,
    rules: Rules,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Item]:
    """The items; scenarios come in the order in which they give way where there is no room for all, the last first."""
    maker = _Maker(drafter, {one.id: one for one in scenarios})
    together: dict[tuple[str, str], list[str]] = defaultdict(list)
    items: list[Item] = []
    for scenario_id, target, layer in maker.places():
        if layer is not None:
            together[target, layer].append(scenario_id)
    most = rules.limits.most_gap_drafts
    for done, ((target, layer), ids) in enumerate(together.items()):
        if progress is not None:
            progress(done, len(together))
        if done >= most:
            maker.refused |= {(one, target): TOO_MANY.format(most=most) for one in ids}
            continue
        found = maker.made(target, layer, ids)
        if found is not None:
            items.append(drafted_item(*found, drafter, maker.open, rules))
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (scenario_id, target), reason in maker.refused.items():
        alike[target, reason].append(scenario_id)
    items += [blocked_item(ids, target, reason, drafter, maker.open) for (target, reason), ids in alike.items()]
    return items


class _Maker:
    """Finds where and by which layer each scenario is closed, and makes the drafts; `refused` gathers why not."""

    def __init__(self, drafter: Drafter, scenarios: Mapping[str, OpenScenario]) -> None:
        self.open = scenarios
        self.refused: dict[tuple[str, str], str] = {}
        self._drafter = drafter
        self._estate = drafter.estate

    def places(self) -> Iterator[tuple[str, str, str | None]]:
        """Scenario, target and layer; without a layer where none can be drafted, which is noted."""
        for one in self.open.values():
            for target in dict.fromkeys(self._highest(one, account) for account in self._ordered(one.accounts)):
                yield from self._settled(one, target)

    def made(self, target: str, layer: str, ids: list[str]) -> tuple[Draft, Effect] | None:
        """The draft for as many of the scenarios as go together; None where it is for none."""
        left = list(ids)
        while left:
            try:
                draft = self._drafter.composed(Asked(tuple(left), target, layer))
            except DraftError as error:
                self.refused[left.pop(), target] = str(error)
                continue
            effect = self._drafter.effect(draft)
            unclosed = {change.scenario for change in effect.still_open}
            try:
                return proven(draft, effect), effect
            except DraftError as error:
                for scenario_id in unclosed or set(left):
                    self.refused[scenario_id, target] = str(error)
                left = [one for one in left if unclosed and one not in unclosed]
        return None

    def _ordered(self, accounts: frozenset[str]) -> list[str]:
        """As the organisation has them, accounts outside it last."""
        order = {node_id: at for at, node_id in enumerate(self._estate.nodes)}
        return sorted(accounts, key=lambda one: (order.get(one, len(order)), one))

    def _highest(self, one: OpenScenario, account_id: str) -> str:
        """The highest node above an account that is open too; control policies do not bind the management account."""
        found = account_id
        while account_id != self._estate.management_account_id:
            node = self._estate.nodes.get(found)
            if node is None or node.parent_id is None or node.parent_id not in one.nodes:
                break
            found = node.parent_id
        return found

    def _settled(self, one: OpenScenario, target: str) -> Iterator[tuple[str, str, str | None]]:
        """The first layer that can be drafted at a target; where only the quota is in the way, the nodes below."""
        reasons: list[DraftError] = []
        for layer in self._layers(self._drafter.scenarios[one.id], target):
            try:
                self._drafter.composed(Asked((one.id,), target, layer))
            except DraftError as error:
                reasons.append(error)
                continue
            yield one.id, target, layer
            return
        below = [child for child in self._children.get(target, ()) if self._has_open(one, child)]
        if below and any(isinstance(error, NoRoomError) for error in reasons):
            for child in below:
                yield from self._settled(one, child)
            return
        unbound = UNBOUND if target == self._estate.management_account_id else NO_LAYER
        self.refused[one.id, target] = str(reasons[0]) if reasons else unbound
        yield one.id, target, None

    def _layers(self, scenario: Scenario, target: str) -> list[str]:
        """In the order in which the scenario names them; identities get boundaries an account at a time."""
        named = (scenario.best_layer, *scenario.other_layers)
        bound = target in self._estate.nodes and target != self._estate.management_account_id
        control = [layer for layer in named if layer in CONTROL and bound]
        return control + [BOUNDARY] * (BOUNDARY in named and target in self._estate.accounts)

    def _has_open(self, one: OpenScenario, node_id: str) -> bool:
        return node_id in one.accounts or any(self._has_open(one, child) for child in self._children.get(node_id, ()))

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for node in self._estate.nodes.values():
            if node.parent_id is not None and node.node_id != self._estate.management_account_id:
                found[node.parent_id].append(node.node_id)
        return found
