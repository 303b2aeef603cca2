"""When people and machines work: hours, weekdays, holidays, and session starts drawn from them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from analytics.demo.model import DAYS, Calendar

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DAY = 86_400
_HOLIDAYS = {(1, 1), (3, 17), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)}  # Dublin and Hamburg


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Relative activity by hour (UTC) and by weekday (Monday first); `holiday` replaces the weekday's on a holiday."""

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    holiday: float | None = None
    scheduled: bool = False  # a fixed number of sessions on each day that counts

    def day_factors(self, calendar: Calendar) -> Floats:
        """The factor of each day of the activity; an ordinary weekday has 1."""
        return np.array([self._factor(calendar.day(offset)) for offset in range(DAYS)])

    def _factor(self, day: date) -> float:
        if self.holiday is not None and (day.month, day.day) in _HOLIDAYS:
            return self.holiday
        return self.weekdays[day.weekday()]


def _bell(*peaks: tuple[float, float, float], floor: float = 0.02) -> tuple[float, ...]:
    """Hourly weights: bells of the given hour, width and height on a floor."""
    hours = np.arange(24)
    total = np.full(24, floor)
    for middle, width, height in peaks:
        total += height * np.exp(-(((hours - middle) / width) ** 2))
    return tuple(float(value) for value in total)


_EVERY_DAY = (1.0,) * 7
_OFFICE = _bell((9.6, 1.9, 1.0), (14.6, 2.3, 0.95), floor=0.004)
RHYTHMS: Mapping[str, Rhythm] = {
    "always": Rhythm((1.0,) * 24, _EVERY_DAY),
    "shoppers": Rhythm(
        _bell((12.5, 3.5, 0.6), (19.8, 2.6, 1.0), floor=0.18), (0.95, 0.95, 0.97, 1.0, 1.04, 1.16, 1.2), 0.9
    ),
    "office": Rhythm(_OFFICE, (1.0, 1.06, 1.04, 1.0, 0.82, 0.03, 0.02), 0.04),
    "pipeline": Rhythm(
        _bell((10.5, 2.0, 1.0), (15.2, 2.4, 1.0), floor=0.01), (1.0, 1.1, 1.1, 1.05, 0.55, 0.04, 0.03), 0.03
    ),
    "nightly": Rhythm(_bell((2.4, 0.7, 1.0), floor=0.0), _EVERY_DAY, scheduled=True),
    "weekly": Rhythm(_bell((5.0, 0.5, 1.0), floor=0.0), (1.0, 0, 0, 0, 0, 0, 0), scheduled=True),
    "quarterly": Rhythm(_bell((3.0, 0.3, 1.0), floor=0.0), _EVERY_DAY, scheduled=True),
}


@functools.cache
def _cumulative(name: str) -> tuple[Floats, Floats]:
    """Seconds of a day and the share of the day's activity before them."""
    hours = np.array(RHYTHMS[name].hours)
    share = np.concatenate([[0.0], np.cumsum(hours) / hours.sum()]).astype(np.float64)
    return (np.arange(25) * 3600.0).astype(np.float64), share


def share_before(name: str, seconds: Floats) -> Floats:
    """The share of a day's activity before each second of the day."""
    grid, share = _cumulative(name)
    return np.interp(seconds, grid, share)


def seconds_at(name: str, share: Floats) -> Floats:
    """The inverse of `share_before`."""
    grid, known = _cumulative(name)
    return np.interp(share, known, grid)


def quarter_starts(calendar: Calendar) -> list[int]:
    """Offsets of the first days of quarters inside the activity; there is always at least one."""
    return [offset for offset in range(DAYS) if (day := calendar.day(offset)).day == 1 and day.month in {1, 4, 7, 10}]


def growth(rng: np.random.Generator) -> Floats:
    """Business goes up slowly, and no two days are the same."""
    return np.linspace(0.95, 1.07, DAYS) * rng.lognormal(0.0, 0.06, DAYS)


def midnight(calendar: Calendar) -> int:
    """Seconds since 1970 of the first day."""
    return int((calendar.first - date(1970, 1, 1)) / timedelta(seconds=1))
