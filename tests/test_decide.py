"""Decision cases written as data: one JSON object a line, each with the section of the manual that it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analytics.engine.simulate import Simulator

FOLDER = Path(__file__).parent / "cases" / "decide"
CASES = [(file.stem, line) for file in sorted(FOLDER.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
SIMULATOR = Simulator()


@pytest.mark.parametrize(("topic", "line"), CASES, ids=[f"{topic}-{json.loads(line)['id']}" for topic, line in CASES])
def test_decision_case(topic, line):
    case = json.loads(line)
    decision = json.loads(SIMULATOR.answer(line).line)
    assert {field: decision.get(field) for field in case["expect"]} == case["expect"]


def test_there_are_cases_on_every_topic():
    topics = {topic for topic, _ in CASES}
    assert len(CASES) >= 250
    assert topics >= {"identity", "boundary", "session", "scp", "rcp", "cross_account", "trust", "kms", "unknown"}


def test_every_case_names_its_source_and_has_an_id_of_its_own():
    named = [(topic, json.loads(line)["id"]) for topic, line in CASES]
    assert len(set(named)) == len(named)
    assert all(json.loads(line)["source"] for _, line in CASES)
