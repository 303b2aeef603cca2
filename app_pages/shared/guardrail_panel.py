"""The panel beside the matrix: the cell, the scenario or the target that is open."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_look import LAYER_NAMES, OPEN, STATES, category_name, look_of
from analytics.outputs.queries.guardrail_axes import SEVERITIES
from analytics.outputs.queries.guardrail_values import ABSENT
from app_pages.shared import data, guardrail_cell, guardrail_choice
from app_pages.shared.text import plain, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.outputs.queries import Matrix, MatrixChoice, Scenario, Target

SHOWN = 16
SHAPES = {
    "deny_always": "always denied",
    "deny_except_named_principals": "denied but for named roles",
    "deny_when_condition": "denied under a condition",
}
TONES = {"critical": "red", "high": "orange", "medium": "gray", "low": "gray"}


def show(found: Matrix, choice: MatrixChoice, scenario_id: str, target_id: str) -> None:
    """What is open, by the names in the URL; names that the build does not know are said, never trusted."""
    scenarios = {one.id: one for one in data.shared(queries.guardrail_scenarios)}
    targets = {one.id: one for one in data.shared(queries.guardrail_targets)}
    for name, known, what in ((scenario_id, scenarios, "scenario"), (target_id, targets, "account or OU")):
        if name and name not in known:
            st.markdown(f"**No {what} of this build:** {span(plain(name))}")
            st.caption("The link may be of another store. Select a cell of the matrix.")
            return
    scenario, target = scenarios.get(scenario_id), targets.get(target_id)
    if scenario and target:
        head(scenario)
        guardrail_cell.show(scenario, target)
    elif scenario:
        _scenario(scenario, found, choice)
    elif target:
        _target(target, found, choice)
    else:
        _nothing_open(found, choice)


def head(scenario: Scenario) -> None:
    """Which scenario it is."""
    badge = f":{TONES.get(scenario.severity, 'gray')}-badge[{scenario.severity}]"
    st.markdown(f"**{span(scenario.id)}** {badge} {category_name(scenario.category)}")
    st.text(scenario.title)


def _nothing_open(found: Matrix, choice: MatrixChoice) -> None:
    st.markdown("**Select a cell**")
    st.caption(
        "Click a cell to see which statements decide it, what is missing, who could act through it today and who did. "
        "Click a scenario or a target for its whole row or column."
    )
    st.caption("By keyboard: Tab to the matrix, arrow keys to move, Enter to open.")
    opened = found.open_cells[:, found.telling].sum(axis=1)
    rows = [row for row in range(len(found.scenarios)) if opened[row]]
    rows.sort(key=lambda row: (_rank(found.scenarios[row]), -opened[row]))
    if not rows:
        st.markdown(":material/task_alt: **Nothing shown here is open.**")
        return
    st.markdown("**Open, the most severe first**" + ("" if choice.target else ", with the number of targets"))
    labels: dict[str, tuple[str, str | None]] = {}
    for row in rows[:SHOWN]:
        one = found.scenarios[row]
        labels[one.id if choice.target else f"{one.id} · {opened[row]}"] = (one.id, choice.target)
    _choose(labels, "open_rows")
    _more(len(rows))


def _scenario(scenario: Scenario, found: Matrix, choice: MatrixChoice) -> None:
    head(scenario)
    st.caption(scenario.why)
    st.caption(
        f"Guardrail: {SHAPES.get(scenario.shape, scenario.shape)}; best in "
        f"{', '.join(LAYER_NAMES.get(one, one) for one in (scenario.best_layer, *scenario.other_layers))}."
    )
    st.code("\n".join(scenario.actions), language=None, height=min(150, 24 + 21 * len(scenario.actions)))
    if scenario.usual_exemptions:
        st.caption(f"Usually left out: {', '.join(scenario.usual_exemptions)}.")
    if scenario.mitre:
        st.caption(f"MITRE ATT&CK: {', '.join(scenario.mitre)}.")
    row = next((at for at, one in enumerate(found.scenarios) if one.id == scenario.id), None)
    if row is None:
        st.caption("The choices above leave it out of the matrix.")
        return
    _counts(int(state) for state in found.states[row] if state != ABSENT)
    if choice.target:
        return
    opened = [int(at) for at in found.open_cells[row].nonzero()[0]]
    labels = {}
    for at in opened[:SHOWN]:
        target, look = found.targets[at], look_of(STATES[found.states[row, at]])
        labels[f"{look.mark} {span(plain(target.name, 30))}"] = (scenario.id, target.id)
    _choose(labels, "open_targets")
    _more(len(opened))


def _target(target: Target, found: Matrix, choice: MatrixChoice) -> None:
    st.markdown(f"**{span(plain(target.name, 44))}**")
    st.caption(about(target))
    column = next((at for at, one in enumerate(found.targets) if one.id == target.id), None)
    with st.container(horizontal=True, gap="small"):
        st.button("Its layers", icon=":material/layers:", on_click=_layers_of, args=(target.id,))
        st.button("Its policies", icon=":material/account_tree:", on_click=open_node, args=(target.id,))
    if column is None or choice.target:
        return
    _counts(int(state) for state in found.states[:, column] if state != ABSENT)
    opened = [int(row) for row in found.open_cells[:, column].nonzero()[0]]
    opened.sort(key=lambda row: _rank(found.scenarios[row]))
    labels = {}
    for row in opened[:SHOWN]:
        one, look = found.scenarios[row], look_of(STATES[found.states[row, column]])
        labels[f"{look.mark} {one.id} {one.severity}"] = (one.id, target.id)
    _choose(labels, "open_scenarios")
    _more(len(opened))


def about(target: Target) -> str:
    """Kind and place of a target."""
    kind = {"root": "Root of the organisation", "ou": "OU"}.get(target.kind, f"Account {span(target.id)}")
    place = "" if target.kind == "root" else f" · {span(plain(target.path, 70))}"
    management = " · management account: SCPs and RCPs do not bind it" if target.is_management else ""
    return f"{kind}{place}{management}"


def open_node(target: str) -> None:
    """Show a node in the organisation tab; for a callback."""
    st.session_state["tab"] = "Organisation"
    st.query_params["node"] = target


def _layers_of(target: str) -> None:
    labels = guardrail_choice.target_labels(data.shared(queries.guardrail_targets))
    st.session_state["target"] = next(label for label, one in labels.items() if one == target)


def _choose(labels: Mapping[str, tuple[str, str | None]], key: str) -> None:
    """Pills, not a table: the code that draws tables is large, and the matrix would wait for it."""

    def opened() -> None:
        if chosen := labels.get(st.session_state[key]):
            guardrail_choice.open_cell(*chosen)

    st.pills("Open", list(labels), key=key, on_change=opened, label_visibility="collapsed")


def _rank(scenario: Scenario) -> int:
    return SEVERITIES.index(scenario.severity) if scenario.severity in SEVERITIES else len(SEVERITIES)


def _more(total: int) -> None:
    if total > SHOWN:
        st.caption(f"… and {total - SHOWN:,} more, marked in the matrix.")
    elif not total:
        st.caption("Nothing of it is open here.")


def _counts(states: Iterable[int]) -> None:
    counted_states = Counter(STATES[state] for state in states)
    tones = {"gap": ":red[{}]", "partial": ":orange[{}]"}
    said = [
        tones.get(state, "{}").format(f"{look_of(state).mark} {counted_states[state]:,} {look_of(state).word}")
        for state in (*reversed(OPEN), *(one for one in STATES if one not in OPEN))
        if counted_states[state]
    ]
    st.markdown(" · ".join(said))
