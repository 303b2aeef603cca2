"""The facts behind a score as text, so that a build can keep them and a page can put other weights to all of them.

INVARIANT: `read_facts(write_facts(facts)) == facts`, and equal facts have equal text.
"""

from __future__ import annotations

import json

from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.facts import Counts, PathFact, RiskFacts


def write_facts(facts: RiskFacts) -> str:
    """One line of JSON."""
    return json.dumps(
        {
            "reach": facts.reach,
            "unused": facts.unused,
            "reveals": facts.reveals,
            "paths": sorted(facts.paths),
            "administrator": facts.administrator,
            "trust_classes": sorted(facts.trust_classes),
            "environment": facts.environment,
        },
        separators=(",", ":"),
    )


def read_facts(text: str) -> RiskFacts:
    """What `write_facts` wrote."""
    kept = json.loads(text)
    surely, maybe = kept["reveals"]
    return RiskFacts(
        reach=Counts(*map(tuple, kept["reach"])),
        unused=Counts(*map(tuple, kept["unused"])),
        reveals=(surely, maybe),
        paths=frozenset(PathFact(*path) for path in kept["paths"]),
        administrator=None if kept["administrator"] is None else Certainty(kept["administrator"]),
        trust_classes=frozenset(kept["trust_classes"]),
        environment=kept["environment"],
    )
