"""Permission sets and assignments of IAM Identity Center, from `identity-center.json`.

    {"PermissionSets":     [{…as `sso-admin describe-permission-set` prints one…}],
     "AccountAssignments": [{…as `sso-admin list-account-assignments` prints one…}],
     "Groups":             [{…as `identitystore list-groups` prints one…}]}

The groups give names to the ids of the assignments, and may be missing. A permission set appears in an account as the
role `AWSReservedSSO_<name>_<16 hexadecimal digits>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.sources.snapshot_reading import Record


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """One permission set by its ARN."""

    arn: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A user or a group that has a permission set in an account."""

    account_id: str
    permission_set_arn: str
    principal_type: str  # USER or GROUP
    principal_id: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the identity store, often brought there by an identity provider."""

    group_id: str
    name: str


@dataclass(frozen=True, slots=True)
class IdentityCenter:
    """What Identity Center gives to whom."""

    permission_sets: tuple[PermissionSet, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    groups: tuple[Group, ...] = ()


def read_identity_center(document: Record) -> IdentityCenter:
    """The permission sets and assignments of the file; incomplete ones are noted and left out."""
    sets = []
    for record in document.records("PermissionSets"):
        arn, name = record.text("PermissionSetArn"), record.text("Name")
        if arn and name:
            sets.append(PermissionSet(arn, name, record.text("Description")))
        else:
            document.notes.add(document.subject, f"permission set `{arn or name or ''}` has no ARN or name; left out")
    assignments = []
    for index, record in enumerate(document.records("AccountAssignments")):
        account_id, arn = record.text("AccountId"), record.text("PermissionSetArn")
        kind, principal = record.text("PrincipalType"), record.text("PrincipalId")
        if account_id and arn and kind and principal:
            assignments.append(Assignment(account_id, arn, kind, principal))
        else:
            document.notes.add(document.subject, f"account assignment {index} is incomplete; left out")
    groups = []
    for index, record in enumerate(document.records("Groups")):
        group_id, name = record.text("GroupId"), record.text("DisplayName")
        if group_id and name:
            groups.append(Group(group_id, name))
        else:
            document.notes.add(document.subject, f"group {index} has no `GroupId` or `DisplayName`; left out")
    return IdentityCenter(tuple(sets), tuple(assignments), tuple(groups))
