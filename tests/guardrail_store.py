"""The small store under an organisation with a guardrail: the audit trail is protected at the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.build import build_store
from analytics.settings import Settings
from analytics.store import Store
from tests.event_files import write_layout_a
from tests.snapshot_files import FULL_ACCESS, account, ou, root, scp, write
from tests.store_builder import LAST_DAY, LOGS, NAMES, PEOPLE, PROD, SANDBOX, records_of, write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

TRAIL = ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
BREAK_GLASS = "arn:aws:iam::*:role/break-glass"
PROTECT = scp("protect-trail", *(f"cloudtrail:{name}" for name in TRAIL))
PROTECT["Content"]["Statement"][0] |= {
    "Sid": "ProtectTrail",
    "Condition": {"ArnNotLike": {"aws:PrincipalArn": BREAK_GLASS}},
}
MANAGEMENT = "999988887777"  # of the root of snapshot_files
HALF = scp("half", "guardduty:DeleteDetector")


def write_guarded_store(folder: Path, *, organization: bool = True, management: bool = False) -> Store:
    """LOG-01 is covered everywhere by one SCP, LOG-04 is partial in the sandbox, most others are open."""
    files = folder / "input"
    write_layout_a(
        files / "events" / "a.parquet",
        [record for person in PEOPLE for calls in person.calls for record in records_of(person, calls)],
    )
    snapshot = write_snapshot(files / "snapshot")
    tree = root(
        ou("Prod", ou("Payments", account(PROD, NAMES[PROD]))),
        ou("Sandbox", account(SANDBOX, NAMES[SANDBOX]), policies=(FULL_ACCESS, HALF)),
        ou("Security", account(LOGS, NAMES[LOGS])),
        *([account(MANAGEMENT, "management")] if management else []),
        policies=(FULL_ACCESS, PROTECT),
    )
    if organization:
        write(snapshot, {"organization.json": tree})
    else:
        (snapshot / "organization.json").unlink()
    store = Store(folder / "store")
    build_store([str(files / "events")], snapshot, store, settings=Settings(), now=LAST_DAY.replace(tzinfo=None))
    return store
