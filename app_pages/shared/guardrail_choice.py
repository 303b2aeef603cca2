"""What of the guardrail matrix is shown, and which cell is open: both in the URL, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_look import LAYER_NAMES, category_name
from analytics.outputs.queries.guardrail_axes import SEVERITIES
from analytics.outputs.queries.guardrail_values import MatrixChoice
from app_pages.shared import data, widgets
from app_pages.shared.text import plain, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.delta_generator import DeltaGenerator

    from analytics.outputs.queries.guardrail_values import Matrix, Target
    from app_pages.shared.matrix import Picked

SETS = ("Core", "Core and extended")


def choices() -> tuple[MatrixChoice, DeltaGenerator]:
    """The bar above the matrix, and the place in it for one button more."""
    options = data.shared(queries.filter_options)
    accounts = {f"{account} {name or ''}".strip(): account for account, name in options.accounts}
    scenarios = data.shared(queries.guardrail_scenarios)
    categories = {category_name(one.category): one.category for one in scenarios}
    severities = [one for one in SEVERITIES if any(scenario.severity == one for scenario in scenarios)]
    targets = target_labels(data.shared(queries.guardrail_targets))
    bar = st.container(horizontal=True, gap="medium", vertical_alignment="center")
    with bar:
        # In a popover, which is drawn when it is opened: five boxes cost the browser as much as the whole matrix.
        place = st.popover("Filter", icon=":material/filter_list:", key="guardrail_filters")
        severity = widgets.choice(place, "Severity", "All severities", severities, "severity")
        category = widgets.choice(place, "Category", "All categories", tuple(categories), "category")
        ou_path = widgets.choice(place, "OU", "All OUs", options.ou_paths, "ou")
        account = widgets.choice(place, "Account", "All accounts", tuple(accounts), "account")
        target = widgets.choice(place, "Layers of", "All layers of one target", tuple(targets), "target")
        layer = "best"
        if target is None:
            names = {name: key for key, name in LAYER_NAMES.items()}
            layer = names[widgets.segments("Layer", list(names), "layer", hide_label=True)]
        extended = widgets.segments("Scenarios", SETS, "set", hide_label=True) != SETS[0]
        only_open = st.toggle("Only with gaps", key="gaps", bind="query-params")
    if chosen := [one for one in (severity, category, ou_path, account, target) if one]:
        st.caption(f"Only {' · '.join(span(plain(one, 80)) for one in chosen)}")
    choice = MatrixChoice(
        layer=layer,
        extended=extended,
        severity=severity,
        category=categories.get(category or ""),
        ou_path=ou_path,
        account_id=accounts.get(account or ""),
        only_open=bool(only_open),
        target=targets.get(target or ""),
    )
    return choice, bar


def target_labels(targets: tuple[Target, ...]) -> dict[str, str]:
    """Every target by a label of its own: its path, and for an account its id."""
    return {
        plain(f"{one.path or one.name} · {one.id}" if one.kind == "account" else one.path, 120): one.id
        for one in targets
    }


def selection() -> tuple[str, str]:
    """The scenario and the target that are open, as the URL names them; empty for none. Not checked yet."""
    return st.query_params.get("scenario", ""), st.query_params.get("at", "")


def open_picked(matrix: Matrix, choice: MatrixChoice) -> Callable[[Picked], None]:
    """What a click does: names, never positions, go into the URL."""

    def opened(picked: Picked) -> None:
        scenario = None if picked.row is None else matrix.scenarios[picked.row].id
        target = None if picked.column is None else choice.target or matrix.targets[picked.column].id
        open_cell(scenario, target)

    return opened


def open_cell(scenario: str | None, target: str | None) -> None:
    """Open a cell, a row or a column; for a callback."""
    for name, value in (("scenario", scenario), ("at", target)):
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value
