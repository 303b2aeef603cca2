"""The estate as the findings look at it: every identity of the snapshot, where it lives, and what was seen of it.

One value, read from the tables of a build, stands behind trust, escalation, risk, remediation and guardrails, so that
the build, a page, an export and the command line compute from the same facts. A proposal is the same estate with some
identities or nodes replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from datetime import date, datetime

    from analytics.engine.reach import Reach, Reachable
    from analytics.findings.weights import ActionWeights
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.names import PrincipalKind
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import ControlLevel, PolicyStack
    from analytics.sources.snapshot_values import Credentials, Tags

POLICY_TYPES: Mapping[str, str] = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One identity of the snapshot, with everything that bears on it and what the export shows of it."""

    arn: str
    name: str
    kind: PrincipalKind
    account_id: str
    path: str
    environment: str | None  # of its account; None: not known
    owner: str | None
    stack: PolicyStack
    reach: Reach  # effective: identity policies within boundary and SCPs
    trust: PolicyDocument | None = None  # of a role; None for a role: not readable
    credentials: Credentials | None = None  # of a user with a row in the credential report
    seen: int = 0  # actions seen used or possibly used in the build's window
    observable: int = 0  # actions of which the export would have shown a call
    created: datetime | None = None  # naive UTC, as every time of a build
    last_used: datetime | None = None  # by the logs or by IAM, the later one
    is_new: bool = False  # younger than the window
    calls: int = 0  # in the build's window
    tags: Tags = ()
    policies_not_collected: int = 0


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account, of the organisation or seen from it."""

    account_id: str
    name: str | None
    ou_path: str | None
    environment: str | None
    is_management: bool
    in_organization: bool
    collected: str  # ok, failed, not collected, outside
    days_covered: int  # days of the build's window with events of its own log


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node of the organisation, with the control policies attached directly to it (in force or not)."""

    node_id: str
    kind: str  # root, ou, account
    name: str
    parent_id: str | None
    path: str  # names from the root, its own included
    scp: ControlLevel
    rcp: ControlLevel

    def attached(self, layer: str) -> ControlLevel:
        """The policies of one layer (`scp`, `rcp`) attached directly here, perhaps none."""
        return self.scp if layer == "scp" else self.rcp


class Changes(TypedDict, total=False):
    """What a proposal may change of an identity."""

    stack: PolicyStack
    trust: PolicyDocument | None
    credentials: Credentials | None
    seen: int


@dataclass(frozen=True)
class Estate:
    """All of it. `subjects` are in the order of their ARNs, `nodes` have parents before children."""

    catalogue: Catalogue
    reachable: Reachable
    weights: ActionWeights
    subjects: Mapping[str, Subject]
    accounts: Mapping[str, AccountFacts]
    nodes: Mapping[str, NodeFacts]  # empty: the organisation was not collected
    enabled_types: frozenset[str]  # SERVICE_CONTROL_POLICY, RESOURCE_CONTROL_POLICY
    organization_id: str | None
    management_account_id: str | None
    window_start: date
    window_end: date  # UTC day of the last event
    window_days: int
    taken_at: datetime | None  # of the snapshot; None: not known

    def changed(self, subject: Subject, **changes: Unpack[Changes]) -> Subject:
        """The identity under a proposal; its reach follows its policies."""
        other = replace(subject, **changes)
        return replace(other, reach=self.reachable.of(other.stack)) if "stack" in changes else other

    def replaced(self, subjects: Iterable[Subject]) -> Estate:
        """The same estate with these identities in the place of those of the same ARN."""
        return replace(self, subjects={**self.subjects, **{subject.arn: subject for subject in subjects}})

    def levels(self, node_id: str, layer: str) -> tuple[ControlLevel, ...]:
        """The control policies in force from the root down to a node; none where the layer cannot act or is off.

        Organizations User Guide: control policies do not bind the management account.
        """
        if POLICY_TYPES[layer] not in self.enabled_types or node_id == self.management_account_id:
            return ()
        found: list[ControlLevel] = []
        node = self.nodes.get(node_id)
        while node is not None:
            found.append(node.attached(layer))
            node = self.nodes.get(node.parent_id) if node.parent_id else None
        return tuple(reversed(found))
