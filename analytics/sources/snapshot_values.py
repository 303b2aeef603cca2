"""The frozen values of a snapshot: accounts, identities, credentials, and what could not be read.

None and the `not collected` values mean that the snapshot does not say; they never mean that there is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.iam.names import PrincipalKind
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be used as it stands; the rest was read."""

    subject: str  # the file (relative to the snapshot), the policy or the identity
    reason: str  # one sentence: what is wrong, and what follows from it


class Collected(StrEnum):
    """Whether an account's identities are in the snapshot."""

    OK = "ok"
    FAILED = "failed"
    NOT_COLLECTED = "not collected"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One of the two access keys of a user, as the credential report gives them."""

    active: bool
    created: datetime | None  # or last rotated
    last_used: datetime | None
    last_used_region: str | None
    last_used_service: str | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """One row of the credential report. None: the report does not say (`N/A`, `no_information`)."""

    password_enabled: bool | None
    password_last_used: datetime | None
    password_last_changed: datetime | None
    mfa_active: bool | None
    access_keys: tuple[AccessKey, ...]  # those that were ever created

    @property
    def last_used(self) -> datetime | None:
        """The latest use of the password or of a key."""
        times = [self.password_last_used, *(key.last_used for key in self.access_keys)]
        return max((time for time in times if time), default=None)

    @property
    def last_used_region(self) -> str | None:
        """The Region of the latest use, where that was the use of a key."""
        latest = self.last_used
        regions = (key.last_used_region for key in self.access_keys if latest and key.last_used == latest)
        return next(regions, None)


@dataclass(frozen=True, slots=True)
class Account:
    """One account that the organisation, the manifest or a dump knows of."""

    account_id: str
    name: str | None = None
    ou_id: str | None = None  # the parent: an OU or the root
    ou_path: str | None = None  # its names, "Root/Prod/Payments"
    status: str | None = None  # ACTIVE, SUSPENDED, PENDING_CLOSURE
    tags: Tags = ()
    is_management: bool = False
    collected: Collected = Collected.NOT_COLLECTED
    reason: str | None = None  # why it failed
    alias: str | None = None
    root_credentials: Credentials | None = None  # of the root user, from the credential report


@dataclass(frozen=True, slots=True)
class Identity:
    """One user or role with everything that its account attaches to it."""

    arn: str
    kind: PrincipalKind
    name: str
    account_id: str
    path: str = "/"
    unique_id: str | None = None  # AROA…, AIDA…
    created: datetime | None = None
    last_used: datetime | None = None  # as IAM tells it, not the logs
    last_used_region: str | None = None
    tags: Tags = ()
    tags_collected: bool = True
    trust: PolicyDocument | None = None  # roles only; None for a role: not readable
    boundary_arn: str | None = None
    boundary: NamedPolicy | None = None
    groups: tuple[str, ...] = ()  # ARNs
    policies: tuple[NamedPolicy, ...] = ()  # own and the groups'; `attached_to` says whose
    not_collected: tuple[str, ...] = ()  # attached policies and groups whose documents are not in the snapshot
    boundary_not_collected: bool = False
    credentials: Credentials | None = None  # users with a row in the credential report


@dataclass(frozen=True, slots=True)
class ReferencePolicy:
    """An AWS managed policy that was taken from Headroom's own copy, because the dump does not hold it."""

    arn: str
    version: str
    updated: str  # date of that version, ISO text
    deprecated: bool = False  # AWS has retired it; what had it attached keeps it


def naive(time: datetime | None) -> datetime | None:
    """UTC without an offset, as every `timestamp` of a build."""
    return time.replace(tzinfo=None) if time is not None else None
