"""From a scenario to the denies that close it in one layer.

A deny has the shape that the scenario asks for (always, but for named principals, or under a condition), on its class
of resources where the team has said what that is. Nothing here looks at what is attached already.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.engine.decide_facts import rcp_services
from analytics.findings.drafts.conditions import DraftError, blocks_of
from analytics.findings.drafts.exemptions import except_for
from analytics.iam.policy import Condition, Effect, Principals, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.drafts.conditions import Block
    from analytics.findings.drafts.rules import DraftRules
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.catalogue import Catalogue

LAYERS = ("scp", "rcp", "boundary")
EVERYTHING = ("*",)
# A service that acts for itself has no principal ARN, and would never be among the exempted.
NOT_A_SERVICE = Condition("Bool", "aws:PrincipalIsAWSService", ("false",), if_exists=True)


@dataclass(frozen=True, slots=True)
class Deny:
    """One drafted statement; of `action` and `not_action` exactly one is not empty. All parts are sorted."""

    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()
    resource: tuple[str, ...] = EVERYTHING
    condition: Block = ()
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a team has said of the scenarios, and what Headroom knows of their actions."""

    catalogue: Catalogue
    rules: DraftRules
    lists: Mapping[str, tuple[str, ...]]  # `approved_regions` … -> values
    resources: tuple[str, ...] = ()  # patterns of the scenario's class of resources; none: on every resource


def denies_of(scenario: Scenario, layer: str, known: Known, exempt: Sequence[str]) -> tuple[Deny, ...]:
    """The denies that close the scenario in a layer (`scp`, `rcp`, `boundary`), leaving these principals out.

    Raises DraftError where the layer cannot act on the scenario, or a list of values is missing.
    """
    _refuse_wrong_layer(scenario, layer)
    left_out = () if scenario.principal == "root_user" else except_for(exempt)
    always = (*left_out, NOT_A_SERVICE) if layer == "rcp" else left_out
    blanket = known.rules.blanket.get(scenario.id)
    grouped: defaultdict[tuple[tuple[str, ...], Block], list[str]] = defaultdict(list)
    for action in scenario.actions:
        resource = _resource(action, known)
        for block in _blocks(scenario, action, known):
            conditions = _sorted((*block, *always, *_sparing(scenario, action, known.rules)))
            grouped[resource, conditions].append(action)
    if blanket is not None:
        grouped_blanket = dict.fromkeys(grouped, blanket)
        return tuple(
            Deny(wider.action, wider.not_action, resource, condition, (scenario.id,))
            for (resource, condition), wider in grouped_blanket.items()
        )
    return tuple(
        Deny(tuple(sorted(actions, key=str.lower)), (), resource, condition, (scenario.id,))
        for (resource, condition), actions in grouped.items()
    )


def statement_of(deny: Deny, layer: str, sid: str | None) -> Statement:
    """The deny as a statement; an RCP speaks of every principal (Organizations user guide, "RCP syntax")."""
    return Statement(
        Effect.DENY,
        sid=sid,
        action=deny.action,
        not_action=deny.not_action,
        resource=deny.resource,
        condition=deny.condition,
        principal=Principals(everyone=True) if layer == "rcp" else None,
    )


def _refuse_wrong_layer(scenario: Scenario, layer: str) -> None:
    if layer not in LAYERS:
        raise DraftError(f"`{layer}` is not a layer that can be drafted; the layers are {', '.join(LAYERS)}")
    if layer == "boundary" and scenario.principal == "root_user":
        raise DraftError(
            f"scenario `{scenario.id}` is about the root user, who can hold no boundary; {_use(scenario, layer)}"
        )
    if layer != "rcp" and _is_about_strangers(scenario):
        bound = "an SCP binds" if layer == "scp" else "a boundary binds"
        raise DraftError(
            f"scenario `{scenario.id}` is about callers from outside the organisation, and {bound} its own principals "
            "alone; use the layer `rcp`"
        )
    if layer == "rcp":
        unbound = sorted(action for action in scenario.actions if action.partition(":")[0] not in rcp_services())
        if unbound:
            raise DraftError(
                f"no RCP binds `{unbound[0]}`{f' and {len(unbound) - 1} more actions' if unbound[1:] else ''} of "
                f"scenario `{scenario.id}`; {_use(scenario, layer)}"
            )


def _use(scenario: Scenario, layer: str) -> str:
    """The layers that work instead; never those that only a person can set up."""
    fit = [one for one in (scenario.best_layer, *scenario.other_layers) if one in LAYERS and one != layer]
    return f"use the layer {' or '.join(f'`{one}`' for one in dict.fromkeys(fit)) or '`scp`'}"


def _is_about_strangers(scenario: Scenario) -> bool:
    wanted = (scenario.probe_context or {}).get("aws:PrincipalOrgID")
    return wanted == {"outside": "own_organization_id"}


def _blocks(scenario: Scenario, action: str, known: Known) -> tuple[Block, ...]:
    if not scenario.probe_context:
        return ((),)
    return blocks_of(
        scenario.probe_context,
        action,
        scenario=scenario.id,
        lists=known.lists,
        keys=frozenset(known.catalogue.condition_keys(action)),
        rules=known.rules,
    )


def _resource(action: str, known: Known) -> tuple[str, ...]:
    """The class of resources; an action that is granted on `*` alone can only be denied on `*`."""
    number = known.catalogue.number(action)
    lone = number is not None and known.catalogue.wildcard_only >> number & 1
    return EVERYTHING if lone or not known.resources else tuple(sorted(set(known.resources)))


def _sparing(scenario: Scenario, action: str, rules: DraftRules) -> Block:
    spared = (rules.spared_requests.get(name) for name in scenario.usual_exemptions)
    return tuple(one.condition for one in spared if one is not None and action.lower() in one.actions)


def _sorted(conditions: Block) -> Block:
    """In the order of a printed policy: by operator, then by key."""
    return tuple(sorted(set(conditions), key=lambda one: (one.operator_text, one.key.lower())))
