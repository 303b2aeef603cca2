"""The SQL of the remediation list, rows in and rows out."""

from __future__ import annotations

import duckdb

from tests.sql_tables import given, outcome

ROW = {
    "item_id": "0123456789ab", "rank": 1, "principal_arn": "arn:aws:iam::111122223333:role/app", "kind": "right-size",
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
