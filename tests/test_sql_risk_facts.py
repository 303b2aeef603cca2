"""The SQL that keeps what scores are made from, rows in and rows out."""

from __future__ import annotations

import duckdb

from analytics.findings.risk.facts import RiskFacts
from analytics.findings.risk.kept import read_facts, write_facts
from tests.sql_tables import given, outcome

APP, IDLE = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/idle"


def test_the_facts_of_each_identity_come_out_as_they_went_in() -> None:
    held = {APP: RiskFacts(reveals=(3, 1), trust_classes=frozenset(["service", "vendor"])), IDLE: RiskFacts()}
    with duckdb.connect() as con:
        rows = [{"principal_arn": arn, "facts": write_facts(facts)} for arn, facts in held.items()]
        given(con, "risk_facts_rows", *rows)
        kept = {row["principal_arn"]: read_facts(row["facts"]) for row in outcome(con, "risk_facts")}
    assert kept == held
