"""Kept drafts as rows of a build: what each would do in its estate, or why that cannot be told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analytics.findings.drafts.shadow import today
from analytics.findings.drafts.size import characters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.findings.drafts.compose import Draft
    from analytics.outputs.drafts import Drafter
    from analytics.outputs.drafts_store import Unusable

_TEXTS = ("name", "file", "layer", "target", "target_name", "scenarios", "open_scenarios", "problem")
_COUNTS = ("policies", "characters", "cells_closed", "cells_open", "identities_changed")


def tried(draft: Draft, drafter: Drafter) -> dict[str, Any]:
    """What the draft would do today."""
    shadow = today(draft, drafter.estate, drafter.settings.limits)
    problem = "; ".join(shadow.problems) or None
    if shadow.draft is None:
        return untried(draft, problem)
    unknown = [one for one in draft.scenarios if one not in drafter.scenarios]
    if unknown:
        problem = "; ".join(filter(None, (problem, f"there is no scenario `{unknown[0]}` any more")))
    effect = drafter.effect(shadow.draft)
    still_open = effect.still_open
    return _about(draft) | {
        "cells_closed": sum(change.is_closed for change in effect.cells),
        "cells_open": len(still_open),
        "open_scenarios": json.dumps([change.scenario for change in still_open]),
        "risk_removed": effect.risk_removed,
        "identities_changed": effect.identities_changed,
        "calls_broken": effect.calls_broken,
        "evaluated": True,
        "problem": problem,
    }


def untried(draft: Draft, problem: str | None) -> dict[str, Any]:
    """A draft that could not be evaluated."""
    return _about(draft) | {"evaluated": False, "problem": problem}


def no_draft(file: Unusable) -> dict[str, Any]:
    """A file among the drafts that is none."""
    return {"file": file.path.name, "evaluated": False, "problem": file.reason}


def draft_effect_rows(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows as `draft_effects.sql` reads them; what a row does not name is not known."""
    kinds = dict.fromkeys(_TEXTS, pa.string()) | dict.fromkeys(_COUNTS, pa.int32())
    kinds |= {"risk_removed": pa.float64(), "calls_broken": pa.int64(), "evaluated": pa.bool_()}
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})


def _about(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "file": f"{draft.name}.json",
        "layer": draft.layer,
        "target": draft.target,
        "target_name": draft.target_name,
        "scenarios": json.dumps(draft.scenarios),
        "policies": len(draft.policies),
        "characters": sum(map(characters, draft.documents)),
    }
