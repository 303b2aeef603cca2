"""One cell of the guardrail matrix, opened: every layer with what decides it, what is missing and whom it spares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analytics.outputs.coverage_look import LAYER_NAMES
from analytics.outputs.queries.build import records
from analytics.outputs.queries.guardrail_values import LayerCell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

CELL = """
select * exclude (severity, category) from coverage where scenario = $scenario and target = $target"""


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


def _parsed(text: str | None) -> list[Any]:
    return json.loads(text) if text else []


def _spared(value: Any) -> str:
    """Whom a deny leaves out; a wildcard is named as one."""
    if not isinstance(value, dict):
        return str(value)
    return f"{value['principal']}{' (wildcard)' if value.get('kind') == 'wildcard' else ''}"
