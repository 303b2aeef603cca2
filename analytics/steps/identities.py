"""Steps on the side of the snapshot: what identities can do, where they are, and what the export shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analytics.engine.reach import Reachable
from analytics.findings import gap
from analytics.findings.bits import pack, to_blob
from analytics.sources.credential_rows import credential_rows
from analytics.sources.group_rows import group_tables
from analytics.sources.owners import read_owners
from analytics.sources.snapshot import Snapshot
from analytics.sources.snapshot_rows import PolicyRows, account_rows, identity_rows, node_rows, snapshot_rows
from analytics.steps.state import text_table

if TYPE_CHECKING:
    from analytics.engine.reach import Reach
    from analytics.settings import Settings
    from analytics.steps.state import Build


def list_actions(build: Build) -> None:
    """The catalogue as a table, with weights."""
    catalogue, weights = build.catalogue, build.weights
    rows = pa.table(
        {
            "number": pa.array(range(len(catalogue.actions)), pa.int32()),
            "action": list(catalogue.actions),
            "service": [action.partition(":")[0].lower() for action in catalogue.actions],
            "access_level": [str(level) for level in catalogue.levels],
            "visibility": [str(kind) for kind in catalogue.visibility],
            "weight": list(weights.weights),
            "weight_class": list(weights.classes),
            "high_risk": [weight >= weights.high_risk_from for weight in weights.weights],
        }
    )
    build.run("actions", action_rows=rows)


def find_reach(build: Build) -> None:
    """What every identity can do; equal pairs of sets are kept once."""
    snapshot = build.snapshot or Snapshot()
    reachable = Reachable(build.catalogue)
    numbers: dict[Reach, int] = {}
    reach_ids = [
        numbers.setdefault(reachable.of(snapshot.stack_of(identity)), len(numbers)) for identity in snapshot.identities
    ]
    build.reaches = list(numbers)
    rows = pa.table(
        {
            "reach_id": pa.array(range(len(build.reaches)), pa.int32()),
            "surely": pa.array([to_blob(reach.surely) for reach in build.reaches], pa.binary()),
            "maybe": pa.array([to_blob(reach.maybe) for reach in build.reaches], pa.binary()),
            "surely_actions": pa.array([reach.surely.bit_count() for reach in build.reaches], pa.int32()),
            "maybe_actions": pa.array([reach.maybe.bit_count() for reach in build.reaches], pa.int32()),
        }
    )
    build.run("reach", reach_rows=rows)
    build.run("reach_service")
    build.insert("reach_service", gap.reach_service(build.catalogue, build.reaches))
    build.temporary(
        "identity_rows", identity_rows(snapshot.identities, reach_ids, owner_tags=build.settings.owner_tags)
    )


def measure_coverage(build: Build) -> None:
    """Accounts and the organisation, with what the export holds of each."""
    build.run("account_coverage")
    rows = account_rows(
        build.snapshot or Snapshot(),
        environment_tags=build.settings.environment_tags,
        environment_words=build.settings.environment_words,
    )
    build.run("accounts", account_rows=rows)
    build.run("nodes", node_rows=node_rows(build.snapshot))


def find_observable(build: Build) -> None:
    """Of which actions each account would have shown a call."""
    rows = build.con.execute(
        "select account_id, window_days, calls > 0, sees_read_only, sees_kms from account_coverage"
    ).fetchall()
    found: list[tuple[str, int, int]] = []
    for account_id, window_days, has_events, sees_read_only, sees_kms in rows:
        logging = build.snapshot.logging_of(account_id) if build.snapshot else None
        told = logging if logging and logging.selectors_collected else None
        coverage = gap.Coverage(
            has_events=bool(has_events),
            sees_read_only=bool(sees_read_only) and not (told and not told.read_only_events),
            sees_kms=bool(sees_kms) and not (told and not told.kms_events),
            data_events_logged=_data_events_logged(build.settings, account_id)
            | frozenset(logging.data_event_types if logging else ()),
        )
        found.append((account_id, window_days, build.profiles.number(coverage)))
    masks = [to_blob(mask) for mask in build.profiles.masks]
    table = pa.table(
        {
            "account_id": pa.array([row[0] for row in found], pa.string()),
            "window_days": pa.array([row[1] for row in found], pa.int32()),
            "profile_id": pa.array([row[2] for row in found], pa.int32()),
            "visibility_mask": pa.array([masks[row[2]] for row in found], pa.binary()),
        }
    )
    build.run("observable", observable_rows=table)


def _data_events_logged(settings: Settings, account_id: str) -> frozenset[str]:
    """The types that the team's settings name for every account, and for this one."""
    return frozenset(kind for key in ("*", account_id) for kind in settings.data_events_logged.get(key, ()))


def list_principals(build: Build) -> None:
    """Every identity, of the snapshot or of the logs, and the policies that bear on it."""
    build.run("principals", owner_rows=_owner_rows(build))
    build.run("principal_day")
    policies = PolicyRows()
    if build.snapshot:
        policies.add(build.snapshot)
    for name, rows in policies.tables():
        build.run(name, **{f"{name}_rows": rows})
    credentials, access_keys = credential_rows(build.snapshot or Snapshot())
    build.run("credentials", credentials_rows=credentials)
    build.run("access_keys", access_keys_rows=access_keys)
    build.run("snapshot", snapshot_rows=snapshot_rows(build.snapshot))
    for name, rows in group_tables(build.snapshot or Snapshot()):
        build.run(name, **{f"{name}_rows": rows})


def _owner_rows(build: Build) -> pa.Table:
    """Whom `owners.csv` of the store names, of the snapshot and of the logs."""
    owners = read_owners(build.folder)
    arns = build.con.execute(
        "select principal_arn from identity_rows union select principal_arn from caller"
    ).fetchall()
    found = [(arn, owner) for (arn,) in arns if arn and (owner := owners.of(arn))]
    return text_table(("principal_arn", "owner"), found)


def compare(build: Build) -> None:
    """Granted against used."""
    con, size = build.con, len(build.catalogue.actions)
    build.run("granted_service")
    pairs = con.execute(
        "select distinct reach_id, coalesce(profile_id, 0) from principals cross join windows"
        " left join observable using (account_id, window_days) where reach_id is not null"
    ).fetchall()
    batches = gap.granted_service(build.catalogue, build.weights, build.reaches, build.profiles.masks, sorted(pairs))
    build.insert("granted_service", batches)
    build.run("seen_action")
    seen = con.execute(
        "select seen_id, reach_id, coalesce(profile_id, 0) as profile_id, number from seen_action"
        " where reach_id is not null"
    ).fetchnumpy()
    reach_id, profile_id, number = (np.asarray(seen[name], np.int64) for name in ("reach_id", "profile_id", "number"))
    facts = gap.seen_actions(
        build.weights,
        pack([reach.maybe for reach in build.reaches] or [0], size),
        pack([reach.surely for reach in build.reaches] or [0], size),
        pack(build.profiles.masks, size),
        reach_id=reach_id,
        profile_id=profile_id,
        number=number,
    )
    build.run("seen_fact", known_facts=pa.table({"seen_id": seen["seen_id"], **facts}))
    build.run("gap_service")
    build.run("gap_identity")
