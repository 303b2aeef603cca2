"""A principal's policies, put together again from a build: what explains, drafts and replays work on.

The stack is the one that the build computed reach from: same documents, same levels, same order.
"""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import PolicyDocument, parse_policy
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack, PrincipalFacts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PRINCIPAL = """
select principals.*, build.organization_id, accounts.organization_path
from principals cross join build left join accounts using (account_id)
where principal_arn = $principal_arn"""
ATTACHED = """
select layer, name, arn, attached_to, document
from attachments join policies using (policy_id)
where principal_arn = $principal_arn and layer in ('identity', 'boundary')
order by layer, position"""
LEVELS = """
select layer, level, node_id, node_name, name, arn, document
from control_levels left join policies using (policy_id)
where account_id = $account_id
order by layer, level, position"""


def stack_of(con: DuckDBPyConnection, principal_arn: str) -> PolicyStack | None:
    """The policies that bear on an identity of the snapshot; None for a principal known from logs alone."""
    found = _records(con, PRINCIPAL, {"principal_arn": principal_arn})
    if not found or not found[0]["in_snapshot"]:
        return None
    row = found[0]
    kind = PrincipalKind(row["kind"])
    attached = _records(con, ATTACHED, {"principal_arn": principal_arn})
    policies = {layer: tuple(_named(entry) for entry in entries) for layer, entries in _grouped(attached, "layer")}
    boundary = policies.get("boundary", ())
    levels: dict[str, tuple[ControlLevel, ...]] = {}
    if kind is not PrincipalKind.SERVICE_LINKED_ROLE:
        rows = _records(con, LEVELS, {"account_id": row["account_id"]})
        levels = {layer: _levels(entries) for layer, entries in _grouped(rows, "layer")}
    return PolicyStack(
        principal=PrincipalFacts(
            arn=principal_arn,
            account_id=row["account_id"],
            kind=kind,
            tags=tuple(json.loads(row["tags"]).items()) if row["tags"] is not None else None,
            organization_id=row["organization_id"] if row["organization_path"] else None,
            organization_path=row["organization_path"],
            unique_id=row["unique_id"],
        ),
        identity=policies.get("identity", ()),
        boundary=boundary[0] if boundary else None,
        scp_levels=levels.get("scp", ()),
        rcp_levels=levels.get("rcp", ()),
        not_collected=("not collected",) * row["policies_not_collected"],
        boundary_not_collected=row["boundary_not_collected"],
    )


def _levels(rows: list[dict[str, Any]]) -> tuple[ControlLevel, ...]:
    """One level per node; a row without a document stands for a level to which nothing is attached."""
    return tuple(
        ControlLevel(
            node_id=entries[0]["node_id"],
            node_name=entries[0]["node_name"],
            policies=tuple(
                _named(entry | {"attached_to": entry["node_id"]}) for entry in entries if entry["document"] is not None
            ),
        )
        for _level, entries in _grouped(rows, "level")
    )


def _named(row: dict[str, Any]) -> NamedPolicy:
    return NamedPolicy(row["name"], _document(row["document"], row["name"]), row["arn"], row["attached_to"])


@lru_cache(maxsize=20_000)
def _document(text: str, name: str) -> PolicyDocument:
    """Parsed once per text: equal documents are the same object, as `NamedPolicy` promises."""
    return parse_policy(text, name=name)


def _grouped(rows: list[dict[str, Any]], key: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    return [(value, list(entries)) for value, entries in groupby(rows, key=lambda row: row[key])]


def _records(con: DuckDBPyConnection, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = con.execute(sql, params)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
