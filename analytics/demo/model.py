"""The values of which the sample organisation is made.

An identity says what it may do (policies) and what it does (plans); both come from the same place, so that a call
succeeds in the sample only where the identity's permissions allow it. INVARIANT: nothing here depends on the wall
clock; days are counted from the first day of the activity.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
DAYS = 120


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the organisation and where it stands in the tree."""

    account_id: str
    name: str
    unit: str  # name of its organisational unit; "Root" for the management account
    environment: str  # the value of its `environment` tag
    owner: str  # e-mail of the owning team
    cost_centre: str
    joined: date
    invited: bool = False

    @property
    def alias(self) -> str:
        """The sign-in alias: the account's name behind the company's prefix."""
        return self.name if self.name.startswith("ardenly-") else f"ardenly-{self.name}"


class Entry(StrEnum):
    """How a session begins, which decides the event that opens it and the shape of its identity."""

    SERVICE = "service"  # an AWS service assumes the role
    SAML = "saml"  # IAM Identity Center
    OIDC = "oidc"  # AssumeRoleWithWebIdentity
    ROLE = "role"  # another identity of the organisation assumes the role
    VENDOR = "vendor"  # an account outside the organisation assumes the role
    KEY = "key"  # a user's access key
    CONSOLE = "console"  # a user or root signs in to the console
    INSIDE = "inside"  # service-linked: the session's beginning is not logged


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that some of the calls end with; `message` has places for caller, action and resource."""

    code: str
    message: str = ""
    share: float = 1.0
    first: int = 0
    last: int = DAYS


@dataclass(frozen=True, slots=True)
class Use:
    """One kind of call that a session makes.

    `mean` is the expected number of calls per session, or the exact number where the plan says so. `shared_with`
    is the account that owns the resource and logs the call, too.
    """

    call: str  # key of the table of calls: "s3:GetObject", "kms:Decrypt#secret"
    mean: float
    of: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None
    via: str | None = None  # invokedBy
    region: str | None = None
    shared_with: str | None = None
    first: int = 0
    last: int = DAYS


@dataclass(frozen=True, slots=True)
class Plan:
    """Sessions of one identity that are alike, and what happens in them.

    With `moments` the sessions start exactly then and every use happens exactly `mean` times, in order.
    """

    entry: Entry
    opened_by: str  # service principal, e-mail, provider, ARN of the caller, account of the vendor
    labels: tuple[str, ...]  # role session names
    uses: tuple[Use, ...]
    rhythm: str = "always"
    per_day: float = 1.0
    minutes: float = 60.0
    addresses: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    first: int = 0
    last: int = DAYS
    moments: tuple[datetime, ...] = ()
    mfa: bool = False
    region: str | None = None
    vpc_endpoint: str | None = None
    console: bool = False


@dataclass(slots=True)
class Identity:
    """A role or a user: what IAM knows of it, and its plans."""

    account: Account
    name: str
    created: date
    is_user: bool = False
    is_service: bool = False  # an AWS service acting for itself: in the logs, not in IAM
    path: str = "/"
    trust: Document | None = None
    attached: list[str] = field(default_factory=list)  # ARNs of managed policies
    inline: dict[str, Document] = field(default_factory=dict)
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    groups: list[str] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    used_before: int | None = None  # days before the activity starts, for those not seen in it
    deleted: date | None = None
    credentials: Mapping[str, Any] = field(default_factory=dict)  # users: key ages, MFA, password

    @property
    def arn(self) -> str:
        """The ARN as IAM prints it."""
        if self.name == "root":
            return f"arn:aws:iam::{self.account.account_id}:root"
        kind = "user" if self.is_user else "role"
        return f"arn:aws:iam::{self.account.account_id}:{kind}{self.path}{self.name}"


@dataclass(frozen=True, slots=True)
class Managed:
    """A customer managed policy."""

    account: Account
    name: str
    document: Document
    created: date
    path: str = "/"
    version: int = 1
    updated: date | None = None

    @property
    def arn(self) -> str:
        """The ARN as IAM prints it."""
        return f"arn:aws:iam::{self.account.account_id}:policy{self.path}{self.name}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of the activity: `first` to `until`, both included."""

    until: date

    @property
    def first(self) -> date:
        """The first day with events."""
        return self.until - timedelta(days=DAYS - 1)

    def day(self, offset: int) -> date:
        """The day that many days after the first."""
        return self.first + timedelta(days=offset)

    def ago(self, days: int) -> date:
        """The day that many days before the last."""
        return self.until - timedelta(days=days)

    def workday(self, days: int) -> date:
        """The last working day that is at least that many days before the last."""
        day = self.ago(days)
        return day - timedelta(days=max(0, day.weekday() - 4))

    def moment(self, day: date, clock: str) -> datetime:
        """A time of day (UTC, "14:05") of a day."""
        hour, minute = clock.split(":")
        return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC)

    def offset(self, day: date) -> int:
        """How many days after the first."""
        return (day - self.first).days


_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def digest(*parts: object) -> bytes:
    """A stable hash of the parts, the source of every invented identifier."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=32).digest()


def base32(length: int, *parts: object) -> str:
    """Capital letters and digits as in AWS's unique ids."""
    return "".join(_BASE32[byte & 31] for byte in digest(*parts)[:length])


def digits(length: int, *parts: object) -> str:
    """Decimal digits, the first one not zero."""
    number = int.from_bytes(digest(*parts)[:12])
    return str(10 ** (length - 1) + number % (9 * 10 ** (length - 1)))


def hexadecimal(length: int, *parts: object) -> str:
    """Lower-case hexadecimal digits."""
    return digest(*parts).hex()[:length]


def uuid_of(*parts: object) -> str:
    """A UUID's form."""
    text = digest(*parts).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def encoded(length: int, *parts: object) -> str:
    """Text like EC2's encoded authorization message, 43 characters for each unit of length."""
    return "".join(base64.urlsafe_b64encode(digest(number, *parts)).decode().rstrip("=") for number in range(length))


def boundary_arn(account: Account, name: str) -> str:
    """The ARN of a boundary in an account."""
    return f"arn:aws:iam::{account.account_id}:policy/boundary/ardenly-{name}-boundary"
