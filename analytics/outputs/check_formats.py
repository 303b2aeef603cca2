"""Outcomes of the baseline as text for people, and as what pipelines read: SARIF 2.1.0 and JUnit.

SARIF: OASIS, "Static Analysis Results Interchange Format 2.1.0"; what cannot be told is of kind `review`, which no tool
counts as an alert. JUnit: a rule is a test case; one that cannot be told is skipped, never passed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import orjson

from analytics.findings.checks import Result, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.checks import Outcome, Row, Rule

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
}  # fmt: skip
# GitHub code scanning reads this number: over 9.0 critical, 7.0 high, 4.0 medium.
SECURITY_SEVERITY: Mapping[Severity, str] = {
    Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0",
}  # fmt: skip
MOST_ROWS = 40  # of a rule, for a person
_NUMBERS = re.compile(r"[0-9]+(?:[-.][0-9]+)*")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sarif(outcomes: Sequence[Outcome], build: Mapping[str, Any]) -> bytes:
    """One run; `build` is the object of the `--json` documents."""
    results = [_result(index, one.rule, row) for index, one in enumerate(outcomes) for row in one.rows]
    run = {
        "tool": {"driver": {"name": "Headroom", "rules": [_rule(one.rule) for one in outcomes]}},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "utf16CodeUnits",
        "properties": {"build": build, "exempt": {one.rule.id: one.exempt for one in outcomes}},
        "results": results,
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def junit(outcomes: Sequence[Outcome], build: Mapping[str, Any], fail_on: Severity = Severity.LOW) -> bytes:
    """One suite, a test case for each rule; the rows are the text of its failure.

    A rule that fails below `fail_on` passes, with its rows as output: the report agrees with the exit status.
    """
    counts = {
        "tests": str(len(outcomes)),
        "failures": str(sum(one.breaks(fail_on) for one in outcomes)),
        "errors": "0",
        "skipped": str(sum(one.result is Result.UNKNOWN for one in outcomes)),
    }
    suites = ET.Element("testsuites", {"name": "Headroom", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": f"baseline of build {_xml(build['id'])}", **counts})
    for one in outcomes:
        case = ET.SubElement(
            suite, "testcase", {"classname": f"headroom.{one.rule.severity}", "name": f"{one.rule.id} {one.rule.title}"}
        )
        if one.result is not Result.PASS:
            _tell(case, one, fail_on)
    made: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return made


def _tell(case: ET.Element, outcome: Outcome, fail_on: Severity) -> None:
    rule, rows = outcome.rule, sum(row.result is outcome.result for row in outcome.rows)
    message = f"{rows:,} rows. {rule.reason} {rule.remedy}"
    text = "\n".join(_xml(f"{row.result}: {row.subject}: {row.detail}") for row in outcome.rows)
    if outcome.result is Result.UNKNOWN:
        ET.SubElement(case, "skipped", {"message": message}).text = text
    elif outcome.breaks(fail_on):
        ET.SubElement(case, "failure", {"message": message, "type": rule.severity}).text = text
    else:
        found = ET.SubElement(case, "system-out")
        found.text = f"Fails, which counts from {fail_on} up and is {rule.severity} here: {message}\n{text}"


def table(outcomes: Sequence[Outcome], build: Mapping[str, Any]) -> bytes:
    """For a person: a line for each rule, below it the rows that fail or cannot be told."""
    window = build["window"]
    lines = [f"Build {build['id']}, window {window['start']} to {window['end']} ({window['days']} days), UTC"]
    for one in outcomes:
        exempt = f" ({one.exempt:,} exempt)" if one.exempt else ""
        lines.append(f"{one.result.upper():<8} {one.rule.severity:<9} {one.rule.id:<19} {one.rule.title}{exempt}")
        lines += [f"    {row.result:<8} {row.subject}: {row.detail}" for row in one.rows[:MOST_ROWS]]
        if len(one.rows) > MOST_ROWS:
            lines.append(f"    {len(one.rows) - MOST_ROWS:,} more rows; `--format json` has all {len(one.rows):,}")
        if one.result is Result.FAIL:
            lines.append(f"    {one.rule.reason} {one.rule.remedy}")
    return "\n".join(map(_printable, lines)).encode("utf-8", "replace") + b"\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title}. {rule.reason}"},
        "help": {"text": f"{rule.remedy} ({rule.source})"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "security-severity": SECURITY_SEVERITY[rule.severity],
            "tags": ["security", "iam", str(rule.severity)],
        },
    }


def _result(index: int, rule: Rule, row: Row) -> dict[str, Any]:
    """A row. There is no file to point at: the location is a path made of the ARN, which code scanning asks for."""
    fails = row.result is Result.FAIL
    return {
        "ruleId": rule.id,
        "ruleIndex": index,
        "kind": "fail" if fails else "review",
        "level": LEVELS[rule.severity] if fails else "none",
        "message": {"text": f"{_text(row.subject)}: {_text(row.detail)}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(_text(row.subject).replace(":", "/"), safe="/")}
                },
                "logicalLocations": [{"fullyQualifiedName": _text(row.subject), "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"headroom/v1": _fingerprint(rule, row)},
        "properties": {"account_id": row.account_id, "owner": row.owner},
    }


def _fingerprint(rule: Rule, row: Row) -> str:
    """The same from day to day: ages and dates in the sentence do not count."""
    told = f"{rule.id}\n{row.subject}\n{_NUMBERS.sub('', row.detail)}"
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
