"""The steps of a build about guardrails: the matrix of scenarios, targets and layers, and what kept drafts would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.guardrails.scenarios import OWN_FILE, lists_named, load_scenarios, own_scenarios
from analytics.outputs.draft_rows import draft_effect_rows, no_draft, tried, untried
from analytics.outputs.drafts import Drafter, draft_settings
from analytics.outputs.drafts_store import kept_drafts
from analytics.outputs.guardrail_rows import coverage_rows, scenario_rows
from analytics.outputs.matrix import guardrail_settings

if TYPE_CHECKING:
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.steps.state import Build


def measure_guardrails(build: Build) -> None:
    """The scenarios, and every cell of the organisation's nodes and accounts."""
    note_scenarios(build)
    matrix = build.guardrails
    build.run("scenarios", scenario_rows=scenario_rows(matrix.scenarios))
    cells = matrix.matrix() if build.snapshot else ()
    build.run("coverage", coverage_rows=coverage_rows(cells, matrix.scenarios, build.estate))


def note_scenarios(build: Build) -> None:
    """What does not fit in the team's own file, and lists that neither the settings nor our scenarios know."""
    own, problems = own_scenarios(build.folder) if build.folder is not None else ((), ())
    build.notes += [("store", OWN_FILE, problem) for problem in problems]
    known = {*build.settings.guardrail_lists, *(name for one in load_scenarios() for name in _lists(one))}
    for scenario in own:
        for name in dict.fromkeys(_lists(scenario)):
            if name not in known:
                reason = (
                    f"scenario `{scenario.id}`: `probe_context` names the list `{name}`, which the settings do "
                    "not hold (`guardrail_lists`); what hangs on it stays conditional"
                )
                build.notes.append(("store", OWN_FILE, reason))


def _lists(scenario: Scenario) -> list[str]:
    return lists_named(scenario.probe_context or {})


def try_drafts(build: Build) -> None:
    """What each draft of the store would do in this build's estate; a file that is none has its problem."""
    drafts, unusable = kept_drafts(build.folder) if build.folder is not None else ((), ())
    rows = []
    if drafts and build.snapshot:
        drafter = drafter_of(build)
        rows = [tried(draft, drafter) for draft in drafts]
    elif drafts:
        rows = [untried(draft, "the build has no snapshot, so the draft cannot be tried") for draft in drafts]
    rows += [no_draft(one) for one in unusable]
    build.run("draft_effects", draft_effect_rows=draft_effect_rows(rows))


def drafter_of(build: Build) -> Drafter:
    """What makes drafts in this build's estate."""
    told = guardrail_settings(build.settings)
    settings = draft_settings(build.settings, told.lists, told.resources)
    matrix = build.guardrails
    return Drafter(build.estate, matrix.scenarios, told, settings, assessor=build.assessor, matrix=matrix)
