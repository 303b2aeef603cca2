"""Write the sample to disk: events by day, two snapshots, and what was planted."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.demo import EARLIER_DAYS
from analytics.demo.activity import Calls, Sessions, draw_calls, draw_sessions
from analytics.demo.actors import cast_of
from analytics.demo.arrow import SCHEMA
from analytics.demo.events import table_of
from analytics.demo.model import DAYS
from analytics.demo.rhythm import DAY, midnight
from analytics.demo.snapshot import write_snapshot
from analytics.demo.trails import logged
from analytics.demo.truths import truths
from analytics.demo.world import World, make_world

_PLAIN = {"requestid", "eventid", "requestparameters", "responseelements", "additionaleventdata", "errormessage", "eventtime"}  # fmt: skip


def write_sample(folder: Path, *, seed: int, until: date) -> None:
    """Replace what lies in the folder by the sample of that seed and last day."""
    for name in ("events", "snapshot", "snapshot-earlier"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    world = make_world(seed, until)
    rng = np.random.default_rng([seed, 120])
    sessions = draw_sessions([*world.identities, *world.others], world.calendar, rng)
    calls = draw_calls(sessions, logged, world.calendar, rng)
    starts = sessions.start.astype(np.int64) + midnight(world.calendar)
    cast = cast_of(sessions, starts, seed, rng)
    table = table_of(calls, sessions, cast, logged, world.calendar, rng, Random(seed))
    _write_events(folder / "events", table, world)
    for name, at in (("snapshot", until), ("snapshot-earlier", world.calendar.ago(EARLIER_DAYS))):
        write_snapshot(folder / name, world.estate(at), at, _last_used(world, sessions, calls, table, at))
    lines = {"seed": seed, "until": until.isoformat(), "truths": truths(world, table)}
    (folder / "truths.json").write_bytes(orjson.dumps(lines, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _write_events(folder: Path, table: pa.Table, world: World) -> None:
    """One folder per day, one file in it."""
    times = table.column("eventtime").combine_chunks()
    days = np.asarray(pc.utf8_slice_codeunits(times, 0, 10).to_numpy(zero_copy_only=False))
    dictionary = [path for path in _leaves(SCHEMA) if path.split(".")[0] not in _PLAIN]
    for offset in range(DAYS):
        day = world.calendar.day(offset).isoformat()
        first, last = np.searchsorted(days, [day, f"{day}~"])
        place = folder / f"date={day}"
        place.mkdir(parents=True)
        pq.write_table(
            table.slice(first, last - first),
            place / "part-00000.parquet",
            compression="zstd",
            use_dictionary=dictionary,
            write_statistics=["eventtime", "eventsource", "eventname", "recipientaccountid"],
        )


def _leaves(schema: pa.Schema) -> list[str]:
    """The paths of all columns that Parquet stores."""

    def below(field: pa.Field, prefix: str) -> list[str]:
        path = f"{prefix}{field.name}"
        if pa.types.is_struct(field.type):
            return [leaf for child in field.type for leaf in below(child, f"{path}.")]
        if pa.types.is_list(field.type):
            return [leaf for child in field.type.value_type for leaf in below(child, f"{path}.list.element.")]
        if pa.types.is_map(field.type):
            return [f"{path}.key_value.key", f"{path}.key_value.value"]
        return [path]

    return [leaf for field in schema for leaf in below(field, "")]


def _last_record(table: pa.Table, at: date) -> Mapping[str, datetime]:
    """The time of each caller's last record up to the end of a day: of a session, the role's."""
    identity = table.column("useridentity").combine_chunks()
    issuer = pc.struct_field(identity, ["sessioncontext", "sessionissuer", "arn"])
    caller = pc.coalesce(issuer, pc.struct_field(identity, ["arn"]))
    seen = pa.table({"caller": caller, "time": table.column("eventtime")})
    seen = seen.filter(pc.less_equal(seen.column("time"), f"{at.isoformat()}~"))
    last = seen.group_by("caller").aggregate([("time", "max")])
    times = (datetime.fromisoformat(text) for text in last.column("time_max").to_pylist())
    return dict(zip(last.column("caller").to_pylist(), times, strict=True))


def _last_used(
    world: World, sessions: Sessions, calls: Calls, table: pa.Table, at: date
) -> Mapping[str, tuple[datetime, str]]:
    """Time and region of each identity's last call up to the end of a day, as IAM knows it."""
    found: dict[str, tuple[datetime, str]] = {}
    limit = midnight(world.calendar) + ((at - world.calendar.first).days + 1) * DAY
    latest = np.full(len(sessions.plans), -1, np.int64)
    inside = calls.time < limit
    np.maximum.at(latest, sessions.plan[calls.session[inside]], calls.time[inside])
    began = sessions.start.astype(np.int64) + midnight(world.calendar)
    np.maximum.at(latest, sessions.plan[began < limit], began[began < limit])
    for number, (identity, _) in enumerate(sessions.plans):
        if latest[number] >= 0:
            moment = datetime.fromtimestamp(int(latest[number]), UTC)
            known = found.get(identity.arn)
            if known is None or known[0] < moment:
                found[identity.arn] = (moment, "eu-west-1")
    for arn, moment in _last_record(table, at).items():
        if arn in found:
            found[arn] = (max(found[arn][0], moment), found[arn][1])
    for identity in world.identities:
        if identity.arn not in found and identity.used_before is not None:
            first = datetime.combine(world.calendar.first, datetime.min.time(), UTC).timestamp()
            moment = datetime.fromtimestamp(first - identity.used_before * DAY + 37_000, UTC)
            found[identity.arn] = (moment, "eu-west-1")
    return found
