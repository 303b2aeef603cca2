"""A snapshot as rows: what the SQL of a build reads of accounts, identities and their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analytics.iam.policy import to_json
from analytics.iam.stack import NamedPolicy
from analytics.sources.organization import RCP, SCP
from analytics.sources.snapshot_values import naive

if TYPE_CHECKING:
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import ControlLevel
    from analytics.sources.snapshot import Snapshot
    from analytics.sources.snapshot_values import Identity, Tags

TEXT, INTEGER, FLAG, TIME = pa.string(), pa.int32(), pa.bool_(), pa.timestamp("us")
ACCOUNTS = pa.schema(
    [
        *[(name, TEXT) for name in ("account_id", "name", "ou_id", "ou_path", "organization_path", "status")],
        *[("environment", TEXT), ("environment_tag", TEXT), ("environment_ou", TEXT)],
        *[("collected", TEXT), ("reason", TEXT), ("is_management", FLAG)],
    ]
)
IDENTITIES = pa.schema(
    [
        *[(name, TEXT) for name in ("principal_arn", "name", "kind", "account_id", "owner", "tags", "boundary_arn")],
        *[(name, TEXT) for name in ("boundary_name", "unique_id", "path")],
        *[("created", TIME), ("last_used", TIME)],
        *[("policies_not_collected", INTEGER), ("boundary_not_collected", FLAG), ("reach_id", INTEGER)],
    ]
)
NODES = pa.schema([(name, TEXT) for name in ("node_id", "kind", "name", "parent_id", "path")])
POLICIES = pa.schema([("policy_id", INTEGER), ("name", TEXT), ("arn", TEXT), ("aws_managed", FLAG), ("document", TEXT)])
ATTACHMENTS = pa.schema(
    [("principal_arn", TEXT), ("layer", TEXT), ("position", INTEGER), ("policy_id", INTEGER), ("attached_to", TEXT)]
)
NODE_POLICIES = pa.schema([("node_id", TEXT), ("layer", TEXT), ("position", INTEGER), ("policy_id", INTEGER)])
SNAPSHOT = pa.schema(
    [
        *[("taken_at", TIME), ("organization_id", TEXT), ("root_id", TEXT), ("management_account_id", TEXT)],
        ("enabled_types", pa.list_(TEXT)),
    ]
)
CONTROL_LEVELS = pa.schema(
    [
        *[("account_id", TEXT), ("layer", TEXT), ("level", INTEGER), ("node_id", TEXT), ("node_name", TEXT)],
        *[("position", INTEGER), ("policy_id", INTEGER)],
    ]
)


def account_rows(
    snapshot: Snapshot, *, environment_tags: Sequence[str], environment_words: Mapping[str, Sequence[str]]
) -> pa.Table:
    """One row per account. Environment: a tag of the account, else the first word that its OU path or name holds.

    `environment_tag` is what the tag says, `environment_ou` what the OU path alone says.
    """
    rows = [
        {
            "account_id": account.account_id,
            "name": account.name or account.alias,
            "ou_id": account.ou_id,
            "ou_path": account.ou_path,
            "organization_path": snapshot.organization_path(account.account_id),
            "status": account.status,
            "environment": first_tag(account.tags, environment_tags)
            or environment_of(f"{account.ou_path or ''}/{account.name or ''}", environment_words),
            "environment_tag": first_tag(account.tags, environment_tags),
            "environment_ou": environment_of(account.ou_path or "", environment_words),
            "collected": str(account.collected),
            "reason": account.reason,
            "is_management": account.is_management,
        }
        for account in snapshot.accounts
    ]
    return pa.Table.from_pylist(rows, ACCOUNTS)


def identity_rows(identities: Sequence[Identity], reach_ids: Sequence[int], *, owner_tags: Sequence[str]) -> pa.Table:
    """One row per identity; `reach_ids` is parallel to the identities."""
    rows = [
        {
            "principal_arn": identity.arn,
            "name": identity.name,
            "kind": str(identity.kind),
            "account_id": identity.account_id,
            "owner": first_tag(identity.tags, owner_tags),
            "tags": json.dumps(dict(identity.tags)) if identity.tags_collected else None,
            "boundary_arn": identity.boundary_arn,
            "boundary_name": identity.boundary_arn.rpartition("/")[2] if identity.boundary_arn else None,
            "unique_id": identity.unique_id,
            "path": identity.path,
            "created": naive(identity.created),
            "last_used": naive(identity.last_used),
            "policies_not_collected": len(identity.not_collected),
            "boundary_not_collected": identity.boundary_not_collected,
            "reach_id": reach_id,
        }
        for identity, reach_id in zip(identities, reach_ids, strict=True)
    ]
    return pa.Table.from_pylist(rows, IDENTITIES)


def node_rows(snapshot: Snapshot | None) -> pa.Table:
    """One row per node of the organisation: root, OUs, accounts; none where it was not collected."""
    nodes = snapshot.organization.nodes if snapshot and snapshot.organization else ()
    rows = [
        {
            "node_id": node.node_id,
            "kind": str(node.kind),
            "name": node.name,
            "parent_id": node.parent_id,
            "path": node.path,
        }
        for node in nodes
    ]
    return pa.Table.from_pylist(rows, NODES)


def snapshot_rows(snapshot: Snapshot | None) -> pa.Table:
    """One row about the snapshot and its organisation; none without a snapshot."""
    organization = snapshot.organization if snapshot else None
    row = {
        "taken_at": naive(snapshot.taken_at) if snapshot else None,
        "organization_id": organization.id if organization else None,
        "root_id": organization.root_id if organization else None,
        "management_account_id": organization.management_account_id if organization else None,
        "enabled_types": sorted(organization.enabled_types) if organization else [],
    }
    return pa.Table.from_pylist([row] if snapshot else [], SNAPSHOT)


class PolicyRows:
    """Numbers every distinct policy, and remembers who stands under it."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str | None, int], int] = {}
        self._policies: list[dict[str, Any]] = []
        self._texts: dict[int, tuple[PolicyDocument, str]] = {}
        self._attachments: list[dict[str, Any]] = []
        self._levels: list[dict[str, Any]] = []
        self._nodes: list[dict[str, Any]] = []

    def add(self, snapshot: Snapshot) -> None:
        """Every identity's policies, and every account's levels of SCPs and RCPs."""
        for identity in snapshot.identities:
            for layer, policies in _layers_of(identity):
                for position, policy in enumerate(policies):
                    self._attachments.append(
                        {
                            "principal_arn": identity.arn,
                            "layer": layer,
                            "position": position,
                            "policy_id": self._number(policy),
                            "attached_to": policy.attached_to or identity.arn,
                        }
                    )
        if snapshot.organization:
            for account in snapshot.accounts:
                self._add_levels(account.account_id, "scp", snapshot.organization.scp_levels(account.account_id))
                self._add_levels(account.account_id, "rcp", snapshot.organization.rcp_levels(account.account_id))
            for node in snapshot.organization.nodes:
                for layer, policy_type in (("scp", SCP), ("rcp", RCP)):
                    for position, policy in enumerate(snapshot.organization.attached(node, policy_type).policies):
                        self._nodes.append(
                            {
                                "node_id": node.node_id,
                                "layer": layer,
                                "position": position,
                                "policy_id": self._number(policy),
                            }
                        )

    def _add_levels(self, account_id: str, layer: str, levels: Sequence[ControlLevel]) -> None:
        for index, level in enumerate(levels):
            numbers = [self._number(policy) for policy in level.policies]
            # A level without a policy denies everything: it has a row of its own, with no policy.
            for position, number in enumerate(numbers or [None]):
                self._levels.append(
                    {
                        "account_id": account_id,
                        "layer": layer,
                        "level": index,
                        "node_id": level.node_id,
                        "node_name": level.node_name,
                        "position": position,
                        "policy_id": number,
                    }
                )

    def _number(self, policy: NamedPolicy) -> int:
        key = (policy.name, policy.arn, id(policy.document))
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self._ids)
            self._policies.append(
                {
                    "policy_id": number,
                    "name": policy.name,
                    "arn": policy.arn,
                    "aws_managed": bool(policy.arn and ":aws:policy/" in policy.arn),
                    "document": self._text(policy.document),
                }
            )
        return number

    def _text(self, document: PolicyDocument) -> str:
        kept = self._texts.get(id(document))
        if kept is None:
            kept = self._texts[id(document)] = (document, json.dumps(to_json(document)))
        return kept[1]

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows of `policies`, `attachments`, `control_levels` and `node_policies`."""
        yield "policies", pa.Table.from_pylist(self._policies, POLICIES)
        yield "attachments", pa.Table.from_pylist(self._attachments, ATTACHMENTS)
        yield "control_levels", pa.Table.from_pylist(self._levels, CONTROL_LEVELS)
        yield "node_policies", pa.Table.from_pylist(self._nodes, NODE_POLICIES)


def _layers_of(identity: Identity) -> Iterator[tuple[str, tuple[NamedPolicy, ...]]]:
    yield "identity", identity.policies
    if identity.boundary is not None:
        yield "boundary", (identity.boundary,)
    if identity.trust is not None:
        yield "trust", (NamedPolicy("trust policy", identity.trust, attached_to=identity.arn),)


def first_tag(tags: Tags, keys: Sequence[str]) -> str | None:
    """The value of the first of `keys` that the tags hold."""
    values = dict(tags)
    return next((values[key] for key in keys if values.get(key)), None)


def environment_of(path: str, words: Mapping[str, Sequence[str]]) -> str | None:
    """The environment whose word a path or a name holds, as a word of its own; None: no word is there."""
    text = path.lower()
    for environment, candidates in words.items():
        if any(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) for word in candidates):
            return environment
    return None
