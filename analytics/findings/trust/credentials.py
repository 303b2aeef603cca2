"""Who can be a user or the root user: whoever holds an access key or the console password.

By the credential report. What it does not tell is taken at its worst: unknown MFA is no MFA, a key of unknown age is
old, and without a report there may be an old key. A team that collects the report lowers the class, never the reverse.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from analytics.findings.trust.values import (
    CONSOLE_MFA,
    CONSOLE_NO_MFA,
    NOBODY,
    USER_KEY,
    USER_OLD_KEY,
    USER_OLD_KEY_NO_MFA,
    PartyKind,
    TrustedParty,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.estate import Estate, Subject
    from analytics.sources.snapshot_values import AccessKey, Credentials

NOT_COLLECTED = "the credential report was not collected: keys, their age and MFA are taken at their worst"
MFA_UNKNOWN = "the credential report does not tell of MFA, so none is assumed"
AGE_UNKNOWN = "the credential report does not tell the key's age, so it counts as old"
PASSWORD_UNKNOWN = "the credential report does not tell of a password, so one is assumed"  # noqa: S105  a sentence
INACTIVE = "inactive: it opens nothing until somebody activates it"
NO_USE = "no use of it is known"
KEY = "access key "  # and its number, as trust names it


def key_party(number: int) -> str:
    """How the key of that number in the credential report is named as a way in."""
    return f"{KEY}{number}"


def credential_parties(subject: Subject, estate: Estate, *, old_key_days: int) -> Iterator[TrustedParty]:
    """Every way in of a user or root user; ages are counted to the snapshot, or to the end of the window."""
    credentials = subject.credentials
    if credentials is None:
        yield _party(subject, "credentials", PartyKind.ACCESS_KEY, USER_OLD_KEY_NO_MFA, (NOT_COLLECTED,), surely=False)
        return
    today = estate.taken_at or datetime.combine(estate.window_end, time.max)
    old_before = today - timedelta(days=old_key_days)
    for number, key in enumerate(credentials.access_keys, start=1):
        notes = (_age(key, today), _use(key))
        found, doubts = _class_of(key, credentials, old_before)
        told = notes if key.active else (INACTIVE, *notes)
        yield _party(subject, key_party(number), PartyKind.ACCESS_KEY, found, (*told, *doubts), surely=not doubts)
    if credentials.password_enabled is not False:
        yield _console(subject, credentials)


def _class_of(key: AccessKey, credentials: Credentials, old_before: datetime) -> tuple[str, tuple[str, ...]]:
    """The class of a key, and the sentences on what had to be assumed for it."""
    if not key.active:
        return NOBODY, ()
    if key.created is not None and key.created >= old_before:
        return USER_KEY, ()
    if credentials.mfa_active:
        return USER_OLD_KEY, (AGE_UNKNOWN,) if key.created is None else ()
    doubts = (AGE_UNKNOWN,) * (key.created is None) + (MFA_UNKNOWN,) * (credentials.mfa_active is None)
    return USER_OLD_KEY_NO_MFA, doubts


def _console(subject: Subject, credentials: Credentials) -> TrustedParty:
    notes = [PASSWORD_UNKNOWN] if credentials.password_enabled is None else []
    if credentials.mfa_active is None:
        notes.append(MFA_UNKNOWN)
    found = CONSOLE_MFA if credentials.mfa_active else CONSOLE_NO_MFA
    return _party(subject, "console", PartyKind.CONSOLE, found, tuple(notes), surely=not notes)


def _age(key: AccessKey, today: datetime) -> str:
    return "of unknown age" if key.created is None else f"{(today - key.created).days} days old"


def _use(key: AccessKey) -> str:
    if key.last_used is None:
        return NO_USE
    where = " with ".join(part for part in (key.last_used_region, key.last_used_service) if part)
    return f"last used {key.last_used:%Y-%m-%d}{f' in {where}' if where else ''}"


def _party(
    subject: Subject, party: str, kind: PartyKind, trust_class: str, notes: tuple[str, ...], *, surely: bool = True
) -> TrustedParty:
    return TrustedParty(party, kind, subject.account_id, None, trust_class, (), None, None, surely, notes)
