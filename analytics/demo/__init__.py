"""The sample organisation: a made-up company, its permissions, and 120 days of what its identities did."""

from __future__ import annotations

from datetime import date
from pathlib import Path

EARLIER_DAYS = 30  # the second snapshot shows the organisation so many days before the last one


def make_sample(folder: Path, *, seed: int, until: date) -> None:
    """Write `events/`, `snapshot/`, `snapshot-earlier/` and `truths.json` below the folder; the last day is `until`."""
    from analytics.demo.write import write_sample  # noqa: PLC0415 - NumPy and PyArrow only when a sample is made

    write_sample(folder, seed=seed, until=until)


def days_until(events: Path, last: date) -> list[Path]:
    """The day folders of a sample's events up to and including a day."""
    return [folder for folder in sorted(events.glob("date=*")) if folder.name <= f"date={last.isoformat()}"]
