"""Users and roles of one `get-account-authorization-details` dump, with everything attached to them.

IAM API Reference, "GetAccountAuthorizationDetails". AWS leaves out empty lists of inline policies, so an absent list
on an identity is empty; an absent list of the dump itself (`RoleDetailList`) is not collected.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind, account_of, kind_of_arn, parse_arn
from analytics.iam.policy import PolicyDocument, PolicyError
from analytics.iam.stack import NamedPolicy
from analytics.sources.snapshot_values import Credentials, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.sources.snapshot_documents import Documents
    from analytics.sources.snapshot_reading import Notes, Record

LISTS = {"UserDetailList": "users", "GroupDetailList": "groups", "RoleDetailList": "roles", "Policies": "policies"}


@dataclass(frozen=True, slots=True)
class _Held:
    """A user, group or role in the words that differ between the three."""

    name: str
    inline: str
    noun: str


_USER = _Held("UserName", "UserPolicyList", "user")
_GROUP = _Held("GroupName", "GroupPolicyList", "group")
_ROLE = _Held("RoleName", "RolePolicyList", "role")


@dataclass(frozen=True, slots=True)
class _Attached:
    """The policies of one user, group or role, and those that are attached and cannot be read."""

    policies: tuple[NamedPolicy, ...] = ()
    not_collected: tuple[str, ...] = ()


class AccountDump:
    """One account's dump, one or several pages; `identities` reads it once."""

    def __init__(
        self,
        pages: Sequence[Record],
        *,
        subject: str,
        account_id: str | None,
        documents: Documents,
        credentials: Mapping[str, Credentials],
    ) -> None:
        self._pages = pages
        self._subject = subject
        self._account_id = account_id  # of the folder; None: the ARNs tell
        self._documents = documents
        self._credentials = credentials
        self._notes: Notes = pages[0].notes
        self._managed = {arn: record for record in self._list("Policies") if (arn := record.text("Arn"))}
        self._read: dict[str, PolicyDocument | None] = {}
        self._missing: Counter[str] = Counter()
        self._groups: dict[tuple[str | None, str], tuple[str, _Attached]] = {}  # by account and name: ARN, policies

    def identities(self) -> list[Identity]:
        """Every user and role that has a name; what is wrong is noted."""
        self._note_what_is_missing()
        self._groups = {key: group for record in self._list("GroupDetailList") for key, group in self._group(record)}
        found = [identity for record in self._list("UserDetailList") for identity in self._identity(record, _USER)]
        found += [identity for record in self._list("RoleDetailList") for identity in self._identity(record, _ROLE)]
        for arn, count in self._missing.items():
            holders = f"{count} identities or groups" if count > 1 else "one identity or group"
            self._notes.add(arn, f"is attached to {holders} and not in the snapshot; what it allows is not counted")
        return found

    def group_accounts(self) -> set[str]:
        """The accounts of the groups: a dump may hold nothing else. After `identities`."""
        return {account_id for account_id, _ in self._groups if account_id}

    def managed_policies(self) -> tuple[str, ...]:
        """The ARNs of the managed policies in the dump: all of the account's own, attached or not."""
        return tuple(self._managed)

    def _list(self, key: str) -> Iterator[Record]:
        return (record for page in self._pages for record in page.records(key))

    def _note_what_is_missing(self) -> None:
        for key, noun in LISTS.items():
            if not any(isinstance(page.values.get(key), list) for page in self._pages):
                self._notes.add(self._subject, f"has no `{key}`: the account's {noun} are not collected")
        if self._pages[-1].values.get("IsTruncated") is True:
            self._notes.add(self._subject, "ends with `IsTruncated`: further pages exist and are not collected")

    def _identity(self, record: Record, held: _Held) -> Iterator[Identity]:
        named = self._named(record, held)
        if named is None:
            return
        arn, name = named
        record = record.about(arn)
        kind = kind_of_arn(arn)
        parsed = parse_arn(arn)
        if parsed is None or kind in {PrincipalKind.UNKNOWN, PrincipalKind.ROOT}:
            record.notes.add(arn, f"is not the ARN of a {held.noun}; this entry of `{self._subject}` is left out")
            return
        own = self._attached(record, arn, held)
        group_arns, from_groups, unknown = self._membership(record, parsed.account_id)
        boundary = record.record("PermissionsBoundary")
        boundary_arn = boundary.text("PermissionsBoundaryArn") if boundary else None
        limit = self._managed_policy(boundary_arn, arn) if boundary_arn else None
        role_last_used = record.record("RoleLastUsed")
        credentials = self._credentials.get(arn)
        reported = (credentials.last_used, credentials.last_used_region) if credentials else (None, None)
        yield Identity(
            arn=arn,
            kind=kind,
            name=name,
            account_id=parsed.account_id,
            path=record.text("Path") or "/",
            unique_id=record.text("RoleId", "UserId"),
            created=record.moment("CreateDate"),
            last_used=role_last_used.moment("LastUsedDate") if role_last_used else reported[0],
            last_used_region=role_last_used.text("Region") if role_last_used else reported[1],
            tags=record.tags("Tags"),
            tags_collected=record.has("Tags"),
            trust=self._trust(record) if held is _ROLE else None,
            boundary_arn=boundary_arn,
            boundary=limit,
            groups=group_arns,
            policies=(*own.policies, *from_groups.policies),
            not_collected=(*own.not_collected, *unknown, *from_groups.not_collected),
            boundary_not_collected=record.has("PermissionsBoundary") and limit is None,
            credentials=credentials,
        )

    def _named(self, record: Record, held: _Held) -> tuple[str, str] | None:
        """ARN and name; the ARN is put together where the dump has none."""
        arn, name = record.text("Arn"), record.text(held.name)
        if arn:
            return arn, name or arn.rpartition("/")[2]
        if name and self._account_id:
            return f"arn:aws:iam::{self._account_id}:{held.noun}{record.text('Path') or '/'}{name}", name
        self._notes.add(self._subject, f"a {held.noun} `{name or ''}` has no `Arn`; it is left out")
        return None

    def _group(self, record: Record) -> Iterator[tuple[tuple[str | None, str], tuple[str, _Attached]]]:
        if named := self._named(record, _GROUP):
            arn, name = named
            yield (account_of(arn), name), (arn, self._attached(record.about(arn), arn, _GROUP))

    def _membership(self, user: Record, account_id: str) -> tuple[tuple[str, ...], _Attached, tuple[str, ...]]:
        """ARNs of the groups, their policies, and the groups that the dump does not hold."""
        names = user.texts("GroupList")
        known = [group for name in names if (group := self._groups.get((account_id, name)))]
        unknown = tuple(f"group {name}" for name in names if (account_id, name) not in self._groups)
        for missing in unknown:
            user.notes.add(user.subject, f"is in `{missing}`, which is not in the dump; what it allows is not counted")
        together = _Attached(
            tuple(policy for _, group in known for policy in group.policies),
            tuple(missing for _, group in known for missing in group.not_collected),
        )
        return tuple(arn for arn, _ in known), together, unknown

    def _attached(self, record: Record, arn: str, held: _Held) -> _Attached:
        policies: list[NamedPolicy] = []
        not_collected: list[str] = []
        for inline in record.records(held.inline):
            name = inline.text("PolicyName") or "without a name"
            if document := self._parse(inline.values.get("PolicyDocument"), f"{name} of {arn}"):
                policies.append(NamedPolicy(name, document, None, arn))
            else:
                not_collected.append(name)
        for reference in record.records("AttachedManagedPolicies"):
            policy_arn = reference.text("PolicyArn") or "managed policy without an ARN"
            if policy := self._managed_policy(policy_arn, arn, reference.text("PolicyName")):
                policies.append(policy)
            else:
                not_collected.append(policy_arn)
        unreadable = (k for k in (held.inline, "AttachedManagedPolicies") if not record.is_list_or_absent(k))
        not_collected.extend(f"all of `{key}`" for key in unreadable)
        return _Attached(tuple(policies), tuple(not_collected))

    def _managed_policy(self, policy_arn: str, attached_to: str, name: str | None = None) -> NamedPolicy | None:
        if policy_arn not in self._read:
            self._read[policy_arn] = self._default_version(policy_arn)
        document = self._read[policy_arn]
        if document is None:
            if policy_arn not in self._managed:  # where it is, the reason is noted already
                self._missing[policy_arn] += 1
            return None
        return NamedPolicy(name or policy_arn.rpartition("/")[2], document, policy_arn, attached_to)

    def _default_version(self, policy_arn: str) -> PolicyDocument | None:
        """The document in force: of the dump, else of the copy of AWS's policies."""
        record = self._managed.get(policy_arn)
        if record is None:
            return self._documents.aws_managed(policy_arn)
        record = record.about(policy_arn)
        default = record.text("DefaultVersionId")
        for version in record.records("PolicyVersionList"):
            is_default = version.flag("IsDefaultVersion")
            if is_default or (is_default is None and default and version.text("VersionId") == default):
                return self._parse(version.values.get("Document"), policy_arn)
        record.notes.add(policy_arn, "has no default version in the dump; its document is not collected")
        return None

    def _trust(self, record: Record) -> PolicyDocument | None:
        return self._parse(record.values.get("AssumeRolePolicyDocument"), f"trust policy of {record.subject}")

    def _parse(self, document: object, name: str) -> PolicyDocument | None:
        try:
            return self._documents.parse(document, name=name)
        except PolicyError as error:
            self._notes.add(name, f"{error}; it is not collected")
            return None
