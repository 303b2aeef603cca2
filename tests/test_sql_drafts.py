"""The SQL of kept drafts, rows in and rows out."""

from __future__ import annotations

import json

import duckdb

from tests.sql_tables import given, outcome

ROW = {
    "name": "trail", "file": "trail.json", "layer": "scp", "target": "r-ab12", "target_name": "Root",
    "scenarios": '["LOG-01"]', "policies": 1, "characters": 240, "cells_closed": 3, "cells_open": 0,
    "open_scenarios": "[]", "risk_removed": 4.5, "identities_changed": 2, "calls_broken": None, "evaluated": True,
    "problem": None,
}  # fmt: skip


def test_every_kept_draft_has_a_row_and_a_file_that_is_none_has_its_problem() -> None:
    with duckdb.connect() as con:
        given(con, "draft_effect_rows", ROW, {"file": "x.json", "evaluated": False, "problem": "is not a draft"})
        good, bad = sorted(outcome(con, "draft_effects"), key=lambda row: row["file"])
    assert good == ROW
    assert json.loads(good["scenarios"]) == ["LOG-01"]
    assert {name: value for name, value in bad.items() if value is not None} == {
        "file": "x.json",
        "evaluated": False,
        "problem": "is not a draft",
    }
