"""How well a score is founded: what the export could have shown, and what of the policies is known.

It stands beside the score and never inside it. Each aspect gives a level, the worst one decides, and what keeps the
level down is said in a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_layers import spoken_of
from analytics.findings.risk.score import total_weight
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.engine.reach import Reach
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.risk.facts import ActionCounter
    from analytics.findings.risk.weights import RiskWeights
    from analytics.iam.policy import PolicyDocument

_WITH_CREDENTIALS = frozenset({PrincipalKind.USER, PrincipalKind.ROOT})


@dataclass(frozen=True, slots=True)
class Confidence:
    """high, medium or low, and why; `share` is None for an identity that can do nothing."""

    level: str
    share: float | None  # of the effective weight, that of actions of which the export would have shown a call
    reasons: tuple[str, ...]  # sentences; the share comes first


class _Level(IntEnum):
    LOW = 0
    MEDIUM = 1
    HIGH = 2


class _Aspect(NamedTuple):
    level: _Level
    reason: str
    is_always_said: bool = False


class Confidences:
    """The confidence of every identity of an estate; what a policy grants only under conditions is found once."""

    def __init__(self, estate: Estate, weights: RiskWeights, counter: ActionCounter) -> None:
        self._estate = estate
        self._weights = weights
        self._counter = counter
        self._granted: dict[int, tuple[PolicyDocument, int, int]] = {}  # by identity; the document stays itself

    def of(self, subject: Subject) -> Confidence:
        """How well the score of an identity is founded."""
        whole = total_weight(self._counter.counts(subject.reach), self._weights)
        share = self._share(subject.reach, subject.observable, whole)
        aspects = [*self._can_do(subject, share, whole), *_age(self._estate, self._weights), *_collected(subject)]
        worst = min((one.level for one in aspects), default=_Level.HIGH)
        said = tuple(one.reason for one in aspects if one.is_always_said or one.level < _Level.HIGH)
        return Confidence(worst.name.lower(), share, said)

    def _share(self, reach: Reach, actions: int, whole: float) -> float | None:
        """What some actions are of the effective weight."""
        part = total_weight(self._counter.within(reach, actions), self._weights)
        return round(part / whole, 4) if whole > 0 else None

    def _can_do(self, subject: Subject, shown: float | None, whole: float) -> Iterator[_Aspect]:
        """Of an identity that can do something: what the export shows of it, and what conditions decide."""
        if shown is None:
            return
        numbers = self._weights.table("confidence")
        level = _from(shown, numbers["medium_share"], numbers["high_share"])
        yield _Aspect(level, f"This export could have shown {shown:.0%} of its effective weight in use.", True)
        account = self._estate.accounts.get(subject.account_id)
        days, window = account.days_covered if account is not None else 0, self._estate.window_days
        level = _from(days / window, numbers["medium_days"], numbers["high_days"])
        yield _Aspect(level, f"Its account has events on {days} of the {window} days.")
        if subject.is_new:
            yield _Aspect(_Level.MEDIUM, "It is younger than the window, so it has not had its time yet.")
        doubtful = self._share(subject.reach, self._conditional(subject), whole) or 0.0
        level = _Level.HIGH if doubtful <= numbers["high_conditional"] else _Level.MEDIUM
        yield _Aspect(level, f"{doubtful:.0%} of its effective weight is granted only under conditions.")

    def _conditional(self, subject: Subject) -> int:
        """What is possible, not sure, and granted by no statement without a condition."""
        always = sometimes = 0
        for named in subject.stack.identity:
            with_condition, without = self._grants(named.document)
            sometimes |= with_condition
            always |= without
        return sometimes & ~always & ~subject.reach.surely

    def _grants(self, document: PolicyDocument) -> tuple[int, int]:
        """The actions that a policy allows under a condition, and without one."""
        known = self._granted.get(id(document))
        if known is None:
            masks = {True: 0, False: 0}
            for statement in document.statements:
                if statement.effect is Effect.ALLOW:
                    masks[bool(statement.condition)] |= spoken_of(statement, self._estate.catalogue)
            known = self._granted[id(document)] = (document, masks[True], masks[False])
        return known[1], known[2]


def _age(estate: Estate, weights: RiskWeights) -> Iterator[_Aspect]:
    """Of the snapshot, against the last day of the logs."""
    if estate.taken_at is None:
        yield _Aspect(_Level.MEDIUM, "When the snapshot of its policies was taken is not known.")
        return
    days = (datetime.combine(estate.window_end, time.max) - estate.taken_at).days
    if days > weights["confidence.snapshot_high_days"]:
        level = _Level.MEDIUM if days <= weights["confidence.snapshot_low_days"] else _Level.LOW
        yield _Aspect(level, f"The snapshot of its policies is {days} days older than the last event.")


def _collected(subject: Subject) -> Iterator[_Aspect]:
    missing = subject.policies_not_collected
    if missing:
        what = "one of its policies was" if missing == 1 else f"{missing} of its policies were"
        yield _Aspect(_Level.LOW, f"{what[0].upper()}{what[1:]} not collected: it may be able to do more.")
    if subject.stack.boundary_not_collected:
        yield _Aspect(_Level.MEDIUM, "Its permissions boundary was not collected: it may be able to do less.")
    if subject.kind in _WITH_CREDENTIALS:
        if subject.credentials is None:
            yield _Aspect(_Level.MEDIUM, "No credential report tells of its keys and MFA: they count at their worst.")
    elif subject.trust is None:
        yield _Aspect(_Level.LOW, "Its trust policy could not be read: it counts as open to anyone.")


def _from(value: float, medium: float, high: float) -> _Level:
    return _Level.HIGH if value >= high else _Level.MEDIUM if value >= medium else _Level.LOW
