"""A snapshot: who exists, what is attached to them, and the organisation around them.

Reads the folder that `collect` writes, or one authorization-details file. Everything but the identities may be
missing: what is missing is not collected, and never counts as none. What cannot be read becomes a `Problem`, and the
rest goes on; only a path with nothing readable at all raises `SnapshotError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind
from analytics.iam.stack import PolicyStack, PrincipalFacts
from analytics.sources.organization import NodeKind, Organization, read_organization
from analytics.sources.snapshot_credentials import read_credential_report
from analytics.sources.snapshot_documents import Documents
from analytics.sources.snapshot_iam import LISTS, AccountDump
from analytics.sources.snapshot_identity_center import IdentityCenter, read_identity_center
from analytics.sources.snapshot_reading import Notes, Record, kind_of, read_json, read_record
from analytics.sources.snapshot_trails import AccountLogging, Trail, logging_of, read_trails
from analytics.sources.snapshot_values import Account, Collected, Credentials, Identity, Problem, ReferencePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

__all__ = ["Account", "Collected", "Identity", "Organization", "Problem", "Snapshot", "SnapshotError", "read_snapshot"]

DETAILS = re.compile(r"authorization-details(?:-([0-9]{1,9}))?\.json(?:\.gz)?")
ACCOUNT_ID = re.compile(r"[0-9]{12}")


class SnapshotError(ValueError):
    """A path that holds no snapshot; the message names it and says what is expected there."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything read; identities are in the order of their accounts and dumps, each ARN once."""

    taken_at: datetime | None = None
    accounts: tuple[Account, ...] = ()
    identities: tuple[Identity, ...] = ()
    organization: Organization | None = None  # None: not collected
    trails: tuple[Trail, ...] | None = None  # None: not collected
    identity_center: IdentityCenter | None = None  # None: not collected
    from_reference: tuple[ReferencePolicy, ...] = ()  # AWS managed policies taken from Headroom's own copy
    problems: tuple[Problem, ...] = ()
    _paths: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def stack_of(self, identity: Identity) -> PolicyStack:
        """Every policy that bears on the identity; a service-linked role escapes SCPs and RCPs."""
        organization, account_id = self.organization, identity.account_id
        bound = organization is not None and identity.kind is not PrincipalKind.SERVICE_LINKED_ROLE
        return PolicyStack(
            principal=PrincipalFacts(
                arn=identity.arn,
                account_id=account_id,
                kind=identity.kind,
                tags=identity.tags if identity.tags_collected else None,
                organization_id=organization.id if organization and account_id in self._paths else None,
                organization_path=self._paths.get(account_id),
                unique_id=identity.unique_id,
            ),
            identity=identity.policies,
            boundary=identity.boundary,
            scp_levels=organization.scp_levels(account_id) if organization and bound else (),
            rcp_levels=organization.rcp_levels(account_id) if organization and bound else (),
            not_collected=identity.not_collected,
            boundary_not_collected=identity.boundary_not_collected,
        )

    def organization_path(self, account_id: str) -> str | None:
        """The account's place as `aws:PrincipalOrgPaths` has it; None outside the organisation, or without one."""
        return self._paths.get(account_id)

    def logging_of(self, account_id: str) -> AccountLogging | None:
        """What the trails log throughout the account; None where the snapshot does not say."""
        if not self.trails:
            return None
        in_tree = {node.node_id for node in self.organization.nodes} if self.organization else None
        known = {account.account_id for account in self.accounts}
        return logging_of(account_id, self.trails, frozenset(known if in_tree is None else known & in_tree))


def read_snapshot(path: Path) -> Snapshot:
    """The snapshot in a folder, or the account in one authorization-details file (.json, .json.gz)."""
    try:
        if path.is_dir():
            return _Reader(path).folder()
        if path.exists():
            return _Reader(path).single_file()
    except OSError as error:
        raise SnapshotError(
            f"snapshot `{path}` cannot be read ({error}); check the permissions of its folders"
        ) from error
    raise SnapshotError(f"snapshot `{path}` does not exist; give a snapshot folder or an authorization-details file")


class _Reader:
    """Reads one path once; holds what the parts share: documents, notes, what was found so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notes = Notes()
        self._documents = Documents()
        self._identities: dict[str, Identity] = {}
        self._accounts: dict[str, Account] = {}
        self._holders: dict[str, None] = {}  # accounts of which a dump holds identities or groups

    def single_file(self) -> Snapshot:
        try:
            document = read_json(self._path)
        except ValueError as error:
            raise SnapshotError(f"snapshot `{self._path}` {error}; give what IAM's tools wrote, unchanged") from error
        pages = self._pages(document, self._path.name)
        if not pages:
            raise SnapshotError(
                f"snapshot `{self._path}` has none of {_words(LISTS)}; "
                "give the output of `aws iam get-account-authorization-details`, or a snapshot folder"
            )
        self._add_dump(pages, self._path.name, None, {})
        return self._snapshot(None, None)

    def folder(self) -> Snapshot:
        manifest = self._optional("manifest.json")
        tree = self._optional("organization.json")
        organization = read_organization(tree, self._documents) if tree else None
        folders = self._account_folders()
        if not folders and organization is None:
            raise SnapshotError(
                f"snapshot `{self._path}` has no folder `accounts/<account id>` with an `authorization-details.json`; "
                "give the folder that `collect` wrote, or one authorization-details file"
            )
        for account in _members(organization):
            self._accounts[account.account_id] = account
        for folder in folders:
            self._add_folder(folder)
        self._add_manifest(manifest)
        return self._snapshot(manifest, organization)

    def _optional(self, name: str) -> Record | None:
        return read_record(self._path / name, name, self._notes)

    def _account_folders(self) -> list[Path]:
        """The account folders; the snapshot's own folder where the dump lies in it directly."""
        accounts = self._path / "accounts"
        inside = sorted(child for child in accounts.iterdir() if child.is_dir()) if accounts.is_dir() else []
        own = [self._path] if any(DETAILS.fullmatch(child.name) for child in self._path.iterdir()) else []
        return own + inside

    def _add_folder(self, folder: Path) -> None:
        subject = folder.relative_to(self._path).as_posix()
        account_id = folder.name if ACCOUNT_ID.fullmatch(folder.name) else None
        if account_id is None and folder != self._path:
            self._notes.add(subject, "the folder's name is not an account id; the account is taken from the ARNs")
        pages: list[Record] = []
        failures: list[str] = []
        for file in _detail_files(folder, failures):
            name = file.relative_to(self._path).as_posix()
            try:
                found = self._pages(read_json(file), name)
            except ValueError as error:
                failures.append(f"`{name}` {error}")
                continue
            if not found:
                failures.append(f"`{name}` has none of {_words(LISTS)}")
            pages.extend(found)
        for failure in failures:
            self._notes.add(subject, f"{failure}; the identities in it are not collected")
        report = folder / "credential-report.csv"
        credentials = read_credential_report(report, report.relative_to(self._path).as_posix(), self._notes)
        if pages:
            self._add_dump(pages, subject, account_id, credentials)
        if account_id:
            collected = Collected.FAILED if failures else Collected.OK if pages else Collected.NOT_COLLECTED
            self._note_account(account_id, collected, "; ".join(failures) or None)
            self._describe(account_id, folder, credentials)

    def _pages(self, document: object, subject: str) -> list[Record]:
        """The dump's pages: one object, or a list of them."""
        pages = document if isinstance(document, list) else [document]
        strange = next((page for page in pages if not isinstance(page, dict)), None)
        if strange is not None or not pages:
            self._notes.add(subject, f"holds {kind_of(strange)} where an object with the account's details is expected")
        records = [Record(page, subject, self._notes) for page in pages if isinstance(page, dict)]
        return [record for record in records if any(record.has(key) for key in LISTS)]

    def _add_dump(
        self, pages: list[Record], subject: str, account_id: str | None, credentials: Mapping[str, Credentials]
    ) -> None:
        dump = AccountDump(
            pages, subject=subject, account_id=account_id, documents=self._documents, credentials=credentials
        )
        for identity in dump.identities():
            if identity.arn in self._identities:
                self._notes.add(identity.arn, f"stands again in `{subject}`; the first is kept")
                continue
            if account_id and identity.account_id != account_id:
                self._notes.add(subject, f"holds identities of account `{identity.account_id}`; they are kept there")
            self._identities[identity.arn] = identity
            self._holders.setdefault(identity.account_id)
        self._holders.update(dict.fromkeys(sorted(dump.group_accounts())))

    def _note_account(self, account_id: str, collected: Collected, reason: str | None = None) -> None:
        known = self._accounts.get(account_id) or Account(account_id)
        self._accounts[account_id] = replace(known, collected=collected, reason=reason)

    def _describe(self, account_id: str, folder: Path, credentials: Mapping[str, Credentials]) -> None:
        """Add what `account.json` and the credential report say of the account itself."""
        name = (folder / "account.json").relative_to(self._path).as_posix()
        record = read_record(self._path / name, name, self._notes) or Record({}, name, self._notes)
        known = self._accounts[account_id]
        aliases = record.texts("AccountAliases")
        root = next((found for arn, found in credentials.items() if arn.endswith(f":{account_id}:root")), None)
        self._accounts[account_id] = replace(
            known,
            name=known.name or record.text("name", "Name"),
            alias=record.text("alias", "AccountAlias") or next(iter(aliases), None),
            tags=known.tags or record.tags("tags") or record.tags("Tags"),
            root_credentials=root,
        )

    def _add_manifest(self, manifest: Record | None) -> None:
        """The manifest's word on each account; a failure it reports outranks what was found."""
        accounts = manifest.record("accounts") if manifest else None
        for account_id in accounts.values if accounts else ():
            said = accounts.record(account_id) if accounts else None
            status = said.text("status") if said else None
            found = self._accounts.get(account_id)
            if said and status == Collected.FAILED:
                self._note_account(account_id, Collected.FAILED, said.text("reason"))
            elif status == Collected.OK and (found is None or found.collected is Collected.NOT_COLLECTED):
                self._note_account(account_id, Collected.FAILED, "the manifest lists it, but its dump is not there")
            elif found is None:
                self._note_account(account_id, Collected.NOT_COLLECTED)

    def _snapshot(self, manifest: Record | None, organization: Organization | None) -> Snapshot:
        in_tree = {node.node_id for node in organization.nodes} if organization else set()
        for account_id in self._holders:
            if account_id not in self._accounts:
                self._note_account(account_id, Collected.OK)
            if organization and account_id not in in_tree:
                self._notes.add(account_id, "is not in the organisation's tree; no SCP is applied to its identities")
        trails = self._optional("trails.json") if self._path.is_dir() else None
        center = self._optional("identity-center.json") if self._path.is_dir() else None
        return Snapshot(
            taken_at=manifest.moment("taken_at") if manifest else None,
            accounts=tuple(self._accounts.values()),
            identities=tuple(self._identities.values()),
            organization=organization,
            trails=read_trails(trails) if trails else None,
            identity_center=read_identity_center(center) if center else None,
            from_reference=tuple(self._documents.from_reference.values()),
            problems=self._notes.problems(),
            _paths=organization.account_paths() if organization else {},
        )


def _members(organization: Organization | None) -> Iterator[Account]:
    """The accounts of the organisation, before anything else is known of them."""
    for node in organization.nodes if organization else ():
        if organization and node.kind is NodeKind.ACCOUNT:
            yield Account(
                account_id=node.node_id,
                name=node.name,
                ou_id=node.parent_id,
                ou_path=node.path.removesuffix(f"/{node.name}"),
                status=node.status,
                tags=node.tags,
                is_management=node.node_id == organization.management_account_id,
            )


def _detail_files(folder: Path, failures: list[str]) -> list[Path]:
    """The pages of an account's dump in their order; a folder that cannot be listed is a failure."""
    try:
        return sorted((file for file in folder.iterdir() if DETAILS.fullmatch(file.name)), key=_page_number)
    except OSError as error:
        failures.append(f"the folder cannot be listed ({error})")
        return []


def _page_number(file: Path) -> tuple[int, str]:
    found = DETAILS.fullmatch(file.name)
    return (int(found[1]) if found and found[1] else 0, file.name)


def _words(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
