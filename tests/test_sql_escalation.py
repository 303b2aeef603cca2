"""The SQL of escalation paths, rows in and rows out, and the rows that the step gives it."""

import json
from collections.abc import Iterator

import duckdb
import pytest

from analytics.findings.escalation.escalations import Escalations
from analytics.steps.escalation import path_rows, step_rows
from tests.builders import allow
from tests.estates import MANAGEMENT, arn, estate, identity, trusts
from tests.sql_tables import given, outcome


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_paths_keep_identity_position_target_and_actions(con: duckdb.DuckDBPyConnection) -> None:
    one = {"principal_arn": arn("b"), "path_id": "iam-005", "title": "t", "category": "self-escalation", "surely": True}
    counted = {"target": "administrator", "target_factor": 1.0, "strength": 1.0, "why": "so"}
    actions = '["iam:PutRolePolicy"]'
    given(
        con,
        "escalation_rows",
        {**one, **counted, "position": 1, "target_arn": None, "actions": actions},
        {**one, **counted, "position": 0, "target_arn": arn("b"), "actions": actions},
        {**one, **counted, "principal_arn": arn("a"), "position": 0, "target_arn": arn("b"), "actions": actions},
    )
    rows = outcome(con, "escalation")
    kept = [(row["principal_arn"], row["position"], row["target_arn"], json.loads(row["actions"])) for row in rows]
    assert kept == [
        (arn("a"), 0, arn("b"), ["iam:PutRolePolicy"]),
        (arn("b"), 0, arn("b"), ["iam:PutRolePolicy"]),
        (arn("b"), 1, None, ["iam:PutRolePolicy"]),
    ]
    assert {(row["strength"], row["surely"], row["why"]) for row in rows} == {(1.0, True, "so")}


def test_steps_keep_their_order_and_an_administrator_without_a_name(con: duckdb.DuckDBPyConnection) -> None:
    step = {"principal_arn": arn("a"), "actions": '["sts:AssumeRole"]', "surely": True, "path_id": "sts-001"}
    given(
        con,
        "escalation_step_rows",
        {**step, "step": 2, "from_arn": arn("b"), "to_arn": None},
        {**step, "step": 1, "from_arn": arn("a"), "to_arn": arn("b")},
    )
    rows = con.execute(f"{_table(con)} order by step").fetchall()
    assert rows == [(1, arn("a"), arn("b")), (2, arn("b"), None)]


def _table(con: duckdb.DuckDBPyConnection) -> str:
    outcome(con, "escalation_step")
    return "select step, from_arn, to_arn from escalation_step"


def test_the_rows_of_a_step_say_what_the_search_found(con: duckdb.DuckDBPyConnection) -> None:
    start = identity("start", allow("sts:AssumeRole"), account=MANAGEMENT)
    chief = identity("chief", allow("*"), trust=trusts(start.arn))
    found = Escalations(estate(start, chief))
    paths = path_rows([(start.arn, at, path) for at, path in enumerate(found.of(start))])
    steps = step_rows([(start.arn, at, step) for at, step in enumerate(found.route(start.arn), start=1)])
    assert paths.select(["principal_arn", "position", "path_id", "surely", "target_arn"]).to_pylist() == [
        {
            "principal_arn": start.arn,
            "position": 0,
            "path_id": "sts-001",
            "surely": True,
            "target_arn": chief.arn,
        }
    ]
    assert steps.to_pylist() == [
        {
            "principal_arn": start.arn,
            "step": 1,
            "from_arn": start.arn,
            "to_arn": chief.arn,
            "path_id": "sts-001",
            "actions": '["sts:AssumeRole"]',
            "surely": True,
        }
    ]
