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
import pyarrow.parquet as pq
import pytest

from analytics.findings.checks import Result
from analytics.outputs import queries
from analytics.outputs.checks import check
from analytics.outputs.queries import Filters
from tests.demo_sample import built, sample
from tests.store_builder import write_store


@functools.cache
def con():
    return built().connect()


@functools.cache
def items() -> dict[tuple[str, str], dict[str, Any]]:
    """The list as the page has it."""
    rows = queries.items(con(), filters=Filters(90)).to_dict("records")
    return {(row["principal_arn"], row["kind"]): row for row in rows}


def kinds_of(arn: str) -> set[str]:
    return {kind for of, kind in items() if of == arn}


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
    def numbers(row: dict[str, Any]) -> tuple[Any, ...]:
        broken = row["calls_broken"]
        scores = tuple(round(float(row[name]), 1) for name in ("score_before", "score_after", "risk_removed"))
        unproven = broken is None or broken == "" or broken != broken  # noqa: PLR0124  NaN
        return int(row["rank"]), row["item_id"], *scores, None if unproven else int(broken)

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
    assert [numbers(row) for row in items().values()] == expected


def test_the_score_before_is_the_score_of_the_identity() -> None:
    differing = con().execute(
        "select count(*) from remediation join risk using (principal_arn) where score_before <> score"
    )
    assert differing.fetchall() == [(0,)]


def test_the_markdown_has_a_section_for_every_item() -> None:
    text = exported("md").decode()
    sections = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(sections) == len(items())
