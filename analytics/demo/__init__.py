"""The sample organisation: a made-up company, its permissions, and 120 days of what its identities did."""

from __future__ import annotations

from datetime import date
from pathlib import Path


def make_sample(folder: Path, *, seed: int, until: date) -> None:
    """Write `events/`, `snapshot/`, `snapshot-earlier/` and `truths.json` below the folder; the last day is `until`."""
    from analytics.demo.write import write_sample  # noqa: PLC0415 - NumPy and PyArrow only when a sample is made

    write_sample(folder, seed=seed, until=until)
