"""The SQL of the guardrail matrix, rows in and rows out."""

from __future__ import annotations

import json

import duckdb

from tests.sql_tables import given, outcome

SCENARIO = {
    "id": "LOG-01", "title": "Audit trail", "category": "logging_detection", "set": "core", "severity": "critical",
    "actions": '["cloudtrail:StopLogging"]', "principal": "any", "resource": "any", "guardrail_shape": "deny_always",
    "best_layer": "scp", "other_layers": "[]", "mitre": '["T1562.008"]', "why": "Evidence.", "usual_exemptions": "[]",
    "note": None, "position": 1,
}  # fmt: skip
CELL = {
    "scenario": "LOG-01", "severity": "critical", "category": "logging_detection", "target": "ou-1",
    "target_kind": "ou", "target_name": "Prod", "target_path": "Root/Prod", "layer": "scp", "state": "gap",
    "single_layer": False, "best_layer_of": None, "principals": None, "stopped": None, "statements": "[]",
    "missing_actions": '["cloudtrail:StopLogging"]', "open_actions": '["cloudtrail:StopLogging"]',
    "exemptions": "[]", "note": None, "can_act": 3, "did_act": None,
}  # fmt: skip


def test_scenarios_keep_their_order_and_their_lists() -> None:
    with duckdb.connect() as con:
        given(con, "scenario_rows", SCENARIO, SCENARIO | {"id": "OWN-1", "position": 0})
        rows = outcome(con, "scenarios")
    assert [row["id"] for row in sorted(rows, key=lambda row: row["position"])] == ["OWN-1", "LOG-01"]
    assert json.loads(rows[0]["actions"]) == ["cloudtrail:StopLogging"]


def test_a_cell_is_a_row_and_what_is_not_known_stays_null() -> None:
    with duckdb.connect() as con:
        given(con, "coverage_rows", CELL, CELL | {"layer": "boundary", "principals": 4, "stopped": 1})
        rows = {row["layer"]: row for row in outcome(con, "coverage")}
    assert rows["scp"] == CELL
    assert (rows["boundary"]["stopped"], rows["boundary"]["principals"]) == (1, 4)
    assert rows["scp"]["did_act"] is None
