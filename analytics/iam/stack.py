"""The policies that bear on one principal: the frozen value in which sources and engine meet.

Service-linked roles and principals of the management account have no SCP levels here: they escape SCPs when the
stack is built, so that the engine needs no special case (Organizations User Guide, "Service control policies").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.iam.names import PrincipalKind
    from analytics.iam.policy import PolicyDocument


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A parsed document and where it stands.

    Equal documents of one snapshot are the same object: caches may key on identity.
    """

    name: str
    document: PolicyDocument
    arn: str | None = None  # None: inline
    attached_to: str = ""  # ARN of the user, group or role, or id of the organisation's node


@dataclass(frozen=True, slots=True)
class ControlLevel:
    """The control policies attached directly to one node of the organisation; an empty level denies."""

    node_id: str
    node_name: str
    policies: tuple[NamedPolicy, ...]


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """What is known of the principal itself, whatever it requests. None: not known."""

    arn: str
    account_id: str
    kind: PrincipalKind
    tags: tuple[tuple[str, str], ...] | None = None
    organization_id: str | None = None
    organization_path: str | None = None  # "o-exampleorgid/r-ab12/ou-ab12-11111111/", as aws:PrincipalOrgPaths
    unique_id: str | None = None  # AROA…, AIDA…


@dataclass(frozen=True, slots=True)
class PolicyStack:
    """Identity policies, boundary, and the SCP and RCP levels from root to account."""

    principal: PrincipalFacts
    identity: tuple[NamedPolicy, ...] = ()
    boundary: NamedPolicy | None = None
    scp_levels: tuple[ControlLevel, ...] = ()
    rcp_levels: tuple[ControlLevel, ...] = ()
    not_collected: tuple[str, ...] = ()  # policies that the snapshot refers to and does not hold
    boundary_not_collected: bool = False  # a boundary is attached, but its document is not in the snapshot
