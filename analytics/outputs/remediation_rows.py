"""Remediation items as the rows of a build, and what of a build they are made from beside the estate."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from analytics.findings.remediation.gaps import OpenScenario
from analytics.outputs.stacks import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from analytics.findings.remediation.values import Item

PERMISSION_SETS = "select name, permission_set_arn from permission_sets order by name, permission_set_arn"
MANAGED_POLICIES = "select policy_arn from managed_policies"
# Cells of the best layer: a gap or partial is open; unknown stands between open ones and hides none of them.
OPEN_SCENARIOS = """
select scenario,
    list(target) filter (target_kind = 'account' and state in ('gap', 'partial')) as accounts,
    list(target) filter (target_kind <> 'account') as nodes,
    map_from_entries(list((target, can_act)) filter (can_act is not null)) as can_act
from coverage join scenarios on scenarios.id = coverage.scenario
where layer = 'best' and state in ('gap', 'partial', 'unknown') and scenarios.set = 'core'
    and coverage.severity in ('critical', 'high')
group by scenario, coverage.severity, scenarios.position
having count(*) filter (target_kind = 'account' and state in ('gap', 'partial')) > 0
order by list_position(['critical', 'high'], coverage.severity), scenarios.position"""
SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("rank", pa.int32()),
        *((name, pa.string()) for name in ("principal_arn", "target", "target_kind", "target_name")),
        *((name, pa.string()) for name in ("kind", "title", "detail")),
        *((name, pa.float64()) for name in ("score_before", "score_after", "risk_removed")),
        ("calls_broken", pa.int64()),
        *((name, pa.string()) for name in ("owner", "evidence", "commands", "policy", "blocked_reason")),
        ("priority", pa.float64()),
    ]
)


def item_rows(items: Sequence[Item]) -> pa.Table:
    """One row per item, ranked in the order given."""
    return pa.Table.from_pylist([_row(rank, item) for rank, item in enumerate(items, 1)], SCHEMA)


def permission_sets(con: DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """The ARNs of the permission sets of each name."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows_of(con, PERMISSION_SETS):
        found[row["name"]].append(row["permission_set_arn"])
    return {name: tuple(arns) for name, arns in found.items()}


def managed_policies(con: DuckDBPyConnection) -> frozenset[str]:
    """The ARNs of the managed policies that the snapshot holds."""
    return frozenset(row["policy_arn"] for row in rows_of(con, MANAGED_POLICIES))


def open_scenarios(con: DuckDBPyConnection) -> list[OpenScenario]:
    """The core scenarios of critical and high severity that are open in an account, the most severe first."""
    return [
        OpenScenario(
            row["scenario"], frozenset(row["accounts"]), frozenset(row["nodes"] or ()), dict(row["can_act"] or {})
        )
        for row in rows_of(con, OPEN_SCENARIOS)
    ]


def _row(rank: int, item: Item) -> Mapping[str, Any]:
    return {
        "item_id": item.item_id,
        "rank": rank,
        "principal_arn": item.principal_arn,
        "target": item.target.id if item.target else None,
        "target_kind": item.target.kind if item.target else None,
        "target_name": item.target.name if item.target else None,
        "kind": str(item.kind),
        "title": item.title,
        "detail": _json(item.detail),
        "score_before": item.score_before,
        "score_after": item.score_after,
        "risk_removed": item.risk_removed,
        "calls_broken": item.calls_broken,
        "owner": item.owner,
        "evidence": _json(item.evidence),
        "commands": _json(item.commands),
        "policy": None if item.policy is None else _json(item.policy),
        "blocked_reason": item.blocked_reason,
        "priority": item.priority,
    }


def _json(value: Any) -> str:
    return orjson.dumps(value, default=dict).decode("utf-8")
