"""Names of principals: ARNs and kinds, as IAM writes them.

IAM User Guide, "IAM identifiers". A role-session ARN carries neither the role's path nor its unique id,
so a session leads to a role only by account and name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class PrincipalKind(StrEnum):
    """What stands behind a principal, in the words of the pages and the exports."""

    ROLE = "role"
    SSO_ROLE = "sso role"
    SERVICE_LINKED_ROLE = "service-linked role"
    USER = "user"
    ROOT = "root"
    FEDERATED = "federated"  # SAML, web identity or Identity Center user: no permissions of its own
    SERVICE = "service"  # an AWS service that acts for itself
    ACCOUNT = "account"  # a caller of another account of whom only the account is known
    UNKNOWN = "unknown"


class Arn(NamedTuple):
    """The six parts of `arn:partition:service:region:account:resource`."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None when the text is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


def account_of(arn: str) -> str | None:
    """The twelve-digit account in an ARN, or None where it has none (`arn:aws:s3:::bucket`)."""
    parsed = parse_arn(arn)
    return parsed.account_id or None if parsed else None


# First prefix of an ARN's resource that fits; the two reserved paths are IAM's own.
_KIND_BY_PREFIX = (
    ("role/aws-service-role/", PrincipalKind.SERVICE_LINKED_ROLE),
    ("role/aws-reserved/sso.amazonaws.com/", PrincipalKind.SSO_ROLE),
    ("role/", PrincipalKind.ROLE),
    ("user/", PrincipalKind.USER),
)


def kind_of_arn(arn: str) -> PrincipalKind:
    """The kind of an IAM identity by its ARN alone."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam":
        return PrincipalKind.UNKNOWN
    if parsed.resource == "root":
        return PrincipalKind.ROOT
    fitting = (kind for prefix, kind in _KIND_BY_PREFIX if parsed.resource.startswith(prefix))
    return next(fitting, PrincipalKind.UNKNOWN)
