"""Reads the folder of a snapshot, or its single file: which files there are, and what becomes of each account.

The layout is described in docs/SNAPSHOT.md. What the files say is read by the modules `snapshot_*` and `organization`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.sources.organization import NodeKind, Organization, read_organization
from analytics.sources.snapshot_credentials import read_credential_report
from analytics.sources.snapshot_documents import Documents
from analytics.sources.snapshot_iam import LISTS, AccountDump
from analytics.sources.snapshot_identity_center import IdentityCenter, read_identity_center
from analytics.sources.snapshot_reading import Notes, Record, kind_of, read_json, read_record
from analytics.sources.snapshot_trails import Trail, read_trails
from analytics.sources.snapshot_values import Account, Collected, Credentials, Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

DETAILS = re.compile(r"authorization-details(?:-([0-9]{1,9}))?\.json(?:\.gz)?")
ACCOUNT_ID = re.compile(r"[0-9]{12}")
EXPECTED = "give a snapshot folder or an authorization-details file"


class SnapshotError(ValueError):
    """A path that holds no snapshot; the message names it and says what is expected there."""


class SnapshotReader:
    """Reads one path once; holds what the parts share: documents, notes, what was found so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._holders: dict[str, None] = {}  # accounts of which a dump holds identities or groups
        self.notes = Notes()
        self.documents = Documents()
        self.taken_at: datetime | None = None
        self.accounts: dict[str, Account] = {}
        self.identities: dict[str, Identity] = {}
        self.managed_policies: dict[str, None] = {}
        self.organization: Organization | None = None
        self.trails: tuple[Trail, ...] | None = None
        self.identity_center: IdentityCenter | None = None

    def read(self) -> None:
        """Read the folder or the file; SnapshotError when there is nothing readable at all."""
        path = self._path
        try:
            if path.is_dir():
                self._read_folder()
            elif path.exists():
                self._read_file()
            else:
                raise SnapshotError(f"snapshot `{path}` does not exist; {EXPECTED}")
        except OSError as error:
            msg = f"snapshot `{path}` cannot be read ({error}); check the permissions of its folders"
            raise SnapshotError(msg) from error

    def _read_file(self) -> None:
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
        self._complete_accounts()

    def _read_folder(self) -> None:
        manifest = self._optional("manifest.json")
        tree = self._optional("organization.json")
        self.organization = read_organization(tree, self.documents) if tree else None
        folders = self._account_folders()
        if not folders and self.organization is None:
            raise SnapshotError(
                f"snapshot `{self._path}` has no folder `accounts/<account id>` with an `authorization-details.json`; "
                "give the folder that `collect` wrote, or one authorization-details file"
            )
        self.taken_at = manifest.moment("taken_at") if manifest else None
        for account in _members(self.organization):
            self.accounts[account.account_id] = account
        for folder in folders:
            self._add_folder(folder)
        self._add_manifest(manifest)
        self._complete_accounts()
        trails, center = self._optional("trails.json"), self._optional("identity-center.json")
        self.trails = read_trails(trails) if trails else None
        self.identity_center = read_identity_center(center) if center else None

    def _optional(self, name: str) -> Record | None:
        return read_record(self._path / name, name, self.notes)

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
            self.notes.add(subject, "the folder's name is not an account id; the account is taken from the ARNs")
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
            self.notes.add(subject, f"{failure}; the identities in it are not collected")
        report = folder / "credential-report.csv"
        credentials = read_credential_report(report, report.relative_to(self._path).as_posix(), self.notes)
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
            self.notes.add(subject, f"holds {kind_of(strange)} where an object with the account's details is expected")
        records = [Record(page, subject, self.notes) for page in pages if isinstance(page, dict)]
        return [record for record in records if any(record.has(key) for key in LISTS)]

    def _add_dump(
        self, pages: list[Record], subject: str, account_id: str | None, credentials: Mapping[str, Credentials]
    ) -> None:
        dump = AccountDump(
            pages, subject=subject, account_id=account_id, documents=self.documents, credentials=credentials
        )
        for identity in dump.identities():
            if identity.arn in self.identities:
                self.notes.add(identity.arn, f"stands again in `{subject}`; the first is kept")
                continue
            if account_id and identity.account_id != account_id:
                self.notes.add(subject, f"holds identities of account `{identity.account_id}`; they are kept there")
            self.identities[identity.arn] = identity
            self._holders.setdefault(identity.account_id)
        self._holders.update(dict.fromkeys(sorted(dump.group_accounts())))
        self.managed_policies.update(dict.fromkeys(dump.managed_policies()))

    def _note_account(self, account_id: str, collected: Collected, reason: str | None = None) -> None:
        known = self.accounts.get(account_id) or Account(account_id)
        self.accounts[account_id] = replace(known, collected=collected, reason=reason)

    def _describe(self, account_id: str, folder: Path, credentials: Mapping[str, Credentials]) -> None:
        """Add what `account.json` and the credential report say of the account itself."""
        name = (folder / "account.json").relative_to(self._path).as_posix()
        record = read_record(self._path / name, name, self.notes) or Record({}, name, self.notes)
        known = self.accounts[account_id]
        aliases = record.texts("AccountAliases")
        root = next((found for arn, found in credentials.items() if arn.endswith(f":{account_id}:root")), None)
        self.accounts[account_id] = replace(
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
            found = self.accounts.get(account_id)
            if said and status == Collected.FAILED:
                self._note_account(account_id, Collected.FAILED, said.text("reason"))
            elif status == Collected.OK and (found is None or found.collected is Collected.NOT_COLLECTED):
                self._note_account(account_id, Collected.FAILED, "the manifest lists it, but its dump is not there")
            elif found is None:
                self._note_account(account_id, Collected.NOT_COLLECTED)

    def _complete_accounts(self) -> None:
        """Accounts that only a dump knows; those outside the tree are named."""
        in_tree = {node.node_id for node in self.organization.nodes} if self.organization else None
        for account_id in self._holders:
            if account_id not in self.accounts:
                self._note_account(account_id, Collected.OK)
            if in_tree is not None and account_id not in in_tree:
                self.notes.add(account_id, "is not in the organisation's tree; no SCP is applied to its identities")


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
