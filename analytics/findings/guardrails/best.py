"""The best of the layers, and what they do together.

One layer may stop some of a scenario's actions and another the rest: then nothing gets through, though each layer alone
is open. INVARIANT: an action counts as stopped only where one layer stops it for everybody in scope.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.findings.guardrails.control import Found
from analytics.findings.guardrails.values import RANK, Cell, Layer, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.guardrails.scenarios import Scenario

_NAMES: Mapping[Layer, str] = {
    Layer.SCP: "SCPs",
    Layer.RCP: "RCPs",
    Layer.BOUNDARY: "boundaries",
    Layer.IDENTITY: "identity denies",
}


def best_of(cells: Sequence[Cell]) -> Cell:
    """The best of the layers. A gap is none for sure while another layer is unknown."""
    known = [cell for cell in cells if cell.state in RANK]
    unknown = next((cell for cell in cells if cell.state is State.UNKNOWN), None)
    best = max(known, key=lambda cell: RANK[cell.state]) if known else unknown or cells[0]
    if unknown is not None and best.state is State.GAP:
        best = unknown
    is_known = best.state in RANK
    return replace(
        best,
        layer=Layer.BEST,
        best_layer_of=best.layer if is_known and best.state is not State.GAP else None,
        principals=None,
        stopped=None,
    )


def together_of(scenario: Scenario, cells: Sequence[Cell], closing: Sequence[frozenset[str]]) -> Found | None:
    """What the layers do together; None where some action is open in all. `closing`: what each layer stops."""
    actions = frozenset(scenario.actions)
    if not actions <= frozenset().union(*closing):
        return None
    parts = [(cell, closed) for cell, closed in zip(cells, closing, strict=True) if closed]
    surely = frozenset().union(*(closed.difference(cell.open_actions) for cell, closed in parts))
    names = " and ".join(_NAMES[cell.layer] for cell, _ in parts)
    notes = (f"No layer stops it alone; {names} do so together.", *(cell.note for cell, _ in parts if cell.note))
    return Found(
        State.COVERED if actions <= surely else State.CONDITIONAL,
        tuple(dict.fromkeys(one for cell, _ in parts for one in cell.statements)),
        open=tuple(action for action in scenario.actions if action not in surely),
        exemptions=tuple(dict.fromkeys(one for cell, _ in parts for one in cell.exemptions)),
        notes=tuple(dict.fromkeys(notes)),
    )


def with_others(best: Cell, together: Found, can_act: int | None, did_act: int | None) -> Cell:
    """The best cell where the layers together do better than each."""
    return replace(
        best,
        state=together.state,
        statements=together.statements,
        missing_actions=(),
        exemptions=together.exemptions,
        note=" ".join(together.notes),
        best_layer_of=None,
        can_act=can_act,
        did_act=did_act,
        open_actions=together.open,
    )
