"""The guardrail matrix as the page, the exports and the picture read it: scenarios by targets, one layer at a time.

INVARIANT: a count of the matrix is the number of cells that a reader can point at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analytics.outputs.coverage_look import LAYER_NAMES, STATES
from analytics.outputs.queries.guardrail_axes import guardrail_scenarios, guardrail_targets
from analytics.outputs.queries.guardrail_values import ABSENT, Matrix, MatrixChoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.guardrail_values import Scenario, Target

KINDS = ("root", "ou", "account")
FACTS = ("principals", "stopped", "can_act", "did_act")
HELD = "select count(*) from duckdb_tables() where table_name = 'coverage'"
NODES = "select count(*) from nodes where kind <> 'account'"
CELLS = """
select scenario, target, layer, state, single_layer, principals, stopped, can_act, did_act from coverage
where layer = $layer or target = $target"""


def has_coverage(con: DuckDBPyConnection) -> bool:
    """Whether the build holds a matrix at all."""
    return bool(con.execute(HELD).fetchall()[0][0])


def has_organization(con: DuckDBPyConnection) -> bool:
    """Whether the snapshot holds an organisation."""
    return bool(con.execute(NODES).fetchall()[0][0])


def guardrail_matrix(con: DuckDBPyConnection, *, choice: MatrixChoice) -> Matrix:
    """The cells that a choice leaves."""
    scenarios = tuple(one for one in guardrail_scenarios(con) if _shown(one, choice))
    every = guardrail_targets(con)
    if choice.target is not None:
        targets = tuple(one for one in every if one.id == choice.target)
        layers = tuple(LAYER_NAMES) if targets else ()
    else:
        targets = tuple(one for one in every if _inside(one, choice))
        layers = (choice.layer,) * len(targets)
    cells = con.execute(CELLS, {"layer": choice.layer, "target": choice.target}).fetchnumpy()
    matrix = _placed(cells, scenarios, targets, layers)
    if not choice.only_open:
        return matrix
    kept = np.flatnonzero(matrix.open_rows)
    return Matrix(
        tuple(scenarios[row] for row in kept), targets, layers, matrix.states[kept], matrix.single[kept],
        {name: values[kept] for name, values in matrix.facts.items()},
    )  # fmt: skip


def _shown(scenario: Scenario, choice: MatrixChoice) -> bool:
    return (
        (choice.extended or scenario.is_core)
        and choice.severity in (None, scenario.severity)
        and choice.category in (None, scenario.category)
    )


def _inside(target: Target, choice: MatrixChoice) -> bool:
    if choice.account_id is not None and target.id != choice.account_id:
        return False
    return choice.ou_path is None or target.path == choice.ou_path or target.path.startswith(f"{choice.ou_path}/")


def _placed(
    cells: Mapping[str, Any], scenarios: tuple[Scenario, ...], targets: tuple[Target, ...], layers: tuple[str, ...]
) -> Matrix:
    """The rows of the table as arrays; what no row speaks of is ABSENT."""
    of_layers = len(targets) == 1 and len(set(layers)) > 1
    rows = _positions([one.id for one in scenarios], cells["scenario"])
    columns = _positions(
        layers if of_layers else [one.id for one in targets], cells["layer" if of_layers else "target"]
    )
    here = (rows >= 0) & (columns >= 0)
    if of_layers:
        here &= np.asarray(cells["target"], object) == targets[0].id
    elif layers:
        here &= np.asarray(cells["layer"], object) == layers[0]
    at, shape = (rows[here], columns[here]), (len(scenarios), len(layers))
    states = np.full(shape, ABSENT, np.uint8)
    states[at] = _positions(STATES, cells["state"])[here].astype(np.uint8)
    single = np.zeros(shape, np.bool_)
    single[at] = np.ma.filled(cells["single_layer"], fill_value=False)[here]
    facts = {}
    for name in FACTS:
        facts[name] = np.full(shape, np.nan)
        facts[name][at] = np.ma.filled(np.ma.asarray(cells[name], np.float64), np.nan)[here]
    return Matrix(scenarios, targets, layers, states, single, facts)


def _positions(names: Sequence[str], values: Any) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Where each value stands among the names; -1 for one that does not."""
    found: np.ndarray[Any, np.dtype[np.intp]] = pd.Index(np.array(names, object)).get_indexer(
        pd.Index(np.asarray(values, object))
    )
    return found
