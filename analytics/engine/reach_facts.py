"""What is known of a principal, as the condition keys that its every request carries.

IAM User Guide, "AWS global condition context keys", the properties of the principal. A key that this module does not
answer is unknown: it may be in a request or not. Session tags that override a role's own tags are not modelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.iam.condition import Context
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from analytics.iam.stack import PrincipalFacts

TAG_PREFIX = "aws:principaltag/"
# Answered for some principals and not for others; a statement that names none of these has one answer for all.
PRINCIPAL_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principaltype",
        "aws:userid",
        "aws:username",
    },
)
ROLES = {PrincipalKind.ROLE, PrincipalKind.SSO_ROLE, PrincipalKind.SERVICE_LINKED_ROLE}
_TYPES = {
    **dict.fromkeys(ROLES, "AssumedRole"),
    PrincipalKind.USER: "User",
    PrincipalKind.ROOT: "Account",
}


class Unrecorded:
    """Every key may be in a request, but for those known to be absent (and any tag, where `no_other_tags`)."""

    __slots__ = ("_absent", "_no_other_tags")

    def __init__(self, absent: frozenset[str], *, no_other_tags: bool = False) -> None:
        self._absent = absent
        self._no_other_tags = no_other_tags

    def __contains__(self, key: object) -> bool:
        if key in self._absent:
            return False
        return not (self._no_other_tags and isinstance(key, str) and key.startswith(TAG_PREFIX))


# An identity is no AWS service, whoever it is.
_NOT_A_SERVICE = {"aws:principalisawsservice": ("false",)}
_NEVER_THERE = frozenset({"aws:principalservicename", "aws:principalservicenameslist"})
KNOWN_OF_ALL = Context(_NOT_A_SERVICE, Unrecorded(_NEVER_THERE))


def about_principal(key: str) -> bool:
    """Whether the answer to a condition key (lower case) depends on who the principal is."""
    return key in PRINCIPAL_KEYS or key.startswith(TAG_PREFIX)


def known_context(facts: PrincipalFacts) -> Context:
    """What every request of the principal carries, and what it certainly lacks; all else is unknown.

    The tags that an Identity Center role lacks may still arrive with its sessions, as attributes for access control.
    """
    values = _NOT_A_SERVICE | {key: (value,) for key, value in _properties(facts).items() if value}
    for key, value in facts.tags or ():
        values[TAG_PREFIX + key.lower()] = (value,)
    no_name = facts.kind in ROLES or facts.kind is PrincipalKind.ROOT
    absent = _NEVER_THERE | {"aws:username"} if no_name else _NEVER_THERE
    no_other_tags = facts.tags is not None and facts.kind is not PrincipalKind.SSO_ROLE
    return Context(values, Unrecorded(absent, no_other_tags=no_other_tags))


def _properties(facts: PrincipalFacts) -> dict[str, str | None]:
    """The keys with one value; None or an empty text: not known."""
    return {
        "aws:principalarn": facts.arn,
        "aws:principalaccount": facts.account_id,
        "aws:principalorgid": facts.organization_id,
        "aws:principalorgpaths": facts.organization_path,
        "aws:principaltype": _TYPES.get(facts.kind),
        "aws:userid": _user_id(facts),
        "aws:username": _user_name(facts),
    }


def _user_id(facts: PrincipalFacts) -> str | None:
    """The id of a role's session ends in a name that its caller chooses: only a user's and the root's are known."""
    if facts.kind is PrincipalKind.ROOT:
        return facts.account_id
    return facts.unique_id if facts.kind is PrincipalKind.USER else None


def _user_name(facts: PrincipalFacts) -> str | None:
    parsed = parse_arn(facts.arn) if facts.kind is PrincipalKind.USER else None
    return parsed.resource.rpartition("/")[2] if parsed else None
