"""The steps of a build about guardrails: the matrix of scenarios, targets and layers, and what kept drafts would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.guardrails import Guardrails, GuardrailSettings
from analytics.findings.scenarios import OWN_FILE, ScenarioError, load_scenarios
from analytics.outputs.guardrail_rows import coverage_rows, scenario_rows

if TYPE_CHECKING:
    from analytics.findings.scenarios import Scenario
    from analytics.settings import Settings
    from analytics.steps.state import Build


def measure_guardrails(build: Build) -> None:
    """The scenarios, and every cell of the organisation's nodes and accounts."""
    scenarios = scenarios_of(build)
    build.run("scenarios", scenario_rows=scenario_rows(scenarios))
    matrix = Guardrails(build.estate, scenarios, guardrail_settings(build.settings))
    cells = matrix.matrix() if build.snapshot else ()
    build.run("coverage", coverage_rows=coverage_rows(cells, scenarios, build.estate))


def scenarios_of(build: Build) -> tuple[Scenario, ...]:
    """Ours and the team's; a file of the team's that cannot be used is noted, and stops nothing."""
    try:
        return load_scenarios(build.folder)
    except ScenarioError as error:
        build.notes.append(("store", OWN_FILE, str(error)))
        return load_scenarios()


def guardrail_settings(settings: Settings) -> GuardrailSettings:
    """What the matrix needs of a team's settings."""
    return GuardrailSettings(settings.guardrail_lists, settings.guardrail_resources)
