"""A kept draft in an estate that has moved on: what of it can still be attached, and what stands in its way.

The estate of a later build may lack a node or an identity, may have the draft in force already, or a policy that the
draft would change may have changed by itself. Each is told; what can be evaluated still is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError
from analytics.findings.drafts.place import is_same, place_of
from analytics.findings.statement_cover import same_text

if TYPE_CHECKING:
    from analytics.findings.drafts.compose import Draft
    from analytics.findings.drafts.place import DraftPolicy
    from analytics.findings.drafts.size import Limit
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.stack import NamedPolicy


@dataclass(frozen=True, slots=True)
class Shadow:
    """A draft as it would be attached today; None: not at all. `problems` are sentences, none where it fits as made."""

    draft: Draft | None
    problems: tuple[str, ...] = ()


def today(draft: Draft, estate: Estate, limits: Mapping[str, Limit]) -> Shadow:
    """The draft without what is in force already or has nowhere to go."""
    try:
        place_of(draft.target, draft.layer, estate)
    except DraftError as error:
        return Shadow(None, (str(error),))
    kept: list[DraftPolicy] = []
    problems: list[str] = []
    for policy in draft.policies:
        if draft.layer == "boundary":
            left, found = _of_identities(policy, estate)
        else:
            left, found = _of_nodes(policy, draft.layer, estate)
        problems += found
        if left is not None:
            kept.append(left)
    if draft.layer != "boundary":
        problems += _quota(kept, draft.layer, estate, limits[draft.layer])
    return Shadow(replace(draft, policies=tuple(kept)), tuple(dict.fromkeys(problems)))


def _of_nodes(policy: DraftPolicy, layer: str, estate: Estate) -> tuple[DraftPolicy | None, list[str]]:
    left: list[str] = []
    problems: list[str] = []
    for node_id in policy.attach_to:
        node = estate.nodes.get(node_id)
        if node is None:
            problems.append(f"there is no node `{node_id}` any more")
            continue
        attached = node.attached(layer).policies
        problem = _unfit(policy, attached)
        if problem is None:
            left.append(node_id)
        else:
            problems.append(problem)
    return (replace(policy, attach_to=tuple(left)) if left else None), problems


def _of_identities(policy: DraftPolicy, estate: Estate) -> tuple[DraftPolicy | None, list[str]]:
    found = [estate.subjects[arn] for arn in policy.attach_to if arn in estate.subjects]
    gone = len(policy.attach_to) - len(found)
    problems = [f"{gone} of its {len(policy.attach_to)} identities are gone"] if gone else []
    fitting = [(one, _unfit(policy, _boundary(one))) for one in found]
    problems += [problem for _, problem in fitting if problem is not None]
    left = tuple(one.arn for one, problem in fitting if problem is None)
    return (replace(policy, attach_to=left) if left else None), problems


def _boundary(subject: Subject) -> tuple[NamedPolicy, ...]:
    return (subject.stack.boundary,) if subject.stack.boundary is not None else ()


def _unfit(policy: DraftPolicy, attached: Iterable[NamedPolicy]) -> str | None:
    """Why the policy cannot be attached beside these, or need not be."""
    held = tuple(attached)
    if any(same_text(one.document, policy.document) for one in held):
        return f"policy `{policy.name}` is in force already"
    if policy.replaces is None:
        return None
    target = policy.replaces
    present = next((one for one in held if is_same(one, target)), None)
    if present is None:
        return f"policy `{target.name}`, which the draft changes, is not attached there any more; make the draft again"
    if not same_text(present.document, target.document):
        return f"policy `{target.name}` was changed since the draft was made; make the draft again"
    return None


def _quota(policies: Iterable[DraftPolicy], layer: str, estate: Estate, limit: Limit) -> list[str]:
    fresh = [node_id for policy in policies if policy.replaces is None for node_id in policy.attach_to]
    full = {
        node_id
        for node_id in fresh
        if len(estate.nodes[node_id].attached(layer).policies) + fresh.count(node_id) > limit.attached
    }
    return [
        f"`{estate.nodes[node_id].path}` has no attachment left for it ({limit.attached} at most)"
        for node_id in sorted(full)
    ]
