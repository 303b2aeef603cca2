"""The values of the remediation list: an item, its id, and what the list is made from.

INVARIANT: an item's id depends on the identity or target, the kind of change and what exactly it changes: not on
scores, dates of a build, order or other items.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from analytics.findings.remediation.rules import Rules, remediation_rules

if TYPE_CHECKING:
    from analytics.findings.assess import Assessor
    from analytics.findings.estate import Estate
    from analytics.findings.lowering.actions import ActionChanges
    from analytics.iam.policy import PolicyDocument

_ID_CHARACTERS = 12  # of a hexadecimal hash: 30,000 items share one with a chance of one in 600,000


class Kind(StrEnum):
    """What is done."""

    RIGHT_SIZE = "right-size"
    REMOVE_DORMANT = "remove-dormant"
    NARROW_TRUST = "narrow-trust"
    ADD_BOUNDARY = "add-boundary"
    ROTATE_KEY = "rotate-key"
    DELETE_KEY = "delete-key"
    ADD_MFA = "add-mfa"
    CLOSE_GUARDRAIL_GAP = "close-guardrail-gap"

    @property
    def words(self) -> str:
        """For people; files for machines and links have the value."""
        return _WORDS[self]


_WORDS = {
    Kind.RIGHT_SIZE: "Right-size",
    Kind.REMOVE_DORMANT: "Remove dormant",
    Kind.NARROW_TRUST: "Narrow trust",
    Kind.ADD_BOUNDARY: "Add boundary",
    Kind.ROTATE_KEY: "Rotate key",
    Kind.DELETE_KEY: "Delete key",
    Kind.ADD_MFA: "Add MFA",
    Kind.CLOSE_GUARDRAIL_GAP: "Close guardrail gap",
}


@dataclass(frozen=True, slots=True)
class UnusedTrust:
    """Ways to become a role that nobody took in the window, though it would have been seen; the document without."""

    parties: tuple[str, ...]  # as the trust table names them
    document: PolicyDocument


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the list knows beside the estate; empty values: not known."""

    permission_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> ARNs
    unresolved: Mapping[str, int] = field(default_factory=dict)  # ARN -> calls of the window whose action is not known
    unused_trust: Mapping[str, UnusedTrust] = field(default_factory=dict)  # by ARN of the role
    managed_policies: frozenset[str] = frozenset()  # ARNs of the managed policies that exist, attached or not
    old_key_days: int = 90
    dormant_days: int = 90


@dataclass(frozen=True, slots=True)
class Target:
    """A node of the organisation, or an account, that an item is about."""

    id: str
    kind: str  # root, ou, account
    name: str  # its path


@dataclass(frozen=True, slots=True)
class Item:
    """One change worth making. Lists and documents are plain values, ready to be printed as JSON."""

    item_id: str
    principal_arn: str | None  # None: it is about a target
    kind: Kind
    title: str
    detail: Mapping[str, Any]
    score_before: float | None  # of the identity; a target has no score
    score_after: float | None
    calls_broken: int | None  # of the window; None: not proven
    owner: str | None
    evidence: Mapping[str, Any]  # sentences, rows
    commands: tuple[str, ...]
    policy: Any | None  # a policy document as JSON, or a list of them
    blocked_reason: str | None
    priority: float
    target: Target | None = None
    removed_below: float | None = None  # points over all identities under the target; None: nothing can be told

    @property
    def risk_removed(self) -> float | None:
        """Points of the score: of the identity, or over all identities under the target."""
        if self.score_before is None or self.score_after is None:
            return self.removed_below
        return round(self.score_before - self.score_after, 1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of one identity, before it is scored as an item."""

    kind: Kind
    key: str  # what exactly is changed: part of the id
    title: str
    score_after: float
    calls_broken: int | None
    sentences: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    documents: tuple[PolicyDocument, ...] = ()
    blocked_reason: str | None = None
    holder: str | None = None  # what the id is of, where that is not the identity: a permission set


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every proposal is made with."""

    scores: Assessor
    changes: ActionChanges
    estate: Estate
    around: Surroundings
    rules: Rules = field(default_factory=remediation_rules)


def item_id(holder: str, kind: str, key: str) -> str:
    """A short hash of whom and what an item is about."""
    return hashlib.sha256(f"{holder}\n{kind}\n{key}".encode("utf-8", "replace")).hexdigest()[:_ID_CHARACTERS]


def order_of(item: Item) -> tuple[float, float, str, str, str]:
    """The key that the list is sorted by: total, so that no two items change places between builds."""
    about = item.principal_arn or (item.target.id if item.target else "")
    return (-item.priority, -(item.score_before or 0.0), about, item.kind, item.item_id)
