"""The SQL on the side of the logs, rows in and rows out: from canonical events to calls, actions and use."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from analytics.sql import read_sql
from tests.sql_tables import DAY, NOON, given, outcome

APP = "arn:aws:iam::111122223333:role/app"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(read_sql("principal_ref"))
        connection.execute(read_sql("network_of"))
        yield connection


# --- principal_ref: the cases of the "Who and what" go through files in test_identity.py


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"identity_type": "IAMUser", "identity_arn": "arn:aws:iam::1:user/a"}, "arn:aws:iam::1:user/a"),
        ({"identity_type": "IAMUser", "identity_principal_id": "AIDAX"}, "unknown:AIDAX"),
        (
            {"identity_type": "AssumedRole", "identity_arn": "arn:aws:sts::1:assumed-role/r/session"},
            "session:arn:aws:sts::1:assumed-role/r",
        ),
        ({"identity_type": "AssumedRole", "identity_principal_id": "AROAX:s"}, "unknown:AROAX"),
        ({"identity_type": "SAMLUser", "identity_user_name": "ann"}, "federated:SAMLUser:ann"),
        ({"identity_type": "WebIdentityUser", "identity_principal_id": "idp:x"}, "federated:WebIdentityUser:idp:x"),
        ({"identity_type": "AWSAccount", "identity_principal_id": "AIDAX:s"}, "id:AIDAX"),
        ({"identity_type": "AWSAccount"}, "id:"),
        ({"identity_type": "AWSService", "invoked_by": "ec2.amazonaws.com"}, "service:ec2.amazonaws.com"),
        ({"event_type": "AwsServiceEvent", "invoked_by": "AWS Internal"}, "service:s3.amazonaws.com"),
        ({"invoked_by": "sns.amazonaws.com"}, "service:sns.amazonaws.com"),
        ({"identity_arn": "arn:aws:iam::1:role/r"}, "arn:aws:iam::1:role/r"),
        ({}, "unknown:"),
        ({"identity_type": "Robot"}, "unknown:"),
    ],
)
def test_principal_ref(con: duckdb.DuckDBPyConnection, identity: dict[str, str], expected: str) -> None:
    given(con, "events", identity)
    assert outcome(con, "rollup")[0]["principal_ref"] == expected


# --- rollup, source_file: what a load keeps


def test_equal_events_of_a_day_are_one_row(con: duckdb.DuckDBPyConnection) -> None:
    later = NOON + timedelta(hours=3)
    given(
        con,
        "events",
        {"issuer_arn": APP, "read_only": True},
        {"issuer_arn": APP, "event_time": later, "read_only": None},
        {"issuer_arn": APP, "event_time": NOON + timedelta(days=1)},
    )
    one, two = sorted(outcome(con, "rollup"), key=lambda row: row["day"])
    assert (one["day"], one["calls"], one["read_only"]) == (DAY, 2, True)
    assert (one["first_time"], one["last_time"]) == (NOON, later)
    assert (two["day"], two["calls"]) == (DAY + timedelta(days=1), 1)


@pytest.mark.parametrize(
    "difference",
    [
        {"issuer_arn": "arn:aws:iam::111122223333:role/other"},
        {"identity_account_id": "999999999999"},
        {"event_source": "ec2.amazonaws.com"},
        {"event_name": "GetObject"},
        {"event_type": "AwsConsoleAction"},
        {"aws_region": None},
        {"error_code": "AccessDenied"},
        {"invoked_by": "athena.amazonaws.com"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_what_differs_in_a_key_column_is_another_row(
    con: duckdb.DuckDBPyConnection, difference: dict[str, str | None]
) -> None:
    given(con, "events", {"issuer_arn": APP}, {"issuer_arn": APP, **difference})
    assert [row["calls"] for row in outcome(con, "rollup")] == [1, 1]


@pytest.mark.parametrize(
    ("recorded", "read_only"),
    [((None, None), None), ((None, False), False), ((False, True), True), ((True, None), True)],
)
def test_calls_only_read_where_a_record_says_so(
    con: duckdb.DuckDBPyConnection, recorded: tuple[bool | None, ...], *, read_only: bool | None
) -> None:
    given(con, "events", *[{"read_only": told} for told in recorded])
    assert [row["read_only"] for row in outcome(con, "rollup")] == [read_only]


@pytest.mark.parametrize("lacking", ["event_time", "event_source", "event_name"])
def test_a_row_that_is_no_event_is_not_in_the_roll_up(con: duckdb.DuckDBPyConnection, lacking: str) -> None:
    given(con, "events", {}, {lacking: None}, {lacking: None, "shared_event_id": "s"})
    assert [row["calls"] for row in outcome(con, "rollup")] == [1]


def test_the_copies_of_a_shared_event_are_rows_of_their_own(con: duckdb.DuckDBPyConnection) -> None:
    given(
        con,
        "events",
        {"issuer_arn": APP, "shared_event_id": "s-1"},
        {"shared_event_id": "s-1", "identity_type": "AWSAccount", "recipient_account_id": "444455556666"},
        {"issuer_arn": APP},
        {"issuer_arn": APP},
    )
    rows = outcome(con, "rollup")
    assert {(row["principal_ref"], row["shared_event_id"], row["callers_copy"], row["calls"]) for row in rows} == {
        (APP, "s-1", True, 1),
        ("id:", "s-1", False, 1),
        (APP, None, None, 2),
    }


def test_every_file_of_a_load_has_a_row_and_rejected_rows_are_its_problem(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(read_sql("work_tables"))
    given(
        con,
        "inspected",
        {"path": "a.parquet", "size": 10, "layout": "D", "rows_read": 2, "rows_rejected": 0, "first_event": NOON},
        {"path": "b.parquet", "layout": "A", "rows_read": 3, "rows_rejected": 2},
    )
    full, lacking = sorted(outcome(con, "source_file", load_id=2), key=lambda row: row["path"])
    assert (full["rows_read"], full["layout"], full["size"], full["load_id"]) == (2, "D", 10, 2)
    assert (full["first_event"], full["problem"]) == (NOON, None)
    assert (lacking["rows_read"], lacking["rows_rejected"], lacking["first_event"]) == (3, 2, None)
    assert lacking["problem"].startswith("2 rows lack an event time, source or name")


def test_the_manifest_holds_what_a_load_writes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(read_sql("work_tables"))
    given(con, "inspected", {"path": "events.parquet", "rows_read": 2, "rows_rejected": 0})
    con.execute(read_sql("source_file"), {"load_id": 1})
    assert con.execute("select load_id, rows_read from source_file").fetchall() == [(1, 2)]


# --- call_day: each call once


def shared(**fields: object) -> dict[str, object]:
    return {"shared_event_id": "s-1", **fields}


CALLERS = shared(principal_ref=APP, callers_copy=True)
RESOURCES = shared(principal_ref="id:AROAAPP", callers_copy=False)


def test_a_call_that_two_accounts_logged_is_one_call_of_its_caller(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "rollup", CALLERS, RESOURCES)
    forward = outcome(con, "call_day")
    given(con, "rollup", RESOURCES, CALLERS)
    assert outcome(con, "call_day") == forward
    (row,) = forward
    assert (row["principal_ref"], row["calls"], row["own_log"], row["day"]) == (APP, 1, True, DAY)


def test_a_copy_that_was_delivered_twice_is_one_call(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "rollup", CALLERS | {"calls": 2}, CALLERS)
    assert [row["calls"] for row in outcome(con, "call_day")] == [1]


def test_a_call_that_only_the_resources_account_logged_is_kept_and_says_nothing_of_the_callers_log(
    con: duckdb.DuckDBPyConnection,
) -> None:
    foreign = shared(shared_event_id="s-2", principal_ref=APP, callers_copy=False)
    given(con, "rollup", {"principal_ref": "id:AROAX"}, RESOURCES, foreign)
    assert [(row["principal_ref"], row["own_log"]) for row in outcome(con, "call_day")] == [
        (APP, False),
        ("id:AROAAPP", False),
        ("id:AROAX", False),
    ]


def test_shared_and_other_calls_of_the_same_kind_add_up(con: duckdb.DuckDBPyConnection) -> None:
    copies = [CALLERS | {"read_only": True}, CALLERS | {"shared_event_id": "s-2", "read_only": None}]
    given(con, "rollup", {"calls": 4}, {"calls": 2}, *copies)
    (row,) = outcome(con, "call_day")
    assert (row["calls"], row["read_only"]) == (8, True)


@pytest.mark.parametrize(
    ("event_type", "is_call"),
    [
        *[(kind, True) for kind in ("AwsApiCall", None, "AwsConsoleSignIn", "AwsConsoleAction", "AwsServiceEvent")],
        *[(kind, False) for kind in ("AwsCloudTrailInsight", "AwsVpceEvent")],
    ],
)
def test_insight_and_network_activity_events_are_no_calls(
    con: duckdb.DuckDBPyConnection, *, event_type: str | None, is_call: bool
) -> None:
    given(con, "rollup", {"event_type": event_type})
    assert [row["is_call"] for row in outcome(con, "call_day")] == [is_call]


def test_a_call_through_a_service_keeps_its_principal_and_the_service(con: duckdb.DuckDBPyConnection) -> None:
    given(
        con,
        "rollup",
        {"invoked_by": "athena.amazonaws.com"},
        {"principal_ref": "service:ec2.amazonaws.com", "invoked_by": "ec2.amazonaws.com", "account_id": None},
    )
    assert [(row["principal_ref"], row["via_service"]) for row in outcome(con, "call_day")] == [
        (APP, "athena.amazonaws.com"),
        ("service:ec2.amazonaws.com", None),
    ]


def test_a_service_event_belongs_to_the_service_even_when_it_names_a_role(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "rollup", {"event_type": "AwsServiceEvent", "event_source": "kms.amazonaws.com", "principal_ref": APP})
    assert [row["principal_ref"] for row in outcome(con, "call_day")] == ["service:kms.amazonaws.com"]


def test_an_anonymous_caller_has_no_account(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "rollup", {"principal_ref": "id:", "account_id": "ANONYMOUS_PRINCIPAL"})
    assert [row["account_id"] for row in outcome(con, "call_day")] == [None]


# --- event_names, usage: what calls needed


def test_event_names_count_every_call_with_or_without_an_action(con: duckdb.DuckDBPyConnection) -> None:
    given(
        con,
        "call_day",
        {"calls": 3},
        {"calls": 2, "region": None, "account_id": None},
        {"calls": 1, "event_name": "Odd", "event_type": None},
    )
    given(
        con,
        "event_action",
        {"action": "s3:PutObject"},
        {"action": "s3:PutObjectAcl", "match": "also"},
        {"event_name": "Odd", "event_type": None, "outcome": "unresolved", "action": None, "match": None},
    )
    odd, put = sorted(outcome(con, "event_names"), key=lambda row: row["event_name"])
    assert (put["events"], put["actions"], put["outcome"]) == (5, "s3:PutObject, s3:PutObjectAcl", "resolved")
    assert (odd["events"], odd["actions"], odd["outcome"], odd["event_type"]) == (1, None, "unresolved", None)


ERRORS = [
    {"error_code": "AccessDenied", "outcome": "denied"},
    {"error_code": "Throttling", "outcome": "before_authorization"},
]


@pytest.mark.parametrize(
    ("error_code", "denied", "throttled"),
    [(None, 0, 0), ("NoSuchKey", 0, 0), ("Client.DryRunOperation", 0, 0), ("AccessDenied", 2, 0), ("Throttling", 0, 2)],
)
def test_usage_tells_denied_and_throttled_calls_from_use(
    con: duckdb.DuckDBPyConnection, error_code: str | None, denied: int, throttled: int
) -> None:
    given(con, "call_day", {"calls": 2, "error_code": error_code}, {"calls": 1})
    given(con, "caller", {})
    given(con, "event_action", {})
    given(con, "error_outcome", *ERRORS)
    (row,) = outcome(con, "usage")
    assert (row["calls"], row["denied"], row["throttled"]) == (3, denied, throttled)


def test_usage_has_a_row_for_each_action_that_an_event_may_need(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "call_day", {"calls": 5, "event_type": None})
    given(con, "caller", {})
    given(con, "error_outcome")
    given(
        con,
        "event_action",
        {"event_type": None, "action": "s3:PutObject", "match": "all"},
        {"event_type": None, "action": "s3:PutObjectAcl", "match": "also"},
    )
    assert [(row["action"], row["match"], row["calls"]) for row in outcome(con, "usage")] == [
        ("s3:PutObject", "all", 5),
        ("s3:PutObjectAcl", "also", 5),
    ]


def test_usage_loses_no_caller_without_account_or_region(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "call_day", {"account_id": None, "region": None})
    given(con, "caller", {"seen_account_id": None, "principal_arn": APP, "account_id": "111122223333"})
    given(con, "event_action", {})
    given(con, "error_outcome")
    (row,) = outcome(con, "usage")
    assert (row["principal_arn"], row["account_id"], row["region"]) == (APP, "111122223333", None)


def test_events_without_an_action_are_no_usage(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "call_day", {})
    given(con, "caller", {})
    given(con, "event_action", {"action": None, "match": None, "outcome": "not_iam"})
    given(con, "error_outcome")
    assert outcome(con, "usage") == []


def test_principal_day_counts_a_call_once_whatever_it_needed(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "call_day", {"calls": 2}, {"calls": 1, "error_code": "AccessDenied"}, {"calls": 9, "is_call": False})
    given(con, "caller", {})
    given(con, "error_outcome", *ERRORS)
    (row,) = outcome(con, "principal_day")
    assert (row["principal_arn"], row["day"], row["calls"], row["denied"]) == (APP, DAY, 3, 1)


def test_windows_are_kept_as_the_step_found_them(con: duckdb.DuckDBPyConnection) -> None:
    rows = [{"window_days": 30, "window_start": DAY - timedelta(29)}, {"window_days": 90}]
    given(con, "window_rows", *rows)
    assert [(row["window_days"], row["window_start"], row["window_end"]) for row in outcome(con, "windows")] == [
        (30, date(2026, 2, 9), DAY),
        (90, date(2025, 12, 11), DAY),
    ]
