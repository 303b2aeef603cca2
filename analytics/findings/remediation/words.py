"""Words and times that the proposals share."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from analytics.findings.remediation.shell import is_storable
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from analytics.findings.estate import Subject
    from analytics.findings.remediation.values import Workshop
    from analytics.iam.policy import PolicyDocument

NOT_PROVEN = "Not proven: this export does not show the use of some actions of {what}."


def reference_time(shop: Workshop) -> datetime:
    """The time that ages are told at: of the snapshot, else the end of the window; naive UTC."""
    return shop.estate.taken_at or datetime.combine(shop.estate.window_end, time.max)


def is_too_young(subject: Subject, shop: Workshop) -> bool:
    """Whether too little is known of what a new identity needs."""
    since = datetime.combine(shop.estate.window_end, time.max) - timedelta(days=shop.rules.limits.least_observed_days)
    return subject.created is not None and subject.created > since


def noun_of(subject: Subject) -> str:
    """`user` or `role`, in a sentence."""
    return "user" if subject.kind is PrincipalKind.USER else "role"


def day_of(moment: datetime | None) -> str | None:
    """`2026-11-20`, or None."""
    return f"{moment:%Y-%m-%d}" if moment else None


def not_storable(document: PolicyDocument) -> str | None:
    """Why IAM would not store the document; None where it would."""
    return None if is_storable(document) else "A policy of IAM cannot hold the letters that this one holds."


def counted(number: int, noun: str) -> str:
    """`1 action`, `1,200 actions`, `2 identities`, `90 days`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
