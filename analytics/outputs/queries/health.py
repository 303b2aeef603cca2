"""Can the numbers be trusted: what was read, what was not, and what this export could not have shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.outputs.queries.build import records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pandas as pd
    from duckdb import DuckDBPyConnection

OLD_SNAPSHOT_DAYS = 14
UNRESOLVED_SHARE = 0.004  # of events: above it, use may be missed (99.6 % resolve on real logs)

FILES = """
select path, layout, rows_read, rows_rejected, first_event, last_event, problem
from health order by problem is null, rows_rejected desc, path"""
ACCOUNTS = """
select account_id, name, ou_path, environment, collected, reason, identities, calls, days_covered,
    (select window_days from build) as window_days, sees_read_only, sees_kms, first_event, last_event
from accounts order by collected in ('ok', 'outside'), days_covered, name nulls last, account_id"""
EVENT_NAMES = """
select event_source, event_name, event_type, outcome, events, actions
from event_names order by outcome <> 'unresolved', events desc, event_source, event_name"""
PROBLEMS = "select source, subject, reason from problems order by all"
TOTALS = """
with own as (select * from accounts where collected <> 'outside')
select
    (select count(*) from health) as files,
    (select count(*) from health where problem is not null) as files_with_problem,
    (select coalesce(sum(rows_read), 0)::bigint from health) as rows_read,
    (select coalesce(sum(rows_rejected), 0)::bigint from health) as rows_rejected,
    (select coalesce(sum(events), 0)::bigint from event_names) as events,
    (select coalesce(sum(events), 0)::bigint from event_names where outcome = 'unresolved') as events_unresolved,
    (select count(*) from event_names where outcome = 'unresolved') as names_unresolved,
    (select count(*) from own) as accounts,
    (select count(*) from own where collected <> 'ok') as accounts_not_collected,
    (select count(*) from own
     where days_covered > 0 and days_covered < 0.65 * (select window_days from build)) as accounts_thinly_covered,
    (select count(*) from own where days_covered = 0) as accounts_without_events,
    (select count(*) from own where days_covered > 0 and not sees_read_only) as accounts_without_read_only,
    (select count(*) from own where days_covered > 0 and not sees_kms) as accounts_without_kms,
    (select count(*) from problems) as problems,
    (select count(*) from principals where policies_not_collected > 0 or boundary_not_collected) as incomplete"""


class Level(IntEnum):
    """How much a point limits the numbers."""

    OK = 0
    LOOK = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """One reason to trust the numbers less (or, at OK, to trust them)."""

    level: Level
    what: str  # what was found, in figures
    so: str  # what it means for the numbers


class _Rule(NamedTuple):
    """A point that is made when a figure of TOTALS is not zero; `{}` is the figure with its unit."""

    figure: str
    unit: str
    level: Level
    what: str
    so: str
    needs_snapshot: bool = False


_RULES = (
    _Rule("files_with_problem", "file", Level.BAD, "{} of {files} could not be read", "their calls are missing"),
    _Rule("rows_rejected", "record", Level.LOOK, "{} rejected", "their calls are not counted"),
    _Rule("accounts_without_events", "account", Level.BAD, "{} of {accounts} without any event",
          "everything granted there is unobserved, never unused"),
    _Rule("accounts_thinly_covered", "account", Level.LOOK, "{} with events on fewer than two days in three",
          "quiet days and missing logs look alike there"),
    _Rule("accounts_without_read_only", "account", Level.LOOK, "{} without read-only events",
          "read and list actions there are unobserved"),
    _Rule("accounts_without_kms", "account", Level.LOOK, "{} without KMS events", "KMS actions there are unobserved"),
    _Rule("accounts_not_collected", "account", Level.BAD, "{} of {accounts} not collected",
          "identities there are known from logs only", needs_snapshot=True),
    _Rule("incomplete", "identity", Level.LOOK, "{} with policies that the snapshot does not hold",
          "their reach is a lower bound", needs_snapshot=True),
    _Rule("problems", "problem", Level.LOOK, "{} in files or policies", "what was left out is listed below"),
)  # fmt: skip


def health_totals(con: DuckDBPyConnection) -> dict[str, int]:
    """Counts of what was read and of what is missing."""
    (row,) = records(con, TOTALS)
    return row


def health_points(con: DuckDBPyConnection, *, now: datetime) -> tuple[HealthPoint, ...]:
    """What limits the numbers, worst first; `now` (UTC) only ages the snapshot."""
    (build,) = records(con, "select has_snapshot, has_organization, snapshot_taken_at from build")
    totals = health_totals(con)
    figures = totals | {name: f"{count:,}" for name, count in totals.items()}
    points = [
        HealthPoint(rule.level, rule.what.format(_counted(totals[rule.figure], rule.unit), **figures), rule.so)
        for rule in _RULES
        if totals[rule.figure] and (build["has_snapshot"] or not rule.needs_snapshot)
    ]
    if totals["events_unresolved"] > UNRESOLVED_SHARE * totals["events"]:
        what = "{events_unresolved} events of {names_unresolved} names need an IAM action that is not known"
        points.append(HealthPoint(Level.LOOK, what.format(**figures), "what they needed may look unused"))
    if not build["has_snapshot"]:
        points.append(
            HealthPoint(Level.BAD, "no IAM snapshot in this build", "usage only: what is unused is not known")
        )
    else:
        points += _snapshot_points(build, now)
    return tuple(sorted(points, key=lambda point: -point.level))


def _snapshot_points(build: dict[str, Any], now: datetime) -> Iterator[HealthPoint]:
    taken_at = build["snapshot_taken_at"]
    if taken_at is None:
        yield HealthPoint(Level.LOOK, "the snapshot does not say when it was taken", "grants may be out of date")
    elif (days := (now - taken_at).days) > OLD_SNAPSHOT_DAYS:
        yield HealthPoint(Level.LOOK, f"the snapshot is {days} days old", "newer grants and removals are not in it")
    if not build["has_organization"]:
        so = "SCPs are not applied: reach may be shown too wide"
        yield HealthPoint(Level.LOOK, "no organisation in the snapshot", so)


def _counted(count: int, unit: str) -> str:
    """`1 file`, `2 files`; the unit is singular."""
    many = {"identity": "identities"}.get(unit, f"{unit}s")
    return f"{count:,} {unit if count == 1 else many}"


def health_files(con: DuckDBPyConnection) -> pd.DataFrame:
    """One row per source file, those with a problem first."""
    return con.execute(FILES).df()


def health_accounts(con: DuckDBPyConnection) -> pd.DataFrame:
    """One row per account: was it collected, and how much of the window do its events cover."""
    return con.execute(ACCOUNTS).df()


def health_event_names(con: DuckDBPyConnection) -> pd.DataFrame:
    """One row per event name with the IAM actions that it needs; unresolved ones first."""
    return con.execute(EVENT_NAMES).df()


def health_problems(con: DuckDBPyConnection) -> pd.DataFrame:
    """One row per problem that reading the snapshot and the files met."""
    return con.execute(PROBLEMS).df()
