"""What a draft adds to a scenario: `data/reference/draft_rules.yaml`, read once.

Names under which a usual exemption is known, requests that a deny spares, scenarios whose actions stand for a wider
deny, and the condition keys that hold several values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import yaml

from analytics.iam.policy import Condition
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from pathlib import Path

RULES_FILE = REFERENCE / "draft_rules.yaml"


@dataclass(frozen=True, slots=True)
class Spared:
    """Requests that a deny of these actions leaves alone: it gets this condition beside its own."""

    actions: tuple[str, ...]  # lower case
    condition: Condition


@dataclass(frozen=True, slots=True)
class Blanket:
    """The wider deny that the actions of a scenario probe; exactly one of the two is not empty."""

    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftRules:
    """The file, parsed."""

    known_names: Mapping[str, tuple[str, ...]]  # usual exemption -> parts of role names, plain
    spared_requests: Mapping[str, Spared]  # usual exemption -> what the deny spares
    blanket: Mapping[str, Blanket]  # scenario id -> its wider deny
    multivalued: frozenset[str]  # condition keys, lower case


@cache
def draft_rules(path: Path = RULES_FILE) -> DraftRules:
    """The rules; they are ours, so a file that does not fit fails loudly."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    return DraftRules(
        known_names={name: tuple(parts) for name, parts in raw["known_names"].items()},
        spared_requests={
            name: Spared(tuple(map(str.lower, entry["actions"])), _condition(entry))
            for name, entry in raw["spared_requests"].items()
        },
        blanket={
            scenario: Blanket(tuple(entry.get("action", ())), tuple(entry.get("not_action", ())))
            for scenario, entry in raw["blanket"].items()
        },
        multivalued=frozenset(map(str.lower, raw["multivalued"])),
    )


def _condition(entry: Mapping[str, str]) -> Condition:
    operator = entry["operator"]
    base = operator.removesuffix("IfExists")
    return Condition(base, entry["key"], (entry["value"],), if_exists=base != operator)
