"""Permissions boundaries: who has which, who lacks one and could make others, and which do not hold.

A boundary that its holder can remove, replace or rewrite is none, and one that lets it make identities without a
boundary is none either. Each such way out is one concrete request, put to the boundary alone (may it at all?) and to
every holder's whole stack (can this one, today?). INVARIANT: a way out is reported with the statement that opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.engine.decide import Policies
from analytics.engine.reach import StatementRef
from analytics.findings.boundaries.questions import ANY_ROLE, ANY_USER, Answer, Asker, Possible, Question
from analytics.findings.organization.caller import ordinary_role
from analytics.findings.organization.view import EVERYTHING
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import PolicyDocument

CREATING = ("iam:CreateRole", "iam:CreateUser")
WIDE = "arn:{partition}:iam::aws:policy/AdministratorAccess"  # a boundary that bounds nothing


class WayOut(StrEnum):
    """How a holder gets out of its boundary."""

    REMOVE = "removes its own boundary"
    REPLACE = "puts another boundary in its place"
    REWRITE = "rewrites the boundary's document"
    CREATE = "makes identities without the boundary"


@dataclass(frozen=True, slots=True)
class Boundary:
    """One managed policy in the place of a boundary, in one account, with its holders."""

    arn: str
    name: str
    account_id: str  # of the holders
    document: PolicyDocument | None  # None: not collected
    holders: tuple[str, ...]  # ARNs


@dataclass(frozen=True, slots=True)
class Weakness:
    """One way out that a boundary leaves open, with what shows it."""

    boundary: Boundary
    way_out: WayOut
    question: Question
    resource: str  # on which it is shown
    permits: Possible  # by the boundary alone
    unknown_keys: tuple[str, ...]
    statements: tuple[StatementRef, ...]  # of the boundary, that allow it
    able: tuple[str, ...]  # holders who surely can today
    perhaps: tuple[str, ...]  # holders for whom it hangs on a key, or on what was not collected


@dataclass(frozen=True, slots=True)
class Maker:
    """An identity without a boundary that can make roles or users."""

    arn: str
    actions: tuple[str, ...]
    surely: bool  # by its reach
    unbounded: Possible  # whether it can make one without any boundary
    shown_on: str


@dataclass(frozen=True, slots=True)
class BoundaryCount:
    """How many of an account's users and roles have a boundary; service-linked roles cannot."""

    account_id: str
    identities: int
    bounded: int
    makers: int  # without one, and able to make roles or users


def boundaries_in_use(estate: Estate, attached: Mapping[str, str]) -> tuple[Boundary, ...]:
    """Every boundary with its holders, by account and ARN. `attached`: principal ARN -> boundary ARN."""
    holders: dict[tuple[str, str], list[Subject]] = {}
    for arn, boundary_arn in attached.items():
        subject = estate.subjects.get(arn)
        if subject is not None:
            holders.setdefault((subject.account_id, boundary_arn), []).append(subject)
    return tuple(_boundary(boundary_arn, account, held) for (account, boundary_arn), held in sorted(holders.items()))


def _boundary(boundary_arn: str, account_id: str, held: list[Subject]) -> Boundary:
    documents = (subject.stack.boundary.document for subject in held if subject.stack.boundary is not None)
    arns = tuple(sorted(subject.arn for subject in held))
    return Boundary(boundary_arn, boundary_arn.rpartition("/")[2], account_id, next(documents, None), arns)


def weaknesses(estate: Estate, boundaries: tuple[Boundary, ...], asker: Asker | None = None) -> tuple[Weakness, ...]:
    """Every way out that a boundary leaves open, in the order of the boundaries."""
    asker = asker or Asker()
    return tuple(found for boundary in boundaries for found in _weaknesses(estate, boundary, asker))


def _weaknesses(estate: Estate, boundary: Boundary, asker: Asker) -> Iterator[Weakness]:
    if boundary.document is None:
        return
    who = ordinary_role(boundary.account_id, estate.organization_id, None)
    alone = Policies(identity=(EVERYTHING.document,), boundary=(boundary.document,))
    for way_out, question in questions(who.arn, boundary.arn):
        answer = asker.ask(alone, who, question)
        if answer.possible is Possible.NO:
            continue
        able, perhaps = _holders(estate, boundary, question, asker)
        indexes = asker.allowing(boundary.document, who, question, answer.resource)
        yield Weakness(
            boundary=boundary,
            way_out=way_out,
            question=question,
            resource=answer.resource,
            permits=answer.possible,
            unknown_keys=answer.unknown_keys,
            statements=tuple(
                StatementRef("boundary", boundary.name, boundary.arn, index, boundary.document.statements[index].sid)
                for index in indexes
            ),
            able=able,
            perhaps=perhaps,
        )


def questions(arn: str, boundary_arn: str) -> tuple[tuple[WayOut, Question], ...]:
    """The requests with which an identity would get out of its boundary."""
    wide = WIDE.format(partition=arn.split(":")[1])
    noun = "User" if ":user/" in arn else "Role"
    rewriting = ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy")
    return (
        (WayOut.REMOVE, Question(f"iam:Delete{noun}PermissionsBoundary", arn, boundary_arn)),
        (WayOut.REPLACE, Question(f"iam:Put{noun}PermissionsBoundary", arn, wide)),
        *((WayOut.REWRITE, Question(f"iam:{action}", boundary_arn)) for action in rewriting),
        (WayOut.CREATE, Question("iam:CreateRole", ANY_ROLE)),
        (WayOut.CREATE, Question("iam:CreateRole", ANY_ROLE, wide)),
        (WayOut.CREATE, Question("iam:CreateUser", ANY_USER)),
        (WayOut.CREATE, Question("iam:CreateUser", ANY_USER, wide)),
    )


def ways_out(subject: Subject, boundary_arn: str, estate: Estate, asker: Asker) -> tuple[tuple[WayOut, Answer], ...]:
    """The ways out that an identity has today; what its reach excludes is not asked."""
    found = []
    for way_out, question in questions(subject.arn, boundary_arn):
        answer = _of_holder(subject, question, estate, asker)
        if answer is not None and answer.possible is not Possible.NO:
            found.append((way_out, answer))
    return tuple(found)


def makers(estate: Estate, asker: Asker | None = None) -> tuple[Maker, ...]:
    """The identities without a boundary that can make roles or users, by ARN."""
    asker = asker or Asker()
    return tuple(found for subject in estate.subjects.values() if (found := _maker(subject, estate, asker)))


def _maker(subject: Subject, estate: Estate, asker: Asker) -> Maker | None:
    if not can_have_boundary(subject) or has_boundary(subject):
        return None
    held = tuple(action for action in CREATING if _reaches(subject.reach.maybe, action, estate))
    if not held:
        return None
    asked = [Question(action, ANY_ROLE if action == CREATING[0] else ANY_USER) for action in held]
    answers = [asker.ask_stack(subject.stack, question) for question in asked]
    best = max(answers, key=lambda answer: _ORDER.index(answer.possible))
    surely = any(_reaches(subject.reach.surely, action, estate) for action in held)
    return Maker(subject.arn, held, surely, best.possible, best.resource)


def _reaches(mask: int, action: str, estate: Estate) -> bool:
    number = estate.catalogue.number(action)
    return number is not None and bool(mask >> number & 1)


_ORDER = (Possible.NO, Possible.MAYBE, Possible.YES)


def boundary_counts(estate: Estate, made_by: tuple[Maker, ...]) -> tuple[BoundaryCount, ...]:
    """One count per account with identities, by account id."""
    counted: dict[str, list[int]] = {}
    making = {maker.arn for maker in made_by}
    for subject in estate.subjects.values():
        if can_have_boundary(subject):
            row = counted.setdefault(subject.account_id, [0, 0, 0])
            row[0] += 1
            row[1] += has_boundary(subject)
            row[2] += subject.arn in making
    return tuple(BoundaryCount(account, *counts) for account, counts in sorted(counted.items()))


def can_have_boundary(subject: Subject) -> bool:
    """Users and roles, but for service-linked roles: AWS refuses a boundary on those, and on root."""
    return subject.kind in (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SSO_ROLE)


def has_boundary(subject: Subject) -> bool:
    """Whether a boundary is attached, collected or not."""
    return subject.stack.boundary is not None or subject.stack.boundary_not_collected


def _holders(
    estate: Estate, boundary: Boundary, question: Question, asker: Asker
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who of the holders can do it: surely, and perhaps."""
    able: list[str] = []
    perhaps: list[str] = []
    for arn in boundary.holders:
        subject = estate.subjects[arn]
        answer = _of_holder(subject, _own(question, subject), estate, asker)
        if answer is not None and answer.possible is not Possible.NO:
            (able if answer.possible is Possible.YES else perhaps).append(arn)
    return tuple(able), tuple(perhaps)


def _own(question: Question, subject: Subject) -> Question:
    """The question about this holder: its own ARN in the place of the ordinary role's."""
    if "PermissionsBoundary" not in question.action:
        return question
    is_user = subject.kind is PrincipalKind.USER
    return Question(
        question.action.replace("Role", "User") if is_user else question.action, subject.arn, question.boundary
    )


def _of_holder(subject: Subject, question: Question, estate: Estate, asker: Asker) -> Answer | None:
    """None: its reach excludes the action. Reach is an upper bound, so nothing is missed."""
    if not _reaches(subject.reach.maybe, question.action, estate) and not subject.stack.not_collected:
        return None
    return asker.ask_stack(subject.stack, question)
