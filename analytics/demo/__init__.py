"""The sample organisation: a made-up company, its permissions, and 120 days of what its identities did."""

from __future__ import annotations

from datetime import date
from pathlib import Path

EARLIER_DAYS = 30  # how long before the last day `snapshot-earlier` was taken


def make_sample(folder: Path, *, seed: int, until: date) -> None:
    """Write `events/`, `snapshot/`, `snapshot-earlier/` and `truths.json` below the folder; the last day is `until`."""
    from analytics.demo.write import write_sample

    write_sample(folder, seed=seed, until=until)


def days_until(events: Path, last: date) -> list[Path]:
    """The folders of the days up to `last`, for a build of what was known then."""
    return sorted(day for day in events.glob("date=*") if day.name <= f"date={last.isoformat()}")
