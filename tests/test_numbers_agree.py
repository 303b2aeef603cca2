"""Page, command line and export show the same number for the same identity, because they read the same tables."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from analytics.outputs import documents, queries
from analytics.outputs.check_questions import QUESTIONS
from analytics.outputs.queries import Filters, Quick
from analytics.outputs.queries.risk import identity_risk, identity_trust, identity_would_lower
from analytics.outputs.views import view_rows
from analytics.store import Store
from tests.store_builder import DEPLOY, DORMANT, GHOST, PEOPLE, Calls, write_store

ALL = Filters(90)
FACTORS = ("control_reach", "data_reach", "breadth", "unused", "exposure", "asset")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("agree"))


@pytest.fixture(scope="module")
def con(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    with store.connect() as connection:
        yield connection


def test_command_list_page_and_export_agree_on_order_score_band_and_factors(con: duckdb.DuckDBPyConnection) -> None:
    printed = documents.identities(con)["identities"]
    page = queries.identities(con, filters=ALL)
    file = view_rows(con, "identities", ALL)
    scored = page.dropna(subset=["score"])
    assert [row["principal_arn"] for row in printed if row["rank"]] == list(scored["principal_arn"])
    assert len(printed) == len(page) == len(file)
    for frame in (page, file):
        found = {row["principal_arn"]: row for row in frame.to_dict("records")}
        for row in printed:
            other = found[row["principal_arn"]]
            if row["score"] is None:
                assert math.isnan(other["score"])
                assert row["factors"] == dict.fromkeys(FACTORS)
                continue
            assert (row["rank"], row["score"], row["band"]) == (other["rank"], other["score"], other["band"])
            assert row["confidence"] == other["confidence"]
            assert row["factors"] == {name: other[f"{name}_points"] for name in FACTORS}
            assert round(sum(row["factors"].values()) + row["floor_points"], 1) == row["score"]


@pytest.mark.parametrize("person", [person for person in PEOPLE if person.in_snapshot], ids=lambda one: one.name[:12])
def test_show_says_what_the_page_of_an_identity_reads(con: duckdb.DuckDBPyConnection, person) -> None:
    shown = documents.show(con, person.arn)
    risk = identity_risk(con, principal_arn=person.arn)
    if "aws-service-role" in person.path:
        assert (risk, shown["identity"]["score"], shown["trust"], shown["would_lower"]) == (None, None, [], [])
        return
    assert risk is not None
    assert (shown["identity"]["score"], shown["identity"]["band"]) == (risk["score"], risk["band"])
    assert shown["identity"]["confidence_reasons"] == risk["confidence_reasons"]
    changes = identity_would_lower(con, principal_arn=person.arn)
    assert [(one["change"], one["score"]) for one in shown["would_lower"]] == [
        (one["title"], one["score_after"]) for one in changes
    ]
    assert all(one["score"] < risk["score"] for one in shown["would_lower"])
    ways = identity_trust(con, principal_arn=person.arn)
    assert [one["trust_class"] for one in shown["trust"]] == [one["trust_class"] for one in ways]
    assert risk["trust_class"] == ways[0]["trust_class"]
    assert risk["paths"] == len(shown["escalation"])


def test_the_history_counts_the_bands_of_the_risk_table(con: duckdb.DuckDBPyConnection) -> None:
    figures = dict(con.execute("select metric, value from history").fetchall())
    bands = queries.band_counts(con, filters=ALL)
    assert (figures["critical"], figures["high"]) == (bands["critical"], bands["high"])
    assert bands["critical"] >= 1


def run(store: Store, *arguments: str) -> str:
    command = [sys.executable, "-m", "analytics", *arguments, "--store", str(store.folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_command_line_prints_one_document_with_real_scores(store: Store, con: duckdb.DuckDBPyConnection) -> None:
    listed = json.loads(run(store, "identities", "--json"))
    scores = dict(con.execute("select principal_arn, score from risk").fetchall())
    assert {row["principal_arn"]: row["score"] for row in listed["identities"] if row["score"] is not None} == scores
    shown = json.loads(run(store, "show", DORMANT.arn, "--json"))
    assert shown["identity"]["score"] == scores[DORMANT.arn] == max(scores.values())
    assert next(row for row in listed["identities"] if row["principal_arn"] == GHOST.arn)["score"] is None


def test_a_person_reads_score_and_band(store: Store) -> None:
    table = run(store, "identities")
    assert "score" in table
    assert "critical" in table
    assert DEPLOY.name in table
    assert "factors" not in table


def test_a_person_reads_the_reasons_before_the_actions(store: Store) -> None:
    shown = run(store, "show", DORMANT.arn)
    headings = [line for line in shown.splitlines() if line in ("Would lower", "Trust", "Escalation", "Actions")]
    assert headings == ["Would lower", "Trust", "Escalation", "Actions"]
    assert "Drop the unused actions of iam" in shown
    assert "not proven" in shown


def test_list_page_and_rules_call_the_same_identities_dormant(tmp_path) -> None:
    """Calls that came before the window are no use in it."""
    long_ago = replace(DORMANT, calls=(Calls("ec2:DescribeInstances", 2, days_before=100),))
    with write_store(tmp_path, people=(*PEOPLE, long_ago)).connect() as con:
        page = set(queries.identities(con, filters=ALL, quick=Quick.DORMANT)["principal_arn"])
        removed = con.execute("select principal_arn from remediation where kind = 'remove-dormant'").fetchall()
        unused = con.execute(QUESTIONS["IDENTITY-UNUSED"].sql, {"days": 90}).fetchall()
    assert DORMANT.arn in page
    assert {arn for (arn,) in removed} == page
    assert page <= {subject for subject, *_rest in unused}


def test_without_a_snapshot_nobody_has_a_score(tmp_path) -> None:
    with write_store(tmp_path, snapshot=False).connect() as con:
        assert {row["score"] for row in documents.identities(con)["identities"]} == {None}
        for table in ("trust", "risk", "would_lower"):
            assert con.execute(f"select count(*) from {table}").fetchall() == [(0,)]
