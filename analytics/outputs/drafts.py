"""Drafts for the command line and the page: as documents and in words, kept, and listed with their effects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analytics.findings.drafts.compose import DraftSettings
from analytics.findings.drafts.drafter import Asked, Drafter, Made
from analytics.findings.drafts.size import Limit, characters
from analytics.findings.remediation.words import counted
from analytics.outputs.drafts_store import as_document
from analytics.outputs.queries.build import build_info, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

    from analytics.findings.drafts.effect import CellChange, Effect
    from analytics.settings import Settings

__all__ = [
    "Asked",
    "Drafter",
    "Made",
    "draft_settings",
    "effect_document",
    "effect_lines",
    "kept_effects",
    "made_document",
]

# Cells and identities that a person is shown; the document has all.
MOST_SHOWN = 20
KEPT = """
select name, file, layer, target, target_name, scenarios, policies, characters, cells_closed, cells_open,
    open_scenarios, risk_removed, identities_changed, calls_broken, evaluated, problem
from draft_effects order by name nulls last, file"""


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
        f"{counted(effect.identities_changed, 'identity')} whose permissions shrink. Calls broken: "
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
