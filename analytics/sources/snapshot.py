"""A snapshot: who exists, what is attached to them, and the organisation around them.

Reads the folder that `collect` writes, or one authorization-details file. Everything but the identities may be
missing: what is missing is not collected, and never counts as none. What cannot be read becomes a `Problem`, and the
rest goes on; only a path with nothing readable at all raises `SnapshotError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind
from analytics.iam.stack import PolicyStack, PrincipalFacts
from analytics.sources.organization import Organization
from analytics.sources.snapshot_folder import SnapshotError, SnapshotReader
from analytics.sources.snapshot_trails import AccountLogging, Trail, logging_of
from analytics.sources.snapshot_values import Account, Collected, Identity, Problem, ReferencePolicy

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from analytics.sources.snapshot_identity_center import IdentityCenter

__all__ = ["Account", "Collected", "Identity", "Organization", "Problem", "Snapshot", "SnapshotError", "read_snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything read; identities are in the order of their accounts and dumps, each ARN once."""

    taken_at: datetime | None = None
    accounts: tuple[Account, ...] = ()
    identities: tuple[Identity, ...] = ()
    managed_policies: tuple[str, ...] = ()  # ARNs that the dumps hold: the accounts' own, and AWS's that are attached
    organization: Organization | None = None  # None: not collected
    trails: tuple[Trail, ...] | None = None  # None: not collected
    identity_center: IdentityCenter | None = None  # None: not collected
    from_reference: tuple[ReferencePolicy, ...] = ()  # AWS managed policies taken from Headroom's own copy
    problems: tuple[Problem, ...] = ()

    def stack_of(self, identity: Identity) -> PolicyStack:
        """Every policy that bears on the identity; a service-linked role escapes SCPs and RCPs."""
        organization, account_id = self.organization, identity.account_id
        escapes = identity.kind is PrincipalKind.SERVICE_LINKED_ROLE
        path = self.organization_path(account_id)
        return PolicyStack(
            principal=PrincipalFacts(
                arn=identity.arn,
                account_id=account_id,
                kind=identity.kind,
                tags=identity.tags if identity.tags_collected else None,
                organization_id=organization.id if organization and path else None,
                organization_path=path,
                unique_id=identity.unique_id,
            ),
            identity=identity.policies,
            boundary=identity.boundary,
            scp_levels=organization.scp_levels(account_id) if organization and not escapes else (),
            rcp_levels=organization.rcp_levels(account_id) if organization and not escapes else (),
            not_collected=identity.not_collected,
            boundary_not_collected=identity.boundary_not_collected,
        )

    def organization_path(self, account_id: str) -> str | None:
        """The account's place as `aws:PrincipalOrgPaths` has it; None outside the organisation, or without one."""
        return self.organization.path_of(account_id) if self.organization else None

    def logging_of(self, account_id: str) -> AccountLogging | None:
        """What the trails log throughout the account; None where the snapshot does not say."""
        if not self.trails:
            return None
        in_tree = {node.node_id for node in self.organization.nodes} if self.organization else None
        known = {account.account_id for account in self.accounts}
        return logging_of(account_id, self.trails, frozenset(known if in_tree is None else known & in_tree))


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a folder, or the account in one authorization-details file (.json, .json.gz)."""
    reader = SnapshotReader(path)
    reader.read()
    return Snapshot(
        taken_at=reader.taken_at,
        accounts=tuple(reader.accounts.values()),
        identities=tuple(reader.identities.values()),
        managed_policies=tuple(reader.managed_policies),
        organization=reader.organization,
        trails=reader.trails,
        identity_center=reader.identity_center,
        from_reference=tuple(reader.documents.from_reference.values()),
        problems=reader.notes.problems(),
    )
