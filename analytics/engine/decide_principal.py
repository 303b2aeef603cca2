"""Who asks, and how a Principal or NotPrincipal element speaks of them.

A grant to the user or the session itself, to the role behind a session, or to the whole account stand differently
against implicit denies elsewhere. IAM User Guide, "AWS JSON policy elements: Principal" and "… NotPrincipal".
"""

from __future__ import annotations

from enum import Enum, IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.iam.names import parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.iam.condition import Context
    from analytics.iam.policy import Principals, Statement

    Values = Mapping[str, tuple[str, ...]]

ACCOUNT_ID_LENGTH = 12
SERVICE_LINKED_PREFIX = "AWSServiceRoleFor"
SERVICE_LINKED_PATH = ":role/aws-service-role/"
IDENTITY_KEYS = frozenset({"aws:userid", "aws:federatedprovider"})


class Caller(Enum):
    """The kinds of principal that can ask."""

    USER = "user"
    ROLE = "role"  # a session of it, of which only the role is named
    SESSION = "role session"
    FEDERATED_USER = "federated user"
    ROOT = "root"
    SERVICE = "service"
    ANONYMOUS = "anonymous"
    EXTERNAL = "external"  # an identity provider's user, CloudFront's origin identity, a canonical user


class Standing(IntEnum):
    """How directly a Principal element names the caller; a higher one wins."""

    NONE = 0
    ACCOUNT = 1  # the account: it may pass the permission on through its own policies
    ROLE = 2  # the role or user behind the session: boundary and session policies still limit
    DIRECT = 3  # the user or session itself, or everyone


class Principal(NamedTuple):
    """The caller, as its text in a request says."""

    text: str
    caller: Caller
    account_id: str | None = None
    partition: str = "aws"
    role_name: str | None = None
    is_outside: bool = False  # no IAM identity: has no policies of its own, only a resource can admit it

    def is_service_linked(self, values: Values) -> bool:
        """Whether the caller is a service-linked role, which no control policy binds."""
        if self.caller is Caller.ROLE:
            return SERVICE_LINKED_PATH in self.text
        if self.caller is not Caller.SESSION:
            return False
        known = values.get("aws:principalarn")
        if known:
            return SERVICE_LINKED_PATH in known[0]
        return self.role_name is not None and self.role_name.startswith(SERVICE_LINKED_PREFIX)


@lru_cache(maxsize=65_536)
def read_principal(text: str) -> Principal:
    """The caller in a principal's text: an ARN, a service principal, a provider's domain, or `anonymous`."""
    if text in ("anonymous", "*"):
        return Principal(text, Caller.ANONYMOUS, is_outside=True)
    arn = parse_arn(text)
    if arn is None:
        caller = Caller.SERVICE if text.endswith(_SERVICE_SUFFIXES) else Caller.EXTERNAL
        return Principal(text, caller, is_outside=True)
    kind, _, rest = arn.resource.partition("/")
    caller = _CALLERS.get((arn.service, kind), Caller.EXTERNAL)
    if caller is Caller.EXTERNAL or not _is_account_id(arn.account_id):
        return Principal(text, Caller.EXTERNAL, is_outside=True)
    role = {Caller.SESSION: rest.partition("/")[0], Caller.ROLE: rest.rpartition("/")[2]}.get(caller)
    return Principal(text, caller, arn.account_id, arn.partition, role)


_SERVICE_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
_CALLERS = {
    ("iam", "user"): Caller.USER,
    ("iam", "role"): Caller.ROLE,
    ("iam", "root"): Caller.ROOT,
    ("sts", "assumed-role"): Caller.SESSION,
    ("sts", "federated-user"): Caller.FEDERATED_USER,
}


def standing(statement: Statement, who: Principal, values: Values, *, bounded: bool) -> Standing:
    """How a resource policy's statement speaks of the caller; a statement without a principal speaks of nobody.

    `bounded`: the caller has a permissions boundary, and then a Deny with NotPrincipal always denies it.
    """
    if statement.principal is not None:
        return _named(statement.principal, who, values)
    if statement.not_principal is None:
        return Standing.NONE
    return _standing_beside(statement, statement.not_principal, who, values, bounded=bounded)


def may_stand_otherwise(statement: Statement, who: Principal, context: Context) -> bool:
    """Whether a key that was not recorded could change how the statement speaks of the caller."""
    principals = statement.principal or statement.not_principal
    if principals is None:
        return False
    if who.is_outside:
        return bool(principals.federated) and context.is_unknown("aws:federatedprovider")
    ids = any(not entry.startswith(("arn:", "*")) and not _is_account_id(entry) for entry in principals.aws)
    return ids and context.is_unknown("aws:userid")


def _standing_beside(
    statement: Statement, spared: Principals, who: Principal, values: Values, *, bounded: bool
) -> Standing:
    """NotPrincipal. An account that is listed spares its root user alone: its users must be listed themselves."""
    named = _named(spared, who, values)
    if statement.effect == "Deny":
        if bounded and not who.is_outside:
            return Standing.DIRECT
        is_spared = named >= Standing.ROLE or (named is Standing.ACCOUNT and who.caller is Caller.ROOT)
        return Standing.NONE if is_spared else Standing.DIRECT
    return Standing.DIRECT if named is Standing.NONE else Standing.NONE


def _named(principals: Principals, who: Principal, values: Values) -> Standing:
    if principals.everyone or "*" in principals.aws:
        return Standing.DIRECT
    if who.text in principals.service or who.text in principals.canonical_user:
        return Standing.DIRECT
    if principals.federated and _is_federated_through(principals.federated, who, values):
        return Standing.DIRECT
    return max((_named_by(entry, who, values) for entry in principals.aws), default=Standing.NONE)


def _named_by(entry: str, who: Principal, values: Values) -> Standing:
    """How one `AWS` entry (an ARN, an account id, a unique id) names the caller."""
    if entry == who.text:
        return _OF_OWN_ARN.get(who.caller, Standing.DIRECT)
    if who.account_id is None:
        return Standing.NONE
    if entry in (who.account_id, f"arn:{who.partition}:iam::{who.account_id}:root"):
        return Standing.ACCOUNT
    if not entry.startswith("arn:"):
        return _by_unique_id(entry, who, values)
    behind = (who.caller is Caller.SESSION and _is_role_of(entry, who, values)) or (
        who.caller is Caller.FEDERATED_USER and _is_user_of(entry, who)
    )
    return Standing.ROLE if behind else Standing.NONE


_OF_OWN_ARN = {Caller.ROLE: Standing.ROLE, Caller.ROOT: Standing.ACCOUNT}


def _is_role_of(entry: str, who: Principal, values: Values) -> bool:
    """Whether the ARN is that of the session's role; the session's own ARN does not carry the role's path."""
    known = values.get("aws:principalarn", ())
    if known and ":role/" in known[0]:
        return entry == known[0]
    return (
        entry.startswith(f"arn:{who.partition}:iam::{who.account_id}:role/")
        and entry.rpartition("/")[2] == who.role_name
    )


def _is_user_of(entry: str, who: Principal) -> bool:
    """Whether the ARN is that of the user who federated: the name of the session, says the manual, is based on theirs.

    IAM User Guide, "AWS JSON policy elements: Principal", federated user sessions.
    """
    name = who.text.partition(":federated-user/")[2]
    prefix = f"arn:{who.partition}:iam::{who.account_id}:user/"
    return entry.startswith(prefix) and name in (entry.removeprefix(prefix), entry.rpartition("/")[2])


def _by_unique_id(entry: str, who: Principal, values: Values) -> Standing:
    """`AIDA…` or `AROA…`: what AWS shows for a named user or role; `aws:userid` carries it."""
    for userid in values.get("aws:userid", ()):
        if userid == entry:
            return _OF_OWN_ARN.get(who.caller, Standing.DIRECT)
        if userid.startswith(f"{entry}:"):
            return Standing.ROLE
    return Standing.NONE


def _is_federated_through(providers: Iterable[str], who: Principal, values: Values) -> bool:
    if who.text in providers:
        return True
    return who.is_outside and any(provider in providers for provider in values.get("aws:federatedprovider", ()))


def _is_account_id(text: str) -> bool:
    return len(text) == ACCOUNT_ID_LENGTH and text.isdigit()
