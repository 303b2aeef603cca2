"""The guardrail matrix as the page, the exports and the picture read it: scenarios by targets, one layer at a time.

Targets stand in the order of the organisation's tree: a node, its own accounts, then the OUs below it. INVARIANT: a
count of the matrix is the number of cells that a reader can point at.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analytics.outputs.coverage_look import LAYER_NAMES, STATES
from analytics.outputs.queries.build import records
from analytics.outputs.queries.guardrail_values import ABSENT, LayerCell, Matrix, MatrixChoice, Scenario, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

SEVERITIES = ("critical", "high", "medium", "low")
KINDS = ("root", "ou", "account")
FACTS = ("principals", "stopped", "can_act", "did_act")
HELD = "select count(*) from duckdb_tables() where table_name = 'coverage'"
NODES = "select count(*) from nodes where kind <> 'account'"
SCENARIOS = "select * from scenarios order by position"
TARGETS = """
with targets as (select distinct target, target_kind, target_name, target_path from coverage)
select targets.*, nodes.parent_id, coalesce(accounts.is_management, false) as is_management, accounts.environment
from targets left join nodes on node_id = target left join accounts on account_id = target
order by target_path, target_name, target"""
CELLS = """
select scenario, target, layer, state, single_layer, principals, stopped, can_act, did_act from coverage
where layer = $layer or target = $target"""
CELL = """
select * exclude (severity, category) from coverage where scenario = $scenario and target = $target"""
LISTS = ("actions", "other_layers", "mitre", "usual_exemptions")


def has_coverage(con: DuckDBPyConnection) -> bool:
    """Whether the build holds a matrix at all."""
    return bool(con.execute(HELD).fetchall()[0][0])


def has_organization(con: DuckDBPyConnection) -> bool:
    """Whether the snapshot holds an organisation."""
    return bool(con.execute(NODES).fetchall()[0][0])


def guardrail_scenarios(con: DuckDBPyConnection) -> tuple[Scenario, ...]:
    """Every scenario in the order of its file, grouped by category in the order of first appearance."""
    rows = records(con, SCENARIOS)
    order = {category: place for place, category in enumerate(dict.fromkeys(row["category"] for row in rows))}
    return tuple(_scenario(row) for row in sorted(rows, key=lambda row: (order[row["category"]], row["position"])))


def guardrail_targets(con: DuckDBPyConnection) -> tuple[Target, ...]:
    """Every target in the order of the tree; accounts without a place in it come last."""
    rows = records(con, TARGETS)
    known = {row["target"] for row in rows}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        below.setdefault(row["parent_id"] if row["parent_id"] in known else None, []).append(row)
    return tuple(_tree_order(below, None, 0))


def _tree_order(
    below: Mapping[str | None, Sequence[dict[str, Any]]], parent: str | None, depth: int
) -> Iterable[Target]:
    last_first = ("account", "root", "ou") if parent is not None else ("root", "ou", "account")
    for row in sorted(below.get(parent, ()), key=lambda row: last_first.index(row["target_kind"])):
        yield Target(
            row["target"], row["target_kind"], row["target_name"] or row["target"], row["target_path"] or "", depth,
            bool(row["is_management"]), row["environment"],
        )  # fmt: skip
        yield from _tree_order(below, row["target"], depth + 1)


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


def guardrail_cell(con: DuckDBPyConnection, *, scenario: str, target: str) -> dict[str, LayerCell]:
    """Every layer of one cell by its name, the best one first; empty for a cell that there is not."""
    cells = {row["layer"]: _layer_cell(row) for row in records(con, CELL, {"scenario": scenario, "target": target})}
    return {layer: cells[layer] for layer in LAYER_NAMES if layer in cells}


def _layer_cell(row: Mapping[str, Any]) -> LayerCell:
    names = ("layer", "state", "single_layer", "best_layer_of", "principals", "stopped", "note", "can_act", "did_act")
    return LayerCell(
        **{name: row[name] for name in names},
        statements=tuple(_parsed(row["statements"])),
        missing_actions=tuple(_parsed(row["missing_actions"])),
        open_actions=tuple(_parsed(row["open_actions"])),
        exemptions=tuple(map(_spared, _parsed(row["exemptions"]))),
    )


def _scenario(row: Mapping[str, Any]) -> Scenario:
    return Scenario(
        id=row["id"],
        title=row["title"],
        category=row["category"],
        severity=row["severity"],
        is_core=row["set"] == "core",
        principal=row["principal"],
        resource=row["resource"],
        shape=row["guardrail_shape"],
        best_layer=row["best_layer"],
        why=row["why"] or "",
        **{name: tuple(_parsed(row[name])) for name in LISTS},
    )


def _parsed(text: str | None) -> list[Any]:
    return json.loads(text) if text else []


def _spared(value: Any) -> str:
    """Whom a deny leaves out; a wildcard is named as one."""
    if not isinstance(value, dict):
        return str(value)
    return f"{value['principal']}{' (wildcard)' if value.get('kind') == 'wildcard' else ''}"
