"""Drafts for the command line and the page: made for cells of the matrix, proven, kept, and listed with their effects.

The matrix and the scores on either side come from the functions that made those of the build.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analytics.findings.assess import Assessor
from analytics.findings.drafts import Draft, DraftError, DraftSettings, compose
from analytics.findings.drafts_effect import Effect, compare, proven
from analytics.findings.drafts_size import Limit, characters
from analytics.findings.guardrails import Guardrails
from analytics.outputs.drafts_store import as_document
from analytics.outputs.queries.build import build_info, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from analytics.findings.drafts_effect import CellChange, CellsOf, ScoreOf
    from analytics.findings.estate import Estate
    from analytics.findings.guardrails import GuardrailSettings
    from analytics.findings.scenarios import Scenario
    from analytics.settings import Settings

# Cells and identities that a person is shown; the document has all.
MOST_SHOWN = 20
KEPT = """
select name, file, layer, target, target_name, scenarios, policies, characters, cells_closed, cells_open,
    open_scenarios, risk_removed, identities_changed, calls_broken, evaluated, problem
from draft_effects order by name nulls last, file"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants a draft for."""

    scenarios: tuple[str, ...]  # ids
    target: str  # id of a root, OU or account, or ARN of a role or user
    layer: str  # scp, rcp, boundary
    exempt: tuple[str, ...] = ()  # ARNs to leave out beside the usual exemptions
    propose: bool = True  # leave out roles that are only found by name
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A draft that was proven, and what it does."""

    draft: Draft
    effect: Effect


class Drafter:
    """Makes drafts for one estate; the matrix and the scores as they are, are computed once."""

    def __init__(
        self,
        estate: Estate,
        scenarios: Sequence[Scenario],
        guardrails: GuardrailSettings,
        settings: DraftSettings,
        *,
        assessor: Assessor | None = None,
    ) -> None:
        self.estate = estate
        self.scenarios: Mapping[str, Scenario] = {scenario.id: scenario for scenario in scenarios}
        self.settings = settings
        self._guardrails = guardrails
        self._given = assessor

    def make(self, asked: Asked) -> Made:
        """The draft and its effect. DraftError where there is none, with what works instead."""
        chosen = [self._scenario(scenario_id) for scenario_id in asked.scenarios]
        draft = compose(
            chosen,
            asked.target,
            asked.layer,
            self.estate,
            self.settings,
            exempt=asked.exempt,
            propose=asked.propose,
            name=asked.name,
        )
        effect = self.effect(draft)
        return Made(proven(draft, effect), effect)

    def effect(self, draft: Draft) -> Effect:
        """What the draft does, whether or not it closes its cells."""
        return compare(self.estate, draft, cells_of=self._cells_of, score_of=self._score_of)

    def _scenario(self, scenario_id: str) -> Scenario:
        scenario = self.scenarios.get(scenario_id)
        if scenario is None:
            known = ", ".join(sorted(self.scenarios))
            raise DraftError(f"there is no scenario `{scenario_id}`; the scenarios are {known}")
        return scenario

    def _cells_of(self, estate: Estate) -> CellsOf:
        if estate is self.estate:
            return self._cells_now
        return Guardrails(estate, tuple(self.scenarios.values()), self._guardrails).cells

    def _score_of(self, estate: Estate) -> ScoreOf:
        assessor = self._assessor_now if estate is self.estate else Assessor(estate)
        return lambda arn: assessor.of(arn).risk.score

    @cached_property
    def _cells_now(self) -> CellsOf:
        return Guardrails(self.estate, tuple(self.scenarios.values()), self._guardrails).cells

    @cached_property
    def _assessor_now(self) -> Assessor:
        return self._given or Assessor(self.estate)


def draft_settings(
    settings: Settings,
    lists: Mapping[str, tuple[str, ...]],
    resources: Mapping[str, tuple[str, ...]],
) -> DraftSettings:
    """What drafts need of a team's settings; lists and resource patterns are those of the matrix."""
    return DraftSettings(
        lists=lists,
        resources=resources,
        exemptions=settings.guardrail_exemptions,
        limits={
            "scp": Limit(settings.scp_characters, settings.scp_attached),
            "rcp": Limit(settings.rcp_characters, settings.rcp_attached),
            "boundary": Limit(settings.managed_policy_characters, 1),
        },
    )


def made_document(con: DuckDBPyConnection, made: Made) -> dict[str, Any]:
    """What `draft --json` prints: the build, the draft with its documents, and the effect."""
    return {
        "build": build_info(con).document(),
        "draft": as_document(made.draft) | {"characters": [characters(one) for one in made.draft.documents]},
        "effect": effect_document(made.effect),
    }


def effect_document(effect: Effect) -> dict[str, Any]:
    """Both numbers, and the cells and scores behind them; `calls_broken` is null until replay has proven it."""
    return {
        "risk_removed": effect.risk_removed,
        "calls_broken": effect.calls_broken,
        "identities_changed": effect.identities_changed,
        "cells_closed": sum(change.is_closed for change in effect.cells),
        "drafted": _cells(effect.drafted),
        "cells": _cells(effect.cells),
        "scores": [
            {"principal_arn": one.principal_arn, "before": one.before, "after": one.after} for one in effect.scores
        ],
    }


def effect_lines(effect: Effect) -> list[str]:
    """The effect in words, the largest changes first."""
    closed = [change for change in effect.cells if change.is_closed]
    lines = [
        f"Cells closed: {len(closed)}. Risk removed: {effect.risk_removed:.1f} points over "
        f"{effect.identities_changed} identities whose permissions shrink. Calls broken: "
        + ("not proven yet." if effect.calls_broken is None else f"{effect.calls_broken:,}.")
    ]
    lines += _shown(
        [
            f"{one.scenario} at {one.target}, {one.layer}: {_words(one.before)} → {_words(one.after)}"
            for one in effect.cells
        ],
        "cells",
    )
    lower = [one for one in effect.scores if one.after != one.before]
    lines += _shown([f"{one.principal_arn}: {one.before:.1f} → {one.after:.1f}" for one in lower], "identities")
    return lines


def kept_effects(con: DuckDBPyConnection) -> list[dict[str, Any]]:
    """The drafts kept in the store as the build evaluated them, files that are none at the end."""
    rows = records(con, KEPT)
    for row in rows:
        for name in ("scenarios", "open_scenarios"):
            row[name] = None if row[name] is None else json.loads(row[name])
    return rows


def _cells(changes: Iterable[CellChange]) -> list[dict[str, Any]]:
    return [
        {
            "scenario": one.scenario,
            "target": one.target,
            "layer": one.layer,
            "before": one.before,
            "after": one.after,
        }
        for one in changes
    ]


def _shown(lines: list[str], what: str) -> list[str]:
    more = [f"  … and {len(lines) - MOST_SHOWN:,} more {what}; --json has all"] if len(lines) > MOST_SHOWN else []
    return [f"  {line}" for line in lines[:MOST_SHOWN]] + more


def _words(state: str) -> str:
    return state.replace("_", " ")
