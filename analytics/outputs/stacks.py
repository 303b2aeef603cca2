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
    from collections.abc import Iterator, Mapping

    from duckdb import DuckDBPyConnection

    Records = list[dict[str, Any]]

# Parameters: one principal, or all of them where it is null.
PRINCIPALS = """
select principals.*, snapshot.organization_id, accounts.organization_path
from principals cross join snapshot left join accounts using (account_id)
where in_snapshot and ($principal_arn is null or principal_arn = $principal_arn)
order by principal_arn"""
ATTACHED = """
select principal_arn, layer, policy_id, attached_to from attachments
where $principal_arn is null or principal_arn = $principal_arn
order by principal_arn, layer, position"""
LEVELS = """
select account_id, layer, level, node_id, node_name, policy_id from control_levels
where $principal_arn is null
    or account_id = (select account_id from principals where principal_arn = $principal_arn)
order by account_id, layer, level, position"""
POLICIES = """
select policy_id, name, arn, document from policies
where $principal_arn is null
    or policy_id in (select policy_id from attachments where principal_arn = $principal_arn)
    or policy_id in (
        select policy_id from control_levels
        where account_id = (select account_id from principals where principal_arn = $principal_arn)
    )"""


def stack_of(con: DuckDBPyConnection, principal_arn: str) -> PolicyStack | None:
    """The policies that bear on an identity of the snapshot; None for a principal known from logs alone."""
    return next((stack for _row, stack, _trust in read_stacks(con, principal_arn)), None)


def trust_of(con: DuckDBPyConnection, principal_arn: str) -> PolicyDocument | None:
    """The trust document of a role of the snapshot; None for others, and where it could not be read."""
    return next((trust for _row, _stack, trust in read_stacks(con, principal_arn)), None)


def read_stacks(
    con: DuckDBPyConnection, principal_arn: str | None = None
) -> Iterator[tuple[dict[str, Any], PolicyStack, PolicyDocument | None]]:
    """The row of `principals`, the stack and the trust document of one identity of the snapshot, or of all by ARN."""
    asked = {"principal_arn": principal_arn}
    policies = {row["policy_id"]: row for row in rows_of(con, POLICIES, asked)}
    named: dict[tuple[int, str], NamedPolicy] = {}

    def policy(number: int, attached_to: str) -> NamedPolicy:
        known = named.get((number, attached_to))
        if known is None:
            row = policies[number]
            known = NamedPolicy(row["name"], document_of(row["document"]), row["arn"], attached_to)
            named[number, attached_to] = known
        return known

    attached = {
        arn: list(rows) for arn, rows in groupby(rows_of(con, ATTACHED, asked), lambda row: row["principal_arn"])
    }
    levels = _control_levels(rows_of(con, LEVELS, asked), policy)
    for row in rows_of(con, PRINCIPALS, asked):
        held: dict[str, tuple[NamedPolicy, ...]] = {
            layer: tuple(policy(entry["policy_id"], entry["attached_to"]) for entry in entries)
            for layer, entries in groupby(attached.get(row["principal_arn"], ()), lambda entry: entry["layer"])
        }
        trust = held.get("trust", ())
        yield row, _stack(row, held, levels), trust[0].document if trust else None


def _stack(
    row: Mapping[str, Any],
    held: Mapping[str, tuple[NamedPolicy, ...]],
    levels: Mapping[tuple[str, str], tuple[ControlLevel, ...]],
) -> PolicyStack:
    kind = PrincipalKind(row["kind"])
    bound = kind is not PrincipalKind.SERVICE_LINKED_ROLE  # by control policies
    boundary = held.get("boundary", ())
    return PolicyStack(
        principal=PrincipalFacts(
            arn=row["principal_arn"],
            account_id=row["account_id"],
            kind=kind,
            tags=tuple(json.loads(row["tags"]).items()) if row["tags"] is not None else None,
            organization_id=row["organization_id"] if row["organization_path"] else None,
            organization_path=row["organization_path"],
            unique_id=row["unique_id"],
        ),
        identity=held.get("identity", ()),
        boundary=boundary[0] if boundary else None,
        scp_levels=levels.get((row["account_id"], "scp"), ()) if bound else (),
        rcp_levels=levels.get((row["account_id"], "rcp"), ()) if bound else (),
        not_collected=("not collected",) * row["policies_not_collected"],
        boundary_not_collected=row["boundary_not_collected"],
    )


def _control_levels(rows: Records, policy: Any) -> dict[tuple[str, str], tuple[ControlLevel, ...]]:
    """By account and layer, the levels from the root down; a row without a policy is a level without any."""
    found: dict[tuple[str, str], tuple[ControlLevel, ...]] = {}
    shared: dict[ControlLevel, ControlLevel] = {}  # accounts of one OU have the same levels: one object each
    for key, entries in groupby(rows, lambda row: (row["account_id"], row["layer"])):
        levels = []
        for _number, members in groupby(entries, lambda row: row["level"]):
            at = list(members)
            node_id = at[0]["node_id"]
            policies = tuple(policy(row["policy_id"], node_id) for row in at if row["policy_id"] is not None)
            level = ControlLevel(node_id, at[0]["node_name"], policies)
            levels.append(shared.setdefault(level, level))
        found[key] = tuple(levels)
    return found


@lru_cache(maxsize=50_000)
def document_of(text: str) -> PolicyDocument:
    """Parsed once per text: equal documents are the same object, as `NamedPolicy` promises."""
    return parse_policy(text, name="policy of the build")


def rows_of(con: DuckDBPyConnection, sql: str, params: Mapping[str, Any] | None = None) -> Records:
    """The rows of a query by column name."""
    cursor = con.execute(sql, dict(params) if params else None)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
