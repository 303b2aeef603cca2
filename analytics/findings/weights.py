"""How much each action weighs: the classes of `data/reference/risk.toml` over the whole catalogue.

INVARIANT: every action has exactly one class, the first that fits in the order of that file.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import yaml

from analytics.iam.catalogue import AccessLevel
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from analytics.iam.catalogue import Catalogue

RISK_FILE = REFERENCE / "risk.toml"
PATHS_FILE = REFERENCE / "escalation_paths.yaml"


@dataclass(frozen=True, slots=True)
class ActionWeights:
    """Weight and class per action, parallel to `Catalogue.actions`; `version` is the hash of the rules.

    `reveals` are the actions of the lists of credentials and data, whatever class comes first.
    """

    weights: tuple[float, ...]
    classes: tuple[str, ...]
    reveals: frozenset[str]  # in lower case
    high_risk_from: float
    surely: float
    maybe: float
    version: str


@cache
def action_weights(catalogue: Catalogue) -> ActionWeights:
    """The weights of a catalogue's actions."""
    text = RISK_FILE.read_bytes()
    rules = tomllib.loads(text.decode("utf-8"))
    credential = {name.lower() for name in rules["classes"]["credential"]}
    sensitive = {name.lower() for name in rules["classes"]["sensitive_read"]}
    destructive = tuple(prefix.lower() for prefix in rules["classes"]["destructive_prefixes"])
    needed_by_paths = _actions_of_paths()

    def class_of(action: str, level: AccessLevel) -> str:
        name = action.lower()
        writes = level is AccessLevel.WRITE
        if level is AccessLevel.PERMISSIONS_MANAGEMENT or (writes and name in needed_by_paths):
            return "control"
        if name in credential:
            return "credential"
        if name in sensitive:
            return "sensitive_read"
        if writes:
            return "destructive_write" if name.partition(":")[2].startswith(destructive) else "other_write"
        return level.value  # tagging, read, list

    classes = tuple(map(class_of, catalogue.actions, catalogue.levels))
    return ActionWeights(
        weights=tuple(float(rules["weights"][name]) for name in classes),
        classes=classes,
        reveals=frozenset(credential | sensitive),
        high_risk_from=float(rules["high_risk_from"]),
        surely=float(rules["certainty"]["surely"]),
        maybe=float(rules["certainty"]["maybe"]),
        version=hashlib.sha256(text).hexdigest()[:12],
    )


def _actions_of_paths() -> frozenset[str]:
    paths = yaml.safe_load(PATHS_FILE.read_text("utf-8"))["paths"]
    return frozenset(action.lower() for path in paths for action in path["required_actions"])
