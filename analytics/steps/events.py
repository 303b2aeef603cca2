"""Steps on the side of the logs: windows, callers, actions, use."""

from __future__ import annotations

import csv
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.settings import REFERENCE
from analytics.sources.identity import KnownIdentities, caller
from analytics.sources.resolve import Outcome, Resolver
from analytics.steps.state import Build, BuildError, text_table

if TYPE_CHECKING:
    from datetime import date

ERROR_CODES_FILE = REFERENCE / "error_codes.csv"
# Calls of the build's window whose action nobody knows: what they need could be what an item takes.
UNRESOLVED = """
select caller.principal_arn, sum(call_day.calls)::bigint as calls
from call_day
join caller
    on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
join event_action
    on event_action.event_source = call_day.event_source
    and event_action.event_name = call_day.event_name
    and event_action.event_type is not distinct from call_day.event_type
join (select min(window_start) as first_day, max(window_end) as last_day from windows)
    on day between first_day and last_day
where event_action.outcome = 'unresolved'
group by caller.principal_arn"""


def find_windows(build: Build) -> None:
    """The windows, all ending on the last event's UTC day."""
    ((last,),) = build.con.execute("select max(last_time) from rollup").fetchall()
    if last is None:
        problems = "; ".join(f"`{file.path}`: {file.problem}" for file in build.files if file.problem)
        raise BuildError(f"no event could be read from the given files ({problems or 'they hold no rows'})")
    end: date = last.date()
    own = build.settings.window_days
    days = sorted({own, *(window for window in build.settings.windows if window < own)})
    rows = pa.table(
        {
            "window_days": pa.array(days, pa.int32()),
            "window_start": [end - timedelta(days=count - 1) for count in days],
            "window_end": [end] * len(days),
        }
    )
    build.run("windows", window_rows=rows)


def count_calls_once(build: Build) -> None:
    """Calls counted once, whoever logged them; and what each error means."""
    build.run("call_day")
    codes = [code for (code,) in build.con.execute("select distinct error_code from call_day").fetchall() if code]
    with ERROR_CODES_FILE.open(encoding="utf-8", newline="") as file:
        rules = [(row["error_code_like"].replace("%", "*"), row["outcome"]) for row in csv.DictReader(file)]
    outcomes = {code: next((outcome for like, outcome in rules if fnmatchcase(code, like)), None) for code in codes}
    known = {code: outcome for code, outcome in outcomes.items() if outcome}
    rows = pa.table({"error_code": pa.array(known, pa.string()), "outcome": pa.array(known.values(), pa.string())})
    build.temporary("error_outcome", rows)


def name_callers(build: Build) -> None:
    """Who each reference of the roll-up is."""
    name_references(build, "caller", "select distinct principal_ref, account_id from call_day")


def name_references(build: Build, table: str, query: str) -> None:
    """A temporary table of who stands behind each `principal_ref` and account that the query finds."""
    known = KnownIdentities.of(build.snapshot.identities if build.snapshot else ())
    seen = build.con.execute(query).fetchall()
    callers = [caller(reference, account_id, known) for reference, account_id in seen]
    rows = pa.table(
        {
            "principal_ref": pa.array([reference for reference, _ in seen], pa.string()),
            "seen_account_id": pa.array([account_id for _, account_id in seen], pa.string()),
            "principal_arn": pa.array([found.principal_arn for found in callers], pa.string()),
            "kind": pa.array([str(found.kind) for found in callers], pa.string()),
            "account_id": pa.array([found.account_id for found in callers], pa.string()),
        }
    )
    build.temporary(table, rows)


def resolve_events(build: Build) -> None:
    """What each distinct event needs, looked up once."""
    resolver = Resolver.load(build.catalogue)
    names = build.con.execute("select distinct event_source, event_name, event_type from call_day").fetchall()
    rows: list[tuple[str, str, str | None, str, str | None, str | None]] = []
    for source, name, kind in names:
        found = resolver.resolve(source, name, kind)
        outcome = "possible" if found.outcome is Outcome.RESOLVED and not found.all else str(found.outcome)
        event = (source, name, kind, outcome)
        needed = [*_each(found.all, "all"), *_each(found.any, "any"), *_each(found.also, "also")]
        rows += [(*event, action, match) for action, match in needed] or [(*event, None, None)]
    columns = ("event_source", "event_name", "event_type", "outcome", "action", "match")
    build.temporary("event_action", text_table(columns, rows))
    build.run("event_names")


def count_usage(build: Build) -> None:
    """Calls as actions."""
    build.run("usage")


def unresolved_calls(build: Build) -> dict[str, int]:
    """How many calls of the window each identity made whose action is not known; after `name_callers`."""
    return dict(build.con.execute(UNRESOLVED).fetchall())


def _each(actions: tuple[str, ...], match: str) -> list[tuple[str, str]]:
    return [(action, match) for action in actions]
