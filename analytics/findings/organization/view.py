"""One node of the organisation: which control policies bear on it and from where, and what they leave possible.

The picture of the SCPs is that of an ordinary role in an account of the node, that of the RCPs is an outsider's
(`caller`): roles that policies name as exempt may do more, and the exemptions are told beside it.
Organizations User Guide, "SCP evaluation": every level from the root down must allow, and a deny at any of them wins;
"RCP evaluation" says the same of the resources' side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.engine.decide_facts import rcp_services
from analytics.engine.explain import Says, UnknownActionError
from analytics.engine.reach import Reach
from analytics.engine.reach_facts import about_principal
from analytics.findings.estate import POLICY_TYPES
from analytics.findings.organization.caller import choose, ordinary_role, outsider
from analytics.iam.condition import OPERATORS
from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.iam.stack import NamedPolicy, PolicyStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.engine.reach import Bearing, StatementRef
    from analytics.findings.estate import Estate, NodeFacts
    from analytics.findings.organization.caller import Asked
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Condition

LAYERS = tuple(POLICY_TYPES)  # scp, rcp
EVERYTHING = NamedPolicy(
    "everything", PolicyDocument((Statement(Effect.ALLOW, action=("*",), resource=("*",)),), "2012-10-17")
)


@dataclass(frozen=True, slots=True)
class PolicyHere:
    """One control policy that bears on a node."""

    layer: str  # scp, rcp
    policy: NamedPolicy
    node_id: str  # where it is attached
    node_name: str
    inherited: bool  # attached further up
    in_force: bool  # its type is enabled, and the node is not the management account


@dataclass(frozen=True, slots=True)
class ServiceCount:
    """Actions of one service at a node: allowed on everything, hanging on resource or request, stopped."""

    service: str
    actions: int
    allowed: int
    depends: int
    stopped: int


@dataclass(frozen=True, slots=True)
class EffectiveSet:
    """What the control policies of one layer leave possible at a node."""

    node_id: str
    layer: str
    reach: Reach  # of the caller: surely on every resource; maybe on some resource, in some request
    binding: int  # the actions that the layer can bind at all: an RCP speaks for some services only
    levels: int  # levels in force; 0: nothing limits here
    choices: tuple[tuple[str, str], ...]  # what the caller chooses, such as aws:requestedregion = eu-west-1

    @property
    def stopped(self) -> int:
        """The actions that are stopped for the caller, whatever it asks."""
        return self.binding & ~self.reach.maybe

    @property
    def depends(self) -> int:
        """The actions that hang on the resource or the request."""
        return self.binding & self.reach.maybe & ~self.reach.surely


@dataclass(frozen=True, slots=True)
class Exemption:
    """A condition by which a deny spares callers: the picture of a node is not theirs."""

    layer: str
    policy: str
    node_name: str
    sid: str | None
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelAnswer:
    """What the policies of one level say of an action, and the statements that make them say so."""

    node_id: str
    node_name: str
    inherited: bool
    says: Says
    statements: tuple[StatementRef, ...] = ()


def way_down(estate: Estate, node_id: str) -> tuple[NodeFacts, ...]:
    """The nodes from the root to this one; KeyError for a node that the organisation does not have."""
    found = [estate.nodes[node_id]]
    while (parent := found[-1].parent_id) is not None and parent in estate.nodes:
        found.append(estate.nodes[parent])
    return tuple(reversed(found))


def members(estate: Estate, node_id: str) -> tuple[str, ...]:
    """The accounts at or below a node that control policies bind: not the management account."""
    inside = {node_id}
    for node in estate.nodes.values():  # parents come before children
        if node.parent_id in inside:
            inside.add(node.node_id)
    accounts = (node.node_id for node in estate.nodes.values() if node.kind == "account" and node.node_id in inside)
    return tuple(account for account in accounts if account != estate.management_account_id)


def policies_here(estate: Estate, node_id: str) -> tuple[PolicyHere, ...]:
    """Every SCP and RCP that bears on a node, attached here or further up, root first."""
    return tuple(
        PolicyHere(
            layer=layer,
            policy=policy,
            node_id=node.node_id,
            node_name=node.name,
            inherited=node.node_id != node_id,
            in_force=bool(estate.levels(node_id, layer)),
        )
        for layer in LAYERS
        for node in way_down(estate, node_id)
        for policy in node.attached(layer).policies
    )


def exemptions_here(estate: Estate, node_id: str) -> tuple[Exemption, ...]:
    """Whom the denies in force at a node spare, root first."""
    return tuple(
        Exemption(here.layer, here.policy.name, here.node_name, statement.sid, condition.key, condition.values)
        for here in policies_here(estate, node_id)
        if here.in_force
        for statement in here.policy.document.statements
        if statement.effect is Effect.DENY
        for condition in statement.condition
        if _spares(condition)
    )


def _spares(condition: Condition) -> bool:
    operator = OPERATORS.get(condition.operator)  # `Null` is none of them
    return operator is not None and operator.negated and about_principal(condition.key.lower())


def effective_set(estate: Estate, node_id: str, layer: str = "scp") -> EffectiveSet:
    """What a layer leaves possible to the principals (SCP), or with the resources (RCP), at a node."""
    asked = choose(estate.levels(node_id, layer), estate.catalogue)
    binding = binding_actions(estate.catalogue, layer)
    return EffectiveSet(
        node_id=node_id,
        layer=layer,
        reach=estate.reachable.of(stack_at(estate, node_id, layer, asked)).within(Reach(binding, binding)),
        binding=binding,
        levels=len(asked.levels),
        choices=asked.choices,
    )


def binding_actions(catalogue: Catalogue, layer: str) -> int:
    """The actions that a layer can stop: all of them, or those of the services with RCPs."""
    if layer == "scp":
        return catalogue.full
    mask = 0
    for service in rcp_services():
        mask |= catalogue.expand(f"{service}:*")
    return mask & ~catalogue.expand("kms:RetireGrant")  # which RCPs do not bind, as `decide` has it


def service_counts(effective: EffectiveSet, catalogue: Catalogue) -> tuple[ServiceCount, ...]:
    """The set by service; services that the layer cannot bind are left out."""
    return tuple(_service_counts(effective, catalogue))


def _service_counts(effective: EffectiveSet, catalogue: Catalogue) -> Iterator[ServiceCount]:
    for service, numbers in catalogue.services.items():
        span = (1 << numbers.stop) - (1 << numbers.start)
        actions = (effective.binding & span).bit_count()
        if not actions:
            continue
        allowed = (effective.reach.surely & span).bit_count()
        stopped = (effective.stopped & span).bit_count()
        yield ServiceCount(service, actions, allowed, actions - allowed - stopped, stopped)


def answers_at(estate: Estate, node_id: str, action: str, layer: str = "scp") -> tuple[LevelAnswer, ...]:
    """Level by level, root first, what the control policies in force at a node say of an action.

    Empty where nothing limits: the management account, a type that is off, an action that RCPs do not bind.
    UnknownActionError for an action that the catalogue does not have.
    """
    number = estate.catalogue.number(action)
    if number is None:
        msg = f"`{action}` is not an action of the catalogue ({estate.catalogue.version}): write it as `s3:GetObject`"
        raise UnknownActionError(msg)
    if not binding_actions(estate.catalogue, layer) >> number & 1:
        return ()
    stack = stack_at(estate, node_id, layer, choose(estate.levels(node_id, layer), estate.catalogue))
    denies = estate.reachable.bearing(stack, action, Effect.DENY)
    allows = estate.reachable.bearing(stack, action, Effect.ALLOW)
    return tuple(
        _answer(level.node_id, level.node_name, layer, denies, allows, inherited=level.node_id != node_id)
        for level in stack.scp_levels
    )


def stopping(answers: tuple[LevelAnswer, ...]) -> tuple[LevelAnswer, ...]:
    """The levels that surely stop the action, by a deny or by silence."""
    return tuple(answer for answer in answers if answer.says in (Says.DENIES, Says.SILENT))


def _answer(
    node_id: str, name: str, layer: str, denies: tuple[Bearing, ...], allows: tuple[Bearing, ...], *, inherited: bool
) -> LevelAnswer:
    denying = [one for one in denies if one.ref.layer == "scp" and one.ref.attached_to == node_id]
    allowing = [one for one in allows if one.ref.layer == "scp" and one.ref.attached_to == node_id]
    sure = [one for one in denying if one.always]
    if sure:
        says, shown = Says.DENIES, sure
    elif not allowing:
        says, shown = Says.SILENT, []
    elif not denying and any(one.always for one in allowing):
        says, shown = Says.ALLOWS, [one for one in allowing if one.always]
    else:
        says, shown = Says.DEPENDS, [*denying, *allowing]
    return LevelAnswer(node_id, name, inherited, says, tuple(replace(one.ref, layer=layer) for one in shown))


def stack_at(estate: Estate, node_id: str, layer: str, asked: Asked) -> PolicyStack:
    """The caller of the picture, with every permission, under the levels of one layer.

    RCPs stand in the place of the SCP levels: both are evaluated alike.
    """
    node, organization = estate.nodes[node_id], estate.organization_id
    ids = [one.node_id for one in way_down(estate, node_id) if one.kind != "account"]
    path = "/".join((organization, *ids, "")) if organization else None
    account_id = node_id if node.kind == "account" else None
    who = ordinary_role(account_id, organization, path) if layer == "scp" else outsider()
    return PolicyStack(who, identity=(EVERYTHING,), scp_levels=asked.levels)
