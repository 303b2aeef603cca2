"""Where a draft is attached, and the estate as it would be with the draft in force.

A control policy goes to a node of the organisation and binds everything below it; a boundary goes to identities. The
changed estate shares every untouched identity and policy with the one it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError
from analytics.findings.estate import POLICY_TYPES
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import ControlLevel, NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.findings.estate import Estate, NodeFacts, Subject
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import PolicyStack

_HOLDS_BOUNDARY = (PrincipalKind.ROLE, PrincipalKind.SSO_ROLE, PrincipalKind.USER)
_NAMES = {"scp": "an SCP", "rcp": "an RCP", "boundary": "a boundary"}


@dataclass(frozen=True, slots=True)
class DraftPolicy:
    """One policy of a draft: a new one, or the new text of one that is attached."""

    name: str
    document: PolicyDocument
    attach_to: tuple[str, ...]  # a node id, or the ARNs of the identities whose boundary it becomes
    replaces: NamedPolicy | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The target of a draft, and who is under it."""

    target: str
    kind: str  # root, ou, account, role, user
    name: str
    account_ids: tuple[str, ...]
    subjects: tuple[Subject, ...]  # whom the draft's layer can bind
    node: NodeFacts | None  # None for an identity, and for an account outside a known organisation


def place_of(target: str, layer: str, estate: Estate) -> Place:
    """The target of a draft in a layer; DraftError where the layer cannot be attached to it or cannot act there."""
    subject = estate.subjects.get(target)
    if subject is not None:
        return _identity(subject, layer)
    node = estate.nodes.get(target)
    account = estate.accounts.get(target)
    if node is None and (account is None or layer != "boundary"):
        raise DraftError(_no_such_target(target, layer, estate))
    if layer != "boundary":
        _refuse_control_policy(target, layer, estate)
    account_ids = tuple(accounts_below(target, estate)) if node is not None else (target,)
    bound = tuple(one for one in estate.subjects.values() if one.account_id in set(account_ids) and _bound(one, layer))
    if layer == "boundary" and not bound:
        raise DraftError(f"no identities of `{target}` are collected, so there is nobody to give a boundary to")
    name = node.path if node is not None else (account.name if account and account.name else target)
    return Place(target, node.kind if node is not None else "account", name, account_ids, bound, node)


def accounts_below(node_id: str, estate: Estate) -> Iterator[str]:
    """The ids of the accounts in a node's subtree, its own if it is one."""
    below = {node_id}
    for node in estate.nodes.values():  # parents come before children
        if node.node_id == node_id or node.parent_id in below:
            below.add(node.node_id)
            if node.kind == "account":
                yield node.node_id


def nodes_below(node_id: str, estate: Estate) -> tuple[str, ...]:
    """The node and everything below it, parents first."""
    below = [node_id]
    for node in estate.nodes.values():
        if node.node_id != node_id and node.parent_id in below:
            below.append(node.node_id)
    return tuple(below)


def with_policies(estate: Estate, policies: Iterable[DraftPolicy], layer: str) -> Estate:
    """The estate with the policies attached, or put in the place of those that they replace."""
    return (
        _with_boundaries(estate, policies) if layer == "boundary" else _with_control_policies(estate, policies, layer)
    )


def is_ours(policy: NamedPolicy) -> bool:
    """Whether the policy is managed by the customer under an ARN of its own, so that its text can be changed."""
    return policy.arn is not None and ":aws:policy/" not in policy.arn


def _identity(subject: Subject, layer: str) -> Place:
    if layer != "boundary":
        raise DraftError(
            f"{_NAMES[layer]} cannot be attached to `{subject.arn}`; target its account `{subject.account_id}`, "
            "or draft a boundary"
        )
    if subject.kind not in _HOLDS_BOUNDARY:
        raise DraftError(f"`{subject.arn}` is a {subject.kind}, which can hold no permissions boundary")
    kind = "user" if subject.kind is PrincipalKind.USER else "role"
    return Place(subject.arn, kind, subject.name, (subject.account_id,), (subject,), None)


def _bound(subject: Subject, layer: str) -> bool:
    if layer == "boundary":
        return subject.kind in _HOLDS_BOUNDARY
    return subject.kind is not PrincipalKind.SERVICE_LINKED_ROLE


def _refuse_control_policy(target: str, layer: str, estate: Estate) -> None:
    if target == estate.management_account_id:
        raise DraftError(
            f"`{target}` is the management account, which no {layer.upper()} binds (Organizations user guide); "
            "draft a boundary for its identities"
        )
    if POLICY_TYPES[layer] not in estate.enabled_types:
        raise DraftError(
            f"the policy type {POLICY_TYPES[layer]} is not enabled in this organisation, so {_NAMES[layer]} would do "
            "nothing; enable it first (`aws organizations enable-policy-type`)"
        )


def _no_such_target(target: str, layer: str, estate: Estate) -> str:
    if not estate.nodes and layer != "boundary":
        return f"the snapshot holds no organisation, so {_NAMES[layer]} can be attached nowhere; draft a boundary"
    if target in estate.accounts:
        return f"account `{target}` is outside the organisation, so {_NAMES[layer]} cannot bind it"
    ids = "the id of a root, an OU or an account" + (", or the ARN of a role or user" if layer == "boundary" else "")
    return f"there is no target `{target}` in the build; name {ids}"


def _with_control_policies(estate: Estate, policies: Iterable[DraftPolicy], layer: str) -> Estate:
    nodes = dict(estate.nodes)
    changed: set[str] = set()
    for policy in policies:
        for node_id in policy.attach_to:
            node = nodes[node_id]
            level = _level(node.attached(layer), policy)
            nodes[node_id] = replace(node, scp=level) if layer == "scp" else replace(node, rcp=level)
            changed.update(accounts_below(node_id, estate))
    other = replace(estate, nodes=nodes)
    levels = {account_id: other.levels(account_id, layer) for account_id in changed}
    return other.replaced(
        estate.changed(subject, stack=_under(subject.stack, layer, levels[subject.account_id]))
        for subject in estate.subjects.values()
        if subject.account_id in changed and _bound(subject, layer)
    )


def _under(stack: PolicyStack, layer: str, levels: tuple[ControlLevel, ...]) -> PolicyStack:
    return replace(stack, scp_levels=levels) if layer == "scp" else replace(stack, rcp_levels=levels)


def _level(level: ControlLevel, policy: DraftPolicy) -> ControlLevel:
    if policy.replaces is None:
        fresh = NamedPolicy(policy.name, policy.document, None, level.node_id)
        return replace(level, policies=(*level.policies, fresh))
    found = tuple(
        replace(one, document=policy.document) if is_same(one, policy.replaces) else one for one in level.policies
    )
    return replace(level, policies=found)


def is_same(policy: NamedPolicy, other: NamedPolicy) -> bool:
    """Whether two attachments are of one policy."""
    return policy.arn == other.arn if policy.arn is not None else policy == other


def _with_boundaries(estate: Estate, policies: Iterable[DraftPolicy]) -> Estate:
    changed = []
    for policy in policies:
        for arn in policy.attach_to:
            subject = estate.subjects[arn]
            boundary = NamedPolicy(
                policy.name, policy.document, policy.replaces.arn if policy.replaces else None, subject.arn
            )
            changed.append(
                estate.changed(subject, stack=replace(subject.stack, boundary=boundary, boundary_not_collected=False))
            )
    return estate.replaced(changed)
