"""The credential reports of a snapshot as rows: passwords, MFA and access keys of users and root users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.sources.snapshot_values import naive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.sources.snapshot import Snapshot
    from analytics.sources.snapshot_values import Credentials

TEXT, FLAG, TIME = pa.string(), pa.bool_(), pa.timestamp("us")
CREDENTIALS = pa.schema(
    [
        *[("principal_arn", TEXT), ("password_enabled", FLAG), ("password_last_used", TIME)],
        *[("password_last_changed", TIME), ("mfa_active", FLAG)],
    ]
)
ACCESS_KEYS = pa.schema(
    [
        *[("principal_arn", TEXT), ("position", pa.int32()), ("active", FLAG), ("created", TIME), ("last_used", TIME)],
        *[("last_used_region", TEXT), ("last_used_service", TEXT)],
    ]
)


def credential_rows(snapshot: Snapshot) -> tuple[pa.Table, pa.Table]:
    """The rows of `credentials` (one per user or root) and of `access_keys` (one per key)."""
    held = list(_holders(snapshot))
    users = [
        {
            "principal_arn": arn,
            "password_enabled": credentials.password_enabled,
            "password_last_used": naive(credentials.password_last_used),
            "password_last_changed": naive(credentials.password_last_changed),
            "mfa_active": credentials.mfa_active,
        }
        for arn, credentials in held
    ]
    keys = [
        {
            "principal_arn": arn,
            "position": position,
            "active": key.active,
            "created": naive(key.created),
            "last_used": naive(key.last_used),
            "last_used_region": key.last_used_region,
            "last_used_service": key.last_used_service,
        }
        for arn, credentials in held
        for position, key in enumerate(credentials.access_keys, start=1)
    ]
    return pa.Table.from_pylist(users, CREDENTIALS), pa.Table.from_pylist(keys, ACCESS_KEYS)


def _holders(snapshot: Snapshot) -> Iterator[tuple[str, Credentials]]:
    for identity in snapshot.identities:
        if identity.credentials is not None:
            yield identity.arn, identity.credentials
    for account in snapshot.accounts:
        if account.root_credentials is not None:
            yield f"arn:aws:iam::{account.account_id}:root", account.root_credentials
