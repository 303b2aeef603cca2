"""Rows in, rows out: gives a SQL file of a build small inputs, runs it as the build does, and returns what it wrote.

Every outcome is held to the file's grain: the key is unique, and not null where null has no meaning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analytics.sql import read_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAY = date(2026, 3, 10)
NOON = datetime.fromisoformat("2026-03-10T12:00:00")  # UTC, without an offset, as a build has times

# The columns of what the files read that no SQL file of ours creates, or that is registered by a step.
EVENTS = """event_id varchar, event_time timestamp, event_source varchar, event_name varchar, event_type varchar,
    read_only boolean, aws_region varchar, error_code varchar, identity_type varchar, identity_arn varchar,
    identity_principal_id varchar, identity_account_id varchar, identity_user_name varchar, invoked_by varchar,
    issuer_arn varchar, recipient_account_id varchar, shared_event_id varchar, error_message varchar,
    source_ip_address varchar, identity_provider varchar, request_parameters varchar, source_file varchar"""
_EVENT = "event_source varchar, event_name varchar, event_type varchar"
_ROLLED = f"""principal_ref varchar, account_id varchar, {_EVENT}, region varchar"""
_COUNTED = "calls bigint, read_only boolean, first_time timestamp, last_time timestamp"
_CALLER = """principal_ref varchar, seen_account_id varchar, principal_arn varchar, kind varchar, account_id varchar"""
_COVERAGE = """calls bigint, days_covered integer, first_event timestamp, last_event timestamp,
    sees_read_only boolean, sees_kms boolean"""
_GAP = """granted integer, surely integer, used integer, possible integer, unused integer, unobserved integer,
    used_not_granted integer, granted_weight double, unused_weight double, unobserved_weight double, calls bigint,
    last_used timestamp"""
_ACCOUNT = """account_id varchar, name varchar, ou_id varchar, ou_path varchar, organization_path varchar,
    status varchar, is_management boolean, environment varchar, environment_tag varchar, environment_ou varchar,
    collected varchar, reason varchar"""
_IDENTITY = """principal_arn varchar, name varchar, kind varchar, account_id varchar, owner varchar, tags varchar,
    boundary_arn varchar, boundary_name varchar, unique_id varchar, path varchar, created timestamp,
    last_used timestamp, policies_not_collected integer, boundary_not_collected boolean, reach_id integer"""
_REACH_SERVICE = """reach_id integer, service varchar, surely integer, maybe integer, list integer, read integer,
    tagging integer, write integer, permissions_management integer, management integer, data integer, implied integer,
    none integer, unknown integer"""
_RISK = """principal_arn varchar, rank integer, score double, band varchar, control_reach double, data_reach double,
    breadth double, unused double, exposure double, asset double, floor varchar, floor_points double,
    administrator varchar, steps_to_administrator integer, trust_class varchar, paths integer, confidence varchar,
    confidence_share double, confidence_reasons varchar"""

COLUMNS: dict[str, str] = {
    "events": EVENTS,
    "trust_event_name": "event_source varchar, event_name varchar",
    "trust_event": """event_id varchar, event_time timestamp, event_source varchar, event_name varchar,
        error_code varchar, error_message varchar, source_ip_address varchar, invoked_by varchar, signer_ref varchar,
        identity_type varchar,
        identity_arn varchar, identity_principal_id varchar, identity_account_id varchar, identity_provider varchar,
        recipient_account_id varchar, shared_event_id varchar, request_parameters varchar""",
    "inspected": """path varchar, size bigint, modified_ns bigint, layout varchar, rows_read bigint,
        rows_rejected bigint, first_event timestamp, last_event timestamp""",
    "source_file": """path varchar, size bigint, modified_ns bigint, load_id integer, layout varchar, rows_read bigint,
        rows_rejected bigint, first_event timestamp, last_event timestamp, problem varchar""",
    "rollup": f"""{_ROLLED}, day date, error_code varchar, invoked_by varchar, shared_event_id varchar,
        callers_copy boolean, {_COUNTED}""",
    "role_session": """principal_ref varchar, caller_ref varchar, caller_account_id varchar, network varchar,
        invoked_by varchar, day date, shared_event_id varchar, callers_copy boolean, calls bigint, denied bigint,
        first_time timestamp, last_time timestamp""",
    "policy_change": """event_id varchar, event_time timestamp, event_source varchar, event_name varchar,
        actor_ref varchar, actor_account_id varchar, account_id varchar, callers_copy boolean, error_code varchar,
        shared_event_id varchar, request_parameters varchar""",
    "policy_event": """event_source varchar, event_name varchar, changes varchar, subject_kind varchar,
        subject_key varchar, policy_key varchar, summary varchar, basis varchar""",
    "call_day": f"""{_ROLLED}, day date, error_code varchar, via_service varchar, own_log boolean, is_call boolean,
        {_COUNTED}""",
    "caller": _CALLER,
    "session_caller": _CALLER,
    "actor": _CALLER,
    "event_action": f"{_EVENT}, outcome varchar, action varchar, match varchar",
    "error_outcome": "error_code varchar, outcome varchar",
    "usage": """principal_arn varchar, action varchar, account_id varchar, region varchar, day date, match varchar,
        calls bigint, denied bigint, throttled bigint, first_time timestamp, last_time timestamp""",
    "window_rows": "window_days integer, window_start date, window_end date",
    "windows": "window_days integer, window_start date, window_end date",
    "actions": """number integer, action varchar, service varchar, access_level varchar, visibility varchar,
        weight double, weight_class varchar, high_risk boolean""",
    "account_coverage": f"account_id varchar, window_days integer, {_COVERAGE}",
    "account_rows": _ACCOUNT,
    "accounts": f"{_ACCOUNT}, {_COVERAGE}, identities integer",
    "identity_rows": _IDENTITY,
    "principal_day": "principal_arn varchar, day date, calls bigint, denied bigint",
    "principals": f"""{_IDENTITY}, account_name varchar, ou_path varchar, environment varchar, in_snapshot boolean,
        seen_in_logs boolean, owner_basis varchar, last_used_basis varchar, judged_from date, is_new boolean,
        calls bigint, denied bigint, first_call timestamp""",
    "observable_rows": "account_id varchar, window_days integer, profile_id integer, visibility_mask blob",
    "observable": "account_id varchar, window_days integer, profile_id integer, visibility_mask blob",
    "granted_service": """reach_id integer, profile_id integer, service varchar, granted integer, surely integer,
        observable integer, granted_weight double, observable_weight double""",
    "seen_action": """seen_id bigint, principal_arn varchar, window_days integer, number integer, service varchar,
        reach_id integer, profile_id integer, used boolean, calls bigint, last_used timestamp""",
    "known_facts": """seen_id bigint, in_reach boolean, observable boolean, weight double, observable_weight double""",
    "seen_fact": """seen_id bigint, in_reach boolean, observable boolean, weight double, observable_weight double""",
    "gap_service": f"principal_arn varchar, service varchar, window_days integer, {_GAP}",
    "gap_identity": f"principal_arn varchar, window_days integer, {_GAP}, services integer, services_used integer",
    "health": """path varchar, layout varchar, rows_read bigint, rows_rejected bigint, first_event timestamp,
        last_event timestamp, problem varchar""",
    "event_names": f"{_EVENT}, outcome varchar, actions varchar, events bigint",
    "build_rows": """id varchar, created_at timestamp, catalogue varchar, weights varchar, snapshot_taken_at timestamp,
        has_snapshot boolean, has_organization boolean, organization_id varchar, format integer""",
    "build": "id varchar, created_at timestamp, window_start date, window_end date, window_days integer",
    "action_rows": """number integer, action varchar, service varchar, access_level varchar, visibility varchar,
        weight double, weight_class varchar, high_risk boolean""",
    "node_rows": "node_id varchar, kind varchar, name varchar, parent_id varchar, path varchar",
    "policies_rows": "policy_id integer, name varchar, arn varchar, aws_managed boolean, document varchar",
    "attachments_rows": """principal_arn varchar, layer varchar, position integer, policy_id integer,
        attached_to varchar""",
    "control_levels_rows": """account_id varchar, layer varchar, level integer, node_id varchar, node_name varchar,
        position integer, policy_id integer""",
    "identity_groups_rows": "principal_arn varchar, source varchar, group_id varchar, group_name varchar",
    "permission_sets_rows": "permission_set_arn varchar, name varchar",
    "managed_policies_rows": "policy_arn varchar",
    "node_policies_rows": "node_id varchar, layer varchar, position integer, policy_id integer",
    "credentials_rows": """principal_arn varchar, password_enabled boolean, password_last_used timestamp,
        password_last_changed timestamp, mfa_active boolean""",
    "access_keys_rows": """principal_arn varchar, position integer, active boolean, created timestamp,
        last_used timestamp, last_used_region varchar, last_used_service varchar""",
    "snapshot_rows": """taken_at timestamp, organization_id varchar, root_id varchar, management_account_id varchar,
        enabled_types varchar[]""",
    "reach_rows": "reach_id integer, surely blob, maybe blob, surely_actions integer, maybe_actions integer",
    "owner_rows": "principal_arn varchar, owner varchar",
    "remediation_rows": """item_id varchar, rank integer, principal_arn varchar, target varchar, target_kind varchar,
        target_name varchar, kind varchar, title varchar,
        detail varchar, score_before double, score_after double, risk_removed double, calls_broken bigint,
        owner varchar, evidence varchar, commands varchar, policy varchar, blocked_reason varchar, priority double""",
    "escalation_rows": """principal_arn varchar, position integer, path_id varchar, title varchar, category varchar,
        surely boolean, target_arn varchar, target varchar, target_factor double, strength double, actions varchar,
        why varchar""",
    "escalation_step_rows": """principal_arn varchar, step integer, from_arn varchar, to_arn varchar, path_id varchar,
        actions varchar, surely boolean""",
    "problem_rows": "source varchar, subject varchar, reason varchar",
    "snapshot": "taken_at timestamp",
    "access_keys": """principal_arn varchar, position integer, active boolean, created timestamp,
        last_used timestamp, last_used_region varchar, last_used_service varchar""",
    "credentials": """principal_arn varchar, password_enabled boolean, password_last_used timestamp,
        password_last_changed timestamp, mfa_active boolean""",
    "assumed": """principal_arn varchar, caller varchar, caller_account_id varchar, network varchar,
        via_service varchar, calls bigint, denied bigint, first_time timestamp, last_time timestamp""",
    "trust_rows": """principal_arn varchar, account_id varchar, position integer, party varchar, kind varchar,
        party_account_id varchar, party_name varchar, trust_class varchar, exposure double, conditions varchar,
        statement_index integer, sid varchar, surely boolean, notes varchar, key_position integer,
        least_days integer""",
    "risk_rows": _RISK,
    "risk": _RISK,
    "would_lower_rows": """principal_arn varchar, position integer, kind varchar, title varchar, detail varchar,
        score_after double, calls_broken bigint""",
    "scenario_rows": """id varchar, title varchar, category varchar, set varchar, severity varchar, actions varchar,
        principal varchar, resource varchar, guardrail_shape varchar, best_layer varchar, other_layers varchar,
        mitre varchar, why varchar, usual_exemptions varchar, note varchar, position integer""",
    "coverage_rows": """scenario varchar, severity varchar, category varchar, target varchar, target_kind varchar,
        target_name varchar, target_path varchar, layer varchar, state varchar, single_layer boolean,
        best_layer_of varchar, principals integer, stopped integer, statements varchar, missing_actions varchar,
        open_actions varchar, exemptions varchar, note varchar, can_act integer, did_act integer""",
    "risk_facts_rows": "principal_arn varchar, facts varchar",
    "draft_effect_rows": """name varchar, file varchar, layer varchar, target varchar, target_name varchar,
        scenarios varchar, policies integer, characters integer, cells_closed integer, cells_open integer,
        open_scenarios varchar, risk_removed double, identities_changed integer, calls_broken bigint, evaluated boolean,
        problem varchar""",
}

# What a row holds where a test does not say.
USUAL: dict[str, Any] = {
    "load_id": 1,
    "event_time": NOON,
    "event_source": "s3.amazonaws.com",
    "event_name": "PutObject",
    "event_type": "AwsApiCall",
    "region": "eu-west-1",
    "aws_region": "eu-west-1",
    "principal_ref": "arn:aws:iam::111122223333:role/app",
    "principal_arn": "arn:aws:iam::111122223333:role/app",
    "account_id": "111122223333",
    "seen_account_id": "111122223333",
    "identity_account_id": "111122223333",
    "recipient_account_id": "111122223333",
    "source_file": "events.parquet",
    "kind": "role",
    "day": DAY,
    "first_time": NOON,
    "last_time": NOON,
    "calls": 1,
    "denied": 0,
    "throttled": 0,
    "own_log": True,
    "is_call": True,
    "read_only": False,
    "action": "s3:PutObject",
    "service": "s3",
    "match": "all",
    "outcome": "resolved",
    "window_days": 90,
    "window_start": DAY - timedelta(days=89),
    "window_end": DAY,
    "access_level": "write",
    "visibility": "management",
    "in_snapshot": True,
    "used": True,
    "observable": 0,
    "in_reach": True,
    "created_at": NOON,
}

# Key columns of every table that a SQL file writes; `?` marks those in which null has a meaning.
GRAIN: dict[str, tuple[str, ...]] = {
    "source_file": ("path",),
    "rollup": (
        *("principal_ref", "account_id?", "event_source", "event_name", "event_type?", "region?", "day", "error_code?"),
        *("invoked_by?", "shared_event_id?", "callers_copy?"),
    ),
    "role_session": (
        *("principal_ref", "caller_ref", "caller_account_id?", "network?", "invoked_by?", "day", "shared_event_id?"),
        "callers_copy?",
    ),
    "assumed": ("principal_arn", "caller", "caller_account_id?", "network?", "via_service?"),
    "changes": ("event_id",),
    "call_day": (
        *("principal_ref", "account_id?", "event_source", "event_name", "event_type?", "region?", "day"),
        *("error_code?", "via_service?", "own_log"),
    ),
    "event_names": ("event_source", "event_name", "event_type?"),
    "usage": ("principal_arn", "action", "account_id?", "region?", "day", "match"),
    "windows": ("window_days",),
    "account_coverage": ("account_id", "window_days"),
    "accounts": ("account_id",),
    "observable": ("account_id", "window_days"),
    "principals": ("principal_arn",),
    "principal_day": ("principal_arn", "day"),
    "actions": ("number",),
    "reach": ("reach_id",),
    "reach_service": ("reach_id", "service"),
    "granted_service": ("reach_id", "profile_id", "service"),
    "seen_action": ("principal_arn", "window_days", "number"),
    "seen_fact": ("seen_id",),
    "gap_service": ("principal_arn", "service", "window_days"),
    "gap_identity": ("principal_arn", "window_days"),
    "health": ("path",),
    "remediation": ("item_id",),
    "policies": ("policy_id",),
    "attachments": ("principal_arn", "layer", "position"),
    "control_levels": ("account_id", "layer", "level", "position"),
    "node_policies": ("node_id", "layer", "position"),
    "credentials": ("principal_arn",),
    "risk_facts": ("principal_arn",),
    "access_keys": ("principal_arn", "position"),
    "managed_policies": ("policy_arn",),
    "nodes": ("node_id",),
    "escalation": ("principal_arn", "position"),
    "build": ("id",),
    "history": ("build_id", "metric"),
    "trust": ("principal_arn", "position"),
    "risk": ("principal_arn",),
    "would_lower": ("principal_arn", "position"),
    "scenarios": ("id",),
    "coverage": ("scenario", "target", "layer"),
}
# One row per recorded copy, or per problem found: two equal rows are two of them.
# `snapshot` has one row at most; `draft_effects` has none in a store without drafts (tests/test_sql_drafts.py), and
# the store of the tests has no Identity Center (tests/test_group_rows.py) and no way to an administrator
# (tests/test_sql_escalation.py).
NO_KEY = {
    "trust_event",
    "policy_change",
    "problems",
    "escalation_step",
    "snapshot",
    "draft_effects",
    "identity_groups",
    "permission_sets",
}

# Written as Parquet files, one a load: the SQL only selects.
OF_LOAD = ("rollup", "role_session", "policy_change")


def given(con: DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    """A table, made anew, of these rows; columns that a row does not name have their usual value, or none."""
    con.execute(f"create or replace temp table {table} ({COLUMNS[table]})")
    cursor = con.execute(f"select * from {table}")
    names = [column[0] for column in cursor.description]
    for row in rows:
        assert set(row) <= set(names), f"`{table}` has no column {set(row) - set(names)}"
        values = {name: row[name] if name in row else USUAL.get(name) for name in names}
        con.execute(f"insert into {table} values ({', '.join(f'${name}' for name in names)})", values)


def outcome(con: DuckDBPyConnection, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows that `analytics/sql/<name>.sql` writes to the table of its name, in the order of their text."""
    con.execute(f"drop table if exists {name}")
    if name == "source_file":
        con.execute(f"create or replace temp table {name} ({COLUMNS[name]})")
        params = {"load_id": 1, **params}
    sql = read_sql(name)
    con.execute(f"create temp table {name} as {sql}" if name in OF_LOAD else sql, params or None)
    assert_grain(con, name)
    return table_rows(con, name)


def table_rows(con: DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries, in the order of their text."""
    cursor = con.execute(f"select * from {name}")
    names = [column[0] for column in cursor.description]
    return sorted((dict(zip(names, row, strict=True)) for row in cursor.fetchall()), key=str)


def assert_grain(con: DuckDBPyConnection, table: str) -> None:
    """The key of the table is unique, and null only where that says something."""
    if table in NO_KEY:
        return
    columns = [name.removesuffix("?") for name in GRAIN[table]]
    twice = con.execute(f"select {', '.join(columns)} from {table} group by all having count(*) > 1").fetchall()
    assert twice == [], f"{table}: {columns} is not unique"
    for name in GRAIN[table]:
        if not name.endswith("?"):
            empty = con.execute(f"select count(*) from {table} where {name} is null").fetchall()
            assert empty == [(0,)], f"{table}: `{name}` is null"


def arrow(**columns: Any) -> pa.Table:
    """Columns as the steps register them."""
    return pa.table(columns)
