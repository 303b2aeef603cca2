"""The baseline rules of `check`, and what the answers to a rule's question come to.

INVARIANT: what cannot be told is `unknown`, never `pass`. Exemptions are patterns on ARNs or account ids, and what they
take out is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import yaml

from analytics.iam.match import text_matches
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from pathlib import Path

RULES_FILE = REFERENCE / "check_rules.yaml"
EVERY_RULE = "*"


class CheckError(ValueError):
    """A rule that there is not; the message names those that there are."""


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def is_at_least(self, other: Severity) -> bool:
        """Whether it is as bad as the other, or worse."""
        order = list(Severity)
        return order.index(self) <= order.index(other)


class Result(StrEnum):
    """What a rule, or a row of it, comes to."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the baseline."""

    id: str
    severity: Severity
    title: str
    reason: str
    remedy: str
    source: str
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: an identity (or an account) that fails, or of which it cannot be told."""

    subject: str  # ARN, or `account 111122223333`
    account_id: str | None
    owner: str | None
    result: Result
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule with its rows, those that fail first."""

    rule: Rule
    rows: tuple[Row, ...]
    exempt: int  # rows that an exemption takes out

    @property
    def result(self) -> Result:
        """Fail with one row that fails, else unknown with one that is, else pass."""
        found = {row.result for row in self.rows}
        return next((one for one in (Result.FAIL, Result.UNKNOWN) if one in found), Result.PASS)

    def breaks(self, fail_on: Severity) -> bool:
        """Whether it fails a pipeline that stops at this severity."""
        return self.result is Result.FAIL and self.rule.severity.is_at_least(fail_on)


@cache
def check_rules(path: Path = RULES_FILE) -> tuple[Rule, ...]:
    """The rules of the file, in its order."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    return tuple(Rule(**entry | {"severity": Severity(entry["severity"])}) for entry in raw["rules"])


def chosen_rules(ids: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules of these ids, all of them where none is given. CheckError for an id that is none."""
    rules = {rule.id: rule for rule in check_rules()}
    _known(ids, rules, "`--rule`")
    return tuple(rule for rule in rules.values() if not ids or rule.id in ids)


def checked_exemptions(exemptions: Mapping[str, Sequence[str]]) -> None:
    """CheckError where an exemption is of a rule that there is not: it would exempt nothing, in silence."""
    _known([name for name in exemptions if name != EVERY_RULE], check_rules_by_id(), "`check_exemptions`")


def check_rules_by_id() -> dict[str, Rule]:
    """The rules by id."""
    return {rule.id: rule for rule in check_rules()}


def outcome(rule: Rule, rows: Sequence[Row], exemptions: Mapping[str, Sequence[str]]) -> Outcome:
    """The rule's outcome without the rows that it exempts."""
    patterns = (*exemptions.get(EVERY_RULE, ()), *exemptions.get(rule.id, ()))
    kept = [row for row in rows if not _exempt(row, patterns)]
    kept.sort(key=lambda row: (row.result is not Result.FAIL, row.subject, row.detail))
    return Outcome(rule, tuple(kept), len(rows) - len(kept))


def _exempt(row: Row, patterns: Sequence[str]) -> bool:
    return any(pattern == row.account_id or text_matches(pattern, row.subject) for pattern in patterns)


def _known(ids: Sequence[str], rules: Mapping[str, Rule], where: str) -> None:
    for name in ids:
        if name not in rules:
            raise CheckError(f"{where}: there is no rule `{name[:60]}`; the rules are {', '.join(rules)}")
