"""A small store for tests: exactly the tables of a build, filled from a few sentences about identities.

The gap rows are worked out here from sets of actions, independently of the product's own gap step, so a test can
hold the pages' answers against them.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from analytics.findings.weights import action_weights
from analytics.iam.catalogue import Visibility, bit_numbers, load_catalogue
from analytics.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BUILD_ID, EARLIER_ID = "20261122T060000-0a1b2c", "20261115T060000-aaaaaa"
WINDOW_END = date(2026, 11, 22)
WINDOWS = (30, 90)
PROD, SANDBOX, LOGS = "111122223333", "444455556666", "777788889999"
HOSTILE = '=HYPERLINK("http://evil.example/x")<img src=x onerror=alert(1)> ![a](http://evil.example/i.png) `**b**`'

TABLES = """
create table build(id varchar, created_at timestamp, window_start date, window_end date, window_days integer,
  catalogue varchar, weights varchar, snapshot_taken_at timestamp, events bigint, first_event timestamp,
  last_event timestamp, has_snapshot boolean, has_organization boolean, format integer);
create table history(build_id varchar, created_at timestamp, window_end date, metric varchar, value double);
create table accounts(account_id varchar, name varchar, ou_id varchar, ou_path varchar, status varchar,
  is_management boolean, environment varchar, collected varchar, reason varchar, calls bigint, first_event timestamp,
  last_event timestamp, days_covered integer, sees_read_only boolean, sees_kms boolean, identities integer);
create table nodes(node_id varchar, kind varchar, name varchar, parent_id varchar, path varchar);
create table principals(principal_arn varchar, name varchar, kind varchar, account_id varchar, account_name varchar,
  ou_path varchar, environment varchar, owner varchar, tags varchar, boundary_arn varchar, boundary_name varchar,
  in_snapshot boolean, seen_in_logs boolean, created timestamp, last_used timestamp, last_used_basis varchar,
  judged_from date, is_new boolean, reach_id integer, policies_not_collected integer, boundary_not_collected boolean,
  unique_id varchar, path varchar, calls bigint, denied bigint, first_call timestamp);
create table usage(principal_arn varchar, action varchar, account_id varchar, region varchar, day date, match varchar,
  calls bigint, denied bigint, throttled bigint, first_time timestamp, last_time timestamp);
create table reach(reach_id integer, surely blob, maybe blob, surely_actions integer, maybe_actions integer);
create table windows(window_days integer, window_start date, window_end date);
create table reach_service(reach_id integer, service varchar, surely integer, maybe integer,
  list integer, read integer, tagging integer, write integer, permissions_management integer,
  management integer, data integer, implied integer, none integer, unknown integer);
create table actions(number integer, action varchar, service varchar, access_level varchar, visibility varchar,
  weight double, weight_class varchar, high_risk boolean);
create table gap_service(principal_arn varchar, service varchar, window_days integer, granted integer, surely integer,
  used integer, possible integer, unused integer, unobserved integer, used_not_granted integer, granted_weight double,
  unused_weight double, unobserved_weight double, calls bigint, last_used timestamp);
create table gap_identity(principal_arn varchar, window_days integer, granted integer, surely integer, used integer,
  possible integer, unused integer, unobserved integer, used_not_granted integer, granted_weight double,
  unused_weight double, unobserved_weight double, calls bigint, last_used timestamp, services integer,
  services_used integer);
create table policies(policy_id integer, name varchar, arn varchar, aws_managed boolean,
  document varchar);
create table attachments(principal_arn varchar, layer varchar, position integer, policy_id integer,
  attached_to varchar);
create table control_levels(account_id varchar, layer varchar, level integer, node_id varchar, node_name varchar,
  position integer, policy_id integer);
create table health(path varchar, layout varchar, rows_read bigint, rows_rejected bigint, first_event timestamp,
  last_event timestamp, problem varchar);
create table problems(source varchar, subject varchar, reason varchar);
create table event_names(event_source varchar, event_name varchar, event_type varchar, outcome varchar,
  actions varchar, events bigint);
create table observable(account_id varchar, window_days integer, profile_id integer, mask blob);
"""


@dataclass(frozen=True)
class Call:
    """Calls of one action on one day, so many days before the window's end."""

    action: str
    calls: int = 1
    denied: int = 0
    throttled: int = 0
    days_before: int = 1
    match: str = "all"


@dataclass(frozen=True)
class Person:
    """One identity: what its policy allows, surely or under a condition, and what it called."""

    name: str
    account_id: str = PROD
    kind: str = "role"
    allow: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    owner: str | None = None
    boundary: str | None = None
    in_snapshot: bool = True
    is_new: bool = False
    policies_not_collected: int = 0

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:{'user' if self.kind == 'user' else 'role'}/{self.name}"

    @property
    def document(self) -> dict[str, object]:
        statements = [{"Sid": "Work", "Effect": "Allow", "Action": list(self.allow), "Resource": "*"}]
        if self.maybe:
            condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
            statements.append({"Effect": "Allow", "Action": list(self.maybe), "Resource": "*", "Condition": condition})
        return {"Version": "2012-10-17", "Statement": [s for s in statements if s["Action"]]}


DEPLOY = Person(
    "deploy-pipeline",
    allow=("s3:*", "lambda:*", "iam:*"),
    owner="platform",
    calls=(
        Call("s3:CreateBucket", calls=12, denied=2, days_before=3),
        Call("s3:PutBucketPolicy", calls=5, days_before=50),
        Call("s3:DeleteBucket", calls=4, denied=4),
        Call("lambda:CreateFunction", calls=2, match="any"),
    ),
)
API = Person(
    "payments-api",
    allow=("dynamodb:GetItem", "sqs:SendMessage"),
    maybe=("kms:Decrypt",),
    owner="payments",
    boundary="app-boundary",
    calls=(Call("kms:Decrypt", calls=900), Call("sqs:SendMessage", calls=3, match="any", days_before=2)),
)
DORMANT = Person("dormant-admin", allow=("*",))
ANALYST = Person(
    "new-analyst", SANDBOX, "user", allow=("athena:*",), is_new=True, calls=(Call("athena:StartQueryExecution", 4),)
)
GHOST = Person("ghost", SANDBOX, in_snapshot=False, calls=(Call("ec2:RunInstances", calls=7, denied=1, days_before=2),))
TRICKY = Person(HOSTILE, SANDBOX, allow=("sqs:*",), owner="=1+1", policies_not_collected=1)
PEOPLE = (DEPLOY, API, DORMANT, ANALYST, GHOST, TRICKY)
ACCOUNT_ROWS = {
    PROD: ("payments-prod", "Root/Prod/Payments"),
    SANDBOX: ("sandbox-1", "Root/Sandbox"),
    LOGS: ("logs", "Root/Security"),
}


NEEDS_SNAPSHOT = (
    "granted",
    "surely",
    "unused",
    "unobserved",
    "used_not_granted",
    "granted_weight",
    "unused_weight",
    "unobserved_weight",
)


def blob(mask: int) -> bytes:
    """A bit set as a build stores it."""
    return zlib.compress(mask.to_bytes(mask.bit_length() // 8 + 1, "little"))


@cache
def observable_mask() -> int:
    """What an export without data events can show: management events."""
    catalogue = load_catalogue()
    shown = zip(catalogue.actions, catalogue.visibility, strict=True)
    return catalogue.mask(name for name, visibility in shown if visibility is Visibility.MANAGEMENT)


def write_store(
    folder: Path, *, snapshot: bool = True, people: tuple[Person, ...] = PEOPLE, history: bool = True
) -> Store:
    """A store with one build; without a snapshot it knows usage only."""
    store = Store(folder)
    with store.new_build(BUILD_ID) as path, duckdb.connect(str(path)) as con:
        con.execute(TABLES)
        write_reference(con, snapshot=snapshot, history=history)
        write_people(con, people, snapshot=snapshot)
    return store


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, object]]) -> None:
    """Rows by column name; what a row leaves out is NULL."""
    frame = pd.DataFrame(list(rows))
    if not frame.empty:
        con.register("rows_to_insert", frame)
        con.execute(f"insert into {table} by name select * from rows_to_insert")
        con.unregister("rows_to_insert")


def at(days_before: int, hour: int = 9) -> datetime:
    """A moment so many days before the window's end, UTC as DuckDB keeps it."""
    return datetime.combine(WINDOW_END, datetime.min.time()) + timedelta(hours=hour) - timedelta(days=days_before)


def write_reference(con: duckdb.DuckDBPyConnection, *, snapshot: bool, history: bool) -> None:
    """Everything that is not about an identity: build, accounts, catalogue, health."""
    catalogue, rules = load_catalogue(), action_weights(load_catalogue())
    insert(
        con,
        "build",
        [
            {
                "id": BUILD_ID,
                "created_at": at(0, 6),
                "window_start": WINDOW_END - timedelta(days=89),
                "window_end": WINDOW_END,
                "window_days": 90,
                "catalogue": catalogue.version,
                "weights": rules.version,
                "snapshot_taken_at": at(2) if snapshot else None,
                "events": 1000,
                "first_event": at(89),
                "last_event": at(0, 5),
                "has_snapshot": snapshot,
                "has_organization": snapshot,
                "format": 1,
            }
        ],
    )
    con.register(
        "catalogue",
        pd.DataFrame(
            {
                "number": range(len(catalogue.actions)),
                "action": catalogue.actions,
                "service": [name.partition(":")[0].lower() for name in catalogue.actions],
                "access_level": list(map(str, catalogue.levels)),
                "visibility": list(map(str, catalogue.visibility)),
                "weight": rules.weights,
                "weight_class": rules.classes,
                "high_risk": [weight >= rules.high_risk_from for weight in rules.weights],
            }
        ),
    )
    con.execute("insert into actions by name select * from catalogue")
    if history:
        earlier = {"identities": 4.0, "unused_weight": 8_000.0, "dormant": 2.0, "denied": 9.0, "granted": 10_000.0}
        insert(
            con,
            "history",
            [
                {
                    "build_id": EARLIER_ID,
                    "created_at": at(7, 6),
                    "window_end": WINDOW_END - timedelta(days=7),
                    "metric": metric,
                    "value": value,
                }
                for metric, value in earlier.items()
            ],
        )
    missing = "access denied for `HeadroomReadOnly`"
    insert(
        con,
        "accounts",
        [
            {
                "account_id": account,
                "name": name if snapshot else None,
                "ou_path": ou if snapshot else None,
                "status": "ACTIVE",
                "is_management": False,
                "environment": "production" if account == PROD else "sandbox",
                "collected": "not collected" if not snapshot else "failed" if account == LOGS else "ok",
                "reason": missing if snapshot and account == LOGS else None,
                "calls": 0 if account == LOGS else 500,
                "first_event": at(89),
                "last_event": at(0),
                "days_covered": 0 if account == LOGS else 61 if account == SANDBOX else 90,
                "sees_read_only": account == PROD,
                "sees_kms": account == PROD,
                "identities": 3,
            }
            for account, (name, ou) in ACCOUNT_ROWS.items()
        ],
    )
    insert(
        con,
        "observable",
        [
            {"account_id": account, "window_days": window, "profile_id": 1, "mask": blob(observable_mask())}
            for account in ACCOUNT_ROWS
            for window in WINDOWS
        ],
    )
    insert(
        con,
        "health",
        [
            {
                "path": "s3/a.parquet",
                "layout": "A",
                "rows_read": 990,
                "rows_rejected": 10,
                "first_event": at(89),
                "last_event": at(0),
            },
            {
                "path": "s3/broken.parquet",
                "layout": None,
                "rows_read": 0,
                "rows_rejected": 0,
                "problem": "not a Parquet file; export it again",
            },
        ],
    )
    insert(
        con,
        "problems",
        [{"source": "snapshot", "subject": "policy `old`", "reason": "has neither `Action` nor `NotAction`"}],
    )
    insert(
        con,
        "event_names",
        [
            {
                "event_source": "new.amazonaws.com",
                "event_name": "Invent",
                "event_type": "AwsApiCall",
                "outcome": "unresolved",
                "actions": None,
                "events": 7,
            },
            {
                "event_source": "s3.amazonaws.com",
                "event_name": "CreateBucket",
                "event_type": "AwsApiCall",
                "outcome": "resolved",
                "actions": "s3:CreateBucket",
                "events": 900,
            },
            {
                "event_source": "sqs.amazonaws.com",
                "event_name": "SendMessage",
                "event_type": "AwsApiCall",
                "outcome": "possible",
                "actions": "sqs:SendMessage",
                "events": 60,
            },
            {
                "event_source": "signin.amazonaws.com",
                "event_name": "ConsoleLogin",
                "event_type": "AwsConsoleSignIn",
                "outcome": "not_iam",
                "actions": None,
                "events": 33,
            },
        ],
    )


def write_people(con: duckdb.DuckDBPyConnection, people: tuple[Person, ...], *, snapshot: bool) -> None:
    """The identities and every table about them."""
    catalogue = load_catalogue()
    rows: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for number, person in enumerate(people):
        known = snapshot and person.in_snapshot
        surely = _mask(person.allow) if known else 0
        maybe = surely | _mask(person.maybe) if known else 0
        last = min((call.days_before for call in person.calls), default=None)
        rows["principals"].append(
            {
                "principal_arn": person.arn,
                "name": person.name,
                "kind": person.kind,
                "account_id": person.account_id,
                "account_name": ACCOUNT_ROWS[person.account_id][0] if snapshot else None,
                "ou_path": ACCOUNT_ROWS[person.account_id][1] if snapshot else None,
                "environment": "production",
                "owner": person.owner if known else None,
                "tags": "[]",
                "boundary_name": person.boundary if known else None,
                "boundary_arn": None,
                "in_snapshot": known,
                "seen_in_logs": bool(person.calls),
                "created": at(20 if person.is_new else 400) if known else None,
                "last_used": None if last is None else at(last),
                "last_used_basis": None if last is None else "logs",
                "judged_from": at(20).date() if person.is_new else at(89).date(),
                "is_new": person.is_new and known,
                "reach_id": number if known else None,
                "policies_not_collected": person.policies_not_collected if known else 0,
                "boundary_not_collected": False,
                "unique_id": f"AROA{number:08}" if known else None,
                "path": "/",
                "calls": sum(call.calls for call in person.calls),
                "denied": sum(call.denied for call in person.calls),
            }
        )
        rows["usage"] += [
            {
                "principal_arn": person.arn,
                "action": call.action,
                "account_id": person.account_id,
                "region": "eu-west-1",
                "day": at(call.days_before).date(),
                "match": call.match,
                "calls": call.calls,
                "denied": call.denied,
                "throttled": call.throttled,
                "first_time": at(call.days_before, 8),
                "last_time": at(call.days_before),
            }
            for call in person.calls
        ]
        for window in WINDOWS:
            cells = _cells(person, surely, maybe, window)
            if not known:
                cells = [cell | dict.fromkeys(NEEDS_SNAPSHOT) for cell in cells]
            rows["gap_service"] += cells
            rows["gap_identity"].append(_totals(person, cells, window))
        if known:
            rows["reach"].append(
                {
                    "reach_id": number,
                    "surely": blob(surely),
                    "maybe": blob(maybe),
                    "surely_actions": surely.bit_count(),
                    "maybe_actions": maybe.bit_count(),
                }
            )
            rows["policies"].append(
                {
                    "policy_id": number,
                    "name": f"{person.name[:20]}-policy",
                    "arn": None,
                    "aws_managed": False,
                    "document": json.dumps(person.document),
                }
            )
            rows["attachments"].append(
                {
                    "principal_arn": person.arn,
                    "layer": "identity",
                    "position": 0,
                    "policy_id": number,
                    "attached_to": person.arn,
                }
            )
    if snapshot:
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        rows["policies"].append(
            {
                "policy_id": 900,
                "name": "FullAWSAccess",
                "aws_managed": True,
                "document": json.dumps(everything),
            }
        )
        rows["control_levels"] += [
            {
                "account_id": account,
                "layer": "scp",
                "level": 0,
                "node_id": "r-ab12",
                "node_name": "Root",
                "position": 0,
                "policy_id": 900,
            }
            for account in ACCOUNT_ROWS
        ]
    for table, table_rows in rows.items():
        insert(con, table, table_rows)
    assert catalogue.actions  # the masks above are over this catalogue


def _mask(patterns: Iterable[str]) -> int:
    mask = 0
    for pattern in patterns:
        mask |= load_catalogue().expand(pattern)
    return mask


def _cells(person: Person, surely: int, maybe: int, window: int) -> list[dict[str, object]]:
    """One row per service with a grant or a use."""
    catalogue, rules = load_catalogue(), action_weights(load_catalogue())
    in_window = [call for call in person.calls if call.days_before < window]
    used = _mask(c.action for c in in_window if c.match == "all" and c.calls > c.denied + c.throttled)
    possible = _mask(c.action for c in in_window if c.calls > c.denied) & ~used
    seen, result = used | possible, []
    for service, numbers in catalogue.services.items():
        whole = ((1 << len(numbers)) - 1) << numbers.start
        if not (maybe | seen) & whole:
            continue
        granted = maybe & whole
        idle = granted & ~seen
        parts = {
            "used": granted & used,
            "possible": granted & possible,
            "unused": idle & observable_mask(),
            "unobserved": idle & ~observable_mask(),
        }
        calls = [c for c in in_window if c.action.partition(":")[0].lower() == service]

        def weigh(mask: int) -> float:
            return float(sum(w for n in bit_numbers(mask) if (w := rules.weights[n]) >= rules.high_risk_from))

        result.append(
            {
                "principal_arn": person.arn,
                "service": service,
                "window_days": window,
                "granted": granted.bit_count(),
                "surely": (surely & whole).bit_count(),
                "used_not_granted": (used & whole & ~granted).bit_count(),
                "granted_weight": weigh(granted),
                "unused_weight": weigh(parts["unused"]),
                "unobserved_weight": weigh(parts["unobserved"]),
                "calls": sum(c.calls for c in calls),
                "last_used": max((at(c.days_before) for c in calls if c.calls > c.denied), default=None),
            }
            | {name: mask.bit_count() for name, mask in parts.items()}
        )
    return result


def _totals(person: Person, cells: list[dict[str, object]], window: int) -> dict[str, object]:
    sums = (
        "granted",
        "surely",
        "used",
        "possible",
        "unused",
        "unobserved",
        "used_not_granted",
        "granted_weight",
        "unused_weight",
        "unobserved_weight",
        "calls",
    )
    return {
        "principal_arn": person.arn,
        "window_days": window,
        "services": len(cells),
        "services_used": sum(1 for cell in cells if cell["used"]),
        "last_used": max((cell["last_used"] for cell in cells if cell["last_used"]), default=None),
    } | {
        name: sum(cell[name] or 0 for cell in cells) if cells and any(cell[name] is not None for cell in cells) else None for name in sums}
