"""The SQL that compares grants with use, and that says what a build is: rows in and rows out."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.sql_tables import DAY, NOON, given, outcome, table_rows

APP, GHOST = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/ghost"
MONTH = {"window_days": 30, "window_start": DAY - timedelta(days=29)}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


# --- seen_action


def seen_actions(con: duckdb.DuckDBPyConnection, *usage: dict[str, Any]) -> list[dict[str, Any]]:
    given(con, "usage", *usage)
    given(con, "windows", {}, MONTH)
    given(con, "actions", {"number": 5}, {"number": 6, "action": "s3:GetObject"})
    given(con, "principals", {"reach_id": 2}, {"principal_arn": GHOST, "in_snapshot": False})
    given(con, "observable", {"profile_id": 1})
    return sorted(
        outcome(con, "seen_action"), key=lambda row: (row["principal_arn"], row["window_days"], row["number"])
    )


def test_an_action_that_was_called_is_seen_in_the_windows_that_hold_the_day(con: duckdb.DuckDBPyConnection) -> None:
    early = DAY - timedelta(days=60)
    rows = seen_actions(con, {"calls": 2}, {"calls": 3, "day": early, "last_time": NOON - timedelta(days=60)})
    assert [(row["window_days"], row["calls"], row["last_used"], row["used"]) for row in rows] == [
        (30, 2, NOON, True),
        (90, 5, NOON, True),
    ]
    assert {(row["number"], row["service"], row["reach_id"]) for row in rows} == {(5, "s3", 2)}
    assert [row["profile_id"] for row in rows] == [None, 1]  # the account has coverage in the longer window alone
    assert sorted(row["seen_id"] for row in rows) == [0, 1]


@pytest.mark.parametrize("day", [DAY - timedelta(days=89), DAY])
def test_both_ends_of_a_window_are_in_it(con: duckdb.DuckDBPyConnection, day: Any) -> None:
    assert 90 in {row["window_days"] for row in seen_actions(con, {"day": day})}
    assert seen_actions(con, {"day": DAY - timedelta(days=90)}) == []


@pytest.mark.parametrize(
    ("usage", "state"),
    [
        ([{}], "used"),
        ([{"denied": 1}], None),
        ([{"calls": 3, "denied": 2}], "used"),
        ([{"throttled": 1}], "possible"),
        ([{"calls": 2, "denied": 1, "throttled": 1}], "possible"),
        ([{"match": "any"}], "possible"),
        ([{"match": "also"}], "possible"),
        ([{"match": "also"}, {"match": "all"}], "used"),
        ([{"match": "also"}, {"match": "all", "denied": 1}], "possible"),
    ],
)
def test_use_is_a_call_that_was_needed_and_not_refused(
    con: duckdb.DuckDBPyConnection, usage: list[dict[str, Any]], state: str | None
) -> None:
    found = {"used" if row["used"] else "possible" for row in seen_actions(con, *usage)}
    assert found == ({state} if state else set())


def test_denied_calls_are_no_calls_of_the_action(con: duckdb.DuckDBPyConnection) -> None:
    assert {row["calls"] for row in seen_actions(con, {"calls": 5, "denied": 2}, {"denied": 1, "region": None})} == {3}


def test_a_principal_outside_the_snapshot_is_seen_without_a_reach(con: duckdb.DuckDBPyConnection) -> None:
    assert {row["reach_id"] for row in seen_actions(con, {"principal_arn": GHOST})} == {None}


def test_seen_fact_knows_nothing_of_principals_without_a_reach(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "seen_action", {"seen_id": 0, "reach_id": 4}, {"seen_id": 1})
    given(con, "known_facts", {"seen_id": 0, "observable": True, "weight": 8.0, "observable_weight": 8.0})
    known, unknown = sorted(outcome(con, "seen_fact"), key=lambda row: row["seen_id"])
    assert (known["in_reach"], known["observable"], known["weight"]) == (True, True, 8.0)
    assert (unknown["in_reach"], unknown["observable"], unknown["weight"]) == (None, False, 0.0)


# --- gap_service, gap_identity


def gaps(
    con: duckdb.DuckDBPyConnection, granted: list[dict[str, Any]], seen: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Gap rows of a role of reach 0 and a principal outside the snapshot, of one window."""
    given(con, "principals", {"reach_id": 0}, {"principal_arn": GHOST, "in_snapshot": False})
    given(con, "windows", {})
    given(con, "observable", {"profile_id": 1})
    given(con, "granted_service", *[{"reach_id": 0, "profile_id": 1, **row} for row in granted])
    facts = ("in_reach", "observable", "weight", "observable_weight")
    numbered = list(enumerate(seen))
    given(
        con,
        "seen_action",
        *[{"seen_id": at, "number": at} | {k: v for k, v in row.items() if k not in facts} for at, row in numbered],
    )
    known = [{"seen_id": at, "observable": False} | {k: row[k] for k in facts if k in row} for at, row in numbered]
    given(con, "seen_fact", *[{"weight": 0.0, "observable_weight": 0.0, **row} for row in known])
    return outcome(con, "gap_service")


S3 = {"granted": 10, "surely": 4, "observable": 7, "granted_weight": 50.0, "observable_weight": 30.0}
PARTS = ("used", "possible", "unused", "unobserved")


def test_granted_is_used_possible_unused_and_unobserved(con: duckdb.DuckDBPyConnection) -> None:
    seen = [
        {"observable": True, "weight": 8.0, "observable_weight": 8.0, "calls": 6},
        {"observable": False, "weight": 5.0},
        {"used": False, "observable": True, "weight": 3.0, "observable_weight": 3.0},
    ]
    (row,) = gaps(con, [S3], seen)
    assert [row[part] for part in PARTS] == [2, 1, 5, 2]  # 7 observable less 2 seen; 3 unobservable less 1 seen
    assert (row["granted"], row["surely"], row["calls"]) == (10, 4, 8)
    assert (row["granted_weight"], row["unused_weight"], row["unobserved_weight"]) == (50.0, 19.0, 15.0)


def test_a_service_that_was_never_called_is_unused_or_unobserved(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = gaps(con, [S3], [])
    assert [row[part] for part in PARTS] == [0, 0, 7, 3]
    assert (row["calls"], row["last_used"], row["unused_weight"], row["unobserved_weight"]) == (0, None, 30.0, 20.0)


def test_use_that_no_policy_grants_stands_beside_the_sum(con: duckdb.DuckDBPyConnection) -> None:
    (s3, sqs) = gaps(con, [S3], [{"in_reach": False}, {"in_reach": False, "service": "sqs", "calls": 4}])
    assert (s3["granted"], s3["used"], s3["used_not_granted"]) == (10, 0, 1)
    assert (sqs["granted"], sqs["used"], sqs["used_not_granted"], sqs["calls"]) == (0, 0, 1, 4)
    assert [sqs[part] for part in PARTS] == [0, 0, 0, 0]


def test_grants_of_a_principal_outside_the_snapshot_are_not_known(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = gaps(con, [], [{"principal_arn": GHOST, "in_reach": None, "calls": 2}])
    assert (row["principal_arn"], row["used"], row["calls"]) == (GHOST, 1, 2)
    unknown = ("granted", "surely", "unused", "unobserved", "used_not_granted", "granted_weight", "unused_weight")
    assert {row[name] for name in unknown} == {None}


def test_an_identity_whose_account_has_no_events_is_wholly_unobserved(con: duckdb.DuckDBPyConnection) -> None:
    gaps(con, [S3, {**S3, "profile_id": 0, "observable": 0, "observable_weight": 0.0}], [])
    given(con, "observable")
    (row,) = outcome(con, "gap_service")
    assert [row[part] for part in PARTS] == [0, 0, 0, 10]


def test_the_totals_of_an_identity_are_those_of_its_services(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "principals", {}, {"principal_arn": GHOST, "in_snapshot": False})
    given(con, "windows", {}, MONTH)
    row = {"granted": 4, "used": 1, "possible": 1, "unused": 1, "unobserved": 1, "unused_weight": 1.25, "calls": 3}
    given(
        con,
        "gap_service",
        {**row, "service": "s3", "last_used": NOON},
        {**row, "service": "ec2", "used": 0, "unused": 2, "possible": 0, "unobserved": 2, "calls": 0},
        {"principal_arn": GHOST, "service": "s3", "used": 2, "possible": 0, "calls": 9},
    )
    by_key = {(row["principal_arn"], row["window_days"]): row for row in outcome(con, "gap_identity")}
    assert len(by_key) == 4
    app, ghost, quiet = by_key[APP, 90], by_key[GHOST, 90], by_key[APP, 30]
    assert [app[part] for part in PARTS] == [1, 1, 3, 3]
    assert (app["granted"], app["unused_weight"], app["calls"], app["last_used"]) == (8, 2.5, 3, NOON)
    assert (app["services"], app["services_used"]) == (2, 1)
    assert (ghost["granted"], ghost["unused"], ghost["used"], ghost["services"]) == (None, None, 2, None)
    assert (ghost["services_used"], ghost["calls"]) == (1, 9)
    assert (quiet["granted"], quiet["services"], quiet["calls"], quiet["last_used"]) == (0, 0, 0, None)


# --- health, build, history


def test_health_has_every_file(con: duckdb.DuckDBPyConnection) -> None:
    given(
        con,
        "source_file",
        {"path": "b", "layout": "D", "rows_read": 3, "rows_rejected": 1, "first_event": NOON, "problem": "1 row lacks"},
        {"path": "a", "rows_read": 0, "rows_rejected": 0, "problem": "is empty"},
    )
    empty, full = outcome(con, "health")
    assert (empty["path"], empty["problem"], empty["rows_read"], empty["layout"]) == ("a", "is empty", 0, None)
    assert (full["path"], full["rows_read"], full["rows_rejected"], full["first_event"]) == ("b", 3, 1, NOON)


def test_the_build_is_one_row_with_the_longest_window(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "build_rows", {"id": "b-1", "has_snapshot": True, "has_organization": False, "format": 1})
    given(con, "windows", {}, MONTH)
    given(con, "health", {"path": "a", "first_event": NOON, "last_event": NOON}, {"path": "b"})
    given(con, "event_names", {"events": 4}, {"event_name": "x", "events": 3, "outcome": "unresolved"})
    given(con, "rollup", {"calls": 9}, *[{"shared_event_id": copied} for copied in "sst"])
    (row,) = outcome(con, "build")
    assert (row["id"], row["window_days"], row["window_start"]) == ("b-1", 90, DAY - timedelta(days=89))
    assert (row["events"], row["first_event"], row["last_event"], row["shared_copies"]) == (7, NOON, NOON, 1)


def test_a_build_without_a_file_that_was_read_has_no_times(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "build_rows", {"id": "b-1"})
    given(con, "windows", {})
    for table in ("health", "event_names", "rollup"):
        given(con, table)
    (row,) = outcome(con, "build")
    assert (row["events"], row["first_event"], row["shared_copies"]) == (0, None, 0)


def history(
    con: duckdb.DuckDBPyConnection, principals: list[dict[str, Any]], gap: list[dict[str, Any]]
) -> dict[str, float]:
    given(con, "build", {"id": "b-1"})
    given(con, "windows", {}, MONTH)
    given(con, "accounts", {"collected": "ok"}, {"account_id": "2", "collected": "failed"})
    given(con, "principals", *[{"is_new": False, **row} for row in principals])
    given(con, "gap_identity", *gap)
    given(con, "risk", {"band": "critical"}, {"band": "high"}, {"band": "high"}, {"band": "low"})
    given(con, "principal_day", {"day": DAY, "calls": 6, "denied": 1}, {"day": DAY - timedelta(days=90), "calls": 9})
    rows = outcome(con, "history")
    assert {row["build_id"] for row in rows} <= {"b-1"}
    return {row["metric"]: row["value"] for row in rows}


def test_history_sums_the_identities_that_are_judged(con: duckdb.DuckDBPyConnection) -> None:
    gap = {"granted": 10, "used": 1, "possible": 2, "unused": 3, "unobserved": 4, "calls": 1}
    gap |= {"granted_weight": 5.0, "unused_weight": 2.0}
    names = ["app", "idle", "new", "linked", "ghost"]
    kinds = {"linked": {"kind": "service-linked role"}, "ghost": {"in_snapshot": False}, "new": {"is_new": True}}
    people = [{"principal_arn": name, "last_used": DAY, **kinds.get(name, {})} for name in names]
    people[0]["owner"] = "pay"
    people[1]["last_used"] = DAY - timedelta(days=400)
    rows = [{**gap, "principal_arn": name} for name in names]
    figures = history(con, people, [*rows, {**gap, "principal_arn": "app", "window_days": 30}])
    assert {name: figures[name] for name in ("identities", "granted", "used", "possible", "unused", "unobserved")} == {
        "identities": 3, "granted": 30, "used": 3, "possible": 6, "unused": 9, "unobserved": 12,
    }  # fmt: skip
    assert (figures["granted_weight"], figures["unused_weight"]) == (15.0, 6.0)
    assert (figures["dormant"], figures["new_identities"], figures["unowned"]) == (1, 1, 2)
    assert (figures["critical"], figures["high"]) == (1, 2)
    assert (figures["accounts_not_collected"], figures["calls"], figures["denied"]) == (1, 6, 1)  # of the window


@pytest.mark.parametrize(
    ("last_used", "days_covered", "dormant"),
    [
        (DAY, 90, 0),  # used in the window, as the logs or IAM say
        (DAY - timedelta(days=400), 90, 1),
        (DAY - timedelta(days=400), 0, 1),  # no logs of its account, but IAM's own record
        (None, 90, 1),
        (None, 0, 0),  # neither logs nor IAM could have shown use
    ],
)
def test_dormant_needs_something_that_could_have_shown_use(
    con: duckdb.DuckDBPyConnection, last_used: date | None, days_covered: int, dormant: int
) -> None:
    given(con, "build", {"id": "b-1"})
    given(con, "windows", {})
    given(con, "accounts", {"collected": "ok", "days_covered": days_covered})
    given(con, "principals", {"is_new": False, "last_used": last_used})
    given(con, "gap_identity", {"granted_weight": 5.0})
    given(con, "principal_day")
    given(con, "risk")
    assert {row["metric"]: row["value"] for row in outcome(con, "history")}["dormant"] == dormant


def test_history_without_a_snapshot_has_no_figures_of_grants(con: duckdb.DuckDBPyConnection) -> None:
    figures = history(con, [{"in_snapshot": False, "calls": 3}], [{"used": 1}])
    assert (figures["calls"], figures["identities"]) == (6, 0)
    assert not {"granted", "unused", "unused_weight"} & set(figures)


def test_rows_of_a_step_reach_the_shell_as_arrow(con: duckdb.DuckDBPyConnection) -> None:
    """The files read what the steps register: Arrow tables by the name after `reads:`."""
    con.register("problem_rows", pa.table({"source": ["snapshot"], "subject": ["x"], "reason": ["is empty"]}))
    assert outcome(con, "problems") == [{"source": "snapshot", "subject": "x", "reason": "is empty"}]
    assert table_rows(con, "problems") != []
