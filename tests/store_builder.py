"""A small store made by the real pipeline from a handful of invented identities, for queries, pages and browser.

Three accounts: payments-prod and sandbox-1 with a snapshot, logs whose collection failed. The window ends on
22 November 2026. What each identity may do and did stands in PEOPLE, so a test can say what must come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from analytics.build import build_store
from analytics.settings import Settings
from analytics.store import Store
from tests.event_files import event, write_layout_a
from tests.snapshot_files import account, attached, details, document, managed, ou, role, root, user, write

if TYPE_CHECKING:
    from pathlib import Path

LAST_DAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW_START = date(2026, 8, 25)  # of 90 days
PROD, SANDBOX, LOGS = "111122223333", "444455556666", "777788889999"
NAMES = {PROD: "payments-prod", SANDBOX: "sandbox-1", LOGS: "logs ![b](http://evil.example/b.png)<img src=x>"}
HOSTILE = '=HYPERLINK("http://evil.example/x")<img src=x onerror=alert(1)> ![a](http://evil.example/i.png) `**b**`'


@dataclass(frozen=True)
class Calls:
    """So many calls of `service:EventName`, so many days before the end of the window."""

    event: str
    count: int = 1
    days_before: int = 1
    error: str | None = None
    data: bool = False  # a data event
    read_only: bool = False


@dataclass(frozen=True)
class Person:
    """One identity: what its policy allows, surely or under a condition, and what it called."""

    name: str
    account_id: str = PROD
    kind: str = "role"
    allow: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    calls: tuple[Calls, ...] = ()
    owner: str | None = None
    boundary: str | None = None
    created: str = "2024-03-01T00:00:00+00:00"
    path: str = "/"
    in_snapshot: bool = True
    last_used: str | None = None  # by IAM

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:{self.kind}{self.path}{self.name}"


DEPLOY = Person(
    "deploy-pipeline",
    allow=("s3:*", "lambda:*", "iam:*"),
    owner="platform",
    calls=(
        Calls("s3:CreateBucket", 12, days_before=3),
        Calls("s3:CreateBucket", 2, days_before=2, error="AccessDenied"),
        Calls("s3:PutBucketPolicy", 5, days_before=50),
        Calls("s3:DeleteBucket", 4, error="AccessDenied"),
        Calls("lambda:CreateFunction20150331", 2),
    ),
)
API = Person(
    "payments-api",
    allow=("dynamodb:GetItem", "sqs:SendMessage"),
    maybe=("kms:Decrypt",),
    owner="payments",
    boundary="app-boundary",
    calls=(Calls("kms:Decrypt", 40, read_only=True), Calls("sqs:GetQueueUrl", 3, read_only=True)),
)
DORMANT = Person("dormant-admin", allow=("*",))
ANALYST = Person(
    "new-analyst", SANDBOX, "user", allow=("athena:*",), created="2026-11-10T00:00:00+00:00",
    calls=(Calls("athena:StartQueryExecution", 4),),
)  # fmt: skip
GHOST = Person("ghost", SANDBOX, in_snapshot=False, calls=(Calls("ec2:RunInstances", 7, days_before=2),))
ELSEWHERE = Person(  # the logs do not show it, IAM's own record does
    "backup", allow=("ec2:TerminateInstances",), owner="platform", last_used="2026-11-19T00:00:00+00:00"
)
LINKED = Person("AWSServiceRoleForSupport", allow=("iam:*",), path="/aws-service-role/support.amazonaws.com/")
TRICKY = Person(HOSTILE, SANDBOX, allow=("sqs:*",), owner="=1+1")
PEOPLE = (DEPLOY, API, DORMANT, ANALYST, GHOST, ELSEWHERE, LINKED, TRICKY)


def write_store(folder: Path, *, snapshot: bool = True, builds: int = 1, people: tuple[Person, ...] = PEOPLE) -> Store:
    """A store with one build, or several in a row of the same input; `people`: those who call."""
    files = folder / "input"
    records = [record for person in people for calls in person.calls for record in records_of(person, calls)]
    records += [event(**_root_call("new.amazonaws.com", "Invent"))] * 7  # no IAM action is known for it
    write_layout_a(files / "events" / "a.parquet", records)
    (files / "events" / "broken.parquet").write_text("not Parquet")
    store = Store(folder / "store")
    taken = write_snapshot(files / "snapshot") if snapshot else None
    for number in range(builds):
        now = LAST_DAY + timedelta(hours=number)
        build_store([str(files / "events")], taken, store, settings=Settings(), now=now.replace(tzinfo=None))
    return store


def records_of(person: Person, calls: Calls) -> list[dict[str, object]]:
    """The CloudTrail records of these calls, a minute apart."""
    service, _, name = calls.event.partition(":")
    issuer = {
        "type": "Role",
        "arn": person.arn,
        "accountId": person.account_id,
        "userName": person.name,
        "principalId": "AROA1",
    }
    session = {
        "type": "AssumedRole", "accountId": person.account_id, "principalId": "AROA1:session",
        "arn": f"arn:aws:sts::{person.account_id}:assumed-role/{person.name}/session",
        "sessionContext": {"sessionIssuer": issuer},
    }  # fmt: skip
    itself = {"type": "IAMUser", "arn": person.arn, "accountId": person.account_id, "userName": person.name}
    start = LAST_DAY - timedelta(days=calls.days_before)
    return [
        event(
            eventID=str(uuid5(NAMESPACE_URL, f"{person.arn} {calls} {number}")),
            eventTime=f"{start + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}",
            eventSource=f"{service}.amazonaws.com",
            eventName=name,
            eventType="AwsApiCall",
            awsRegion="eu-west-1",
            recipientAccountId=person.account_id,
            readOnly=calls.read_only,
            errorCode=calls.error,
            userIdentity=itself if person.kind == "user" else session,
        )
        for number in range(calls.count)
    ]


def _root_call(source: str, name: str) -> dict[str, object]:
    who = {"type": "Root", "arn": f"arn:aws:iam::{PROD}:root", "accountId": PROD}
    when = f"{LAST_DAY:%Y-%m-%dT%H:%M:%SZ}"
    return {"eventSource": source, "eventName": name, "eventType": "AwsApiCall", "eventTime": when, "userIdentity": who}


def write_snapshot(folder: Path) -> Path:
    """The snapshot of PEOPLE; the account `logs` could not be collected."""
    status = {PROD: {"status": "ok"}, SANDBOX: {"status": "ok"}, LOGS: {"status": "failed", "reason": "access denied"}}
    tree = root(
        ou("Prod", ou("Payments", account(PROD, NAMES[PROD], Tags={"environment": "production"}))),
        ou("Sandbox", account(SANDBOX, NAMES[SANDBOX])),
        ou("Security", account(LOGS, NAMES[LOGS])),
    )
    files: dict[str, object] = {
        "manifest.json": {"taken_at": "2026-11-20T06:00:00Z", "accounts": status},
        "organization.json": tree,
    }
    for account_id in (PROD, SANDBOX):
        people = [person for person in PEOPLE if person.account_id == account_id and person.in_snapshot]
        files[f"accounts/{account_id}/authorization-details.json"] = details(
            roles=[_entry(person) for person in people if person.kind == "role"],
            users=[_entry(person) for person in people if person.kind == "user"],
            policies=[managed("app-boundary", document("dynamodb:*", "sqs:*", "kms:*"))] if account_id == PROD else [],
        )
        files[f"accounts/{account_id}/credential-report.csv"] = _credential_report(account_id, people)
    return write(folder, files)


def _credential_report(account_id: str, people: list[Person]) -> str:
    """Root with MFA and without a key; every user with a password, no MFA, and a key of 2024 last used in November."""
    columns = "arn,password_enabled,password_last_used,password_last_changed,mfa_active,access_key_1_active"
    lines = [
        f"{columns},access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active",
        f"arn:aws:iam::{account_id}:root,not_supported,no_information,not_supported,true,false,N/A,N/A,false",
    ]
    for person in people:
        if person.kind == "user":
            times = "2026-11-01T00:00:00+00:00,2024-03-01T00:00:00+00:00"
            key = "2024-03-01T00:00:00+00:00,2026-11-02T00:00:00+00:00"
            lines.append(f"{person.arn},true,{times},false,true,{key},false")
    return "\n".join(lines) + "\n"


def _entry(person: Person) -> dict[str, object]:
    statements = document(*person.allow)["Statement"]
    statements[0]["Sid"] = "Work"
    if person.maybe:
        statements += document(*person.maybe, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})["Statement"]
    policy = {"PolicyName": "work", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    fields: dict[str, object] = {"CreateDate": person.created}
    if person.owner:
        fields["Tags"] = [{"Key": "owner", "Value": person.owner}]
    if person.last_used:
        fields["RoleLastUsed"] = {"LastUsedDate": person.last_used, "Region": "eu-west-1"}
    if person.boundary:
        fields["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": attached(person.boundary)["PolicyArn"],
        }  # fmt: skip
    if person.kind == "user":
        return user(person.name, account=person.account_id, UserPolicyList=[policy], **fields)
    return role(person.name, account=person.account_id, path=person.path, RolePolicyList=[policy], **fields)
