"""The policies of a draft: merged into attached ones where that is the smaller change, within the quotas.

An attached control policy takes up a deny that differs from one of its own in the actions alone, or what finds no free
attachment; only when it is the customer's and attached nowhere else, so that nobody else is affected. A boundary that
all its holders share under the target is changed; otherwise they get a copy with the denies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import spoken_of
from analytics.findings.drafts.conditions import DraftError, NoRoomError
from analytics.findings.drafts.merge import same_requests, smallest
from analytics.findings.drafts.place import DraftPolicy, is_ours, is_same
from analytics.findings.drafts.size import Limit, characters, document_of, documents_of
from analytics.findings.drafts.statements import statement_of
from analytics.iam.policy import Effect, PolicyDocument, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.drafts.place import Place
    from analytics.findings.drafts.statements import Deny
    from analytics.findings.estate import Estate, NodeFacts, Subject
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.stack import NamedPolicy

ALLOW_ALL = Statement(Effect.ALLOW, sid="AllowWithin", action=("*",), resource=("*",))


def control_policies(
    denies: Iterable[Deny], layer: str, place: Place, estate: Estate, *, name: str, limit: Limit
) -> tuple[DraftPolicy, ...]:
    """The SCPs or RCPs that add the denies to a node; none when its attached policies deny all of it.

    DraftError where they do not fit into the node's quota.
    """
    node = place.node
    if node is None:
        raise DraftError(f"`{place.target}` is no node of the organisation")
    attached = [policy for level in estate.levels(node.node_id, layer) for policy in level.policies]
    left = smallest(denies, [policy.document for policy in attached], layer, estate.catalogue)
    open_ones = [_Taking(one) for one in node.attached(layer).policies if _is_only_here(one, node, layer, estate)]
    rest = [deny for deny in left if not _taken_up(deny, open_ones, layer, limit, estate.catalogue)]
    documents = documents_of(rest, layer, limit)
    slots = limit.attached - len(node.attached(layer).policies)
    if len(documents) > slots:
        rest = [deny for deny in rest if not _added(deny, open_ones, layer, limit)]
        documents = documents_of(rest, layer, limit)
    if len(documents) > slots:
        raise NoRoomError(_no_room(len(documents), layer, node, limit))
    changed = [
        DraftPolicy(one.policy.name, one.document, (node.node_id,), one.policy) for one in open_ones if one.is_changed
    ]
    fresh = [
        DraftPolicy(name if len(documents) == 1 else f"{name}-{number}", document, (node.node_id,))
        for number, document in enumerate(documents, start=1)
    ]
    return (*changed, *fresh)


def boundaries(
    denies: Iterable[Deny], place: Place, estate: Estate, *, name: str, limit: Limit
) -> tuple[DraftPolicy, ...]:
    """The boundaries that add the denies to the identities of a place: their own with more denies, or a first one.

    DraftError for one that AWS could not store: an identity has one boundary, so it cannot be split.
    """
    asked = tuple(denies)
    groups: dict[PolicyDocument | None, list[Subject]] = {}
    for subject in place.subjects:
        held = subject.stack.boundary
        groups.setdefault(held.document if held else None, []).append(subject)
    found: list[DraftPolicy] = []
    for document, subjects in groups.items():
        before = document if document is not None else PolicyDocument((ALLOW_ALL,), "2012-10-17")
        left = smallest(asked, [before], "boundary", estate.catalogue)
        if left:
            merged = _extended(before, left, "boundary", estate.catalogue)
            _refuse_too_long(merged, name, subjects, limit)
            found += _boundary_of(merged, subjects, place, estate, name)
    numbered = [one for one in found if one.replaces is None]
    if len(numbered) > 1:
        names = {id(one): f"{name}-{number}" for number, one in enumerate(numbered, start=1)}
        found = [replace(one, name=names.get(id(one), one.name)) for one in found]
    return tuple(found)


@dataclass
class _Taking:
    """An attached policy on its way to take up denies."""

    policy: NamedPolicy

    def __post_init__(self) -> None:
        self.document = self.policy.document

    @property
    def is_changed(self) -> bool:
        return self.document is not self.policy.document


def _is_only_here(policy: NamedPolicy, here: NodeFacts, layer: str, estate: Estate) -> bool:
    """Whether the policy may be changed without a change anywhere else."""
    if not is_ours(policy):
        return False
    holders = (
        node.node_id for node in estate.nodes.values() for one in node.attached(layer).policies if is_same(one, policy)
    )
    return set(holders) == {here.node_id}


def _taken_up(deny: Deny, open_ones: Sequence[_Taking], layer: str, limit: Limit, catalogue: Catalogue) -> bool:
    """Put the deny into a policy with a statement that differs in its actions alone, where there is one with room."""
    drafted = statement_of(deny, layer, None)
    for one in open_ones:
        if any(same_requests(statement, drafted) for statement in one.document.statements):
            merged = _extended(one.document, [deny], layer, catalogue)
            if characters(merged) <= limit.characters:
                one.document = merged
                return True
    return False


def _added(deny: Deny, open_ones: Sequence[_Taking], layer: str, limit: Limit) -> bool:
    """Put the deny into any policy with room, as a statement of its own."""
    for one in open_ones:
        merged = replace(one.document, statements=document_of([deny], layer, one.document.statements).statements)
        if characters(merged) <= limit.characters:
            one.document = merged
            return True
    return False


def _extended(document: PolicyDocument, denies: Iterable[Deny], layer: str, catalogue: Catalogue) -> PolicyDocument:
    """The document with the denies: in a statement that differs in its actions alone, else as statements at its end."""
    statements = list(document.statements)
    rest = []
    for deny in denies:
        drafted = statement_of(deny, layer, None)
        at = next((n for n, one in enumerate(statements) if same_requests(one, drafted)), None)
        if at is None:
            rest.append(deny)
            continue
        known = spoken_of(statements[at], catalogue)
        more = (action for action in deny.action if catalogue.expand(action) & ~known)
        statements[at] = replace(statements[at], action=(*statements[at].action, *more))
    return replace(document, statements=document_of(rest, layer, statements).statements)


def _boundary_of(
    merged: PolicyDocument, subjects: Sequence[Subject], place: Place, estate: Estate, name: str
) -> list[DraftPolicy]:
    """One policy for each that is changed in place, and one new one for all others."""
    here = {subject.arn for subject in place.subjects}
    by_policy: dict[NamedPolicy | None, list[str]] = {}
    for subject in subjects:
        held = subject.stack.boundary
        key = held and replace(held, attached_to="")
        by_policy.setdefault(key if key and _is_held_only_by(here, key, estate) else None, []).append(subject.arn)
    return [
        DraftPolicy(policy.name if policy else name, merged, tuple(arns), policy) for policy, arns in by_policy.items()
    ]


def _is_held_only_by(arns: set[str], policy: NamedPolicy, estate: Estate) -> bool:
    return is_ours(policy) and all(
        subject.arn in arns
        for subject in estate.subjects.values()
        if subject.stack.boundary is not None and subject.stack.boundary.arn == policy.arn
    )


def _refuse_too_long(document: PolicyDocument, name: str, subjects: Sequence[Subject], limit: Limit) -> None:
    size = characters(document)
    if size > limit.characters:
        held = subjects[0].stack.boundary
        title = f"boundary `{held.name}` with the denies" if held else f"boundary `{name}`"
        raise NoRoomError(
            f"the {title} has {size:,} characters and a managed policy holds {limit.characters:,}; an identity has one "
            "boundary only, so draft fewer scenarios, or use the layer `scp`"
        )


def _no_room(documents: int, layer: str, node: NodeFacts, limit: Limit) -> str:
    held = len(node.attached(layer).policies)
    return (
        f"the draft needs {documents} more {layer.upper()}{'s' if documents > 1 else ''} of up to "
        f"{limit.characters:,} characters, and `{node.path}` has {held} of {limit.attached} attached, none with room "
        "that only this node uses; detach one, draft fewer scenarios, or target a node above or below"
    )
