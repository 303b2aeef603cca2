"""Published SCPs and RCPs at the root, beside FullAWSAccess: each flips what it is meant for, and nothing else.

The table names every cell that is not a gap. `meant_for`: the scenarios that the example is published for; a cell
beside these has its reason in `why`. Placeholders of the examples are filled in as an administrator would.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.iam.policy import parse_policy
from analytics.iam.stack import NamedPolicy
from tests.draft_world import LISTS, MANAGEMENT, ORGANIZATION, ROOT, role, world

TESTS = Path(__file__).parent
CASES = json.loads((TESTS / "cases" / "guardrails" / "published.json").read_text("utf-8"))
SETTINGS = GuardrailSettings(
    lists={
        **LISTS,
        "approved_regions": ("example-region-1", "example-region-2"),
        "approved_instance_types": ("t2.micro",),
    }
)
_PLACEHOLDER = re.compile(r"\$\{(Region|Account|Partition)\}|[<\[{]([A-Za-z][A-Za-z0-9_ -]*)[>\]}]")
_KNOWN = {"Partition": "aws", "Region": "*", "Account": "*", "my-org-id": ORGANIZATION, "org-id": ORGANIZATION}


def filled(text: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return _KNOWN.get(name) or ("464622532012" if "account" in name.lower() else name.lower().replace("_", "-"))

    return _PLACEHOLDER.sub(value, text)


def published() -> dict[str, str]:
    with gzip.open(TESTS / "data" / "policies" / "published.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {row["source"]: row["document"] for row in rows if row["source"].startswith(("scp/", "rcp/"))}


DOCUMENTS = published()


def states(layer: str, *documents: str) -> dict[str, str]:
    policies = [
        NamedPolicy(
            f"example-{number}",
            parse_policy(text, name="example"),
            f"arn:aws:organizations::{MANAGEMENT}:policy/{ORGANIZATION}/{layer}/p-{number}",
        )
        for number, text in enumerate(documents)
    ]
    estate = world(role("app"), **{f"{layer}s": {ROOT: policies}})
    cells = Guardrails(estate, load_scenarios(), SETTINGS).cells(ROOT)
    return {cell.scenario: cell.state.value for cell in cells if cell.layer == layer}


def stopped(found: dict[str, str]) -> dict[str, str]:
    return {scenario: state for scenario, state in found.items() if state not in ("gap", "not_applicable")}


def test_every_published_control_policy_has_its_line_in_the_table():
    assert {case["source"] for case in CASES} == set(DOCUMENTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["source"].rpartition("/")[2][-60:])
def test_an_example_flips_what_it_is_meant_for_and_nothing_else(case: dict):
    layer = case["source"].partition("/")[0]
    found = stopped(states(layer, filled(DOCUMENTS[case["source"]])))
    assert found == case["cells"]
    assert set(case["meant_for"]) <= set(found)
    assert case.get("why") or set(found) == set(case["meant_for"])


def test_an_organisation_with_full_access_only_has_gaps_only():
    assert stopped(states("scp")) == {}
    assert stopped(states("rcp")) == {}


def test_a_deny_of_everything_covers_everything():
    every = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'
    assert set(states("scp", every).values()) == {"covered", "not_applicable"}
    assert [scenario for scenario, state in states("scp", every).items() if state != "covered"] == ["IAM-13"]
