"""The estate of a build: its tables, put together to what the findings look at.

Steps of a build read it as soon as grants and use are known; pages, exports and commands read it from the published
file. Both get the same value.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

from analytics.engine.reach import Reach, Reachable
from analytics.findings.bits import from_blob
from analytics.findings.estate import AccountFacts, Estate, NodeFacts, Subject
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import ControlLevel, NamedPolicy
from analytics.outputs.stacks import document_of, read_stacks, rows_of
from analytics.sources.snapshot_values import AccessKey, Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

    from analytics.iam.catalogue import Catalogue

WINDOW = "select window_start, window_end, window_days from windows order by window_days desc limit 1"
NUMBERED = "select md5(string_agg(action, ' ' order by number)) from actions"
ACCOUNTS = """
select account_id, name, ou_path, environment, is_management, organization_path is not null as in_organization,
    collected, days_covered
from accounts order by account_id"""
NODES = "select node_id, kind, name, parent_id, path from nodes order by path, node_id"
NODE_POLICIES = """
select node_id, layer, policy_id, name, arn, document
from node_policies join policies using (policy_id) order by node_id, layer, position"""
SNAPSHOT = "select taken_at, organization_id, management_account_id, enabled_types from snapshot"
REACHES = "select reach_id, surely, maybe from reach"
OBSERVABLE = """
select account_id, visibility_mask from observable
where window_days = (select max(window_days) from windows)"""
SEEN = """
select principal_arn, list(distinct number) as numbers
from usage join actions using (action)
where day between $window_start and $window_end and calls > denied
group by principal_arn"""
CALLS = """
select principal_arn, sum(calls)::bigint as calls from principal_day
where day between $window_start and $window_end group by principal_arn"""
CREDENTIALS = """
select principal_arn, password_enabled, password_last_used, password_last_changed, mfa_active from credentials"""
ACCESS_KEYS = """
select principal_arn, active, created, last_used, last_used_region, last_used_service
from access_keys order by principal_arn, position"""


class EstateError(ValueError):
    """A build that this version of Headroom cannot compute on; the message says what to do."""


def read_estate(con: DuckDBPyConnection) -> Estate:
    """Everything of a build that findings compute from. EstateError for a build of another action catalogue."""
    catalogue = load_catalogue()
    if con.execute(NUMBERED).fetchall()[0][0] != _digest(catalogue):
        raise EstateError(
            f"the build in use was made with another action catalogue than {catalogue.version}; "
            "run `python -m analytics build` again"
        )
    window = rows_of(con, WINDOW)[0]
    about = next(iter(rows_of(con, SNAPSHOT)), None)
    return Estate(
        catalogue=catalogue,
        reachable=Reachable(catalogue),
        weights=action_weights(catalogue),
        subjects=_subjects(con, window),
        accounts={row["account_id"]: AccountFacts(**row) for row in rows_of(con, ACCOUNTS)},
        nodes=_nodes(con),
        enabled_types=frozenset(about["enabled_types"] if about else ()),
        organization_id=about["organization_id"] if about else None,
        management_account_id=about["management_account_id"] if about else None,
        window_start=window["window_start"],
        window_end=window["window_end"],
        window_days=window["window_days"],
        taken_at=about["taken_at"] if about else None,
    )


@cache
def _digest(catalogue: Catalogue) -> str:
    """Of the actions in the order of their bit numbers, as NUMBERED has it."""
    return hashlib.md5(" ".join(catalogue.actions).encode(), usedforsecurity=False).hexdigest()


def _subjects(con: DuckDBPyConnection, window: Mapping[str, Any]) -> dict[str, Subject]:
    reaches = {
        row["reach_id"]: Reach(from_blob(row["surely"]), from_blob(row["maybe"])) for row in rows_of(con, REACHES)
    }
    observable = {row["account_id"]: from_blob(row["visibility_mask"]) for row in rows_of(con, OBSERVABLE)}
    days = {name: window[name] for name in ("window_start", "window_end")}
    seen = {row["principal_arn"]: _bits(row["numbers"]) for row in rows_of(con, SEEN, days)}
    calls = {row["principal_arn"]: row["calls"] for row in rows_of(con, CALLS, days)}
    credentials = _credentials(con)
    return {
        row["principal_arn"]: Subject(
            arn=row["principal_arn"],
            name=row["name"],
            kind=PrincipalKind(row["kind"]),
            account_id=row["account_id"],
            path=row["path"] or "/",
            environment=row["environment"],
            owner=row["owner"],
            stack=stack,
            reach=reaches[row["reach_id"]],
            trust=trust,
            credentials=credentials.get(row["principal_arn"]),
            seen=seen.get(row["principal_arn"], 0),
            observable=observable.get(row["account_id"], 0),
            created=row["created"],
            last_used=row["last_used"],
            is_new=row["is_new"],
            calls=calls.get(row["principal_arn"], 0),
            tags=stack.principal.tags or (),
            policies_not_collected=row["policies_not_collected"],
        )
        for row, stack, trust in read_stacks(con)
    }


def _bits(numbers: list[int]) -> int:
    octets = bytearray(max(numbers, default=0) // 8 + 1)
    for number in numbers:
        octets[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(octets, "little")


def _credentials(con: DuckDBPyConnection) -> dict[str, Credentials]:
    keys: defaultdict[str, list[AccessKey]] = defaultdict(list)
    for row in rows_of(con, ACCESS_KEYS):
        keys[row.pop("principal_arn")].append(AccessKey(**row))
    return {
        arn: Credentials(**row, access_keys=tuple(keys[arn]))
        for row in rows_of(con, CREDENTIALS)
        for arn in (row.pop("principal_arn"),)
    }


def _nodes(con: DuckDBPyConnection) -> dict[str, NodeFacts]:
    """Parents before children: a path begins with that of its parent."""
    attached: defaultdict[tuple[str, str], list[NamedPolicy]] = defaultdict(list)
    for row in rows_of(con, NODE_POLICIES):
        policy = NamedPolicy(row["name"], document_of(row["document"]), row["arn"], row["node_id"])
        attached[row["node_id"], row["layer"]].append(policy)
    return {
        row["node_id"]: NodeFacts(
            **row,
            scp=ControlLevel(row["node_id"], row["name"], tuple(attached[row["node_id"], "scp"])),
            rcp=ControlLevel(row["node_id"], row["name"], tuple(attached[row["node_id"], "rcp"])),
        )
        for row in rows_of(con, NODES)
    }
