"""Who made a call: from event rows in Parquet through the roll-up to a principal."""

from pathlib import Path
from typing import Any

import pytest

from analytics.iam.names import PrincipalKind, kind_of_arn
from analytics.sources.cloudtrail import inspect
from analytics.sources.identity import Caller, KnownIdentities, caller
from analytics.sources.snapshot_values import Identity
from analytics.sources.usage import ingest, open_work
from analytics.sql import read_sql
from tests.event_builders import (
    ACCOUNT,
    OTHER,
    ROLE,
    USER,
    call,
    outsider,
    role_session,
    root,
    service,
    user,
    write_events,
)

DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/team/ci/deploy"
SESSION_OF_DEPLOY = f"arn:aws:iam::{ACCOUNT}:role/deploy"  # what a session ARN can tell: no path
VENDOR = f"arn:aws:iam::{OTHER}:role/vendor"


def identity(arn: str, unique_id: str | None = None) -> Identity:
    account_id, name = arn.split(":")[4], arn.rpartition("/")[2]
    return Identity(arn=arn, kind=kind_of_arn(arn), name=name, account_id=account_id, unique_id=unique_id)


SNAPSHOT = (
    identity(DEPLOY, "AROADEPLOY"),
    identity(VENDOR, "AROAVENDOR"),
    identity(USER, "AIDAANN"),
    identity(f"arn:aws:iam::{ACCOUNT}:user/deploy", "AIDADEPLOY"),  # a user of the role's name
)


def principals(
    folder: Path, *records: dict[str, Any], snapshot: tuple[Identity, ...] = SNAPSHOT
) -> dict[Caller, tuple[int, str | None]]:
    """Every caller of these events, with its calls and the service through which they came."""
    con = open_work(folder / "work.duckdb", memory_limit="1GB")
    ingest(con, inspect([str(write_events(folder / "events.parquet", records))]), batch_rows=1000)
    con.execute(read_sql("call_day"))
    rows = con.execute(
        "select principal_ref, account_id, sum(calls), any_value(via_service) from call_day group by all"
    )
    known = KnownIdentities.of(snapshot)
    found: dict[Caller, tuple[int, str | None]] = {}
    for reference, account, calls, via_service in rows.fetchall():
        who = caller(reference, account, known)
        found[who] = (found.get(who, (0, None))[0] + int(calls), via_service)
    con.close()
    return found


def only(
    folder: Path, who: dict[str, Any] | None, *, snapshot: tuple[Identity, ...] = SNAPSHOT, **fields: Any
) -> Caller:
    """The one caller of one event."""
    record = call("s3:ListAllMyBuckets", who or {}, **fields)
    if who is None:
        del record["userIdentity"]
    (found,) = principals(folder, record, snapshot=snapshot)
    return found


# --- AssumedRole


def test_a_session_is_its_issuer(tmp_path: Path) -> None:
    assert only(tmp_path, role_session(DEPLOY)) == Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT)


@pytest.mark.parametrize("issuer", [None, {}, {"arn": ""}])
def test_a_session_without_its_issuer_is_the_snapshots_role_of_that_account_and_name(
    tmp_path: Path, issuer: Any
) -> None:
    assert only(tmp_path, role_session(DEPLOY, issuer=issuer)) == Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT)


def test_a_session_without_its_issuer_and_without_a_snapshot_has_the_arn_that_it_can_have(tmp_path: Path) -> None:
    found = only(tmp_path, role_session(DEPLOY, issuer=None), snapshot=())
    assert found == Caller(SESSION_OF_DEPLOY, PrincipalKind.ROLE, ACCOUNT)


def test_a_role_of_that_name_in_another_account_is_another_role(tmp_path: Path) -> None:
    elsewhere = f"arn:aws:iam::{OTHER}:role/deploy"
    assert only(tmp_path, role_session(elsewhere, issuer=None)) == Caller(elsewhere, PrincipalKind.ROLE, OTHER)


def test_an_sso_session_without_its_issuer_is_of_the_reserved_path(tmp_path: Path) -> None:
    session = role_session(f"arn:aws:iam::{ACCOUNT}:role/AWSReservedSSO_Admin_0123456789abcdef", issuer=None)
    expected = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    assert only(tmp_path, session) == Caller(expected, PrincipalKind.SSO_ROLE, ACCOUNT)


def test_session_names_do_not_split_a_role(tmp_path: Path) -> None:
    names = ("i-0abc", "ann@example.com", "a=b,c+d")
    records = [
        call("s3:GetObject", role_session(DEPLOY, name, issuer=issuer)) for name in names for issuer in (None, "x")
    ]
    assert principals(tmp_path, *records) == {Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT): (6, None)}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_the_partition_stays(tmp_path: Path, partition: str) -> None:
    session = {
        "type": "AssumedRole",
        "accountId": ACCOUNT,
        "arn": f"arn:{partition}:sts::{ACCOUNT}:assumed-role/app/s",
    }
    expected = f"arn:{partition}:iam::{ACCOUNT}:role/app"
    assert only(tmp_path, session, snapshot=()) == Caller(expected, PrincipalKind.ROLE, ACCOUNT)


def test_a_session_with_nothing_but_a_unique_id_is_found_by_it(tmp_path: Path) -> None:
    session = {"type": "AssumedRole", "accountId": ACCOUNT, "principalId": "AROADEPLOY:s"}
    assert only(tmp_path, session) == Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT)


# --- users, root, federation


def test_a_user_and_the_root_user_are_their_arn(tmp_path: Path) -> None:
    found = principals(tmp_path, call("iam:ListUsers", user()), call("iam:ListUsers", root()))
    assert set(found) == {
        Caller(USER, PrincipalKind.USER, ACCOUNT),
        Caller(f"arn:aws:iam::{ACCOUNT}:root", PrincipalKind.ROOT, ACCOUNT),
    }


def test_a_users_temporary_credentials_are_still_the_user(tmp_path: Path) -> None:
    found = only(tmp_path, user(sessionContext={"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "true"}}))
    assert found == Caller(USER, PrincipalKind.USER, ACCOUNT)


def test_a_user_without_an_arn_is_found_by_its_unique_id_and_else_unknown(tmp_path: Path) -> None:
    nameless = {"type": "IAMUser", "accountId": ACCOUNT, "userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert only(tmp_path, {**nameless, "principalId": "AIDAANN"}) == Caller(USER, PrincipalKind.USER, ACCOUNT)
    unknown = Caller(f"unknown in {ACCOUNT}", PrincipalKind.UNKNOWN, ACCOUNT)
    assert only(tmp_path / "2", nameless) == unknown


def test_a_federated_user_is_its_issuer(tmp_path: Path) -> None:
    issuer = {"type": "IAMUser", "arn": USER, "accountId": ACCOUNT, "userName": "ann"}
    federated = {
        "type": "FederatedUser",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
        "accountId": ACCOUNT,
        "principalId": f"{ACCOUNT}:bob",
        "sessionContext": {"sessionIssuer": issuer},
    }
    assert only(tmp_path, federated) == Caller(USER, PrincipalKind.USER, ACCOUNT)
    del federated["sessionContext"]
    found = only(tmp_path / "2", federated)
    assert found == Caller(f"FederatedUser {ACCOUNT}:bob in {ACCOUNT}", PrincipalKind.FEDERATED, ACCOUNT)


@pytest.mark.parametrize("kind", ["SAMLUser", "WebIdentityUser", "IdentityCenterUser"])
def test_people_of_an_identity_provider_are_kept_by_name(tmp_path: Path, kind: str) -> None:
    named = {"type": kind, "userName": "ann", "principalId": "idp:long", "identityProvider": "idp"}
    assert only(tmp_path, named) == Caller(f"{kind} ann", PrincipalKind.FEDERATED, None)
    numbered = {"type": kind, "principalId": "idp:aud:sub", "accountId": ACCOUNT}
    expected = Caller(f"{kind} idp:aud:sub in {ACCOUNT}", PrincipalKind.FEDERATED, ACCOUNT)
    assert only(tmp_path / "2", numbered) == expected


# --- callers seen from the resource's side


def test_an_outsider_is_found_by_its_unique_id(tmp_path: Path) -> None:
    assert only(tmp_path, outsider()) == Caller(VENDOR, PrincipalKind.ROLE, OTHER)


def test_an_outsider_whom_nobody_knows_is_its_account(tmp_path: Path) -> None:
    found = principals(tmp_path, *[call("s3:GetObject", outsider(unique_id=name)) for name in ("AIDAX", "AROAY")])
    assert found == {Caller(f"account {OTHER}", PrincipalKind.ACCOUNT, OTHER): (2, None)}


@pytest.mark.parametrize("unique_id", ["", "ANONYMOUS_PRINCIPAL"])
def test_nobody_signed_an_anonymous_call(tmp_path: Path, unique_id: str) -> None:
    anonymous = {"type": "AWSAccount", "principalId": unique_id, "accountId": "ANONYMOUS_PRINCIPAL"}
    assert only(tmp_path, anonymous) == Caller("anonymous", PrincipalKind.UNKNOWN, None)


# --- services


def test_a_service_is_one_principal_in_every_account(tmp_path: Path) -> None:
    elsewhere = {**service(), "accountId": OTHER}
    found = principals(tmp_path, call("sts:AssumeRole", service()), call("sts:AssumeRole", elsewhere))
    assert set(found) == {Caller("ec2.amazonaws.com", PrincipalKind.SERVICE, None)}


@pytest.mark.parametrize(
    "who",
    [
        None,
        {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
        role_session(DEPLOY),
        {"type": "AWSService", "invokedBy": "kms.amazonaws.com"},
    ],
)
def test_a_service_event_belongs_to_the_service(tmp_path: Path, who: Any) -> None:
    record = call("kms:RotateKey", who or {}, eventType="AwsServiceEvent")
    assert set(principals(tmp_path, record)) == {Caller("kms.amazonaws.com", PrincipalKind.SERVICE, None)}


def test_a_call_through_a_service_is_the_principals_and_keeps_the_service(tmp_path: Path) -> None:
    through = role_session(DEPLOY) | {"invokedBy": "cloudformation.amazonaws.com"}
    found = principals(tmp_path, call("s3:CreateBucket", through))
    assert found == {Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT): (1, "cloudformation.amazonaws.com")}


# --- the rest


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (None, Caller("unknown", PrincipalKind.UNKNOWN, None)),
        ({"type": "Unknown", "accountId": ACCOUNT}, Caller(f"unknown in {ACCOUNT}", PrincipalKind.UNKNOWN, ACCOUNT)),
        ({"arn": ROLE}, Caller(ROLE, PrincipalKind.ROLE, ACCOUNT)),
        ({"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/s"}, Caller(DEPLOY, PrincipalKind.ROLE, ACCOUNT)),
        ({"type": "Root", "arn": "nonsense:x"}, Caller("unknown", PrincipalKind.UNKNOWN, None)),
    ],
)
def test_whoever_else_it_is_is_counted(tmp_path: Path, who: Any, expected: Caller) -> None:
    assert only(tmp_path, who) == expected


def test_no_event_loses_its_caller(tmp_path: Path) -> None:
    who = [role_session(), role_session(issuer=None), user(), root(), outsider(), outsider(None, ""), service(), {}]
    records = [call("s3:ListAllMyBuckets", identity) for identity in who]
    found = principals(tmp_path, *records, snapshot=())
    assert sum(calls for calls, _ in found.values()) == len(records)
