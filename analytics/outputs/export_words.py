"""Words for people in the place of identifiers, for the formats that people read.

CSV, JSON, Parquet and ASFF keep the identifiers: scripts, links and other builds rely on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.lowering.values import ChangeKind
from analytics.findings.remediation.values import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

KIND_TITLES: Mapping[str, str] = {kind.value: kind.words for kind in Kind}
CHANGE_TITLES: Mapping[str, str] = {kind.value: kind.words for kind in ChangeKind}
_BY_VIEW: Mapping[str, Mapping[str, str]] = {"remediation": KIND_TITLES, "would-lower": CHANGE_TITLES}


def for_people(rows: pd.DataFrame, view: str) -> pd.DataFrame:
    """The rows of a view with the titles of its kinds; a kind without a title, and every other view, as they are."""
    titles = _BY_VIEW.get(view)
    if titles is None or "kind" not in rows:
        return rows
    return rows.assign(kind=[titles.get(kind, kind) for kind in rows["kind"]])
