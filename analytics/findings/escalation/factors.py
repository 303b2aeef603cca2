"""What an escalation path counts: category × certainty × target, by `data/reference/risk.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import TYPE_CHECKING

from analytics.findings.escalation.facts import MAYBE, NO, SURELY, Held
from analytics.findings.weights import RISK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.findings.escalation.own import Lead


@dataclass(frozen=True)
class Factors:
    """Numbers between 0 and 1 by category, by target, and by certainty."""

    category: Mapping[str, float]
    target: Mapping[str, float]
    certainty: Mapping[Held, float]

    def strength(self, lead: Lead) -> float:
        """Category × certainty × target."""
        return self._strengths[lead.category, lead.held, lead.target]

    @cached_property
    def _strengths(self) -> dict[tuple[str, Held, str], float]:
        tables = (self.category.items(), self.certainty.items(), self.target.items())
        return {(c[0], h[0], t[0]): round(c[1] * h[1] * t[1], 6) for c, h, t in product(*tables)}


@cache
def read_factors(file: Path = RISK_FILE) -> Factors:
    """The factors of the reference file."""
    rules = tomllib.loads(file.read_text("utf-8"))
    certainty = rules["certainty"]
    return Factors(
        category=rules["category"],
        target=rules["target"],
        certainty={NO: 0.0, MAYBE: float(certainty["maybe"]), SURELY: float(certainty["surely"])},
    )
