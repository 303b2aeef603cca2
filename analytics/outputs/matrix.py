"""The guardrail matrix for the command line: of a build's table, or computed for one identity or with a draft."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.findings.drafts.effect import targets_of
from analytics.findings.drafts.place import with_policies
from analytics.findings.drafts.shadow import today
from analytics.findings.guardrails.matrix import GuardrailError, Guardrails, GuardrailSettings, Layer
from analytics.findings.guardrails.scenarios import chosen, load_scenarios
from analytics.outputs.drafts import Drafter, draft_settings
from analytics.outputs.drafts_store import find_draft
from analytics.outputs.estate import read_estate
from analytics.outputs.guardrail_rows import cell_row
from analytics.outputs.queries.build import build_info, records
from analytics.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.settings import Settings

COVERAGE = """
select coverage.scenario, scenarios.title, coverage.severity, coverage.category, target, target_kind, target_name,
    target_path, layer, state, single_layer, best_layer_of, principals, stopped, statements, missing_actions,
    exemptions, coverage.note, can_act, did_act
from coverage join scenarios on scenarios.id = coverage.scenario
where ($target is null or target = $target) and ($scenario is null or scenario = $scenario)
    and ($layer is null or layer = $layer) and (not $gaps or state in ('gap', 'partial', 'unknown'))
    and ($extended or scenarios.set = 'core' or scenario = $scenario)
order by target_path, target, scenarios.position,
    list_position(['scp', 'rcp', 'boundary', 'identity', 'best'], layer)"""
TARGETS = "select count(*) > 0 from coverage where target = $target"
SCENARIO_IDS = "select id from scenarios order by position"
OPEN = ("gap", "partial", "unknown")
SHOWN = (
    *("scenario", "target_path", "layer", "before", "state", "best_layer_of", "stopped", "principals"),
    *("missing_actions", "exemptions", "can_act", "did_act"),
)
_LISTS = ("statements", "missing_actions", "exemptions")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cells; None: all."""

    target: str | None = None  # id of a root, OU or account, or ARN of a role or user
    scenario: str | None = None
    layer: str | None = None
    gaps: bool = False  # only what is not closed
    extended: bool = False  # all scenarios, not only the core ones

    def takes(self, row: dict[str, Any]) -> bool:
        """Whether a cell is among them; the set of its scenario aside."""
        return (
            (self.scenario is None or row["scenario"] == self.scenario)
            and (self.layer is None or row["layer"] == self.layer)
            and (not self.gaps or row["state"] in OPEN)
        )


def matrix_document(con: DuckDBPyConnection, folder: Path, wanted: Wanted) -> dict[str, Any]:
    """What `matrix --json` prints. GuardrailError for a target, scenario or layer that there is not."""
    _check(con, wanted)
    if wanted.target is not None and wanted.target.startswith("arn:"):
        cells = _of_identity(con, folder, wanted)
    else:
        cells = _of_table(con, wanted)
    return {"build": build_info(con).document(), "cells": cells}


def matrix_with(con: DuckDBPyConnection, folder: Path, wanted: Wanted, name_or_file: str) -> dict[str, Any]:
    """The cells that a draft touches, before and with it, as it could be attached today."""
    _check(con, wanted)
    draft = find_draft(folder, name_or_file)
    settings = read_settings(folder)
    estate = read_estate(con)
    shadow = today(draft, estate, draft_settings(settings, {}, {}).limits)
    if shadow.draft is None:
        raise GuardrailError(f"draft `{draft.name}` cannot be attached: {' '.join(shadow.problems)}")
    scenarios = _scenarios(folder, wanted)
    told = guardrail_settings(settings)
    other = with_policies(estate, shadow.draft.policies, draft.layer)
    now, then = Guardrails(estate, scenarios, told), Guardrails(other, scenarios, told)
    about = {scenario.id: scenario for scenario in scenarios}
    targets = [one for one in targets_of(draft, estate) if wanted.target in (None, one)]
    rows = []
    for target in targets:
        for before, after in zip(now.cells(target), then.cells(target), strict=True):
            row = cell_row(after, about[after.scenario], estate)
            before_state = before.state.value
            if _takes(wanted, row, before_state):
                rows.append({"before": before_state, "changed": before_state != row["state"], **row})
    return {"build": build_info(con).document(), "draft": draft.name, "notes": list(shadow.problems), "cells": rows}


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the columns of a table for a person."""
    return document | {"cells": [{name: row[name] for name in SHOWN if name in row} for row in document["cells"]]}


def drafter(con: DuckDBPyConnection, folder: Path) -> Drafter:
    """What makes drafts for the build in use, by the settings and scenarios of the store."""
    settings = read_settings(folder)
    told = guardrail_settings(settings)
    return Drafter(read_estate(con), load_scenarios(folder), told, draft_settings(settings, told.lists, told.resources))


def guardrail_settings(settings: Settings) -> GuardrailSettings:
    """What the matrix needs of a team's settings."""
    return GuardrailSettings(settings.guardrail_lists, settings.guardrail_resources)


def _takes(wanted: Wanted, row: dict[str, Any], before: str) -> bool:
    """With `gaps`: what is open now, whatever the draft does about it."""
    return wanted.takes({**row, "state": before})


def _of_table(con: DuckDBPyConnection, wanted: Wanted) -> list[dict[str, Any]]:
    rows = records(
        con,
        COVERAGE,
        {
            "target": wanted.target,
            "scenario": wanted.scenario,
            "layer": wanted.layer,
            "gaps": wanted.gaps,
            "extended": wanted.extended,
        },
    )
    for row in rows:
        for name in _LISTS:
            row[name] = json.loads(row[name])
    return rows


def _of_identity(con: DuckDBPyConnection, folder: Path, wanted: Wanted) -> list[dict[str, Any]]:
    estate = read_estate(con)
    scenarios = _scenarios(folder, wanted)
    about = {scenario.id: scenario for scenario in scenarios}
    matrix = Guardrails(estate, scenarios, guardrail_settings(read_settings(folder)))
    rows = [cell_row(cell, about[cell.scenario], estate) for cell in matrix.cells(wanted.target or "")]
    return [row for row in rows if wanted.takes(row)]


def _scenarios(folder: Path, wanted: Wanted) -> Sequence[Scenario]:
    every = load_scenarios(folder)
    if wanted.scenario is not None:
        return tuple(scenario for scenario in every if scenario.id == wanted.scenario)
    return chosen(every, extended=wanted.extended)


def _check(con: DuckDBPyConnection, wanted: Wanted) -> None:
    if wanted.layer is not None and wanted.layer not in set(Layer):
        raise GuardrailError(f"`{wanted.layer}` is not a layer; the layers are {', '.join(Layer)}")
    if wanted.scenario is not None:
        known = [row["id"] for row in records(con, SCENARIO_IDS)]
        if wanted.scenario not in known:
            raise GuardrailError(f"there is no scenario `{wanted.scenario}`; the scenarios are {', '.join(known)}")
    is_id = wanted.target is not None and not wanted.target.startswith("arn:")
    if is_id and not con.execute(TARGETS, {"target": wanted.target}).fetchall()[0][0]:
        raise GuardrailError(
            f"there is no target `{wanted.target}` in the build; name the id of a root, an OU or an account, "
            "or the ARN of a role or user"
        )
