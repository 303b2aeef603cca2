"""Right-sizing as an item: what goes, what the engine proves, and how to do it for a role, a user, a permission set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.findings.remediation import commands as remediation_commands
from analytics.findings.remediation import sets as remediation_sets
from analytics.findings.remediation.shell import is_policy_arn, is_policy_name, refused_name
from analytics.findings.remediation.values import Kind, Proposal
from analytics.findings.remediation.words import NOT_PROVEN, counted, is_too_young, not_storable
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.rightsize import RightSized, RightSizer
    from analytics.findings.remediation.values import Workshop

_SHOWN = 20  # of a list in an evidence row
NOT_COLLECTED = "The snapshot does not hold all policies of this user, which would leave a group: collect them first."


def right_size(
    subject: Subject, shop: Workshop, sizer: RightSizer, siblings: Sequence[Subject] = ()
) -> Proposal | None:
    """Take what is not used. `siblings`: all roles of the same permission set, whose needs count as well."""
    if is_too_young(subject, shop):
        return None
    roles = siblings or (subject,)
    keep = seen = 0
    for role in roles:
        keep |= ~role.observable | role.seen
        seen |= role.seen
    found = sizer.of(subject, keep=keep, seen=seen)
    if found is None:
        return None
    after = shop.changes.score_of_narrowed(found.after)
    unresolved = sum(shop.around.unresolved.get(role.arn, 0) for role in roles)
    name = remediation_sets.permission_set_of(subject)
    if subject.kind is PrincipalKind.SSO_ROLE:
        steps = remediation_sets.right_size_set(name or "", found, shop.around.permission_sets)
    else:
        steps = remediation_commands.right_size(subject, found, shop.around.managed_policies, shop.rules.quotas)
    dropped = found.dropped.bit_count()
    title = (
        f"Drop {counted(dropped, 'action')} that it did not use"
        if not name
        else f"Drop {counted(dropped, 'unused action')} from permission set {name}"
    )
    return Proposal(
        kind=Kind.RIGHT_SIZE,
        key="identity policies",
        title=title,
        score_after=after,
        calls_broken=0 if found.exact and not unresolved else None,
        sentences=tuple(_right_size_sentences(subject, shop, found, roles, unresolved)),
        rows=tuple(_dropped_rows(sizer, found)),
        detail=_right_size_detail(subject, found, roles),
        commands=steps,
        documents=(*(document for _, document in found.rewritten), *found.own),
        blocked_reason=_why_not_right_sized(subject, found),
        holder=f"permission set {name}" if name else None,
    )


def _right_size_sentences(
    subject: Subject, shop: Workshop, found: RightSized, roles: Sequence[Subject], unresolved: int
) -> Iterator[str]:
    days = counted(shop.estate.window_days, "day")
    dropped = f"{found.dropped.bit_count():,} of {counted(subject.reach.maybe.bit_count(), 'action')}"
    if len(roles) > 1:
        accounts = len({role.account_id for role in roles})
        stands = counted(accounts, "account")
        yield f"The permission set stands in {stands}; what any of its roles used or may have used stays."
    if found.exact:
        yield (
            f"Not used in {days}, though this export would have shown it: {dropped}. Used, possibly used and "
            "unobserved actions stay as they are."
        )
        if unresolved:
            are = "is" if unresolved == 1 else "are"
            yield f"Not proven: {unresolved:,} of its calls {are} of events whose action is not known."
        return
    yield (f"Dropped: {dropped}, all of the services without any use in {days} and what was not used of the others.")
    yield NOT_PROVEN.format(what="services that go")


def _dropped_rows(sizer: RightSizer, found: RightSized) -> Iterator[Mapping[str, Any]]:
    """What goes, by service, the heaviest first."""
    dropped = sizer.narrower.parts.split(found.dropped)
    weighed = [(sizer.weights.of(service, part), service, part) for service, part in dropped.items()]
    for one, service, part in sorted(weighed, key=lambda entry: (-entry[0].weight, entry[1]))[:_SHOWN]:
        yield {
            "service": service,
            "actions": part.bit_count(),
            "weight": one.rounded,
            "heaviest": list(one.heaviest),
        }


def _right_size_detail(subject: Subject, found: RightSized, roles: Sequence[Subject]) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "actions_before": subject.reach.maybe.bit_count(),
        "actions_dropped": found.dropped.bit_count(),
        "rewritten": [policy.name for policy, _ in found.rewritten],
        "detached": [policy.name for policy in found.removed],
        "groups_left": [group.rpartition("/")[2] for group in found.left_groups],
        "new_policies": len(found.own),
    }
    return detail | ({"roles": [role.arn for role in roles[:_SHOWN]]} if len(roles) > 1 else {})


def _why_not_right_sized(subject: Subject, found: RightSized) -> str | None:
    if subject.kind is PrincipalKind.SSO_ROLE:
        refused = remediation_sets.refused_set(remediation_sets.permission_set_of(subject))
    else:
        refused = refused_name(subject)
    if refused:
        return refused
    if found.left_groups and subject.policies_not_collected:
        return NOT_COLLECTED
    for policy in (*(one for one, _ in found.rewritten), *found.removed):
        if not (is_policy_name(policy.name) if policy.arn is None else is_policy_arn(policy.arn)):
            return "IAM accepts no such policy name as the snapshot has here: a command would be refused."
    if not all(is_policy_name(group.rpartition("/")[2]) for group in found.left_groups):
        return "IAM accepts no such group name as the snapshot has here: a command would be refused."
    documents = (*(document for _, document in found.rewritten), *found.own)
    return next((reason for document in documents if (reason := not_storable(document))), None)
