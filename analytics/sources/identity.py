"""Who made a call: from the reference that the roll-up keeps (sql/principal_ref.sql) to a principal.

A role session without its issuer, and a caller seen from the resource's side, are found in the snapshot; what cannot
be found keeps a name of its own and is marked, never dropped and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind, account_of, kind_of_arn, parse_arn

if TYPE_CHECKING:
    from analytics.sources.snapshot import Identity

UNKNOWN = "unknown"
ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal as the logs know it. `principal_arn` is an ARN wherever there is one, else a plain name."""

    principal_arn: str
    kind: PrincipalKind
    account_id: str | None


@dataclass(frozen=True, slots=True)
class KnownIdentities:
    """The identities of the snapshot by what an event may hold of them."""

    by_role_name: Mapping[tuple[str, str], str]  # (account, role name) -> ARN; role names are unique in an account
    by_unique_id: Mapping[str, str]  # AROA…, AIDA… -> ARN

    @classmethod
    def of(cls, identities: Iterable[Identity]) -> KnownIdentities:
        """An index of the snapshot's identities."""
        by_name: dict[tuple[str, str], str] = {}
        by_id: dict[str, str] = {}
        for identity in identities:
            if identity.kind is not PrincipalKind.USER:
                by_name[identity.account_id, identity.name] = identity.arn
            if identity.unique_id:
                by_id[identity.unique_id] = identity.arn
        return cls(by_name, by_id)


def caller(reference: str, account_id: str | None, known: KnownIdentities) -> Caller:
    """The principal that a `principal_ref` of the roll-up stands for."""
    prefix, _, rest = reference.partition(":")
    match prefix:
        case "arn":
            return _of_arn(reference, account_id, known)
        case "session":
            return _of_session(rest, account_id, known)
        case "id":
            return _of_foreign_id(rest, account_id, known)
        case "service":
            return Caller(rest, PrincipalKind.SERVICE, None)  # one service, in whichever account it acts
        case "federated":
            kind, _, name = rest.partition(":")
            where = f" in {account_id}" if account_id else ""
            return Caller(f"{kind} {name}{where}", PrincipalKind.FEDERATED, account_id)
        case _:
            return _of_known_id(rest, known) or _unknown(account_id)


def _unknown(account_id: str | None) -> Caller:
    return Caller(f"{UNKNOWN} in {account_id}" if account_id else UNKNOWN, PrincipalKind.UNKNOWN, account_id)


def _of_arn(arn: str, account_id: str | None, known: KnownIdentities) -> Caller:
    parsed = parse_arn(arn)
    if parsed and parsed.service == "sts":
        if parsed.resource.startswith("assumed-role/"):  # of an identity without a type
            return _of_session(arn, account_id, known)
        return Caller(arn, PrincipalKind.FEDERATED, parsed.account_id or account_id)
    return Caller(arn, kind_of_arn(arn), account_of(arn) or account_id)


def _of_session(session_arn: str, account_id: str | None, known: KnownIdentities) -> Caller:
    """A session ARN holds the role's name but not its path; without a snapshot the path is taken to be `/`."""
    parsed = parse_arn(session_arn)
    if parsed is None or not parsed.resource.startswith("assumed-role/"):
        return Caller(session_arn or UNKNOWN, PrincipalKind.UNKNOWN, account_id)
    account = parsed.account_id or account_id or ""
    name = parsed.resource.split("/")[1]
    arn = known.by_role_name.get((account, name))
    if arn is None:
        arn = f"arn:{parsed.partition}:iam::{account}:role/{_likely_path(name)}{name}"
    return Caller(arn, kind_of_arn(arn), account)


def _likely_path(role_name: str) -> str:
    """Reserved name prefixes tell the path (IAM User Guide, "Service-linked roles"; Identity Center User Guide)."""
    if role_name.startswith("AWSReservedSSO_"):
        return "aws-reserved/sso.amazonaws.com/"
    return ""


def _of_known_id(unique_id: str, known: KnownIdentities) -> Caller | None:
    arn = known.by_unique_id.get(unique_id)
    return Caller(arn, kind_of_arn(arn), account_of(arn)) if arn is not None else None


def _of_foreign_id(unique_id: str, account_id: str | None, known: KnownIdentities) -> Caller:
    """A caller seen from the resource's side; without an account it signed nothing (a public bucket)."""
    if account_id is None:
        return _of_known_id(unique_id, known) or Caller(ANONYMOUS, PrincipalKind.UNKNOWN, None)
    return _of_known_id(unique_id, known) or Caller(f"account {account_id}", PrincipalKind.ACCOUNT, account_id)
