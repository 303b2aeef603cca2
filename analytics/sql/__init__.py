"""The SQL of a build: one file per table, its grain on line 1."""

from functools import cache
from pathlib import Path


@cache
def read_sql(name: str) -> str:
    """The text of `analytics/sql/<name>.sql`."""
    return (Path(__file__).parent / f"{name}.sql").read_text("utf-8")
