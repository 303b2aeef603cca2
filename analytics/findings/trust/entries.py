"""A trust document taken apart: whom its statements name, and the same document for some of them only.

IAM User Guide, "AWS JSON policy elements: Principal". INVARIANT: `without` leaves every other entry, every condition
and every Deny as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.iam.match import ActionSet
from analytics.iam.policy import Effect, PolicyDocument, Principals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from analytics.iam.policy import Statement

ASSUME_ROLE = "sts:AssumeRole"
ASSUME_WITH_SAML = "sts:AssumeRoleWithSAML"
ASSUME_WITH_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
SAML_PROVIDER = ":saml-provider/"
OIDC_PROVIDER = ":oidc-provider/"
EVERYONE = "*"


class Field(StrEnum):
    """The part of a Principal element in which an entry stands, by its name in `Principals`."""

    EVERYONE = "everyone"  # "*", in either spelling
    AWS = "aws"
    SERVICE = "service"
    FEDERATED = "federated"
    OTHERS = "others"  # NotPrincipal with Allow: everyone but those named


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an Allow statement that lets somebody begin a session of the role."""

    statement: int
    field: Field
    text: str  # as it stands; "*" for everyone and for everyone but some


def entries(document: PolicyDocument) -> Iterator[Entry]:
    """Every entry, statement by statement."""
    for index, statement in enumerate(document.statements):
        if statement.effect is Effect.ALLOW and begins_sessions(statement):
            yield from (Entry(index, field, text) for field, text in _named(statement))


def begins_sessions(statement: Statement) -> bool:
    """Whether the statement speaks of an action that begins a session; `sts:TagSession` alone does not."""
    return any(speaks_of(statement, action) for action in (ASSUME_ROLE, ASSUME_WITH_SAML, ASSUME_WITH_WEB_IDENTITY))


def speaks_of(statement: Statement, action: str) -> bool:
    """Whether the Action or NotAction element includes an action."""
    named = ActionSet(statement.not_action or statement.action).matches(action.lower())
    return named != bool(statement.not_action)


def only(document: PolicyDocument, entry: Entry) -> PolicyDocument:
    """What the document says of one entry: its own statement for it alone, and every Deny."""
    kept = []
    for index, statement in enumerate(document.statements):
        if statement.effect is Effect.DENY:
            kept.append(statement)
        elif index == entry.statement:
            kept.append(_for(statement, entry))
    return replace(document, statements=tuple(kept))


def without(document: PolicyDocument, dropped: Collection[Entry]) -> PolicyDocument | None:
    """The document without these entries; None when nobody would be left to begin a session.

    Whoever is dropped wherever it could begin a session loses its companions too, such as `sts:TagSession` in a
    statement of its own.
    """
    unwanted = frozenset(dropped)
    left = {(entry.field, entry.text) for entry in entries(document) if entry not in unwanted}
    gone = {(entry.field, entry.text) for entry in unwanted} - left
    kept = []
    for index, statement in enumerate(document.statements):
        if statement.effect is Effect.DENY:
            kept.append(statement)
            continue
        found = [Entry(index, field, text) for field, text in _named(statement)]
        is_companion = not begins_sessions(statement)
        stays = [one for one in found if one not in unwanted and not (is_companion and (one.field, one.text) in gone)]
        if len(stays) == len(found):
            kept.append(statement)
        elif stays:
            kept.append(replace(statement, principal=_principals(stays)))
    narrowed = replace(document, statements=tuple(kept))
    return narrowed if any(entries(narrowed)) else None


def _named(statement: Statement) -> Iterator[tuple[Field, str]]:
    principals = statement.principal
    if principals is None:
        if statement.not_principal is not None:
            yield Field.OTHERS, EVERYONE
        return
    if principals.everyone or EVERYONE in principals.aws:
        yield Field.EVERYONE, EVERYONE
    yield from ((Field.AWS, text) for text in dict.fromkeys(principals.aws) if text != EVERYONE)
    yield from ((Field.SERVICE, text) for text in dict.fromkeys(principals.service))
    yield from ((Field.FEDERATED, text) for text in dict.fromkeys(principals.federated))


def _for(statement: Statement, entry: Entry) -> Statement:
    return statement if entry.field is Field.OTHERS else replace(statement, principal=_principals([entry]))


def _principals(kept: Collection[Entry]) -> Principals:
    """The Principal element of some entries; beside others, everyone is written `{"AWS": "*"}`."""
    if [entry.field for entry in kept] == [Field.EVERYONE]:
        return Principals(everyone=True)
    texts = {field: tuple(entry.text for entry in kept if entry.field is field) for field in Field}
    return Principals(
        aws=texts[Field.EVERYONE] + texts[Field.AWS], service=texts[Field.SERVICE], federated=texts[Field.FEDERATED]
    )
