"""The SQL on the side of accounts and identities, rows in and rows out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from tests.sql_tables import DAY, NOON, given, outcome, table_rows

APP = "arn:aws:iam::111122223333:role/app"
ACCOUNT, OTHER = "111122223333", "444455556666"
MONTH = {"window_days": 30, "window_start": DAY - timedelta(days=29)}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


# --- account_coverage: what an account's log holds

ACTIONS = [
    {"action": "s3:PutObject", "visibility": "data"},
    {"action": "s3:GetObject", "visibility": "data", "access_level": "read"},
    {"action": "s3:ListAllMyBuckets", "access_level": "list"},
    {"action": "s3:CreateBucket"},
    {"action": "kms:Decrypt"},
]


def coverage(con: duckdb.DuckDBPyConnection, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    """Coverage of these calls; `event_name` is the action's own name, and one that is unknown resolves to nothing."""
    given(con, "call_day", *calls)
    given(con, "caller", {}, {"seen_account_id": OTHER, "account_id": OTHER}, {"seen_account_id": None})
    given(con, "actions", *ACTIONS)
    given(con, "windows", {}, MONTH)
    known = [{"action": row["action"], "event_name": row["action"].partition(":")[2]} for row in ACTIONS]
    given(con, "event_action", *[row for row in known if row["event_name"] != "Decrypt"])
    return outcome(con, "account_coverage")


def test_coverage_counts_days_and_calls_of_each_window(con: duckdb.DuckDBPyConnection) -> None:
    early = NOON - timedelta(days=50)
    rows = coverage(
        con,
        {"calls": 2},
        {"region": None},
        {"day": early.date(), "first_time": early, "last_time": early, "calls": 5},
        {"day": DAY - timedelta(days=200), "calls": 100},
    )
    by_window = {row["window_days"]: (row["calls"], row["days_covered"], row["first_event"]) for row in rows}
    assert by_window == {30: (3, 1, NOON), 90: (8, 2, early)}


@pytest.mark.parametrize(
    ("call", "sees"),
    [
        ({"event_name": "CreateBucket"}, False),
        ({"event_name": "CreateBucket", "read_only": True}, True),  # the record says so
        ({"event_name": "ListAllMyBuckets", "read_only": None}, True),  # the record does not say, the action does
        ({"event_name": "ListAllMyBuckets"}, False),  # the record says that it is none
        ({"event_name": "GetObject", "read_only": True}, False),  # a data event: other selectors log it
        ({"event_name": "Unheard", "read_only": True}, True),
        ({"event_name": "ListAllMyBuckets", "read_only": True, "own_log": False}, False),  # another account's log
        ({"event_name": "ListAllMyBuckets", "read_only": True, "is_call": False}, None),  # no call at all
    ],
)
def test_read_only_management_events_are_seen(
    con: duckdb.DuckDBPyConnection, *, call: dict[str, Any], sees: bool | None
) -> None:
    rows = coverage(con, call)
    assert {row["sees_read_only"] for row in rows} == (set() if sees is None else {sees})


@pytest.mark.parametrize(
    ("call", "sees"),
    [
        ({}, False),
        ({"event_source": "kms.amazonaws.com", "event_name": "Decrypt"}, True),
        ({"event_source": "kms.amazonaws.com.cn", "event_name": "Decrypt"}, True),
        ({"event_source": "kms.amazonaws.com", "event_name": "Decrypt", "own_log": False}, False),
    ],
)
def test_kms_events_are_seen(con: duckdb.DuckDBPyConnection, *, call: dict[str, Any], sees: bool) -> None:
    assert {row["sees_kms"] for row in coverage(con, call)} == {sees}


def test_an_account_that_is_seen_from_outside_alone_has_no_log_here(con: duckdb.DuckDBPyConnection) -> None:
    rows = coverage(con, {}, {"account_id": OTHER, "own_log": False, "calls": 9})
    assert {(row["account_id"], row["calls"], row["days_covered"]) for row in rows} == {(ACCOUNT, 1, 1), (OTHER, 0, 0)}


def test_a_call_without_an_account_counts_for_its_principals_account_and_for_none_without(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert {row["account_id"] for row in coverage(con, {"account_id": None})} == {ACCOUNT}
    given(con, "caller", {"seen_account_id": None, "account_id": None})
    assert outcome(con, "account_coverage") == []


# --- accounts


def test_accounts_are_those_of_the_snapshot_and_those_of_the_logs(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "windows", {}, MONTH)
    given(
        con,
        "account_rows",
        {"name": "payments", "collected": "ok", "is_management": True, "ou_path": "Root/Prod"}
        | {"environment_tag": "staging", "environment_ou": "production"},
        {"account_id": "777788889999", "name": "quiet", "collected": "failed", "reason": "access denied"},
    )
    seen = {"calls": 7, "days_covered": 3, "sees_read_only": True, "sees_kms": True, "first_event": NOON}
    given(
        con,
        "account_coverage",
        {**seen},
        {**seen, "window_days": 30, "calls": 1},
        {"account_id": OTHER, "calls": 2, "days_covered": 1, "sees_read_only": False, "sees_kms": False},
    )
    given(con, "identity_rows", {}, {"principal_arn": "b"}, {"principal_arn": "c", "account_id": "777788889999"})
    rows = {row["account_id"]: row for row in outcome(con, "accounts")}
    assert set(rows) == {ACCOUNT, OTHER, "777788889999"}
    payments, other, quiet = rows[ACCOUNT], rows[OTHER], rows["777788889999"]
    assert (payments["name"], payments["calls"], payments["days_covered"], payments["identities"]) == (
        *("payments", 7, 3, 2),
    )
    assert (payments["is_management"], payments["sees_kms"]) == (True, True)
    assert (payments["environment_tag"], payments["environment_ou"]) == ("staging", "production")
    assert (other["name"], other["collected"], other["identities"], other["calls"]) == (None, "not collected", 0, 2)
    assert (quiet["collected"], quiet["reason"], quiet["calls"], quiet["days_covered"]) == (
        *("failed", "access denied", None, 0),
    )
    assert (quiet["sees_read_only"], quiet["identities"]) == (False, 1)


def test_a_caller_from_outside_a_known_organisation_is_no_account_that_should_have_been_collected(
    con: duckdb.DuckDBPyConnection,
) -> None:
    given(con, "windows", {})
    given(con, "account_rows", {"organization_path": "o-1/r-1/", "collected": "ok"})
    given(con, "account_coverage", {"account_id": OTHER})
    given(con, "identity_rows")
    collected = {row["account_id"]: row["collected"] for row in outcome(con, "accounts")}
    assert collected == {ACCOUNT: "ok", OTHER: "outside"}


# --- principals


def principals(
    con: duckdb.DuckDBPyConnection,
    identities: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    owners: dict[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    given(con, "windows", {}, MONTH)
    given(con, "identity_rows", *identities)
    given(con, "call_day", *calls)
    nobody = {"seen_account_id": None, "principal_ref": "id:", "principal_arn": "anonymous", "account_id": None}
    given(con, "caller", {}, nobody)
    given(con, "error_outcome", {"error_code": "AccessDenied", "outcome": "denied"})
    given(con, "accounts", {"name": "payments", "ou_path": "Root/Prod", "environment": "production"})
    given(con, "owner_rows", *({"principal_arn": arn, "owner": owner} for arn, owner in (owners or {}).items()))
    return {row["principal_arn"]: row for row in outcome(con, "principals")}


def test_an_owner_is_the_tags_and_else_the_files_and_says_which(con: duckdb.DuckDBPyConnection) -> None:
    listed = [{"owner": "tagged"}, {"principal_arn": "b"}, {"principal_arn": "c"}]
    rows = principals(con, listed, [], owners={APP: "of the file", "b": "of the file"})
    assert {arn: (row["owner"], row["owner_basis"]) for arn, row in rows.items()} == {
        APP: ("tagged", "tag"),
        "b": ("of the file", "owners.csv"),
        "c": (None, None),
    }


def test_an_identity_of_the_snapshot_that_was_seen_is_one_principal(con: duckdb.DuckDBPyConnection) -> None:
    identity = {"name": "app", "kind": "sso role", "owner": "pay", "reach_id": 4, "policies_not_collected": 1}
    calls = [{"calls": 3}, {"calls": 2, "error_code": "AccessDenied", "region": None}, {"calls": 50, "is_call": False}]
    (row,) = principals(con, [identity], calls).values()
    assert (row["name"], row["kind"], row["owner"], row["reach_id"]) == ("app", "sso role", "pay", 4)
    assert (row["in_snapshot"], row["seen_in_logs"], row["calls"], row["denied"]) == (True, True, 5, 2)
    assert (row["account_name"], row["ou_path"], row["environment"]) == ("payments", "Root/Prod", "production")


def test_a_principal_of_the_logs_alone_is_kept_and_marked(con: duckdb.DuckDBPyConnection) -> None:
    rows = principals(con, [], [{}, {"principal_ref": "id:", "account_id": None}])
    assert set(rows) == {APP, "anonymous"}
    assert {(row["in_snapshot"], row["seen_in_logs"], row["reach_id"]) for row in rows.values()} == {
        (False, True, None)
    }
    assert (rows[APP]["name"], rows[APP]["kind"], rows[APP]["account_name"]) == ("app", "role", "payments")
    assert (rows["anonymous"]["name"], rows["anonymous"]["account_id"]) == ("anonymous", None)


def test_an_identity_that_was_never_seen_has_no_calls(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = principals(con, [{"account_id": "777788889999"}], []).values()
    assert (row["seen_in_logs"], row["calls"], row["denied"], row["last_used"]) == (False, 0, 0, None)
    assert (row["account_name"], row["last_used_basis"]) == (None, None)


EARLIER, LATER = NOON - timedelta(days=5), NOON + timedelta(hours=2)


@pytest.mark.parametrize(
    ("iam", "logs", "last_used", "basis"),
    [
        (EARLIER, NOON, NOON, "logs"),
        (LATER, NOON, LATER, "iam"),
        (None, NOON, NOON, "logs"),
        (EARLIER, None, EARLIER, "iam"),
    ],
)
def test_last_used_is_the_later_of_iam_and_logs(
    con: duckdb.DuckDBPyConnection, iam: Any, logs: Any, last_used: Any, basis: str
) -> None:
    calls = [{"last_time": logs}] if logs else []
    (row,) = principals(con, [{"last_used": iam}], calls).values()
    assert (row["last_used"], row["last_used_basis"]) == (last_used, basis)


@pytest.mark.parametrize(
    ("created", "judged_from", "is_new"),
    [
        (None, DAY - timedelta(days=89), False),
        (NOON - timedelta(days=400), DAY - timedelta(days=89), False),
        (NOON - timedelta(days=89), DAY - timedelta(days=89), False),  # on the first day of the window
        (NOON - timedelta(days=10), DAY - timedelta(days=10), True),
    ],
)
def test_an_identity_younger_than_the_window_is_new_and_judged_over_its_own_life(
    con: duckdb.DuckDBPyConnection, *, created: Any, judged_from: Any, is_new: bool
) -> None:
    (row,) = principals(con, [{"created": created}], []).values()
    assert (row["judged_from"], row["is_new"]) == (judged_from, is_new)


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("arn:aws:iam::111122223333:role/team/app", "app"),
        ("arn:aws:iam::111122223333:root", "root"),
        ("SAMLUser a/b:c in 111122223333", "SAMLUser a/b:c in 111122223333"),
    ],
)
def test_a_principal_of_the_logs_is_named_by_its_arn(con: duckdb.DuckDBPyConnection, principal: str, name: str) -> None:
    given(con, "windows", {})
    for table in ("identity_rows", "error_outcome", "accounts", "owner_rows"):
        given(con, table)
    given(con, "call_day", {})
    given(con, "caller", {"principal_arn": principal})
    assert [row["name"] for row in outcome(con, "principals")] == [name]


# --- tables that keep rows as a step gives them

AS_GIVEN = {
    "observable": {"account_id": ACCOUNT, "window_days": 90, "profile_id": 3, "visibility_mask": b"x"},
    "actions": {
        "number": 7,
        "action": "s3:PutObject",
        "service": "s3",
        "access_level": "write",
        "visibility": "data",
        "weight": 2.5,
        "weight_class": "other_write",
        "high_risk": True,
    },
    "nodes": {"node_id": "r-ab12", "kind": "root", "name": "Root", "parent_id": None, "path": "Root"},
    "policies": {"policy_id": 0, "name": "work", "arn": None, "aws_managed": False, "document": "{}"},
    "attachments": {"principal_arn": APP, "layer": "trust", "position": 0, "policy_id": 0, "attached_to": APP},
    "control_levels": {
        "account_id": ACCOUNT,
        "layer": "scp",
        "level": 0,
        "node_id": "r-ab12",
        "node_name": "Root",
        "position": 0,
        "policy_id": None,
    },
    "node_policies": {"node_id": "r-ab12", "layer": "scp", "position": 0, "policy_id": 0},
    "identity_groups": {
        "principal_arn": "arn:aws:iam::111122223333:user/ana",
        "source": "iam",
        "group_id": "arn:aws:iam::111122223333:group/eng/developers",
        "group_name": "developers",
    },
    "permission_sets": {"permission_set_arn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "name": "Developer"},
    "managed_policies": {"policy_arn": "arn:aws:iam::111122223333:policy/boundary/app"},
    "credentials": {
        "principal_arn": "arn:aws:iam::111122223333:user/ana",
        "password_enabled": True,
        "password_last_used": None,
        "password_last_changed": NOON,
        "mfa_active": False,
    },
    "access_keys": {
        "principal_arn": "arn:aws:iam::111122223333:user/ana",
        "position": 1,
        "active": True,
        "created": NOON,
        "last_used": None,
        "last_used_region": None,
        "last_used_service": None,
    },
    "snapshot": {
        "taken_at": NOON,
        "organization_id": "o-abcdefghij",
        "root_id": "r-ab12",
        "management_account_id": ACCOUNT,
        "enabled_types": ["SERVICE_CONTROL_POLICY"],
    },
    "reach": {"reach_id": 0, "surely": b"a", "maybe": b"b", "surely_actions": 1, "maybe_actions": 2},
    "problems": {"source": "snapshot", "subject": "a file", "reason": "is empty"},
}
KEPT_BY_PLURAL = (
    *("policies", "attachments", "control_levels", "node_policies", "credentials", "access_keys"),
    *("identity_groups", "permission_sets", "managed_policies"),
)
READS = {name: f"{name}_rows" for name in KEPT_BY_PLURAL}


@pytest.mark.parametrize("table", AS_GIVEN)
def test_rows_are_kept_as_the_step_gives_them(con: duckdb.DuckDBPyConnection, table: str) -> None:
    given(con, READS.get(table, f"{table.removesuffix('s')}_rows"), AS_GIVEN[table])
    assert outcome(con, table) == [AS_GIVEN[table]]


@pytest.mark.parametrize("table", ["reach_service", "granted_service"])
def test_a_table_that_a_step_fills_in_batches_starts_empty(con: duckdb.DuckDBPyConnection, table: str) -> None:
    assert outcome(con, table) == []
    con.execute(f"insert into {table} by name select 1 as reach_id, 's3' as service")
    assert [(row["reach_id"], row["service"]) for row in table_rows(con, table)] == [(1, "s3")]
