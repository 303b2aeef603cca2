"""CloudTrail records in a few words, and small Parquet files of them: a test names only what it is about."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analytics.sources.rows import SCHEMA, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
_numbers = count(1)


def call(name: str, who: dict[str, Any] | None = None, *, at: str = "2026-03-10T12:00:00Z", **fields: Any) -> dict:
    """`call("s3:PutObject", user())`: one record, logged in the caller's own account unless a field says otherwise."""
    service, _, event_name = name.partition(":")
    identity = role_session() if who is None else who
    return {
        "eventID": f"event-{next(_numbers)}",
        "eventTime": at,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event_name,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "awsRegion": "eu-west-1",
        "readOnly": False,
        "recipientAccountId": identity.get("accountId", ACCOUNT),
        "userIdentity": identity,
        **fields,
    }


def role_session(
    arn: str = ROLE, session: str = "worker", *, issuer: Any = "as it should be", unique_id: str = "AROAAPP"
) -> dict[str, Any]:
    """A session of a role; `issuer` None leaves `sessionIssuer` out, {} leaves it empty."""
    account_id, name = arn.split(":")[4], arn.rpartition("/")[2]
    whole = {"type": "Role", "arn": arn, "accountId": account_id, "userName": name, "principalId": unique_id}
    context = {} if issuer is None else {"sessionIssuer": whole if isinstance(issuer, str) else issuer}
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account_id}:assumed-role/{name}/{session}",
        "accountId": account_id,
        "principalId": f"{unique_id}:{session}",
        "sessionContext": context,
    }


def user(arn: str = USER, **fields: Any) -> dict[str, Any]:
    """An IAM user with its own keys."""
    account_id, name = arn.split(":")[4], arn.rpartition("/")[2]
    return {"type": "IAMUser", "arn": arn, "accountId": account_id, "userName": name, **fields}


def root(account_id: str = ACCOUNT) -> dict[str, Any]:
    """The root user."""
    arn = f"arn:aws:iam::{account_id}:root"
    return {"type": "Root", "arn": arn, "accountId": account_id, "principalId": account_id}


def outsider(account_id: str | None = OTHER, unique_id: str = "AROAVENDOR") -> dict[str, Any]:
    """A caller of another account, as the account of the resource logs it."""
    return {"type": "AWSAccount", "accountId": account_id, "principalId": f"{unique_id}:session"}


def service(host: str = "ec2.amazonaws.com") -> dict[str, Any]:
    """An AWS service that acts for itself."""
    return {"type": "AWSService", "invokedBy": host}


def write_events(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """The records as one Parquet file in layout D."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [row_of(record).values for record in records]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, store_schema=False)
    return path
