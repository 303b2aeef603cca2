"""Which build this is: what every page, export and document says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, datetime

    from duckdb import DuckDBPyConnection

BUILD = "select * from build"
WINDOWS = "select distinct window_days from gap_identity union select window_days from build order by 1"


@dataclass(frozen=True, slots=True)
class Build:
    """The one row of table `build`; times are UTC."""

    id: str
    created_at: datetime
    window_start: date
    window_end: date
    window_days: int
    catalogue: str
    weights: str
    snapshot_taken_at: datetime | None
    events: int
    first_event: datetime | None
    last_event: datetime | None
    has_snapshot: bool
    has_organization: bool
    format: int

    def document(self) -> dict[str, Any]:
        """The `build` object of every `--json` document."""
        window = {"start": self.window_start.isoformat(), "end": self.window_end.isoformat(), "days": self.window_days}
        return {
            "id": self.id,
            "created_at": utc_text(self.created_at),
            "window": window,
            "catalogue": self.catalogue,
            "weights": self.weights,
        }


def build_info(con: DuckDBPyConnection) -> Build:
    """The build behind the connection."""
    (row,) = records(con, BUILD)
    return Build(**{name: row[name] for name in Build.__slots__})


def build_windows(con: DuckDBPyConnection) -> tuple[int, ...]:
    """The windows, in days, that the build holds gaps for; the build's own window is among them."""
    return tuple(int(days) for (days,) in con.execute(WINDOWS).fetchall())


def records(con: DuckDBPyConnection, sql: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries; for small results."""
    cursor = con.execute(sql, params)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def utc_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, as documents carry times; a build's timestamps have no zone and are UTC."""
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}Z"
