# ruff: noqa: E501  a case is read on one line
"""The SQL of trust, risk and what would lower a score: rows in and rows out."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from tests.sql_tables import DAY, NOON, given, outcome

ROLE, USER = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:user/eve"
HOME, OUTSIDE = "111122223333", "999988887777"
EARLY = NOON - timedelta(days=200)  # before the window
TOLD = {"account_id": HOME, "event_source": "sts.amazonaws.com", "own_log": True}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def way(party: str, kind: str, account_id: str | None = None, **more: Any) -> dict[str, Any]:
    """One way to become the role; silence counts from 45 covered days on."""
    return {
        "party": party, "kind": kind, "party_account_id": account_id, "position": 0, "trust_class": "organization",
        "exposure": 7.0, "conditions": "[]", "notes": "[]", "surely": True, "least_days": 45, **more,
    }  # fmt: skip


def trust(
    con: duckdb.DuckDBPyConnection,
    *ways: dict[str, Any],
    assumed: tuple[dict[str, Any], ...] = (),
    days_covered: int = 90,
    calls: tuple[dict[str, Any], ...] = (TOLD,),
    keys: tuple[dict[str, Any], ...] = (),
    credentials: tuple[dict[str, Any], ...] = (),
    taken_at: Any = NOON,
    user_calls: int = 0,
) -> list[dict[str, Any]]:
    given(con, "trust_rows", *ways)
    given(con, "assumed", *assumed)
    given(con, "call_day", *calls)
    given(con, "accounts", {"days_covered": days_covered}, {"account_id": OUTSIDE, "days_covered": 0})
    given(con, "principals", {}, {"principal_arn": USER, "calls": user_calls})
    given(con, "windows", {}, {"window_days": 30, "window_start": DAY - timedelta(days=29)})
    given(con, "snapshot", {"taken_at": taken_at})
    given(con, "access_keys", *keys)
    given(con, "credentials", *credentials)
    return sorted(outcome(con, "trust"), key=lambda row: (row["principal_arn"], row["position"]))


def seen(rows: list[dict[str, Any]]) -> list[int | None]:
    return [row["seen_calls"] for row in rows]


def test_a_way_keeps_what_trust_says_of_it(con: duckdb.DuckDBPyConnection) -> None:
    told = way(
        f"arn:aws:iam::{OUTSIDE}:root", "account", OUTSIDE, party_name="Vendor", sid="Trust", statement_index=1,
        conditions='["sts:ExternalId is one of 1 value"]', notes='["a note"]', surely=False,
    )  # fmt: skip
    (row,) = trust(con, told)
    assert (row["party"], row["party_name"], row["trust_class"], row["exposure"]) == (
        told["party"],
        "Vendor",
        "organization",
        7.0,
    )
    assert (row["statement_index"], row["sid"], row["surely"]) == (1, "Trust", False)
    assert json.loads(row["conditions"]) == ["sts:ExternalId is one of 1 value"]
    assert json.loads(row["notes"]) == ["a note"]
    assert (row["seen_calls"], row["seen_last"], row["seen_accounts"], row["seen_networks"]) == (0, None, "[]", "[]")


def test_calls_that_went_through_are_counted_with_their_last_time_accounts_and_networks(
    con: duckdb.DuckDBPyConnection,
) -> None:
    other = NOON - timedelta(days=3)
    session = {"caller_account_id": OUTSIDE, "caller": f"arn:aws:iam::{OUTSIDE}:role/a"}
    (row,) = trust(
        con,
        way(f"arn:aws:iam::{OUTSIDE}:root", "account", OUTSIDE),
        assumed=(
            session | {"calls": 5, "denied": 2, "network": "203.0.113.0/24", "last_time": other},
            session | {"calls": 1, "network": "198.51.100.0/24", "caller": f"account {OUTSIDE}"},
            session | {"calls": 4, "denied": 4, "network": "192.0.2.0/24", "last_time": NOON + timedelta(hours=1)},
            {"caller_account_id": HOME, "caller": ROLE, "calls": 9},
        ),
    )
    assert (row["seen_calls"], row["seen_last"]) == (4, NOON)
    assert json.loads(row["seen_accounts"]) == [OUTSIDE]
    assert json.loads(row["seen_networks"]) == ["198.51.100.0/24", "203.0.113.0/24"]


@pytest.mark.parametrize(
    ("one", "caller", "account_id", "matches"),
    [
        (way("*", "anyone"), "arn:aws:iam::1:role/x", OUTSIDE, True),
        (way("*", "anyone"), "lambda.amazonaws.com", None, False),
        (way("lambda.amazonaws.com", "service"), "lambda.amazonaws.com", None, True),
        (way("lambda.amazonaws.com", "service"), "ec2.amazonaws.com", None, False),
        (way("arn:aws:iam::111122223333:saml-provider/P", "saml"), "arn:aws:iam::111122223333:saml-provider/P", None, True),
        (way("arn:aws:iam::111122223333:oidc-provider/gitlab.com", "oidc"), "gitlab.com", None, True),
        (way("arn:aws:iam::111122223333:oidc-provider/gitlab.com", "oidc"), "lab.com", None, False),
        (way(f"arn:aws:iam::{OUTSIDE}:role/ci/x", "principal", OUTSIDE), f"arn:aws:iam::{OUTSIDE}:role/x", OUTSIDE, True),
        (way(f"arn:aws:iam::{OUTSIDE}:user/x", "principal", OUTSIDE), f"arn:aws:iam::{OUTSIDE}:role/x", OUTSIDE, False),
        (way(f"arn:aws:iam::{OUTSIDE}:role/x", "principal", OUTSIDE), f"account {OUTSIDE}", OUTSIDE, True),
        (way(f"arn:aws:sts::{OUTSIDE}:assumed-role/x/me", "principal", OUTSIDE), f"arn:aws:iam::{OUTSIDE}:role/x", OUTSIDE, True),
    ],
)  # fmt: skip
def test_a_caller_is_the_party_that_could_have_been_it(
    con: duckdb.DuckDBPyConnection, one: dict[str, Any], caller: str, account_id: str | None, matches: object
) -> None:
    assumed = ({"caller": caller, "caller_account_id": account_id, "calls": 3},)
    assert seen(trust(con, one, assumed=assumed)) == [3 if matches else 0]


@pytest.mark.parametrize(
    ("surroundings", "expected"),
    [
        ({}, 0),
        ({"days_covered": 44}, None),  # too few days for silence to mean anything
        ({"calls": ()}, None),  # its log never shows AssumeRole
        ({"calls": (TOLD | {"event_source": "s3.amazonaws.com"},)}, None),
        ({"calls": (TOLD | {"own_log": False},)}, None),
        ({"calls": (TOLD | {"day": EARLY.date()},)}, None),
        # logged by the role's account: nobody else could have
        ({"calls": (), "assumed": ({"caller": "ec2.amazonaws.com", "calls": 1},)}, 0),
        ({"calls": (), "assumed": ({"caller": "account 5", "caller_account_id": OUTSIDE, "calls": 1},)}, 0),
        ({"calls": (), "assumed": ({"caller": ROLE, "caller_account_id": HOME, "calls": 1},)}, None),
    ],
)
def test_nobody_is_said_only_where_the_export_would_have_shown_it(
    con: duckdb.DuckDBPyConnection, surroundings: dict[str, Any], expected: int | None
) -> None:
    assert seen(trust(con, way("lambda.amazonaws.com", "service"), **surroundings)) == [expected]


def test_of_a_unique_id_nobody_can_say_that_it_never_came(con: duckdb.DuckDBPyConnection) -> None:
    known, gone = way("AROAEXAMPLE", "principal"), way("AIDAGONE", "principal", position=1, trust_class="nobody")
    assert seen(trust(con, known, gone)) == [None, 0]
    assert seen(trust(con, way("nobody", "nobody"))) == [None]


KEY = {"principal_arn": USER, "position": 1, "active": True}
FIRST_KEY = way("access key 1", "access_key", principal_arn=USER, key_position=1)


@pytest.mark.parametrize(
    ("last_used", "surroundings", "expected"),
    [
        (EARLY, {}, 0),
        (None, {}, 0),
        (NOON, {}, None),  # used, and nobody counts how often
        (EARLY, {"user_calls": 3}, None),  # since the report: perhaps with this key
        (EARLY, {"user_calls": 3, "taken_at": NOON + timedelta(days=1)}, 0),
        (EARLY, {"days_covered": 20}, None),
        (EARLY, {"taken_at": None}, 0),
    ],
)
def test_a_key_was_never_used_by_its_report_and_by_the_logs_since(
    con: duckdb.DuckDBPyConnection, last_used: Any, surroundings: dict[str, Any], expected: int | None
) -> None:
    (row,) = trust(con, FIRST_KEY, keys=(KEY | {"last_used": last_used},), **surroundings)
    assert (row["seen_calls"], row["seen_last"]) == (expected, last_used)


def test_without_a_credential_report_nothing_is_said_of_a_key(con: duckdb.DuckDBPyConnection) -> None:
    nameless = way("credentials", "access_key", principal_arn=USER)
    assert seen(trust(con, nameless)) == [None]


CONSOLE = way("console", "console", principal_arn=USER)
PASSWORD = {"principal_arn": USER, "password_enabled": True, "password_last_used": EARLY}
SIGN_IN = {"caller": "console", "calls": 2}


def test_sign_ins_are_counted_and_missing_ones_mean_something_where_others_are_shown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    mine, others = SIGN_IN | {"principal_arn": USER}, SIGN_IN
    (row,) = trust(con, CONSOLE, credentials=(PASSWORD,), assumed=(mine,))
    assert (row["seen_calls"], row["seen_last"]) == (2, NOON)
    (row,) = trust(con, CONSOLE, credentials=(PASSWORD,), assumed=(others,))
    assert (row["seen_calls"], row["seen_last"]) == (0, EARLY)
    assert seen(trust(con, CONSOLE, credentials=(PASSWORD,))) == [None]


def test_risk_keeps_its_rows_by_rank(con: duckdb.DuckDBPyConnection) -> None:
    first = {
        "rank": 1, "score": 90.0, "band": "critical", "control_reach": 24.0, "data_reach": 10.0, "breadth": 6.0,
        "unused": 20.0, "exposure": 10.0, "asset": 10.0, "floor": "administrator", "floor_points": 10.0,
        "administrator": "surely", "steps_to_administrator": 2, "trust_class": "vendor", "paths": 3,
        "confidence": "medium", "confidence_share": 0.5, "confidence_reasons": '["a reason"]',
    }  # fmt: skip
    given(con, "risk_rows", {"principal_arn": USER, "rank": 2}, first)
    rows = outcome(con, "risk")
    assert {name: value for name, value in rows[0].items() if name != "principal_arn"} == first
    assert [row["principal_arn"] for row in con.execute("from risk").df().to_dict("records")] == [ROLE, USER]
    assert con.execute("select confidence_reasons ->> 0 from risk where rank = 1").fetchall() == [("a reason",)]


def test_changes_keep_their_order(con: duckdb.DuckDBPyConnection) -> None:
    change = {"kind": "scp", "title": "Deny", "detail": '{"actions": 3}', "score_after": 12.5}
    given(con, "would_lower_rows", change | {"position": 1}, change | {"position": 0, "kind": "boundary"})
    rows = sorted(outcome(con, "would_lower"), key=lambda row: row["position"])
    assert [(row["kind"], row["score_after"]) for row in rows] == [("boundary", 12.5), ("scp", 12.5)]
    assert con.execute("select detail ->> 'actions' from would_lower limit 1").fetchall() == [("3",)]
