"""What was planted in the sample is in the list and in the checks, and page, files and command line show one number."""

from __future__ import annotations

import csv
import functools
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from analytics.findings.checks import Result
from analytics.findings.drafts.drafter import Asked
from analytics.findings.drafts.size import compact
from analytics.outputs import queries
from analytics.outputs.checks import check
from analytics.outputs.matrix import drafter
from analytics.outputs.queries import Filters
from tests.demo_sample import built, sample
from tests.store_builder import write_store


@functools.cache
def con():
    return built().connect()


@functools.cache
def items() -> list[dict[str, Any]]:
    """The list as the page has it."""
    return listed(Filters(90))


def listed(filters: Filters) -> list[dict[str, Any]]:
    return queries.items(con(), filters=filters).to_dict("records")


def kinds_of(arn: str) -> set[str]:
    return {row["kind"] for row in items() if row["principal_arn"] == arn}


@functools.cache
def failing() -> dict[str, set[str]]:
    return {
        one.rule.id: {row.subject for row in one.rows if row.result is Result.FAIL} for one in check(con())
    }  # fmt: skip


ITEMS = {  # kind of truth -> items of which there is one for the planted, and none for the clean
    "over-broad-role": {"right-size"},
    "dormant-administrator": {"remove-dormant"},
    "unused-trust": {"narrow-trust", "remove-dormant"},
    "old-access-key": {"rotate-key", "delete-key"},
}
CHECKS = {
    "shadow-administrator": {"ADMIN-UNGUARDED"},
    "vendor-without-external-id": {"TRUST-EXTERNAL-ID"},
    "old-access-key": {"KEY-OLD"},
    "dormant-administrator": {"IDENTITY-UNUSED"},
    "unused-trust": {"TRUST-UNUSED"},
}


@pytest.mark.parametrize("kind", ITEMS)
def test_what_is_planted_has_an_item_and_what_is_clean_has_none(kind: str) -> None:
    for truth in sample().truths(kind, clean=False):
        assert kinds_of(truth["principal_arn"]) & ITEMS[kind], truth["id"]
    for truth in sample().truths(kind, clean=True):
        assert not kinds_of(truth["principal_arn"]) & ITEMS[kind], truth["id"]


@pytest.mark.parametrize("kind", CHECKS)
def test_what_is_planted_fails_a_check_and_what_is_clean_does_not(kind: str) -> None:
    for truth in sample().truths(kind, clean=False):
        assert any(truth["principal_arn"] in failing()[rule] for rule in CHECKS[kind]), truth["id"]
    for truth in sample().truths(kind, clean=True):
        assert not any(truth["principal_arn"] in failing()[rule] for rule in CHECKS[kind]), truth["id"]


def test_a_wildcard_subject_of_a_shared_issuer_fails_a_check() -> None:
    planted = {truth["principal_arn"] for truth in sample().truths("wildcard-oidc-subject", clean=False)}
    clean = {truth["principal_arn"] for truth in sample().truths("wildcard-oidc-subject", clean=True)}
    assert failing()["TRUST-OIDC-SUBJECT"]
    assert failing()["TRUST-OIDC-SUBJECT"] <= planted
    assert not failing()["TRUST-OIDC-SUBJECT"] & clean


def test_no_item_would_be_refused_by_aws() -> None:
    rows = con().execute(
        "select principals.kind, remediation.kind, commands, blocked_reason from remediation"
        " join principals using (principal_arn)"
    )  # fmt: skip
    for principal_kind, kind, commands, blocked in rows.fetchall():
        lines = json.loads(commands)
        assert bool(lines) is (blocked is None)
        assert principal_kind != "service-linked role"
        text = "\n".join(lines)
        assert ":iam::aws:policy/" not in "".join(line for line in lines if "create-policy-version" in line)
        if principal_kind == "sso role" and kind != "add-boundary":
            assert "aws iam" not in text


def test_a_rebuild_keeps_every_id_and_the_order(tmp_path: Path) -> None:
    store = write_store(tmp_path, builds=2)
    lists = []
    for path in sorted(store.folder.glob("builds/*.duckdb")):
        with duckdb.connect(str(path), read_only=True) as one:
            lists.append(one.execute("select item_id from remediation order by rank").fetchall())
    assert len(lists) == 2
    assert lists[0] == lists[1] != []


# --- gaps of the matrix


def gaps() -> list[dict[str, Any]]:
    return [row for row in items() if row["kind"] == "close-guardrail-gap"]


def test_the_gaps_that_one_policy_closes_are_one_item_at_the_highest_node() -> None:
    drafted = [row for row in gaps() if pd.isna(row["blocked_reason"])]
    assert [(row["target_kind"], row["account_name"]) for row in drafted] == [
        ("root", "ardenly-management"),
        ("account", "ardenly-management"),
    ]
    assert all(pd.isna(row[name]) for row in gaps() for name in ("principal_arn", "score_before", "calls_broken"))


def test_every_open_scenario_is_in_an_item_and_no_other_is() -> None:
    told = {
        (target, one["id"])
        for target, detail in con()
        .execute("select target, detail from remediation where kind = 'close-guardrail-gap'")
        .fetchall()
        for one in json.loads(detail)["scenarios"]
    }
    open_there = con().execute(
        "select target, scenario from coverage join scenarios on id = scenario where layer = 'best' and set = 'core'"
        " and coverage.severity in ('critical', 'high') and state in ('gap', 'partial')"
        " and (target_kind = 'root' or target_name = 'ardenly-management')"
    )
    assert told == set(open_there.fetchall())
    assert len(told) > 30


def test_an_item_removes_what_the_same_draft_would_remove() -> None:
    row = next(row for row in gaps() if row["target_kind"] == "root" and pd.isna(row["blocked_reason"]))
    full = queries.item(con(), item_id=row["item_id"])
    assert full is not None
    ids = tuple(one["id"] for one in full["detail"]["scenarios"])
    made = drafter(con(), built().folder).make(Asked(ids, row["target"], full["detail"]["layer"]))
    assert row["risk_removed"] == made.effect.risk_removed > 0
    assert json.loads(full["policy"]) == [compact(document) for document in made.draft.documents]


def test_the_filters_reach_an_item_about_a_target_by_its_own_place() -> None:
    (management,) = {row["target"] for row in gaps() if row["target_kind"] == "account"}

    def targets(**chosen: str) -> set[str]:
        return {row["target"] for row in listed(Filters(90, **chosen)) if row["kind"] == "close-guardrail-gap"}

    assert targets(account_id=management) == {management}
    assert targets(ou_path="Root") == {management, *(row["target"] for row in gaps())}
    assert targets(ou_path="Root/Prod") == targets(kind="role") == set()
    assert targets(search="IAM-13") == {row["target"] for row in gaps() if "IAM-13" in row["title"]} != set()


# --- one number everywhere


def exported(file_format: str) -> bytes:
    words = [sys.executable, "-m", "analytics", "export", "remediation", "--format", file_format, "--out", "-"]
    done = subprocess.run([*words, "--store", str(built().folder)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def from_csv(data: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def from_xlsx(data: bytes) -> list[dict[str, Any]]:
    header, *rows = openpyxl.load_workbook(io.BytesIO(data))["remediation"].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


READERS = {
    "csv": from_csv,
    "xlsx": from_xlsx,
    "json": lambda data: json.loads(data)["rows"],
    "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
}


@pytest.mark.filterwarnings("ignore:.*extension is not supported")  # openpyxl knows no data bars
@pytest.mark.parametrize("file_format", READERS)
def test_page_file_and_table_show_the_same_numbers(file_format: str) -> None:
    def number(value: Any) -> float | None:
        unknown = value is None or value == "" or value != value  # noqa: PLR0124  NaN
        return None if unknown else round(float(value), 1)

    def numbers(row: dict[str, Any]) -> tuple[Any, ...]:
        names = ("score_before", "score_after", "risk_removed", "calls_broken")
        return int(row["rank"]), row["item_id"], *(number(row[name]) for name in names)

    table = [
        dict(zip(("rank", "item_id", "score_before", "score_after", "risk_removed", "calls_broken"), row, strict=True))
        for row in con()
        .execute(
            "select rank, item_id, score_before, score_after, risk_removed, calls_broken from remediation order by rank"
        )
        .fetchall()
    ]
    expected = [numbers(row) for row in table]
    assert [numbers(row) for row in READERS[file_format](exported(file_format))] == expected
    assert [numbers(row) for row in items()] == expected


def test_the_score_before_is_the_score_of_the_identity() -> None:
    differing = con().execute(
        "select count(*) from remediation join risk using (principal_arn) where score_before <> score"
    )
    assert differing.fetchall() == [(0,)]


def test_the_markdown_has_a_section_for_every_item() -> None:
    text = exported("md").decode()
    sections = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(sections) == len(items())
