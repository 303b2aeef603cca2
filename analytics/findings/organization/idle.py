"""Control policies that change nothing where they are attached, and those that nobody ran into.

A statement changes nothing when others of the same path say the same or more, in every request in which it would speak.
INVARIANT: taking away everything that is reported here as idle leaves every decision as it was. That nobody ran into a
policy says nothing against it, and is told as proven only where every refusal would have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import on_resources, spoken_of
from analytics.engine.reach_sets import Reach
from analytics.findings.estate import POLICY_TYPES
from analytics.findings.organization.view import LAYERS, binding_actions, members, way_down
from analytics.findings.statement_cover import Placed, covered_by, same_text
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analytics.findings.estate import Estate, NodeFacts
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy

_FULL_ACCESS = "/p-RCPFullAWSAccess"  # AWS attaches it itself, and it cannot be detached
_ALWAYS_ONE = "/p-FullAWSAccess"  # every node keeps at least one SCP, so this is nothing to clean up


class Idle(StrEnum):
    """Why an attached policy changes nothing."""

    OFF = "its type is not enabled"
    BINDS_NOBODY = "no account that it could bind"
    DUPLICATE = "the same document on the same path"
    SHADOWED = "others on the same path already say it"


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """A policy at one node whose removal would change nothing there or below."""

    layer: str
    name: str
    arn: str | None
    node_id: str
    node_name: str
    path: str
    reason: Idle
    because: tuple[str, ...]  # the policies that make it idle, with their nodes


@dataclass(frozen=True, slots=True)
class Refusals:
    """What the export shows of refused calls: by account of the caller, and what it would have shown."""

    denied: Mapping[str, Mapping[int, int]]  # account id -> action number -> calls refused in the window
    visible: Mapping[str, int]  # account id -> actions of which a call would have been seen


@dataclass(frozen=True, slots=True)
class PolicyHits:
    """Refused calls that a policy could have caused. 0 of them and `proven`: nobody ran into it."""

    layer: str
    name: str
    arn: str | None
    node_id: str
    node_name: str
    path: str
    accounts: int  # that it binds
    denies: int  # actions that it denies somewhere
    could_have_refused: int
    proven: bool  # every refusal by it would have been seen
    unseen_accounts: int  # whose log does not cover the whole window
    unseen_actions: int  # that it denies and some account would not have shown


def idle_policies(estate: Estate) -> tuple[IdlePolicy, ...]:
    """Every attached control policy that changes nothing, root first; all of them may go together."""
    return tuple(found for layer in LAYERS for found in _idle_of_layer(estate, layer))


def _idle_of_layer(estate: Estate, layer: str) -> Iterator[IdlePolicy]:
    kept: dict[str, list[NamedPolicy]] = {}  # by node, what is not idle
    for node in estate.nodes.values():
        policies = [policy for policy in node.attached(layer).policies if not (policy.arn or "").endswith(_FULL_ACCESS)]
        kept[node.node_id] = list(node.attached(layer).policies)
        reason = _binds_nobody(estate, node, layer)
        above = [(up, policy) for up in way_down(estate, node.node_id)[:-1] for policy in kept[up.node_id]]
        for policy in reversed(policies):
            if reason and (policy.arn or "").endswith(_ALWAYS_ONE):
                continue
            others = [other for other in kept[node.node_id] if other is not policy]
            found = (
                (reason, ())
                if reason
                else _changes_nothing(estate, policy.document, layer, above, [(node, other) for other in others])
            )
            if found is None:
                continue
            if not reason:
                kept[node.node_id] = others
            yield IdlePolicy(layer, policy.name, policy.arn, node.node_id, node.name, node.path, *found)


def _binds_nobody(estate: Estate, node: NodeFacts, layer: str) -> Idle | None:
    if POLICY_TYPES[layer] not in estate.enabled_types:
        return Idle.OFF
    return None if members(estate, node.node_id) else Idle.BINDS_NOBODY


Attached = list[tuple["NodeFacts", "NamedPolicy"]]


def _changes_nothing(
    estate: Estate, document: PolicyDocument, layer: str, above: Attached, beside: Attached
) -> tuple[Idle, tuple[str, ...]] | None:
    """Denies must be said elsewhere on the path; allows by another policy of the same level, or be of no use."""
    catalogue = estate.catalogue
    path = [Placed.of(node, policy) for node, policy in (*above, *beside)]
    level = [Placed.of(node, policy) for node, policy in beside]
    needed: set[str] = set()
    for statement in document.statements:
        actions = spoken_of(statement, catalogue) & binding_actions(catalogue, layer)
        where = path if statement.effect is Effect.DENY else level
        left, by = covered_by(statement, document.version, actions, where, catalogue)
        if left and statement.effect is Effect.ALLOW:
            denied, deniers = _surely_denied(path, catalogue)
            by |= deniers if left & denied else set()
            left &= ~denied
        if left:
            return None
        needed |= by
    twin = next((one for one in path if same_text(one.document, document) and one.title in needed), None)
    return (Idle.DUPLICATE, (twin.title,)) if twin else (Idle.SHADOWED, tuple(sorted(needed)))


def _surely_denied(path: list[Placed], catalogue: Catalogue) -> tuple[int, set[str]]:
    """The actions that other policies deny to everybody in every request, and the policies that do."""
    mask, by = 0, set()
    for one in path:
        for statement in one.document.statements:
            everybody = statement.not_principal is None and (
                statement.principal is None or statement.principal.everyone
            )
            if statement.effect is Effect.DENY and everybody and not statement.condition:
                sure = on_resources(statement, spoken_of(statement, catalogue), catalogue).surely
                if sure:
                    mask |= sure
                    by.add(one.title)
    return mask, by


def policy_hits(estate: Estate, refusals: Refusals) -> tuple[PolicyHits, ...]:
    """Every control policy in force that denies anything, with the refused calls that it could have caused."""
    found = [
        _hits(estate, layer, node, policy, refusals)
        for node in estate.nodes.values()
        for layer in LAYERS
        if not _binds_nobody(estate, node, layer)
        for policy in node.attached(layer).policies
        if any(statement.effect is Effect.DENY for statement in policy.document.statements)
    ]
    return tuple(sorted(found, key=lambda one: (one.could_have_refused, one.layer, one.path, one.name)))


def _hits(estate: Estate, layer: str, node: NodeFacts, policy: NamedPolicy, refusals: Refusals) -> PolicyHits:
    """An SCP refuses the callers of its accounts, an RCP callers from anywhere."""
    below = members(estate, node.node_id)
    denies = denied_somewhere(policy.document, estate.catalogue) & binding_actions(estate.catalogue, layer)
    callers = below if layer == "scp" else tuple(refusals.denied)
    calls = sum(
        count
        for account in callers
        for number, count in refusals.denied.get(account, {}).items()
        if denies >> number & 1
    )
    short = [account for account in below if estate.accounts[account].days_covered < estate.window_days]
    unseen = 0
    for account in below:
        unseen |= denies & ~refusals.visible.get(account, 0)
    return PolicyHits(
        layer=layer,
        name=policy.name,
        arn=policy.arn,
        node_id=node.node_id,
        node_name=node.name,
        path=node.path,
        accounts=len(below),
        denies=denies.bit_count(),
        could_have_refused=calls,
        proven=not short and not unseen and layer == "scp",
        unseen_accounts=len(short),
        unseen_actions=unseen.bit_count(),
    )


def denied_somewhere(document: PolicyDocument, catalogue: Catalogue) -> int:
    """The actions that the policy denies to somebody on some resource in some request."""
    denied = Reach(0, 0)
    for statement in document.statements:
        if statement.effect is Effect.DENY:
            denied = denied.also(on_resources(statement, spoken_of(statement, catalogue), catalogue))
    return denied.maybe
