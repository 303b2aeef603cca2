# ruff: noqa: E501  a case stands on one line
"""The baseline rules: each fails on what it names, passes what is clean, and never passes what cannot be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from analytics.cli import app
from analytics.findings.checks import RULES_FILE, CheckError, Outcome, Result, Row, Severity, check_rules, outcome
from analytics.outputs.check_formats import junit, sarif, table
from analytics.outputs.check_questions import QUESTIONS
from analytics.outputs.checks import check, check_document, failing

ARN = "arn:aws:iam::111122223333:role/app"
USER = "arn:aws:iam::111122223333:user/ann"
ROOT = "arn:aws:iam::111122223333:root"
TAKEN = "2026-11-20 06:00:00"
TABLES = {
    "build": """id varchar, created_at timestamp, window_start date, window_end date, window_days integer, catalogue varchar,
        weights varchar, snapshot_taken_at timestamp, events bigint, first_event timestamp, last_event timestamp,
        has_snapshot boolean, has_organization boolean, format integer""",
    "windows": "window_days integer, window_start date, window_end date",
    "snapshot": "taken_at timestamp, organization_id varchar",
    "accounts": "account_id varchar, collected varchar, reason varchar, days_covered integer, environment varchar",
    "coverage": "scenario varchar, target varchar, target_kind varchar, layer varchar, state varchar",
    "scenarios": "id varchar, title varchar, severity varchar, set varchar",
    "principals": """principal_arn varchar, name varchar, kind varchar, account_id varchar, owner varchar, tags varchar,
        boundary_arn varchar, in_snapshot boolean, created timestamp, last_used timestamp, policies_not_collected integer""",
    "credentials": "principal_arn varchar, password_enabled boolean, mfa_active boolean",
    "access_keys": "principal_arn varchar, position integer, active boolean, created timestamp, last_used timestamp",
    "trust": """principal_arn varchar, position integer, party varchar, kind varchar, party_name varchar, trust_class varchar,
        conditions json, surely boolean, seen_calls bigint""",
    "risk": "principal_arn varchar, score double, band varchar, administrator varchar",
    "escalation_step": "principal_arn varchar, step integer, surely boolean",
}
USUAL = {
    "build": {"id": "b1", "created_at": TAKEN, "window_start": "2026-08-25", "window_end": "2026-11-22", "window_days": 90,
        "catalogue": "c", "weights": "w", "events": 1, "has_snapshot": True, "has_organization": True, "format": 1},
    "windows": {"window_days": 90, "window_start": "2026-08-25", "window_end": "2026-11-22"},
    "snapshot": {"taken_at": TAKEN, "organization_id": "o-1"},
    "accounts": {"account_id": "111122223333", "collected": "ok", "days_covered": 90, "environment": "prod"},
    "coverage": {"scenario": "S-1", "target": "111122223333", "target_kind": "account", "layer": "best", "state": "covered"},
    "scenarios": {"id": "S-1", "title": "Logs go", "severity": "critical", "set": "core"},
    "principals": {"principal_arn": ARN, "name": "app", "kind": "role", "account_id": "111122223333", "owner": "pay", "tags": "{}",
        "in_snapshot": True, "created": "2024-01-01", "last_used": "2026-11-19", "policies_not_collected": 0},
    "credentials": {"principal_arn": ROOT, "mfa_active": True},
    "access_keys": {"principal_arn": USER, "position": 1, "active": True, "created": "2026-11-01"},
    "trust": {"principal_arn": ARN, "position": 0, "party": "lambda.amazonaws.com", "kind": "service", "trust_class": "service",
        "conditions": "[]", "surely": True, "seen_calls": 9},
    "risk": {"principal_arn": ARN, "score": 20.0, "band": "low"},
    "escalation_step": {"principal_arn": ARN, "step": 1, "surely": True},
}  # fmt: skip
ONE_OF_EACH = (
    "build",
    "windows",
    "snapshot",
    "accounts",
    "principals",
    "credentials",
    "trust",
    "risk",
    "coverage",
    "scenarios",
)
USER_ROW = {"principal_arn": USER, "name": "ann", "kind": "user"}
ADMIN = {"administrator": "surely", "band": "high", "score": 60.0}
MFA = {"conditions": '["aws:MultiFactorAuthPresent is true"]', "kind": "account", "trust_class": "same_account"}
VENDOR = {"party": "arn:aws:iam::999988887777:root", "kind": "account", "party_name": "Vendor", "trust_class": "vendor"}
OLD, LONG_AGO = "2026-01-01", {"last_used": "2026-01-01"}

World = dict[str, list[dict[str, Any]]]


def world(**changes: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A build of one clean role; the rows of a table stand in the place of the usual one."""
    con = duckdb.connect()
    for name, columns in TABLES.items():
        con.execute(f"create table {name} ({columns})")
        for row in changes.get(name, [{}] if name in ONE_OF_EACH else []):
            values = USUAL[name] | row
            con.execute(
                f"insert into {name} ({', '.join(values)}) values ({', '.join(f'${one}' for one in values)})", values
            )
    return con


def users(credentials: list[dict[str, Any]], keys: list[dict[str, Any]] | None = None, **fields: Any) -> World:
    """One user, with lines of the credential report beside the root user's."""
    return {
        "principals": [USER_ROW | fields], "credentials": [{}, *({"principal_arn": USER} | one for one in credentials)],
        "access_keys": keys or [], "trust": [], "risk": [{"principal_arn": USER}],
    }  # fmt: skip


FAILS: list[tuple[str, World, str]] = [
    ("ADMIN-UNGUARDED", {"risk": [ADMIN]}, "an administrator, without MFA and without a permissions boundary"),
    ("ADMIN-UNGUARDED", {"risk": [ADMIN], "trust": [MFA, {"position": 1}]}, "an administrator, without MFA and without a permissions boundary"),
    ("ADMIN-UNGUARDED", {"risk": [ADMIN], "trust": [MFA | {"conditions": '["aws:MultiFactorAuthPresent is true, or is absent"]'}]}, "an administrator, without MFA and without a permissions boundary"),
    ("ADMIN-UNGUARDED", users([{"mfa_active": False}]) | {"risk": [ADMIN | {"principal_arn": USER}]}, "an administrator, without MFA and without a permissions boundary"),
    ("TRUST-ANYONE", {"trust": [{"trust_class": "anyone", "party": "*"}]}, "* may become it"),
    ("ROOT-KEY", {"access_keys": [{"principal_arn": ROOT}]}, "an access key of the root user is active"),
    ("ROOT-MFA", {"credentials": [{"mfa_active": False}]}, "the root user has no MFA"),
    ("TRUST-EXTERNAL-ID", {"trust": [VENDOR]}, "arn:aws:iam::999988887777:root (Vendor) may become it without an ExternalId"),
    ("TRUST-EXTERNAL-ID", {"trust": [VENDOR | {"trust_class": "unknown_account", "party_name": None}]}, "arn:aws:iam::999988887777:root may become it without an ExternalId"),
    ("TRUST-OIDC-SUBJECT", {"trust": [{"trust_class": "oidc_any_subject", "kind": "oidc", "party": "idp", "party_name": "GitHub"}]}, "any subject of idp (GitHub) may become it"),
    ("WORKLOAD-ADMIN", {"risk": [ADMIN], "trust": [{"trust_class": "compute_service"}]}, "lambda.amazonaws.com runs code as this administrator"),
    ("WORKLOAD-ADMIN", {"trust": [{"trust_class": "compute_service"}], "escalation_step": [{}, {"step": 2}]}, "lambda.amazonaws.com runs code as it, and it reaches an administrator in 2 steps"),
    ("OWNER-MISSING", {"risk": [ADMIN], "principals": [{"owner": None}]}, "no owner is known; risk high, score 60.0"),
    ("CONSOLE-MFA", users([{"password_enabled": True, "mfa_active": False}]), "has a password and no MFA"),
    ("KEY-OLD", users([{}], [{"created": OLD}, {"position": 2, "active": False, "created": OLD}]), "access key 1 is 323 days old"),
    ("IDENTITY-UNUSED", {"principals": [LONG_AGO]}, "last used on 2026-01-01"),
    ("IDENTITY-UNUSED", {"principals": [{"last_used": None}]}, "no use is known; made on 2024-01-01"),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "gap"}]}, "S-1 (Logs go) is open"),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "partial"}], "accounts": [{"environment": "core-banking"}]}, "S-1 (Logs go) is open"),
    ("TRUST-UNUSED", {"trust": [VENDOR | {"seen_calls": 0}]}, "arn:aws:iam::999988887777:root (Vendor) never came in the window"),
]  # fmt: skip
NOT_TOLD: list[tuple[str, World]] = [
    ("ADMIN-UNGUARDED", {"risk": [ADMIN | {"administrator": "maybe"}]}),
    ("ADMIN-UNGUARDED", {"risk": [ADMIN], "trust": [{"kind": "saml", "trust_class": "federated"}]}),
    ("ADMIN-UNGUARDED", users([]) | {"risk": [ADMIN | {"principal_arn": USER}]}),
    ("ADMIN-UNGUARDED", {"principals": [{"policies_not_collected": 1}]}),
    ("TRUST-ANYONE", {"trust": [{"trust_class": "anyone", "party": "*", "surely": False}]}),
    ("ROOT-KEY", {"credentials": []}),
    ("ROOT-MFA", {"credentials": []}),
    ("ROOT-MFA", {"credentials": [{"mfa_active": None}]}),
    ("TRUST-EXTERNAL-ID", {"trust": [VENDOR | {"trust_class": "unknown_account"}], "snapshot": [{"organization_id": None}]}),
    ("WORKLOAD-ADMIN", {"trust": [{"trust_class": "compute_service"}], "escalation_step": [{"surely": False}]}),
    ("WORKLOAD-ADMIN", {"trust": [{"trust_class": "compute_service"}], "principals": [{"policies_not_collected": 2}]}),
    ("OWNER-MISSING", {"risk": [ADMIN], "principals": [{"owner": None, "tags": None}]}),
    ("CONSOLE-MFA", users([])),
    ("CONSOLE-MFA", users([{"password_enabled": True, "mfa_active": None}])),
    ("KEY-OLD", users([])),
    ("KEY-OLD", users([{}], [{"created": None}])),
    ("IDENTITY-UNUSED", {"principals": [{"last_used": None}], "accounts": [{"days_covered": 0}]}),
    ("IDENTITY-UNUSED", {"principals": [{"last_used": None, "created": None}]}),
    ("TRUST-UNUSED", {"trust": [VENDOR | {"seen_calls": None}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "unknown"}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "gap"}], "accounts": [{"environment": None}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "gap"}], "accounts": [{"environment": "unknown"}]}),
    ("GUARDRAIL-OPEN", {"coverage": []}),
]  # fmt: skip
CLEAN: list[tuple[str, World]] = [
    *((rule, {}) for rule in QUESTIONS),
    ("ADMIN-UNGUARDED", {"risk": [ADMIN], "principals": [{"boundary_arn": "arn:aws:iam::111122223333:policy/b"}]}),
    ("ADMIN-UNGUARDED", {"risk": [ADMIN], "trust": [MFA]}),
    ("ADMIN-UNGUARDED", users([{"mfa_active": True}]) | {"risk": [ADMIN | {"principal_arn": USER}]}),
    ("TRUST-EXTERNAL-ID", {"trust": [VENDOR | {"trust_class": "vendor_external_id"}]}),
    ("CONSOLE-MFA", users([{"password_enabled": False, "mfa_active": False}])),
    ("CONSOLE-MFA", users([{"password_enabled": True, "mfa_active": True}])),
    ("KEY-OLD", users([{}], [{}, {"position": 2, "active": False, "created": OLD}])),
    ("IDENTITY-UNUSED", {"principals": [{"last_used": None, "created": "2026-11-01"}]}),
    ("OWNER-MISSING", {"principals": [{"owner": None}]}),
    ("TRUST-UNUSED", {"trust": [{"seen_calls": 0}]}),  # a service within the account is nobody from outside
    ("WORKLOAD-ADMIN", {"risk": [ADMIN]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "conditional"}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "gap"}], "accounts": [{"environment": "Sandbox"}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{"state": "gap"}], "scenarios": [{"severity": "high"}, {"id": "S-2"}]} | {"coverage": [{"state": "gap"}, {"scenario": "S-2"}]}),
    ("GUARDRAIL-OPEN", {"coverage": [{}, {"layer": "scp", "state": "gap"}, {"target": "r-1", "target_kind": "root", "state": "gap"}]}),
]  # fmt: skip


def only(con: duckdb.DuckDBPyConnection, rule: str, **exemptions: list[str]) -> Outcome:
    (found,) = check(con, rules=[rule], exemptions=exemptions)
    return found


@pytest.mark.parametrize(("rule", "changes", "detail"), FAILS)
def test_a_rule_fails_on_what_it_names(rule: str, changes: World, detail: str) -> None:
    found = only(world(**changes), rule)
    assert found.result is Result.FAIL
    assert [row.detail for row in found.rows if row.result is Result.FAIL] == [detail]


@pytest.mark.parametrize(("rule", "changes"), NOT_TOLD)
def test_what_cannot_be_told_is_unknown_and_does_not_pass(rule: str, changes: World) -> None:
    assert only(world(**changes), rule).result is Result.UNKNOWN


@pytest.mark.parametrize(("rule", "changes"), CLEAN)
def test_a_rule_passes_what_is_clean(rule: str, changes: World) -> None:
    assert only(world(**changes), rule).rows == ()


def test_every_rule_has_a_question_and_a_case_that_fails_it() -> None:
    ids = [rule.id for rule in check_rules()]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(QUESTIONS) == {rule for rule, _changes, _detail in FAILS}
    assert {rule for rule, _changes in NOT_TOLD} >= set(ids) - {"TRUST-OIDC-SUBJECT"}
    assert yaml.safe_load(RULES_FILE.read_text("utf-8"))["rules"][0].keys() >= {"reason", "remedy", "source"}
    assert all((rule.days is not None) == ("$days" in QUESTIONS[rule.id].sql) for rule in check_rules())


def test_an_identity_that_aws_alone_changes_is_no_rules_business() -> None:
    con = world(principals=[LONG_AGO | {"kind": "service-linked role", "owner": None}], risk=[ADMIN])
    assert {one.result for one in check(con)} == {Result.PASS}


@pytest.mark.parametrize("rule", list(QUESTIONS))
def test_no_rule_passes_while_an_account_is_not_collected(rule: str) -> None:
    con = world(accounts=[{}, {"account_id": "444455556666", "collected": "failed", "reason": "denied"}])
    found = only(con, rule)
    assert found.result is Result.UNKNOWN
    assert found.rows[-1].detail == "its identities are not in the snapshot (denied)"


@pytest.mark.parametrize("rule", list(QUESTIONS))
def test_without_a_snapshot_nothing_can_be_told(rule: str) -> None:
    assert only(world(build=[{"has_snapshot": False}]), rule).result is Result.UNKNOWN


def test_a_build_that_lacks_a_table_is_unknown_to_the_rules_that_read_it() -> None:
    con = world()
    con.execute("drop table trust")
    results = {one.rule.id: one.result for one in check(con)}
    assert {rule for rule, result in results.items() if result is Result.UNKNOWN} == {
        rule for rule, question in QUESTIONS.items() if "trust" in question.needs
    }


@pytest.mark.parametrize(
    ("exemptions", "result"),
    [
        ({"IDENTITY-UNUSED": ["arn:aws:iam::*:role/app"]}, Result.PASS),
        ({"IDENTITY-UNUSED": ["111122223333"]}, Result.PASS),
        ({"*": ["*:role/a?p"]}, Result.PASS),
        ({"KEY-OLD": ["*"]}, Result.FAIL),
        ({"IDENTITY-UNUSED": ["arn:aws:iam::*:role/[a]pp", "app", "11112222333"]}, Result.FAIL),
    ],
)
def test_an_exemption_is_a_pattern_and_is_counted(exemptions: dict[str, list[str]], result: Result) -> None:
    (found,) = check(world(principals=[LONG_AGO]), rules=["IDENTITY-UNUSED"], exemptions=exemptions)
    assert found.result is result
    assert found.exempt == (result is Result.PASS)


def test_rules_that_there_are_not_are_named() -> None:
    with pytest.raises(CheckError, match="`--rule`: there is no rule `KEY-YOUNG`; the rules are ADMIN-UNGUARDED, "):
        check(world(), rules=["KEY-YOUNG"])
    with pytest.raises(CheckError, match="`check_exemptions`: there is no rule `KEYOLD`"):
        check(world(), exemptions={"KEYOLD": ["*"]})


@pytest.mark.parametrize(
    ("severity", "fail_on", "breaks"),
    [("critical", "high", True), ("high", "high", True), ("medium", "high", False), ("high", "critical", False), ("low", "low", True)],
)  # fmt: skip
def test_a_rule_breaks_a_pipeline_at_its_severity_or_below(severity: str, fail_on: str, *, breaks: bool) -> None:
    rule = next(one for one in check_rules() if one.severity == severity) if severity != "low" else None
    if rule is None:
        rule = type(check_rules()[0])("X", Severity.LOW, "t", "r", "m", "s")
    for result in Result:
        rows = [Row(ARN, None, None, result, "x")] if result is not Result.PASS else []
        found = outcome(rule, rows, {})
        assert bool(failing([found], Severity(fail_on))) is (breaks and result is Result.FAIL)


# --- formats

HOSTILE = 'arn:aws:iam::111122223333:user/<img src=x>\x00\x1b]8;;&"\ud800\ufffe日本'


def outcomes() -> tuple[Outcome, ...]:
    rules = {rule.id: rule for rule in check_rules()}
    return (
        outcome(
            rules["KEY-OLD"], [Row(HOSTILE, "111122223333", "pay", Result.FAIL, "access key 1 is 91 days old")], {}
        ),
        outcome(rules["ROOT-MFA"], [Row("account 1", "1", None, Result.UNKNOWN, "no report")], {}),
        outcome(rules["CONSOLE-MFA"], [], {}),
    )


BUILD = {"id": "b1", "window": {"start": "2026-08-25", "end": "2026-11-22", "days": 90}}


def test_sarif_has_what_the_standard_requires() -> None:
    document = json.loads(sarif(outcomes(), BUILD))
    assert (document["version"], document["$schema"].endswith("sarif-2.1.0.json")) == ("2.1.0", True)
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "Headroom"
    assert [rule["id"] for rule in driver["rules"]] == ["KEY-OLD", "ROOT-MFA", "CONSOLE-MFA"]
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    failed, unknown = run["results"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["kind"] in {"notApplicable", "pass", "fail", "review", "open", "informational"}
        assert result["level"] in {"none", "note", "warning", "error"}
        assert (result["level"] == "none") == (result["kind"] != "fail")  # 3.27.10
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not set(uri) & set(' <>"\x00\x1b\\^`{|}:')
        assert all(isinstance(one, str) for one in result["partialFingerprints"].values())
    assert (failed["kind"], unknown["kind"]) == ("fail", "review")
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_a_finding_keeps_its_fingerprint_while_it_ages() -> None:
    rule = next(rule for rule in check_rules() if rule.id == "KEY-OLD")

    def fingerprint(detail: str) -> str:
        found = outcome(rule, [Row(USER, None, None, Result.FAIL, detail)], {})
        return json.loads(sarif([found], BUILD))["runs"][0]["results"][0]["partialFingerprints"]["headroom/v1"]

    assert fingerprint("access key 1 is 91 days old") == fingerprint("access key 1 is 92 days old")
    assert fingerprint("access key 1 is 91 days old") != fingerprint("has a password and no MFA")


def test_junit_counts_failures_and_skips_what_cannot_be_told() -> None:
    suites = ET.fromstring(junit(outcomes(), BUILD))
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    failed, skipped, passed = suite
    assert [case.get("name", "").split()[0] for case in suite] == ["KEY-OLD", "ROOT-MFA", "CONSOLE-MFA"]
    assert [child.tag for child in failed] == ["failure"]
    assert "<img src=x>" in (failed[0].text or "")
    assert [child.tag for child in skipped] == ["skipped"]
    assert list(passed) == []


def test_junit_fails_only_where_the_exit_status_does() -> None:
    """KEY-OLD is of medium severity."""
    for fail_on, tag, failures in ((Severity.MEDIUM, "failure", "1"), (Severity.HIGH, "system-out", "0")):
        (suite,) = ET.fromstring(junit(outcomes(), BUILD, fail_on))
        assert suite.get("failures") == failures
        assert [child.tag for child in suite[0]] == [tag]
        assert "<img src=x>" in (suite[0][0].text or "")


def test_a_person_reads_lines_that_steer_no_terminal() -> None:
    text = table(outcomes(), BUILD).decode()
    assert "FAIL     medium    KEY-OLD" in text
    assert "UNKNOWN  critical  ROOT-MFA" in text
    assert "PASS     high      CONSOLE-MFA" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_the_document_has_the_fields_that_scripts_rely_on() -> None:
    con = world(principals=[LONG_AGO])
    document = check_document(con, check(con))
    assert document["build"].keys() == {"id", "created_at", "window", "catalogue", "weights"}
    assert {rule["result"] for rule in document["rules"]} == {"pass", "fail"}
    (failed,) = (rule for rule in document["rules"] if rule["result"] == "fail")
    assert (failed["id"], failed["severity"]) == ("IDENTITY-UNUSED", "medium")
    assert failed["rows"] == [
        {
            "subject": ARN,
            "account_id": "111122223333",
            "owner": "pay",
            "result": "fail",
            "detail": "last used on 2026-01-01",
        }
    ]


# --- the command


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    (folder / "builds").mkdir()
    con = world(**users([{"password_enabled": True, "mfa_active": False}], [{"created": OLD}]))
    path = folder / "builds" / "20261122T060000-0a1b2c.duckdb"
    con.execute(f"attach '{path}' as kept")
    con.execute("copy from database memory to kept")
    con.close()
    (folder / "CURRENT").write_text("20261122T060000-0a1b2c")
    return folder


def run(store: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["check", "--store", str(store), *words])


def test_the_command_exits_1_with_the_rows_when_a_rule_as_severe_fails(store: Path) -> None:
    found = run(store)
    assert found.exit_code == 1
    assert f"fail     {USER}: has a password and no MFA" in found.stdout
    assert run(store, "--fail-on", "critical").exit_code == 0
    assert run(store, "--rule", "KEY-OLD").exit_code == 0
    assert run(store, "--rule", "KEY-OLD", "--fail-on", "medium").exit_code == 1


def test_json_is_the_only_thing_on_stdout(store: Path) -> None:
    for option in (["--json"], ["--format", "json"]):
        found = run(store, *option)
        assert found.exit_code == 1
        assert {rule["id"] for rule in json.loads(found.stdout)["rules"]} == set(QUESTIONS)


def test_files_are_written_whole_whatever_the_exit_status(store: Path, tmp_path: Path) -> None:
    for name, readable in (("sarif", json.loads), ("junit", ET.fromstring)):
        out = tmp_path / name
        assert run(store, "--format", name, "--out", str(out)).exit_code == 1
        assert readable(out.read_bytes()) is not None
    assert {path.name for path in tmp_path.iterdir()} == {"sarif", "junit"}


def test_exemptions_come_from_the_stores_settings_or_from_a_file(store: Path, tmp_path: Path) -> None:
    given = tmp_path / "ours.toml"
    given.write_text('[check_exemptions]\n"CONSOLE-MFA" = ["arn:aws:iam::*:user/ann"]\n')
    assert run(store, "--settings", str(given)).exit_code == 0
    assert "(1 exempt)" in run(store, "--settings", str(given)).stdout


@pytest.mark.parametrize("words", [["--fail-on", "terrible"], ["--format", "pdf"]])
def test_bad_usage_is_one_sentence_and_exit_2(store: Path, words: list[str]) -> None:
    found = run(store, *words)
    assert found.exit_code == 2
    assert f"`{words[0]}` must be one of " in found.stderr
