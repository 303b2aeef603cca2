"""What every export shares: where rows come from, what cannot be written, and rows as columns of Arrow."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.outputs.queries import Build, Filters


class ExportError(ValueError):
    """Rows that a format cannot hold; the message says which format can."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where rows come from: enough to make them again."""

    view: str
    build_id: str
    window: str  # "2026-08-25 to 2026-11-22 (90 days)", UTC days
    filters: str
    catalogue: str
    weights: str  # hash of data/reference/risk.toml

    def document(self) -> dict[str, str]:
        """The facts by name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def provenance(view: str, build: Build, filters: Filters, *, only: Sequence[str | None] = ()) -> Provenance:
    """The provenance of a view of a build under these filters; the window is the one that the filters choose.

    `only`: in words, what else narrows the rows.
    """
    start = (pd.Timestamp(build.window_end) - pd.Timedelta(days=filters.window_days - 1)).date()
    window = f"{start} to {build.window_end} ({filters.window_days} days)"
    narrowed = [filters.sentence] if filters.narrows else []
    told = "; ".join([*narrowed, *(f"only {what}" for what in only if what)])
    return Provenance(view, build.id, window, told or filters.sentence, build.catalogue, build.weights)


def arrow(rows: pd.DataFrame) -> pa.Table:
    """The rows as a table of Arrow."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    # A column without any value has no type of its own; text is what readers expect of it.
    kinds = [field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in table.schema]
    return table.cast(pa.schema(kinds))


def missing(value: Any) -> bool:
    """Whether a cell is empty: None, and what pandas writes in its place."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN alone differs from itself
