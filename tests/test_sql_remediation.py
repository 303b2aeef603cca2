"""The SQL of the remediation list, rows in and rows out."""

from __future__ import annotations

import duckdb

from tests.sql_tables import given, outcome

ROW = {
    "item_id": "0123456789ab", "rank": 1, "principal_arn": "arn:aws:iam::111122223333:role/app", "target": None,
    "target_kind": None, "target_name": None, "kind": "right-size",
    "title": "Drop 3 actions", "detail": "{}", "score_before": 50.0, "score_after": 40.0, "risk_removed": 10.0,
    "calls_broken": 0, "owner": "pay", "evidence": '{"sentences":[]}', "commands": "[]", "policy": "{}",
    "blocked_reason": None, "priority": 10.0,
}  # fmt: skip


def test_every_item_is_kept_as_it_is_and_not_proven_stays_unknown() -> None:
    with duckdb.connect() as con:
        given(con, "remediation_rows", ROW, ROW | {"item_id": "ffff", "rank": 2, "calls_broken": None})
        first, second = sorted(outcome(con, "remediation"), key=lambda row: row["rank"])
    assert first == ROW
    assert (second["item_id"], second["calls_broken"]) == ("ffff", None)


def test_an_item_about_a_target_has_no_identity_and_no_score_of_its_own() -> None:
    about = {"principal_arn": None, "target": "r-1", "target_kind": "root", "target_name": "Root"}
    nothing = dict.fromkeys(("score_before", "score_after", "risk_removed", "calls_broken"))
    row = ROW | about | nothing | {"kind": "close-guardrail-gap"}
    with duckdb.connect() as con:
        given(con, "remediation_rows", row)
        assert outcome(con, "remediation") == [row]
