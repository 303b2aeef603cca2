"""The rows and columns of the guardrail matrix: scenarios by category, targets in the order of the organisation's tree.

A node comes first, then its own accounts, then the OUs below it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analytics.outputs.queries.build import records
from analytics.outputs.queries.guardrail_values import Scenario, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

SEVERITIES = ("critical", "high", "medium", "low")
SCENARIOS = "select * from scenarios order by position"
TARGETS = """
with targets as (select distinct target, target_kind, target_name, target_path from coverage)
select targets.*, nodes.parent_id, coalesce(accounts.is_management, false) as is_management, accounts.environment
from targets left join nodes on node_id = target left join accounts on account_id = target
order by target_path, target_name, target"""
LISTS = ("actions", "other_layers", "mitre", "usual_exemptions")


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
        **{name: tuple(json.loads(row[name] or "[]")) for name in LISTS},
    )
