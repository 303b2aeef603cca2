"""Scenarios: ours are read whole, and a team's own file says what is wrong with it in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.findings.scenarios import OWN_FILE, ScenarioError, chosen, load_scenarios, read_scenarios

OWN = """
scenarios:
- id: OWN-01
  title: Queues are emptied
  severity: high
  actions: ['sqs:PurgeQueue']
"""


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / OWN_FILE
    path.write_text(text, "utf-8")
    return path


def test_ours_are_55_of_which_40_are_core():
    every = load_scenarios()
    assert (len(every), len(chosen(every, extended=False)), len(chosen(every, extended=True))) == (55, 40, 55)
    assert every[0].id == "LOG-01"
    assert every[0].other_layers == ("boundary",)


def test_a_teams_scenario_stands_beside_ours_and_needs_four_fields(tmp_path: Path):
    own(tmp_path, OWN)
    scenario = load_scenarios(tmp_path)[-1]
    assert (scenario.id, scenario.actions, scenario.category, scenario.set) == (
        "OWN-01", ("sqs:PurgeQueue",), "own", "core"
    )  # fmt: skip


def test_a_teams_scenario_of_our_id_replaces_ours(tmp_path: Path):
    own(tmp_path, OWN.replace("OWN-01", "LOG-01"))
    found = load_scenarios(tmp_path)
    assert len(found) == 55
    assert next(one for one in found if one.id == "LOG-01").actions == ("sqs:PurgeQueue",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("severity: high", "severity: grave"), "`severity` is `grave`; it can be critical, high, medium"),
        (("  severity: high\n", ""), "the field `severity` is missing or empty"),
        (("sqs:PurgeQueue", "sqs:EmptyQueue"), "`sqs:EmptyQueue` is no action of the catalogue"),
        (("['sqs:PurgeQueue']", "sqs:PurgeQueue"), "`actions` is a list of texts"),
        (("title:", "titel:"), "unknown field `titel`"),
        (("Queues are emptied", "[1]"), "`title` is a text"),
        (("scenarios:", "rows:"), "needs a list `scenarios`"),
        (("- id: OWN-01", "- [id"), "is not readable YAML"),
        (("title: Queues", "probe_context: {aws:UserAgent: {beside: x}}\n  title: Queues"), "`aws:UserAgent` holds"),
        (("title: Queues", "probe_context: {aws:RequestedRegion: x}\n  title: Queues"), "`probe_context` goes with"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_file_and_scenario(tmp_path: Path, change: tuple[str, str], said: str):
    path = own(tmp_path, OWN.replace(*change))
    with pytest.raises(ScenarioError) as error:
        read_scenarios(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_id_stands_once(tmp_path: Path):
    path = own(tmp_path, OWN + OWN.partition("scenarios:\n")[2])
    with pytest.raises(ScenarioError, match="the id `OWN-01` stands twice"):
        read_scenarios(path)
