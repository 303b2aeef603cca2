"""Groups, permission sets and managed policies as rows: what an expected boundary is told by, and put in place with.

A role of Identity Center belongs to the groups that have its permission set in its account; a user to its IAM groups.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.sources.snapshot import Snapshot
    from analytics.sources.snapshot_identity_center import IdentityCenter
    from analytics.sources.snapshot_values import Identity

_GROUP_COLUMNS = ("principal_arn", "source", "group_id", "group_name")
_SET_COLUMNS = ("permission_set_arn", "name")
_SET_OF_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


def group_tables(snapshot: Snapshot) -> Iterator[tuple[str, pa.Table]]:
    """The rows of `identity_groups`, `permission_sets` and `managed_policies`."""
    center = snapshot.identity_center
    sets = [(one.arn, one.name) for one in center.permission_sets] if center else []
    yield "identity_groups", _table(_GROUP_COLUMNS, sorted(_memberships(snapshot)))
    yield "permission_sets", _table(_SET_COLUMNS, sorted(set(sets)))
    yield "managed_policies", _table(("policy_arn",), [(arn,) for arn in sorted(set(snapshot.managed_policies))])


def permission_set_of(identity: Identity) -> str | None:
    """The name of the permission set that a role of Identity Center stands for; None for other identities."""
    return permission_set_named(identity.name, identity.kind)


def permission_set_named(role_name: str, kind: PrincipalKind) -> str | None:
    """The permission set in the name of a role of Identity Center."""
    found = _SET_OF_ROLE.fullmatch(role_name) if kind is PrincipalKind.SSO_ROLE else None
    return found[1] if found else None


def _memberships(snapshot: Snapshot) -> set[tuple[str, str, str, str]]:
    """Each identity with each of its groups; a group without a known name goes by its id."""
    assigned = _assigned(snapshot.identity_center) if snapshot.identity_center else {}
    found = set()
    for identity in snapshot.identities:
        for arn in identity.groups:
            found.add((identity.arn, "iam", arn, arn.rpartition("/")[2]))
        name = permission_set_of(identity)
        for group_id, group_name in assigned.get((identity.account_id, name or ""), ()):
            found.add((identity.arn, "identity center", group_id, group_name))
    return found


def _assigned(center: IdentityCenter) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """By account and name of the permission set: ids and names of the groups that have it there."""
    names = {group.group_id: group.name for group in center.groups}
    sets = {one.arn: one.name for one in center.permission_sets}
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for assignment in center.assignments:
        if assignment.principal_type == "GROUP" and assignment.permission_set_arn in sets:
            key = (assignment.account_id, sets[assignment.permission_set_arn])
            found.setdefault(key, []).append(
                (assignment.principal_id, names.get(assignment.principal_id, assignment.principal_id))
            )
    return found


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> pa.Table:
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)})
