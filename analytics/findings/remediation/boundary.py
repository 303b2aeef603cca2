"""A permissions boundary of the services that an identity used: it stops the rest, whatever its policies grow to.

A boundary that its holder can take off bounds nothing: where IAM is among the services, what would change the boundary
itself is denied (IAM User Guide, "Delegating responsibility to others using permissions boundaries").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from analytics.findings.action_parts import action_parts
from analytics.findings.drafts.size import characters
from analytics.findings.remediation.shell import noun
from analytics.iam.policy import Effect, PolicyDocument, Statement

if TYPE_CHECKING:
    from analytics.findings.estate import Estate, Subject

_OF_POLICY = ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion")


@dataclass(frozen=True, slots=True)
class BoundaryProposal:
    """The document, and what it leaves; `exact`: nothing unobserved is cut off, and nothing seen is denied."""

    document: PolicyDocument
    services: tuple[str, ...]
    granted_services: int
    exact: bool


def boundary_document(subject: Subject, arn: str, estate: Estate, most_characters: int) -> BoundaryProposal | None:
    """The boundary of an identity under this ARN; None where it would bound nothing, or be too long to store."""
    catalogue, held = estate.catalogue, subject.reach.maybe
    parts = action_parts(catalogue)
    services = tuple(parts.split(subject.seen))
    granted = len(parts.split(held))
    inside = reduce(or_, map(parts.whole, services), 0)
    if not services or not held & ~inside:
        return None
    statements = [
        Statement(Effect.ALLOW, "ServicesInUse", action=tuple(f"{one}:*" for one in services), resource=("*",))
    ]
    denied: tuple[str, ...] = ()
    if "iam" in services:
        own = tuple(f"iam:{verb}{noun(subject).capitalize()}PermissionsBoundary" for verb in ("Delete", "Put"))
        denied = (*own, *_OF_POLICY)
        statements.append(Statement(Effect.DENY, "StaysBounded", action=own, resource=(subject.arn,)))
        statements.append(Statement(Effect.DENY, "StaysAsItIs", action=_OF_POLICY, resource=(arn,)))
    document = PolicyDocument(tuple(statements), "2012-10-17")
    if characters(document) > most_characters:
        return None
    seen_denied = subject.seen & catalogue.mask(denied)
    unobserved_outside = held & ~inside & ~subject.observable
    return BoundaryProposal(document, services, granted, not seen_denied and not unobserved_outside)
