"""The SQL on who became whom and who changed which policy, rows in and rows out."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from analytics.sql import read_sql
from tests.sql_tables import DAY, NOON, given, outcome

ACCOUNT, OTHER = "111122223333", "444455556666"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/team/admin"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(read_sql("principal_ref"))
        connection.execute(read_sql("network_of"))
        yield connection


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.0.0/16"),
        ("2001:db8:abcd:1::7", "2001:db8:abcd::/48"),
        ("2001:0DB8:0:1:2:3:4:5", "2001:db8:0::/48"),
        ("2001:db8::1", "2001:db8:0::/48"),
        ("::1", "0:0:0::/48"),
        ("ec2.amazonaws.com", "ec2.amazonaws.com"),
        ("AWS Internal", "AWS Internal"),
        (None, None),
    ],
)
def test_a_network_is_where_an_address_lies_roughly(
    con: duckdb.DuckDBPyConnection, address: str | None, network: str | None
) -> None:
    con.execute(read_sql("network_of"))
    assert con.execute("select network_of($address)", {"address": address}).fetchall() == [(network,)]


# --- trust_event


def test_only_named_events_are_taken_and_those_without_a_time_are_not(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "trust_event_name", {"event_source": "sts.amazonaws.com", "event_name": "AssumeRole"})
    sts = {"event_source": "sts.amazonaws.com", "issuer_arn": APP}
    taken = {**sts, "event_name": "AssumeRole", "request_parameters": "{}"}
    given(con, "events", taken, taken | {"event_time": None}, {**sts, "event_name": "GetCallerIdentity"}, {})
    (row,) = outcome(con, "trust_event")
    assert (row["signer_ref"], row["event_time"], row["request_parameters"]) == (APP, NOON, "{}")


# --- role_session: what a load keeps

STS: dict[str, Any] = {
    "event_source": "sts.amazonaws.com",
    "event_name": "AssumeRole",
    "signer_ref": APP,
    "identity_type": "AssumedRole",
    "source_ip_address": "203.0.113.7",
    "request_parameters": json.dumps({"roleArn": ADMIN}),
}


def sessions(con: duckdb.DuckDBPyConnection, *events: dict[str, Any]) -> list[dict[str, Any]]:
    given(con, "trust_event", *[STS | event for event in events])
    return outcome(con, "role_session")


def test_equal_sessions_of_a_day_are_one_row(con: duckdb.DuckDBPyConnection) -> None:
    later = NOON + timedelta(hours=1)
    (row,) = sessions(con, {}, {"event_time": later}, {"error_code": "AccessDenied"})
    assert (row["principal_ref"], row["caller_ref"], row["caller_account_id"]) == (ADMIN, APP, ACCOUNT)
    assert (row["network"], row["day"], row["calls"], row["denied"]) == ("203.0.0.0/16", DAY, 3, 1)
    assert (row["first_time"], row["last_time"], row["shared_event_id"], row["callers_copy"]) == (
        NOON,
        later,
        None,
        None,
    )


GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"
WEB = {"event_name": "AssumeRoleWithWebIdentity", "identity_type": "WebIdentityUser"}
LOGIN = {"event_source": "signin.amazonaws.com", "event_name": "ConsoleLogin", "request_parameters": None}


@pytest.mark.parametrize(
    ("event", "became", "caller"),
    [
        (WEB | {"identity_provider": GITHUB}, ADMIN, f"provider:{GITHUB}"),
        (WEB | {"identity_principal_id": f"{GITHUB}:sts.amazonaws.com:repo:x/y"}, ADMIN, f"provider:{GITHUB}"),
        (WEB | {"identity_principal_id": "accounts.google.com:app:sub"}, ADMIN, "provider:accounts.google.com"),
        (
            {
                "event_name": "AssumeRoleWithSAML",
                "identity_type": "SAMLUser",
                "request_parameters": json.dumps({"roleArn": ADMIN, "principalArn": SAML}),
            },
            ADMIN,
            f"provider:{SAML}",
        ),
        (LOGIN | {"identity_type": "IAMUser", "identity_arn": ANN, "signer_ref": ANN}, ANN, "console"),
        (
            {"identity_type": "AWSService", "signer_ref": "service:ec2.amazonaws.com"},
            ADMIN,
            "service:ec2.amazonaws.com",
        ),
        (
            {"event_name": "AssumeRoot", "request_parameters": json.dumps({"targetPrincipal": OTHER})},
            f"arn:aws:iam::{OTHER}:root",
            APP,
        ),
        (
            {"request_parameters": None, "error_message": f"is not authorized: sts:AssumeRole on resource: {ADMIN}"},
            ADMIN,
            APP,
        ),
    ],
)
def test_who_became_whom(con: duckdb.DuckDBPyConnection, event: dict[str, Any], became: str, caller: str) -> None:
    (row,) = sessions(con, event)
    assert (row["principal_ref"], row["caller_ref"]) == (became, caller)
    assert row["caller_account_id"] == (ACCOUNT if caller == APP else None)


@pytest.mark.parametrize(
    "event",
    [
        {"request_parameters": None},
        {"request_parameters": "{not json"},
        {"request_parameters": "[]"},
        LOGIN | {"identity_type": "AssumedRole"},  # whoever assumed the role is in sts's own event
        {"event_source": "iam.amazonaws.com"},
    ],
)
def test_an_event_that_names_nobody_who_was_become_is_no_session(
    con: duckdb.DuckDBPyConnection, event: dict[str, Any]
) -> None:
    assert sessions(con, event) == []


def test_a_sign_in_fails_by_its_message(con: duckdb.DuckDBPyConnection) -> None:
    user = LOGIN | {"identity_type": "IAMUser", "identity_arn": ANN}
    (row,) = sessions(con, user, user | {"error_message": "Failed authentication"})
    assert (row["calls"], row["denied"]) == (2, 1)


def test_copies_of_a_session_that_two_accounts_log_stay_apart(con: duckdb.DuckDBPyConnection) -> None:
    rows = sessions(con, {"shared_event_id": "s"}, {"shared_event_id": "s", "recipient_account_id": OTHER}, {})
    assert {(row["shared_event_id"], row["callers_copy"]) for row in rows} == {("s", True), ("s", False), (None, None)}


# --- assumed: over all loads, each session once

SESSION: dict[str, Any] = {
    "principal_ref": ADMIN,
    "caller_ref": APP,
    "caller_account_id": ACCOUNT,
    "network": "203.0.0.0/16",
    "denied": 0,
}


def assumed(con: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    given(con, "role_session", *[SESSION | row for row in rows])
    given(con, "windows", {"window_days": 30, "window_start": DAY - timedelta(days=29)}, {})
    given(
        con,
        "session_caller",
        {"principal_ref": APP, "principal_arn": APP},
        *(
            {"principal_ref": ref, "seen_account_id": account, "principal_arn": name, "account_id": account}
            for ref, account, name in (
                ("id:AROAVENDOR", OTHER, f"account {OTHER}"),
                ("service:ec2.amazonaws.com", None, "ec2.amazonaws.com"),
                (f"provider:{GITHUB}", None, "unknown"),
                ("console", None, "unknown"),
            )
        ),
    )
    return outcome(con, "assumed")


def test_sessions_of_all_days_of_the_widest_window_add_up(con: duckdb.DuckDBPyConnection) -> None:
    early = NOON - timedelta(days=60)
    (row,) = assumed(
        con,
        {"calls": 3, "denied": 1},
        {"day": early.date(), "first_time": early, "last_time": early, "calls": 2},
        {"day": DAY - timedelta(days=200), "calls": 50},
    )
    assert row == {
        "principal_arn": ADMIN,
        "caller": APP,
        "caller_account_id": ACCOUNT,
        "network": "203.0.0.0/16",
        "via_service": None,
        "calls": 5,
        "denied": 1,
        "first_time": early,
        "last_time": NOON,
    }


def test_a_session_that_two_accounts_logged_counts_once_for_its_caller(con: duckdb.DuckDBPyConnection) -> None:
    mine = {"shared_event_id": "s", "callers_copy": True}
    theirs = {"shared_event_id": "s", "callers_copy": False, "caller_ref": "id:AROAVENDOR", "caller_account_id": OTHER}
    forward = assumed(con, theirs, mine)
    assert [(row["caller"], row["calls"]) for row in forward] == [(APP, 1)]
    assert assumed(con, mine, theirs) == forward
    assert [row["caller"] for row in assumed(con, theirs)] == [f"account {OTHER}"]
    assert [(row["calls"], row["denied"]) for row in assumed(con, mine | {"calls": 2, "denied": 2})] == [(1, 1)]


@pytest.mark.parametrize(
    ("caller_ref", "caller"),
    [
        ("service:ec2.amazonaws.com", "ec2.amazonaws.com"),
        (f"provider:{GITHUB}", GITHUB),
        ("console", "console"),
    ],
)
def test_callers_that_are_no_principals_keep_their_names(
    con: duckdb.DuckDBPyConnection, caller_ref: str, caller: str
) -> None:
    (row,) = assumed(con, {"caller_ref": caller_ref, "caller_account_id": None})
    assert (row["caller"], row["caller_account_id"]) == (caller, None)


def test_a_session_through_a_service_keeps_the_service_unless_it_is_the_caller(con: duckdb.DuckDBPyConnection) -> None:
    through = {"invoked_by": "cloudformation.amazonaws.com"}
    (row,) = assumed(con, through)
    assert row["via_service"] == "cloudformation.amazonaws.com"
    itself = {"caller_ref": "service:ec2.amazonaws.com", "caller_account_id": None, "invoked_by": "ec2.amazonaws.com"}
    assert [row["via_service"] for row in assumed(con, itself)] == [None]


# --- policy_change, changes

IAM: dict[str, Any] = {"event_source": "iam.amazonaws.com", "event_name": "PutRolePolicy"}


def test_every_copy_of_a_change_is_kept_with_the_account_it_was_made_in(con: duckdb.DuckDBPyConnection) -> None:
    event = IAM | {"signer_ref": APP, "request_parameters": "{}"}
    given(
        con,
        "trust_event",
        event | {"event_id": "e-1", "recipient_account_id": OTHER},
        event | {"event_id": "e-2", "recipient_account_id": None},
        event | {"event_id": None},
        event | STS,
    )
    one, two, nameless = sorted(outcome(con, "policy_change"), key=lambda row: not row["event_id"].startswith("e-"))
    assert (one["account_id"], one["actor_account_id"], one["callers_copy"]) == (OTHER, ACCOUNT, False)
    assert (two["account_id"], two["actor_ref"]) == (ACCOUNT, APP)
    assert len(nameless["event_id"]) == 32


KINDS = {
    "PutRolePolicy": ("role", "roleName", "policyName", "inline policy {policy} of role {subject} written"),
    "AttachUserPolicy": ("user", "userName", "policyArn", "policy {policy} attached to user {subject}"),
    "CreateRole": ("role", "roleName", "permissionsBoundary", "role {subject} created"),
    "CreatePolicy": ("policy", "policyName", "policyName", "policy {policy} created"),
    "SetDefaultPolicyVersion": (
        "policy",
        "policyArn",
        "policyArn",
        "version {versionId} of policy {policy} put in force",
    ),
    "CreateOpenIDConnectProvider": ("provider", "url", None, "OIDC provider {subject} created"),
    "CreateSAMLProvider": ("provider", "name", None, "SAML provider {subject} created"),
    "AttachPolicy": ("node", "targetId", "policyId", "control policy {policy} attached to {subject}"),
    "InviteAccountToOrganization": ("node", "target.id", None, "account {subject} invited"),
    "LeaveOrganization": ("account", None, None, "the account left the organisation"),
    "PutResourcePolicy": ("organization", None, None, "delegation policy of the organisation rewritten"),
}


def changes(con: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    usual = IAM | {"event_id": "e-1", "actor_ref": APP, "actor_account_id": ACCOUNT, "callers_copy": True}
    given(con, "policy_change", *[usual | row for row in rows])
    columns = ("subject_kind", "subject_key", "policy_key", "summary")
    events = [IAM | {"event_name": name} | dict(zip(columns, kind, strict=True)) for name, kind in KINDS.items()]
    given(con, "policy_event", *events)
    given(con, "actor", {"principal_arn": APP}, {"principal_ref": "id:X", "principal_arn": f"account {OTHER}"})
    given(
        con,
        "principals",
        {"principal_arn": ADMIN, "name": "admin", "kind": "role"},
        {"principal_arn": f"arn:aws:iam::{ACCOUNT}:role/admin", "name": "admin", "kind": "role", "in_snapshot": False},
        {"principal_arn": f"arn:aws:iam::{ACCOUNT}:user/people/admin", "name": "admin", "kind": "user"},
    )
    return outcome(con, "changes")


P = f"arn:aws:iam::{ACCOUNT}:policy/p"
MANAGED = "arn:aws:iam::aws:policy/job/X"


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),  # subject, policy, summary
    [
        (
            "PutRolePolicy",
            {"roleName": "admin", "policyName": "work"},
            (ADMIN, "work", "inline policy work of role admin written"),  # the path is the snapshot's
        ),
        (
            "AttachUserPolicy",
            {"userName": "admin", "policyArn": MANAGED},
            (f"arn:aws:iam::{ACCOUNT}:user/people/admin", MANAGED, "policy X attached to user admin"),
        ),
        (
            "CreateRole",
            {"roleName": "new", "path": "/team/"},
            (f"arn:aws:iam::{ACCOUNT}:role/team/new", None, "role new created"),
        ),
        ("CreatePolicy", {"policyName": "p"}, (P, "p", "policy p created")),
        (
            "SetDefaultPolicyVersion",
            {"policyArn": P, "versionId": "v3"},
            (P, P, "version v3 of policy p put in force"),
        ),
        (
            "CreateOpenIDConnectProvider",
            {"url": "https://gitlab.com"},
            (f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com", None, "OIDC provider gitlab.com created"),
        ),
        (
            "CreateSAMLProvider",
            {"name": "okta"},
            (f"arn:aws:iam::{ACCOUNT}:saml-provider/okta", None, "SAML provider okta created"),
        ),
        (
            "AttachPolicy",
            {"targetId": "ou-1", "policyId": "p-9"},
            ("ou-1", "p-9", "control policy p-9 attached to ou-1"),
        ),
        ("InviteAccountToOrganization", {"target": {"id": OTHER}}, (OTHER, None, f"account {OTHER} invited")),
        ("LeaveOrganization", {}, (ACCOUNT, None, "the account left the organisation")),
        ("PutResourcePolicy", {}, (None, None, "delegation policy of the organisation rewritten")),
        ("PutRolePolicy", None, (None, None, "inline policy (unknown) of role (unknown) written")),  # refused
    ],
)
def test_what_was_changed(
    con: duckdb.DuckDBPyConnection, name: str, parameters: dict[str, Any] | None, expected: tuple[str | None, ...]
) -> None:
    (row,) = changes(con, {"event_name": name, "request_parameters": parameters and json.dumps(parameters)})
    assert (row["subject"], row["policy"], row["summary"]) == expected
    assert (row["actor"], row["account_id"], row["event_name"], row["succeeded"]) == (APP, ACCOUNT, name, True)


def test_a_change_that_was_refused_did_not_succeed(con: duckdb.DuckDBPyConnection) -> None:
    assert [row["succeeded"] for row in changes(con, {"error_code": "AccessDenied"})] == [False]


def test_parameters_that_are_no_json_tell_nothing_and_stop_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert [row["subject"] for row in changes(con, {"request_parameters": "{roleName"})] == [None]


def test_a_change_that_was_delivered_twice_or_logged_by_two_accounts_is_one(con: duckdb.DuckDBPyConnection) -> None:
    other = {"event_id": "e-2", "actor_ref": "id:X", "callers_copy": False, "shared_event_id": "s"}
    (row,) = changes(con, other, {"shared_event_id": "s"}, {"shared_event_id": "s"})
    assert (row["event_id"], row["actor"]) == ("e-1", APP)
    assert len(changes(con, {}, {}, {"event_id": "e-3"})) == 2


def test_an_actor_in_another_partition_changes_things_there(con: duckdb.DuckDBPyConnection) -> None:
    given(con, "actor", {})
    china = APP.replace("arn:aws:", "arn:aws-cn:")
    changes(con, {"request_parameters": json.dumps({"roleName": "new", "policyName": "p"})})
    given(con, "actor", {"principal_ref": APP, "principal_arn": china})
    (row,) = outcome(con, "changes")
    assert row["subject"] == f"arn:aws-cn:iam::{ACCOUNT}:role/new"
