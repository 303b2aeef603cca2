"""A build held to the baseline: every rule with the rows that fail or cannot be told, as values and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.findings.checks import Outcome, Result, Row, Rule, Severity, checked_exemptions, chosen_rules, outcome
from analytics.findings.risk.weights import PRODUCTION, UNKNOWN_ENVIRONMENT, risk_weights
from analytics.outputs.check_questions import NOT_COLLECTED, QUESTIONS
from analytics.outputs.queries.build import build_info, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

TABLES = "select table_name from duckdb_tables() where database_name = current_database()"
ENVIRONMENTS = "select distinct environment as word from accounts where environment is not null order by 1"
_NOBODY = "this build has no snapshot, and so nothing to hold to a rule; give `build` one with `--snapshot`"
_LACKS = "the build in use has no table `{table}`, which this rule reads; run `python -m analytics build` again"


def check(
    con: DuckDBPyConnection,
    *,
    rules: Sequence[str] = (),
    exemptions: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Outcome, ...]:
    """The outcome of each rule, in the order of the file. CheckError for a rule that there is not."""
    chosen = chosen_rules(rules)
    checked_exemptions(exemptions or {})
    return tuple(outcome(rule, _rows(con, rule), exemptions or {}) for rule in chosen)


def failing(outcomes: Sequence[Outcome], fail_on: Severity) -> tuple[Outcome, ...]:
    """The rules for which a pipeline stops."""
    return tuple(one for one in outcomes if one.breaks(fail_on))


def check_document(con: DuckDBPyConnection, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What `check --json` prints."""
    return {
        "build": build_info(con).document(),
        "rules": [
            {
                "id": one.rule.id,
                "severity": str(one.rule.severity),
                "title": one.rule.title,
                "result": str(one.result),
                "reason": one.rule.reason,
                "remedy": one.rule.remedy,
                "source": one.rule.source,
                "exempt": one.exempt,
                "rows": [
                    {
                        "subject": row.subject,
                        "account_id": row.account_id,
                        "owner": row.owner,
                        "result": str(row.result),
                        "detail": row.detail,
                    }
                    for row in one.rows
                ],
            }
            for one in outcomes
        ],
    }


def _rows(con: DuckDBPyConnection, rule: Rule) -> list[Row]:
    if not build_info(con).has_snapshot:
        return [_unknown("build", _NOBODY)]
    question = QUESTIONS[rule.id]
    known = {row["table_name"] for row in records(con, TABLES)}
    lacking = [table for table in question.needs if table not in known]
    if lacking:
        return [_unknown("build", _LACKS.format(table=lacking[0]))]
    asked: dict[str, Any] = {"days": rule.days} if rule.days is not None else {}
    if question.by_environment:
        asked |= _environments(con)
    found = [*records(con, question.sql, asked), *records(con, NOT_COLLECTED)]
    return [Row(row["subject"], row["account_id"], row["owner"], Result(row["result"]), row["detail"]) for row in found]


def _environments(con: DuckDBPyConnection) -> dict[str, list[str]]:
    """The words of the accounts for production, and for what is known to be something else."""
    of_word = {row["word"]: risk_weights().environment_of(row["word"]) for row in records(con, ENVIRONMENTS)}
    return {
        "production": [word for word, found in of_word.items() if found == PRODUCTION],
        "elsewhere": [word for word, found in of_word.items() if found not in (PRODUCTION, UNKNOWN_ENVIRONMENT)],
    }


def _unknown(subject: str, sentence: str) -> Row:
    return Row(subject, None, None, Result.UNKNOWN, sentence)
