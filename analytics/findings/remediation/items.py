"""The remediation list: every change worth making, with the risk that it removes and the calls that it breaks.

The score before and after comes from the one function that scores everything else. The order is

    priority = risk removed x discount
    discount = 1.0 breaks nothing, 0.5 not proven, 0.5 / (1 + ln(1 + n)) breaks n calls;
               a tenth of that where AWS refuses it, and for the removal of what is meant to lie idle

then the score before, then the ARN, the kind and the id: total, and the same in every build of the same input
(`data/reference/remediation.toml`). Service-linked roles have no items: AWS alone changes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.engine.reach import Reachable
from analytics.findings.drafts.size import compact
from analytics.findings.lowering.actions import ActionChanges
from analytics.findings.remediation import proposals
from analytics.findings.remediation.credentials import keys_and_mfa
from analytics.findings.remediation.rightsize import RightSizer
from analytics.findings.remediation.sets import by_permission_set, permission_set_of, refused_set
from analytics.findings.remediation.shell import refused_name
from analytics.findings.remediation.unused import right_size
from analytics.findings.remediation.values import Item, Kind, Proposal, Workshop, item_id, order_of
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analytics.findings.assess import Assessor
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.remediation.values import Surroundings

_BATCH = 500  # identities after which the engine forgets the documents of proposals
_CHANGED_BY_ACCOUNT = (PrincipalKind.USER, PrincipalKind.ROLE)


def remediation(
    scores: Assessor, estate: Estate, around: Surroundings, *, progress: Callable[[int, int], None] | None = None
) -> list[Item]:
    """All items in order. `progress` is told how many identities are done, and how many there are."""
    found: list[Item] = []
    for done, item in items(scores, estate, around):
        if progress is not None:
            progress(done, len(estate.subjects))
        found.append(item)
    return sorted(found, key=order_of)


def items(scores: Assessor, estate: Estate, around: Surroundings) -> Iterator[tuple[int, Item]]:
    """Every item with the number of identities that are done, by ARN; permission sets come last."""
    shop = Workshop(scores, ActionChanges(scores), estate, around)
    sizer = RightSizer(estate, shop.rules)
    sets = by_permission_set(estate.subjects.values())
    for done, subject in enumerate(estate.subjects.values()):
        if done % _BATCH == 0:  # the engine keeps what it compiled, and proposals are compiled once only
            sizer.forget()
            passing = replace(estate, reachable=Reachable(estate.catalogue))
            shop = replace(shop, estate=passing)
            sizer.estate = passing
        yield from ((done, _item(subject, one, shop)) for one in _proposals(subject, shop, sizer))
    for roles in sets.values():
        best = _of_permission_set(roles, shop, sizer)
        if best is not None:
            yield len(estate.subjects), _item(*best, shop)


def _proposals(subject: Subject, shop: Workshop, sizer: RightSizer) -> Iterator[Proposal]:
    if subject.kind is PrincipalKind.ROOT:
        yield from keys_and_mfa(subject, shop)
        return
    if subject.kind not in (*_CHANGED_BY_ACCOUNT, PrincipalKind.SSO_ROLE):
        return
    if proposals.is_dormant(subject, shop):
        yield proposals.remove_dormant(subject, shop)
        return
    if subject.kind in _CHANGED_BY_ACCOUNT:
        sized = right_size(subject, shop, sizer)
        yield from _worth_it(subject, sized, shop)
        yield from _worth_it(subject, _boundary(subject, sized, shop), shop)
    trust = proposals.narrow_trust(subject, shop)
    if trust is not None:
        yield trust
    yield from keys_and_mfa(subject, shop)


def _boundary(subject: Subject, sized: Proposal | None, shop: Workshop) -> Proposal | None:
    """A boundary where right-sizing does not do: it is not possible, or leaves ways to more privilege."""
    if sized is not None and sized.blocked_reason is None and not shop.scores.of(subject.arn).paths:
        return None
    return proposals.add_boundary(subject, shop)


def _of_permission_set(
    roles: tuple[Subject, ...], shop: Workshop, sizer: RightSizer
) -> tuple[Subject, Proposal] | None:
    """The right-sized permission set, told of the role of which it takes the most risk; none where all lie idle."""
    if all(proposals.is_dormant(role, shop) for role in roles):
        return None
    alike: dict[object, Subject] = {}  # in fifty accounts of one kind a set has one score
    for role in roles:
        alike.setdefault((role.reach, role.stack.identity, shop.scores.of(role.arn).risk.score), role)
    best: tuple[float, Subject, Proposal] | None = None
    for role in alike.values():
        proposal = next(_worth_it(role, right_size(role, shop, sizer, roles), shop), None)
        if proposal is not None:
            removed = shop.scores.of(role.arn).risk.score - proposal.score_after
            if best is None or removed > best[0]:
                best = (removed, role, proposal)
    return (best[1], best[2]) if best else None


def _worth_it(subject: Subject, proposal: Proposal | None, shop: Workshop) -> Iterator[Proposal]:
    if proposal is not None:
        removed = round(shop.scores.of(subject.arn).risk.score - proposal.score_after, 1)
        if removed >= shop.rules.limits.least_risk_removed:
            yield proposal


def _item(subject: Subject, proposal: Proposal, shop: Workshop) -> Item:
    before = shop.scores.of(subject.arn).risk.score
    managed = shop.rules.manager_of(subject.name) if subject.kind is PrincipalKind.ROLE else None
    blocked = (
        proposal.blocked_reason or _refused(subject) or (managed.sentence if managed and managed.blocked else None)
    )
    notice = (managed.sentence,) if managed and not managed.blocked else ()
    set_back = blocked is not None or (managed is not None and managed.idle and proposal.kind is Kind.REMOVE_DORMANT)
    documents = [compact(document) for document in proposal.documents]
    removed = round(before - proposal.score_after, 1)
    return Item(
        item_id=item_id(proposal.holder or subject.arn, proposal.kind, proposal.key),
        principal_arn=subject.arn,
        kind=proposal.kind,
        title=proposal.title,
        detail=proposal.detail,
        score_before=before,
        score_after=proposal.score_after,
        calls_broken=proposal.calls_broken,
        owner=subject.owner,
        evidence={"sentences": [*notice, *proposal.sentences], "rows": list(proposal.rows)},
        commands=() if blocked else proposal.commands,
        policy=None if not documents else documents[0] if len(documents) == 1 else documents,
        blocked_reason=blocked,
        priority=shop.rules.order.priority(removed, proposal.calls_broken, set_back=set_back),
    )


def _refused(subject: Subject) -> str | None:
    """Why AWS would refuse any command of this identity."""
    if subject.kind is PrincipalKind.SSO_ROLE:
        return refused_set(permission_set_of(subject))
    return None if subject.kind is PrincipalKind.ROOT else refused_name(subject)


__all__ = ["Item", "Kind", "items", "remediation"]
