"""What counts as use, and once: one build in which every role tells one case, judged by a grant of one action."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.build import build_store
from analytics.settings import Settings
from analytics.store import Store
from tests.event_builders import ACCOUNT, OTHER, call, outsider, role_session, service, user, write_events
from tests.snapshot_files import document, role, write

END = "2026-06-30T09:00:00Z"
CREATE = "s3:CreateBucket"  # a write that management events show
LIST = "s3:ListAllMyBuckets"


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def create(name: str, *, at: str = "2026-06-10T12:00:00Z", **fields: Any) -> dict[str, Any]:
    """A call of the action that the role of this name is granted."""
    return call(CREATE, role_session(arn(name), unique_id=f"AROA{name.upper()}"), at=at, **fields)


# Role -> its records, and what the action that it is granted must be.
CASES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "quiet": ([], "unused"),
    "works": ([create("works")], "used"),
    "not-found": ([create("not-found", errorCode="NoSuchBucket")], "used"),
    "invalid": ([create("invalid", errorCode="InvalidParameterValue")], "used"),
    "exists": ([create("exists", errorCode="BucketAlreadyExists")], "used"),
    "dry-run": ([create("dry-run", errorCode="Client.DryRunOperation")], "used"),
    "denied": ([create("denied", errorCode="AccessDenied")], "unused"),
    "unauthorized": ([create("unauthorized", errorCode="Client.UnauthorizedOperation")], "unused"),
    "throttled": ([create("throttled", errorCode="ThrottlingException")], "possible"),
    "expired": ([create("expired", errorCode="ExpiredTokenException")], "possible"),
    "twice": ([create("twice", errorCode="AccessDenied"), create("twice")], "used"),
    "retried": ([create("retried", errorCode="AccessDenied"), create("retried", errorCode="SlowDown")], "possible"),
    "last-quarter": ([create("last-quarter", at="2026-04-01T23:59:59Z")], "unused"),
    "first-day": ([create("first-day", at="2026-04-02T00:00:00Z")], "used"),
    "through": (
        [call(CREATE, role_session(arn("through")) | {"invokedBy": "cloudformation.amazonaws.com"}, at=END)],
        "used",
    ),
    "insight": ([create("insight", eventType="AwsCloudTrailInsight")], "unused"),
    "endpoint": ([create("endpoint", eventType="AwsVpceEvent")], "unused"),
    "service-event": ([create("service-event", eventType="AwsServiceEvent")], "unused"),
    "renamed": ([create("renamed", eventName="createbucket")], "used"),  # CloudTrail's case varies
    "unrelated": ([create("unrelated", eventName="DeleteBucket")], "unused"),
    "no-region": ([create("no-region", awsRegion=None)], "used"),
    "no-issuer": ([call(CREATE, role_session(arn("no-issuer"), issuer=None), at=END)], "used"),
    "shared": (
        [
            create("shared", sharedEventID="s-1"),
            call(
                CREATE,
                outsider(ACCOUNT, "AROASHARED"),
                at="2026-06-10T12:00:00Z",
                sharedEventID="s-1",
                recipientAccountId=OTHER,
            ),
        ],
        "used",
    ),
    "from-outside": (
        [call(CREATE, outsider(ACCOUNT, "AROAFROM-OUTSIDE"), at=END, sharedEventID="s-2", recipientAccountId=OTHER)],
        "used",
    ),
    "fresh": ([], "unused"),
}
ONCE = {"shared": 1, "from-outside": 1, "twice": 2, "insight": 0, "endpoint": 0, "service-event": 0, "works": 1}


def snapshot(folder: Path, names: dict[str, str], **fields: Any) -> Path:
    """A snapshot with a role for each name, granted one action."""
    roles = [
        role(name, RolePolicyList=[{"PolicyName": "work", "PolicyDocument": document(action)}], **fields.get(name, {}))
        for name, action in names.items()
    ]
    dump = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []}
    return write(folder, {f"accounts/{ACCOUNT}/authorization-details.json": dump, **fields.get("files", {})})


def built(
    folder: Path, records: list[dict[str, Any]], taken: Path | None, settings: Settings | None = None
) -> duckdb.DuckDBPyConnection:
    write_events(folder / "events" / "events.parquet", records)
    store = Store(folder / "store")
    now = datetime(2026, 11, 1, tzinfo=UTC)  # long after the last event: the window must not care
    build_store([str(folder / "events")], taken, store, settings=settings or Settings(), now=now)
    return store.connect()


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("use")
    fresh = {"CreateDate": "2026-06-20T08:00:00+00:00"}
    taken = snapshot(folder / "snapshot", dict.fromkeys(CASES, CREATE), fresh=fresh)
    records = [record for case, _ in CASES.values() for record in case]
    records += [call(LIST, user(), at=END, readOnly=True), call("sts:AssumeRole", service())]
    with built(folder, records, taken) as connection:
        yield connection


def state(con: duckdb.DuckDBPyConnection, name: str, window_days: int = 90) -> str:
    """Which of the four the one granted action is."""
    parts = ("used", "possible", "unused", "unobserved")
    (row,) = con.execute(
        f"select {', '.join(parts)} from gap_service"
        " where principal_arn = $arn and window_days = $days and service = 's3' and granted = 1",
        {"arn": arn(name), "days": window_days},
    ).fetchall()
    assert sum(row) == 1
    return parts[row.index(1)]


@pytest.mark.parametrize("name", CASES)
def test_the_granted_action_is(con: duckdb.DuckDBPyConnection, name: str) -> None:
    assert state(con, name) == CASES[name][1]


@pytest.mark.parametrize(("name", "calls"), ONCE.items())
def test_calls_of_a_principal_are_counted_once(con: duckdb.DuckDBPyConnection, name: str, calls: int) -> None:
    found = con.execute("select calls from principals where principal_arn = $arn", {"arn": arn(name)}).fetchall()
    assert found == [(calls,)]
    days = con.execute("select sum(calls) from principal_day where principal_arn = $arn", {"arn": arn(name)}).fetchall()
    assert days == [(calls or None,)]


def test_the_window_ends_with_the_last_event_and_not_with_the_clock(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute("select window_start::varchar, window_end::varchar, window_days from build").fetchall()
    assert found == [("2026-04-02", "2026-06-30", 90)]


def test_a_shorter_window_sees_less_use(con: duckdb.DuckDBPyConnection) -> None:
    assert (state(con, "first-day", 90), state(con, "first-day", 30)) == ("used", "unused")
    assert (state(con, "works", 90), state(con, "works", 30)) == ("used", "used")


def test_an_identity_younger_than_the_window_is_marked(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select name, is_new, judged_from::varchar from principals where name in ('fresh', 'quiet')")
    assert sorted(rows.fetchall()) == [("fresh", True, "2026-06-20"), ("quiet", False, "2026-04-02")]


def test_denied_calls_are_counted_as_denied(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select name, denied from principals where denied > 0 order by name").fetchall()
    assert rows == [("denied", 1), ("retried", 1), ("twice", 1), ("unauthorized", 1)]


def test_every_row_is_an_event_a_further_copy_or_rejected(con: duckdb.DuckDBPyConnection) -> None:
    read = con.execute("select sum(rows_read), sum(rows_rejected) from health").fetchall()[0]
    (events, copies) = con.execute("select events, shared_copies from build").fetchall()[0]
    assert (read[0], copies) == (events + copies + read[1], 1)


# --- what this export could have shown at all

READ, WRITE, DATA, KMS = "s3:ListAllMyBuckets", CREATE, "s3:GetObject", "kms:CreateKey"
GRANTS = {"read": READ, "write": WRITE, "data": DATA, "kms": KMS}
SOMEBODY = user(f"arn:aws:iam::{ACCOUNT}:user/somebody")
WRITES = [call("sqs:CreateQueue", SOMEBODY, at=END)]
READS = [call("sqs:ListQueues", SOMEBODY, readOnly=True, at=END)]
KMS_EVENTS = [call("kms:CreateAlias", SOMEBODY, at=END)]
OBJECTS = [call("s3:GetObject", SOMEBODY, at=END, readOnly=True, eventCategory="Data", managementEvent=False)]
EVERY_OBJECT = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}


def trails(**selector: Any) -> dict[str, Any]:
    trail = {
        "Name": "all", "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/all", "IsMultiRegionTrail": True,
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], **selector}],
    }  # fmt: skip
    return {"trails.json": {"trailList": [trail]}}


@pytest.mark.parametrize(
    ("records", "logged", "selector", "unused"),
    [
        (WRITES, (), None, {"write"}),
        (WRITES + READS, (), None, {"write", "read"}),
        (WRITES + OBJECTS, (), None, {"write"}),  # reads of objects do not show that reads of the account are logged
        (WRITES + KMS_EVENTS, (), None, {"write", "kms"}),
        (WRITES + READS, ("AWS::S3::Object",), None, {"write", "read"}),  # through an access point it is another type
        (WRITES, ("AWS::S3::Object", "AWS::S3::AccessPoint", "AWS::S3Express::Object"), None, {"write", "data"}),
        # What a trail says outweighs what was seen; of kms it must log reads and writes: on the safe side.
        (WRITES + READS + KMS_EVENTS, (), {"ReadWriteType": "WriteOnly"}, {"write"}),
        (WRITES + KMS_EVENTS, (), {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}, {"write"}),
    ],
    ids=["writes", "reads", "objects seen", "kms", "one type", "all types", "trail of writes", "trail without kms"],
)
def test_an_action_is_unused_only_where_a_call_would_have_been_seen(
    tmp_path: Path, records: list[dict[str, Any]], logged: tuple[str, ...], selector: Any, unused: set[str]
) -> None:
    files = trails(**selector) if selector is not None else {}
    taken = snapshot(tmp_path / "snapshot", GRANTS, files=files)
    settings = Settings(data_events_logged={"*": logged})
    with built(tmp_path, records, taken, settings) as con:
        rows = con.execute(
            "select split_part(principal_arn, '/', 2), unused, unobserved from gap_service"
            " where window_days = 90 and granted = 1"
        ).fetchall()
    assert {name for name, count, _ in rows if count} == unused
    assert {name for name, _, count in rows if count} == set(GRANTS) - unused


def test_an_account_without_events_says_nothing(tmp_path: Path) -> None:
    taken = snapshot(tmp_path / "snapshot", GRANTS)
    elsewhere = user(f"arn:aws:iam::{OTHER}:user/somebody")
    with built(tmp_path, [call("sqs:ListQueues", elsewhere, readOnly=True)], taken) as con:
        found = con.execute("select sum(unused), sum(unobserved) from gap_service where window_days = 90").fetchall()
    assert found == [(0, len(GRANTS))]
