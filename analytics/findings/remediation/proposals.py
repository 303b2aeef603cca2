"""The changes worth making of one identity: each function answers for one kind, with None where there is nothing to do.

Calls broken is 0 only where the sets prove it: every action that was seen stays allowed as before, and no call of the
window had an action that is not known.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.findings.remediation import commands
from analytics.findings.remediation import removal as remediation_removal
from analytics.findings.remediation import sets as remediation_sets
from analytics.findings.remediation.boundary import boundary_document
from analytics.findings.remediation.shell import refused_name
from analytics.findings.remediation.values import Kind, Proposal
from analytics.findings.remediation.words import (
    NOT_PROVEN,
    counted,
    day_of,
    is_too_young,
    not_storable,
    noun_of,
    reference_time,
)
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from analytics.findings.estate import Subject
    from analytics.findings.remediation.values import Workshop


def is_dormant(subject: Subject, shop: Workshop) -> bool:
    """Neither logs nor IAM know of a use within the days that make one dormant, and it is older than that."""
    if subject.kind is PrincipalKind.ROOT or subject.calls or subject.seen:
        return False
    since = reference_time(shop) - timedelta(days=shop.around.dormant_days)
    old = subject.created is not None and subject.created < since
    return old and (subject.last_used is None or subject.last_used < since)


def remove_dormant(subject: Subject, shop: Workshop) -> Proposal:
    """Remove an identity that nobody uses. Nothing is left to score: the score afterwards is 0."""
    days = shop.around.dormant_days
    account = shop.estate.accounts.get(subject.account_id)
    watched = bool(account and (account.days_covered or 0) > 0)
    told = subject.last_used is not None or watched
    used = f"last used on {subject.last_used:%Y-%m-%d}" if subject.last_used else "no use is known"
    logs = (
        f"no call in the {counted(shop.estate.window_days, 'day')} of the window"
        if watched
        else "its account's log is missing"
    )
    name = remediation_sets.permission_set_of(subject)
    if subject.kind is PrincipalKind.SSO_ROLE:
        steps = remediation_sets.remove_assignments(subject, name or "", shop.around.permission_sets)
    else:
        steps = remediation_removal.remove(subject, shop.rules.quotas)
    return Proposal(
        kind=Kind.REMOVE_DORMANT,
        key="",
        title=f"Take permission set {name} from the account" if name else f"Remove the dormant {noun_of(subject)}",
        score_after=0.0,
        calls_broken=0 if told else None,
        sentences=(
            f"{noun_of(subject).capitalize()} `{subject.name}`: {used}, {logs}; dormant means {counted(days, 'day')}.",
        ),
        detail={"last_used": day_of(subject.last_used), "created": day_of(subject.created)},
        commands=steps,
    )


def add_boundary(subject: Subject, shop: Workshop) -> Proposal | None:
    """A boundary of the services that it used, where it has none; its own policies stay as they are."""
    stack = subject.stack
    if stack.boundary is not None or stack.boundary_not_collected or not subject.seen or is_too_young(subject, shop):
        return None
    name, arn = commands.own_policy(subject, "boundary", shop.around.managed_policies)
    found = boundary_document(subject, arn, shop.estate, shop.rules.quotas.managed_policy_characters)
    if found is None:
        return None
    boundary = NamedPolicy(name, found.document, arn, arn)
    bounded = shop.estate.changed(subject, stack=replace(stack, boundary=boundary))
    proven = found.exact and not shop.around.unresolved.get(subject.arn)
    set_name = remediation_sets.permission_set_of(subject)
    if subject.kind is PrincipalKind.SSO_ROLE:
        make = commands.add_boundary(subject, name, arn, found.document)[:2]
        steps = (*make, *remediation_sets.boundary_of_set(set_name or "", arn, shop.around.permission_sets))
    else:
        steps = commands.add_boundary(subject, name, arn, found.document)
    told = (
        f"No permissions boundary; in {counted(shop.estate.window_days, 'day')} it used {len(found.services)} of the "
        f"{counted(found.granted_services, 'service')} that it holds."
    )
    return Proposal(
        kind=Kind.ADD_BOUNDARY,
        key="services used",
        title=f"Bound it to the {counted(len(found.services), 'service')} that it used",
        score_after=shop.changes.score_of_bounded(bounded, boundary),
        calls_broken=0 if proven else None,
        sentences=(told, *(() if proven else (NOT_PROVEN.format(what="services outside the boundary"),))),
        detail={"services": list(found.services)},
        commands=steps,
        documents=(found.document,),
        blocked_reason=refused_name(subject),
    )


def narrow_trust(subject: Subject, shop: Workshop) -> Proposal | None:
    """The trust policy without the ways that nobody took in the window."""
    unused = shop.around.unused_trust.get(subject.arn)
    if unused is None or subject.kind is not PrincipalKind.ROLE or is_too_young(subject, shop):
        return None
    changed = shop.estate.changed(subject, trust=unused.document)
    named = ", ".join(unused.parties[:3]) + (
        f" and {len(unused.parties) - 3:,} more" if len(unused.parties) > 3 else ""
    )
    told = (
        f"Nobody came in by {'this way' if len(unused.parties) == 1 else f'these {len(unused.parties):,} ways'} in the "
        f"{counted(shop.estate.window_days, 'day')} of the window, and this export would have shown it."
    )
    return Proposal(
        kind=Kind.NARROW_TRUST,
        key="unused parties",
        title=f"Stop trusting {named}",
        score_after=shop.scores.what_if(changed).risk.score,
        calls_broken=0,
        sentences=(told,),
        detail={"parties": list(unused.parties)},
        commands=commands.narrow_trust(subject, unused.document),
        documents=(unused.document,),
        blocked_reason=refused_name(subject) or not_storable(unused.document),
    )
