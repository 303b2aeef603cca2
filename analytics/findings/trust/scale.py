"""How much each trust class exposes, and when a key is old: two tables of `data/reference/risk.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any

from analytics.findings.weights import RISK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def exposures() -> Mapping[str, float]:
    """Exposure points by trust class."""
    return {name: float(points) for name, points in _rules()["exposure"].items()}


@cache
def old_key_days() -> int:
    """The age in days beyond which an access key is old."""
    return int(_rules()["thresholds"]["old_key_days"])


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(RISK_FILE.read_text("utf-8"))
