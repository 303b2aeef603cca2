"""Policy documents: parsed once at the door, frozen after that (IAM User Guide, "IAM JSON policy reference")."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class PolicyError(ValueError):
    """A document that is not a policy; the message names the policy, the statement and the element."""


class Effect(StrEnum):
    """The two effects of a statement."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `ForAnyValue:StringLikeIfExists` is operator, qualifier and `if_exists`."""

    operator: str  # "StringLike", in AWS's spelling
    key: str  # as written; condition keys ignore case
    values: tuple[str, ...]
    qualifier: str | None = None  # "ForAllValues" or "ForAnyValue"
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal element."""

    everyone: bool = False  # "*"
    aws: tuple[str, ...] = ()  # account ids, ARNs, unique ids, "*"
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; of each pair (`action`, `not_action` …) at most one is not empty."""

    effect: Effect
    sid: str | None = None
    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    not_resource: tuple[str, ...] = ()
    condition: tuple[Condition, ...] = ()
    principal: Principals | None = None
    not_principal: Principals | None = None


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A whole policy."""

    statements: tuple[Statement, ...]
    version: str = "2008-10-17"
    id: str | None = field(default=None)
