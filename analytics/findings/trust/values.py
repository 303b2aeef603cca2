"""A way to become an identity, and how exposed it is: one frozen value for page, score and export.

The classes are those of `[exposure]` in `data/reference/risk.toml`. INVARIANT: `TRUST_CLASSES` has the most exposed
first, so that the earlier of two classes is the stronger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ANYONE = "anyone"
UNKNOWN_ACCOUNT = "unknown_account"
OIDC_ANY_SUBJECT = "oidc_any_subject"
UNKNOWN_ACCOUNT_EXTERNAL_ID = "unknown_account_external_id"
USER_OLD_KEY_NO_MFA = "user_old_key_no_mfa"
ANYONE_CONDITIONAL = "anyone_conditional"
VENDOR = "vendor"
CONSOLE_NO_MFA = "console_no_mfa"
USER_OLD_KEY = "user_old_key"
VENDOR_EXTERNAL_ID = "vendor_external_id"
USER_KEY = "user_key"
ORGANIZATION = "organization"
CONSOLE_MFA = "console_mfa"
FEDERATED = "federated"
OIDC_PINNED = "oidc_pinned"
COMPUTE_SERVICE = "compute_service"
SERVICE = "service"
SAME_ACCOUNT = "same_account"
NOBODY = "nobody"

TRUST_CLASSES: tuple[str, ...] = (
    ANYONE,
    UNKNOWN_ACCOUNT,
    OIDC_ANY_SUBJECT,
    UNKNOWN_ACCOUNT_EXTERNAL_ID,
    USER_OLD_KEY_NO_MFA,
    ANYONE_CONDITIONAL,
    VENDOR,
    CONSOLE_NO_MFA,
    USER_OLD_KEY,
    VENDOR_EXTERNAL_ID,
    USER_KEY,
    ORGANIZATION,
    CONSOLE_MFA,
    FEDERATED,
    OIDC_PINNED,
    COMPUTE_SERVICE,
    SERVICE,
    SAME_ACCOUNT,
    NOBODY,
)
# Callers with an AWS account outside the organisation.
EXTERNAL_CLASSES = frozenset(
    {ANYONE, UNKNOWN_ACCOUNT, UNKNOWN_ACCOUNT_EXTERNAL_ID, ANYONE_CONDITIONAL, VENDOR, VENDOR_EXTERNAL_ID}
)
_PLACE = {name: place for place, name in enumerate(TRUST_CLASSES)}


class PartyKind(StrEnum):
    """What stands on the other side."""

    ACCOUNT = "account"
    PRINCIPAL = "principal"  # one user, role or session by its ARN
    ANYONE = "anyone"
    SERVICE = "service"
    SAML = "saml"
    OIDC = "oidc"
    IDENTITY_CENTER = "identity_center"
    ACCESS_KEY = "access_key"
    CONSOLE = "console"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class TrustedParty:
    """One way to become an identity, with its class after conditions, denies and resource control policies."""

    party: str  # an account's root ARN, "*", "lambda.amazonaws.com", a provider's ARN, "access key 1", "console"
    kind: PartyKind
    account_id: str | None
    name: str | None  # of the vendor, the account or the provider
    trust_class: str  # one of TRUST_CLASSES
    conditions: tuple[str, ...]  # of its statement, readable
    statement: int | None  # position in the trust document; None for credentials
    sid: str | None
    surely: bool  # nothing that the party does not control could still keep it out
    notes: tuple[str, ...]  # sentences: chaining, confused deputy, wildcard subject …


def exposure_rank(trust_class: str) -> int:
    """The place of a class: 0 is the most exposed. KeyError for a text that is no class."""
    return _PLACE[trust_class]


def stronger(one: str, other: str) -> str:
    """The more exposed of two classes."""
    return min(one, other, key=exposure_rank)


def weaker(one: str, other: str) -> str:
    """The less exposed of two classes."""
    return max(one, other, key=exposure_rank)
