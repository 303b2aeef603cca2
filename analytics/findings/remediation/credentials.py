"""Access keys and passwords as items: keys that are old or idle, passwords without a second factor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.findings.remediation import keys as remediation_keys
from analytics.findings.remediation.shell import refused_name
from analytics.findings.remediation.values import Kind, Proposal
from analytics.findings.remediation.words import counted, day_of, reference_time
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.values import Workshop
    from analytics.sources.snapshot_values import AccessKey

ROOT_ONLY = "Only the root user itself can do this: sign in as the root user of the account."


def keys_and_mfa(subject: Subject, shop: Workshop) -> Iterator[Proposal]:
    """Old or idle access keys, and a password without MFA, of users and of the root user."""
    known = subject.credentials
    if known is None:
        return
    for position, key in enumerate(known.access_keys):
        proposal = _key(subject, shop, position, key) if key.active else None
        if proposal is not None:
            yield proposal
    if known.password_enabled and known.mfa_active is False:
        changed = shop.estate.changed(subject, credentials=replace(known, mfa_active=True))
        yield Proposal(
            kind=Kind.ADD_MFA,
            key="password",
            title="Add MFA to the password",
            score_after=shop.scores.what_if(changed).risk.score,
            calls_broken=0,
            sentences=("A password alone opens the console; a further factor denies no call of the user.",),
            commands=() if _is_root(subject) else remediation_keys.add_mfa(subject),
            blocked_reason=ROOT_ONLY if _is_root(subject) else refused_name(subject),
        )


def _key(subject: Subject, shop: Workshop, position: int, key: AccessKey) -> Proposal | None:
    known, now = subject.credentials, reference_time(shop)
    if known is None:
        return None
    idle = key.created is not None and now - key.created > timedelta(days=shop.around.dormant_days)
    idle = idle and (key.last_used is None or now - key.last_used > timedelta(days=shop.around.dormant_days))
    age = (now - key.created).days if key.created else None
    if not idle and not _is_root(subject) and (age is None or age <= shop.around.old_key_days):
        return None
    others = [other for at, other in enumerate(known.access_keys) if at != position]
    delete = idle or _is_root(subject)
    fresh = () if delete else (replace(key, created=now, last_used=None),)
    after = replace(known, access_keys=(*others, *fresh))
    used = f"last used on {key.last_used:%Y-%m-%d}" if key.last_used else "never used"
    script = (
        remediation_keys.delete_key(subject, key)
        if delete
        else remediation_keys.rotate_key(subject, key, others, shop.rules.quotas)
    )
    made = f", made on {key.created:%Y-%m-%d}" if key.created else ""
    of_age = "" if age is None else f" of {counted(age, 'day')}"
    return Proposal(
        kind=Kind.DELETE_KEY if delete else Kind.ROTATE_KEY,
        key=f"{key.created.isoformat() if key.created else position}",
        title=f"{'Delete' if delete else 'Rotate'} the access key{of_age}",
        score_after=shop.scores.what_if(shop.estate.changed(subject, credentials=after)).risk.score,
        calls_broken=0 if idle else None,
        sentences=(
            f"Access key {position + 1}{made}, {used}.",
            *(
                ()
                if idle
                else ("Calls with the old key fail once it is inactive: its callers need the new one first.",)
            ),
        ),
        detail={
            "key": position + 1,
            "created": day_of(key.created),
            "last_used": day_of(key.last_used),
            "age_days": age,
        },
        commands=() if _is_root(subject) else script,
        blocked_reason=ROOT_ONLY if _is_root(subject) else refused_name(subject),
    )


def _is_root(subject: Subject) -> bool:
    return subject.kind is PrincipalKind.ROOT
