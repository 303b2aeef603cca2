"""The IAM credential report: passwords, MFA and access keys, one row per user and one for the root user.

IAM User Guide, "Getting credential reports". `N/A`, `no_information` and `not_supported` are not dates.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from analytics.sources.snapshot_reading import moment
from analytics.sources.snapshot_values import AccessKey, Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from analytics.sources.snapshot_reading import Notes

NOTHING_SAID = frozenset({"", "N/A", "no_information", "not_supported"})
REQUIRED = ("arn", "password_enabled", "mfa_active", "access_key_1_active")


def read_credential_report(path: Path, subject: str, notes: Notes) -> dict[str, Credentials]:
    """Credentials by ARN of the user; empty, and a note, where the file cannot be used."""
    if not path.exists():
        return {}
    try:
        rows = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
        if not missing:
            return {row["arn"]: _credentials(row) for row in rows if row["arn"]}
        reason = f"no column `{missing[0]}`"
    except (OSError, ValueError, csv.Error) as error:
        reason = str(error)
    notes.add(subject, f"is not a credential report ({reason}); key ages and MFA are not collected")
    return {}


def _credentials(row: Mapping[str, str | None]) -> Credentials:
    return Credentials(
        password_enabled=_flag(row.get("password_enabled")),
        password_last_used=_time(row.get("password_last_used")),
        password_last_changed=_time(row.get("password_last_changed")),
        mfa_active=_flag(row.get("mfa_active")),
        access_keys=tuple(key for number in (1, 2) if (key := _key(row, f"access_key_{number}_"))),
    )


def _key(row: Mapping[str, str | None], prefix: str) -> AccessKey | None:
    """A key that was created: an active one, or one with a date."""
    active = _flag(row.get(prefix + "active")) or False
    created = _time(row.get(prefix + "last_rotated"))
    if not active and created is None:
        return None
    return AccessKey(
        active=active,
        created=created,
        last_used=_time(row.get(prefix + "last_used_date")),
        last_used_region=_text(row.get(prefix + "last_used_region")),
        last_used_service=_text(row.get(prefix + "last_used_service")),
    )


def _text(value: str | None) -> str | None:
    return None if value is None or value in NOTHING_SAID else value


def _flag(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get((value or "").lower())


def _time(value: str | None) -> datetime | None:
    return moment(value) if _text(value) else None
