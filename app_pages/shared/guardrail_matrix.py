"""The matrix tab: the grid on the left, on the right what is open and the OU tree, and the same numbers as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_files import matrix_table
from analytics.outputs.coverage_look import LAYER_NAMES, LOOKS, category_name
from analytics.outputs.queries.guardrail_values import ABSENT
from app_pages.shared import data, guardrail_choice, guardrail_exports, guardrail_panel, guardrail_tree, widgets
from app_pages.shared.guardrail_tree import KIND_MARKS
from app_pages.shared.matrix import EMPTY, Axis, Fact, Style, matrix
from app_pages.shared.text import counted, plain

if TYPE_CHECKING:
    from analytics.outputs.queries import Build
    from analytics.outputs.queries.guardrail_values import Matrix, MatrixChoice, Target

STYLES = {
    position: Style(look.word, fill=look.fill, mark=look.mark, ink=look.ink) for position, look in enumerate(LOOKS)
}
SINGLE = "held by one layer only"
FACTS = {
    "principals": "identities in scope",
    "stopped": "of them stopped",
    "can_act": "can act today",
    "did_act": "did in the window",
}
NAMES, SEVERITY = 292, 60  # pixels
LAYER_WIDTH = 94


def show(build: Build) -> None:
    """Controls, grid, panel, table."""
    if not data.read(queries.has_coverage):
        widgets.nothing("This build holds no matrix.", "It was made by an earlier version: run `build` again.")
        return
    choice, beside = guardrail_choice.choices()
    found = data.shared(queries.guardrail_matrix, choice=choice)
    if not found.layers:
        widgets.nothing("No account or OU matches.", "Widen the OU or the account above.")
        return
    if not found.scenarios:
        why = "No scenario here has a gap." if choice.only_open else "No scenario matches."
        widgets.nothing(why, "Choose other severities, categories or targets above.", icon=":material/task_alt:")
        return
    scenario, target = guardrail_choice.selection()
    left, right = st.columns([2.75, 1.35], gap="medium")
    with left:
        st.markdown(summary(found, choice))
        _draw(found, choice, scenario, target)
    with beside:
        guardrail_exports.show(build, found, choice)
    with right:
        with st.container(border=True, gap="xsmall"):
            guardrail_panel.show(found, choice, scenario, target)
        if not choice.target:
            guardrail_tree.show(found, scenario)
    _table_twin(found)


def summary(found: Matrix, choice: MatrixChoice) -> str:
    """What the shown cells come to, in one line."""
    counts = found.counts()
    cells = sum(counts.values())
    where = "in its best layer" if choice.target else "somewhere"
    said = [
        f"**{int(found.open_rows.sum()):,} of {counted(len(found.scenarios), 'scenario')}** open {where}",
        f":red[**✕ {counted(counts['gap'], 'gap')}**] and :orange[◐ {counts['partial']:,} partial] of {cells:,} cells",
        f"{int(found.single[:, found.telling].sum()):,} held by one layer",
        *([] if choice.target else [counted(len(found.targets), "target")]),
    ]
    return " · ".join(said)


def _draw(found: Matrix, choice: MatrixChoice, scenario: str, target: str) -> None:
    ids = [one.id for one in found.scenarios]
    columns, at = _columns(found, choice), [one.id for one in found.targets]
    selected = (ids.index(scenario) if scenario in ids else None, at.index(target) if target in at else None)
    opened = found.open_cells.sum(axis=1)
    matrix(
        Axis(
            "Scenario",
            [f"{one.id}  {one.title}" for one in found.scenarios],
            [one.severity for one in found.scenarios],
            [] if choice.target else [f"{count} open" if count else "–" for count in opened],
            "",
            [category_name(one.category) for one in found.scenarios],
            width=NAMES - 34 if choice.target else NAMES,
            note_width=SEVERITY,
        ),
        columns,
        states=np.where(found.states == ABSENT, 0, found.states).astype(np.uint8),
        levels=np.where(found.states == ABSENT, EMPTY, 0).astype(np.uint8),
        styles=STYLES,
        ramp=None,
        facts=[Fact(label, _known(found, name)) for name, label in FACTS.items() if np.nansum(found.facts[name])],
        label=f"Guardrail matrix, {len(ids)} scenarios by {len(found.layers)} columns. Arrow keys move, Enter opens. "
        "The same states are in the table below.",
        selected=(selected[0], None if choice.target else selected[1]),
        nothing="not in the matrix",
        flags=(SINGLE, found.single),
        can_sort=False,
        on_pick=guardrail_choice.open_picked(found, choice),
        key="guardrail_grid",
    )


def _columns(found: Matrix, choice: MatrixChoice) -> Axis:
    if choice.target:
        return Axis("Layer", [LAYER_NAMES[layer] for layer in found.layers], width=LAYER_WIDTH)
    return Axis(
        "Target",
        [f"{KIND_MARKS.get(one.kind, '')} {plain(one.name)}".strip() for one in found.targets],
        [_about(one) for one in found.targets],
        groups=_groups(found.targets),
    )


def _about(target: Target) -> str:
    told = [target.kind.upper() if target.kind == "ou" else target.kind, plain(target.path), target.environment or ""]
    return " · ".join(one for one in [*told, "management: SCPs and RCPs do not bind it" * target.is_management] if one)


def _groups(targets: tuple[Target, ...]) -> list[str]:
    """A line stands before every OU, and before the first account without one."""
    groups, current = [], ""
    for one in targets:
        if one.kind != "account" or (one.depth == 0 and current):
            current = one.id
        groups.append(current)
    return groups


def _known(found: Matrix, name: str) -> np.ndarray:
    return np.nan_to_num(found.facts[name], nan=0)


def _table_twin(found: Matrix) -> None:
    """The states of the grid as words, for readers who cannot see a canvas."""
    with st.expander("The same cells as a table", key="guardrail_table", on_change="rerun") as expander:
        if expander.open:
            st.dataframe(
                matrix_table(found, marks=True), hide_index=True, alt="Scenarios, and the state of each cell in words"
            )
