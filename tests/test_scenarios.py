"""Scenarios: ours are read whole, and a team's own file says what is wrong with it in one sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from analytics.findings.guardrails.scenarios import OWN_FILE, chosen, load_scenarios, own_scenarios
from analytics.settings import Settings
from analytics.steps.guardrails import note_scenarios

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


PROBE = "guardrail_shape: deny_when_condition\n  probe_context: "
SECOND = "- {id: OWN-02, title: Queues are made, severity: medium, actions: ['sqs:CreateQueue']}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: high", "severity: grave", "`severity` is `grave`; it can be critical, high, medium"),
        ("  severity: high\n", "", "the field `severity` is missing or empty"),
        ("sqs:PurgeQueue", "sqs:EmptyQueue", "`sqs:EmptyQueue` is no action of the catalogue"),
        ("['sqs:PurgeQueue']", "sqs:PurgeQueue", "`actions` is a list of texts"),
        ("['sqs:PurgeQueue']", "[]", "the field `actions` is missing or empty"),
        ("title:", "titel:", "unknown field `titel`"),
        ("Queues are emptied", "[1]", "`title` is a text"),
        ("Queues are emptied", "' '", "`title` is a text"),
        ("OWN-01", "7", "`id` is a text"),
        ("title: Queues", "other_layers: [scps]\n  title: Queues", "`other_layers` names `scps`"),
        ("title: Queues", "probe_context: {aws:RequestedRegion: x}\n  title: Queues", "`probe_context` goes with"),
        ("title: Queues", f"{PROBE}{{aws:UserAgent: {{beside: x}}}}\n  title: Queues", "`aws:UserAgent` holds"),
        ("title: Queues", f"{PROBE}{{aws:UserAgent: {{outside: [x]}}}}\n  title: Queues", "`aws:UserAgent` holds"),
        ("title: Queues", f"{PROBE}{{aws:UserAgent: {{absent: false}}}}\n  title: Queues", "`aws:UserAgent` holds"),
        ("title: Queues", f"{PROBE}{{aws:UserAgent: []}}\n  title: Queues", "`aws:UserAgent` holds no value"),
        ("title: Queues", f"{PROBE}{{useragent: x}}\n  title: Queues", "`probe_context` names `useragent`"),
        ("title: Queues", f"{PROBE}{{'sqs:PurgeQueue': {{5: x}}}}\n  title: Queues", "names `5`"),
        ("title: Queues", "pinned_by: {'sqs:PurgeQueue': 3}\n  title: Queues", "`pinned_by` of `sqs:PurgeQueue` is"),
        ("title: Queues", "narrowed_by: {'sqs:Purge': 'sqs:X'}\n  title: Queues", "`narrowed_by` names `sqs:Purge`"),
        ("- id: OWN-01", "- id: OWN-02", "the `id` `OWN-02` stands twice; the first counts"),
        ("- id: OWN-01", "- OWN-01\n- id: OWN-03", "a scenario is a mapping of fields"),
        ("Queues are emptied", '"a\\nb"\n  severty: x', "unknown field `severty`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_file_and_scenario_and_the_others_stand(
    tmp_path: Path, old: str, new: str, said: str
):
    text = OWN.replace(old, new)
    path = own(
        tmp_path, text + SECOND if "OWN-02" not in new else text.replace("scenarios:\n", "scenarios:\n" + SECOND)
    )
    found, (problem,) = own_scenarios(tmp_path)
    assert "OWN-02" in {one.id for one in found}
    assert said in problem
    assert problem.startswith(f"`{path}`, scenario ")
    assert "\n" not in problem
    assert {one.id for one in load_scenarios(tmp_path)} >= {"OWN-02", "LOG-01"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("scenarios:", "rows:"), "needs a list `scenarios`"),
        (OWN.replace("- id: OWN-01", "- [id"), "is not readable YAML"),
        (OWN.replace("severity: high", "severity: high\n  severity: medium"), "the key `severity` stands twice"),
        (OWN.replace("Queues are emptied", "2024-13-45"), "is not readable YAML"),  # a day that there is not
        ("[" * 100_000, "is not readable YAML"),
        ("", "needs a list `scenarios`"),
        ("scenarios: !!python/object/apply:os.system [true]", "is not readable YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_ours_stand(tmp_path: Path, text: str, said: str):
    path = own(tmp_path, text)
    found, (problem,) = own_scenarios(tmp_path)
    assert found == ()
    assert said in problem
    assert f"`{path}`" in problem
    assert "\n" not in problem
    assert load_scenarios(tmp_path) == load_scenarios()


def test_a_broken_scenario_of_our_id_leaves_ours(tmp_path: Path):
    own(tmp_path, OWN.replace("OWN-01", "LOG-01").replace("high", "grave"))
    assert load_scenarios(tmp_path) == load_scenarios()


def test_a_build_notes_what_does_not_fit_and_lists_that_nobody_knows(tmp_path: Path):
    probe = (
        f"{PROBE}{{aws:RequestedRegion: {{outside: regoins}}, aws:PrincipalOrgID: {{outside: own_organization_id}}}}"
    )
    own(tmp_path, OWN.replace("title: Queues", f"{probe}\n  title: Queues") + SECOND.replace("medium", "grave"))
    build = SimpleNamespace(folder=tmp_path, settings=Settings(), notes=[])
    note_scenarios(build)
    (broken, unlisted) = build.notes
    assert broken[:2] == unlisted[:2] == ("store", OWN_FILE)
    assert "`OWN-02`" in broken[2]
    assert "`OWN-01`" in unlisted[2]
    assert "`regoins`" in unlisted[2]
    assert "own_organization_id" not in unlisted[2]
