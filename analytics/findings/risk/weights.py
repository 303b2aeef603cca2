"""The numbers behind the risk score: `data/reference/risk.toml`, checked, as one frozen value.

INVARIANT: what the laws of the score stand on holds for every value of this type: no weight is negative, what is
certain counts at least as much as what is not, the factors add up to 100, and an environment that is not known counts
as the worst.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from analytics.findings.weights import RISK_FILE, action_weights
from analytics.iam.catalogue import load_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.iam.catalogue import Catalogue

# The classes of actions; counts of actions are tuples in this order.
CLASSES = ("control", "credential", "sensitive_read", "destructive_write", "tagging", "other_write", "read", "list")
FACTORS = ("control_reach", "data_reach", "breadth", "unused", "exposure", "asset")
PRIVILEGE = FACTORS[:3]  # what an identity can do, whoever it is and wherever
UNKNOWN_ENVIRONMENT = "unknown"
PRODUCTION = "production"  # of a word that is not listed
_WHOLE = 100.0  # the factors together

_TABLES: Mapping[str, tuple[str, ...]] = {
    "weights": CLASSES,
    "certainty": ("surely", "maybe"),
    "category": ("self-escalation", "principal-access", "new-passrole", "existing-passrole", "credential-access"),
    "target": ("administrator", "privileged", "lesser", "none"),
    "exposure": (
        *("anyone", "unknown_account", "oidc_any_subject", "unknown_account_external_id", "user_old_key_no_mfa"),
        *("anyone_conditional", "vendor", "console_no_mfa", "user_old_key", "vendor_external_id", "user_key"),
        *("organization", "console_mfa", "federated", "oidc_pinned", "compute_service", "service", "same_account"),
        "nobody",
    ),
    "thresholds": ("old_key_days", "dormant_days"),
    "factors": FACTORS,
    "scales": ("breadth_bend", "unused_bend", "data_full", "least_multiplier"),
    "environment": (PRODUCTION, "non-production", "sandbox", UNKNOWN_ENVIRONMENT),
    "bands": ("critical", "high", "medium"),
    "floors": ("administrator", "open_administrator", "open_from"),
    "confidence": (
        *("high_share", "medium_share", "high_days", "medium_days", "high_conditional"),
        *("snapshot_high_days", "snapshot_low_days"),
    ),
}
HIGH_RISK_FROM = "high_risk_from"
# Every number by its key; `with_changes` takes these.
KEYS: tuple[str, ...] = (HIGH_RISK_FROM, *(f"{table}.{key}" for table, keys in _TABLES.items() for key in keys))
_FACTOR_KEYS = tuple(f"factors.{name}" for name in FACTORS)
# What each of these must not exceed: a number, or the number of another key.
_AT_MOST: tuple[tuple[str, str | float], ...] = (
    *((key, 1.0) for key in KEYS if key.partition(".")[0] in ("certainty", "category", "target")),
    ("certainty.maybe", "certainty.surely"),
    ("target.privileged", "target.administrator"),
    ("target.lesser", "target.privileged"),
    ("target.none", "target.lesser"),
    *((f"environment.{name}", f"environment.{UNKNOWN_ENVIRONMENT}") for name in _TABLES["environment"]),
    ("scales.least_multiplier", 1.0),
    ("floors.administrator", _WHOLE),
    ("floors.open_administrator", _WHOLE),
    ("bands.high", "bands.critical"),
    ("bands.medium", "bands.high"),
    (HIGH_RISK_FROM, "weights.control"),  # so that some action is high-risk
)
_MORE_THAN_NOTHING = (
    *("scales.breadth_bend", "scales.unused_bend", "scales.data_full"),
    *(HIGH_RISK_FROM, "weights.control", "exposure.anyone", "environment.unknown", "factors.unused"),
)


class WeightsError(ValueError):
    """Weights that cannot be used; the message names the file, the key and what is wrong."""


@dataclass(frozen=True, eq=False)
class RiskWeights:
    """Every number of the score by its dotted key (`KEYS`); `with_changes` makes weights to try."""

    numbers: Mapping[str, float]
    environment_words: Mapping[str, tuple[str, ...]]
    actions: tuple[int, ...]  # how many actions of each class there are: where the logarithms end
    version: str  # of the numbers
    source: str  # the file, for messages

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RiskWeights) and (self.version, self.actions) == (other.version, other.actions)

    def __hash__(self) -> int:
        return hash((self.version, self.actions))

    def __getitem__(self, key: str) -> float:
        return self.numbers[key]

    def table(self, name: str) -> Mapping[str, float]:
        """The numbers of one table, by key."""
        return self._tables[name]

    def with_changes(self, changes: Mapping[str, float]) -> RiskWeights:
        """These weights with some numbers changed: `{"exposure.vendor": 10}`; factors are scaled to be 100 again.

        WeightsError for an unknown key or a number that the score cannot use.
        """
        unknown = sorted(changes.keys() - self.numbers.keys())
        if unknown:
            raise WeightsError(f"there is no weight `{unknown[0]}` in {self.source}; write a key as `exposure.vendor`")
        new = {key: value for key, value in changes.items() if value != self.numbers[key]}
        if not new:
            return self
        numbers = {**self.numbers, **{key: _number(value, key, self.source) for key, value in new.items()}}
        together = sum(numbers[key] for key in _FACTOR_KEYS)
        if together > 0 and any(key in new for key in _FACTOR_KEYS):
            numbers |= {key: numbers[key] * _WHOLE / together for key in _FACTOR_KEYS}
        _check(numbers, self.source)
        version = _digest(json.dumps([self.version, sorted(new.items())]).encode())
        return replace(self, numbers=MappingProxyType(numbers), version=version)

    def environment_of(self, word: str | None) -> str:
        """The key of `[environment]` for the word that an account has; a word that is not listed is production."""
        if word is None or not word.strip():
            return UNKNOWN_ENVIRONMENT
        wanted = word.strip().lower()
        fitting = (name for name, words in self.environment_words.items() if wanted in words)
        return next(fitting, wanted if wanted in self.table("environment") else PRODUCTION)

    @property
    def elsewhere(self) -> list[str]:
        """The words, in lower case, of accounts that are known to be something else than production."""
        words = {*self.table("environment"), *(word for listed in self.environment_words.values() for word in listed)}
        return sorted(word for word in words if self.environment_of(word) not in (PRODUCTION, UNKNOWN_ENVIRONMENT))

    @cached_property
    def _tables(self) -> Mapping[str, Mapping[str, float]]:
        return {table: {key: self.numbers[f"{table}.{key}"] for key in keys} for table, keys in _TABLES.items()}


@cache
def risk_weights(file: Path = RISK_FILE) -> RiskWeights:
    """The weights of a file over the installed catalogue. WeightsError names the file and the key that is wrong."""
    return read_weights(file, load_catalogue())


def read_weights(file: Path, catalogue: Catalogue) -> RiskWeights:
    """The weights of a file, for scores over a catalogue. WeightsError as above."""
    source = f"`{file}`"
    try:
        text = file.read_bytes()
        raw = tomllib.loads(text.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"{source} is not readable TOML ({error}); correct it") from error
    numbers = {HIGH_RISK_FROM: _number(raw.get(HIGH_RISK_FROM), HIGH_RISK_FROM, source)}
    for name, keys in _TABLES.items():
        table = _table(raw, name, keys, source)
        numbers |= {f"{name}.{key}": _number(table.get(key), f"{name}.{key}", source) for key in keys}
    _check(numbers, source)
    classes = action_weights(catalogue).classes
    return RiskWeights(
        numbers=MappingProxyType(numbers),
        environment_words=MappingProxyType(_words(raw, source)),
        actions=tuple(classes.count(name) for name in CLASSES),
        version=_digest(text),
        source=source,
    )


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:12]


def _table(raw: Mapping[str, Any], name: str, keys: tuple[str, ...], source: str) -> Mapping[str, object]:
    table = raw.get(name)
    if not isinstance(table, dict):
        raise WeightsError(f"{source}: the table `[{name}]` is missing")
    unknown = sorted(table.keys() - set(keys))
    if unknown:
        raise WeightsError(f"{source}: `[{name}]` has an unknown key `{unknown[0]}`; its keys are {', '.join(keys)}")
    return table


def _words(raw: Mapping[str, Any], source: str) -> dict[str, tuple[str, ...]]:
    table = _table({"environment_words": {}, **raw}, "environment_words", _TABLES["environment"], source)
    found: dict[str, tuple[str, ...]] = {}
    for name, words in table.items():
        if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
            raise WeightsError(f"{source}: `environment_words.{name}` is `{words}`; a list of text is needed")
        found[name] = tuple(word.lower() for word in words)
    return found


def _number(value: object, key: str, source: str) -> float:
    if value is None:
        raise WeightsError(f"{source}: `{key}` is missing")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise WeightsError(f"{source}: `{key}` is `{value}`; a number of 0 or more is needed")
    return float(value)


def _check(numbers: Mapping[str, float], source: str) -> None:
    """What the laws of the score need."""
    for key, bound in _AT_MOST:
        most = numbers[bound] if isinstance(bound, str) else bound
        if numbers[key] > most:
            name = f"`{bound}`, which is {most:g}" if isinstance(bound, str) else f"{most:g}"
            raise WeightsError(f"{source}: `{key}` is {numbers[key]:g}; it must not be more than {name}")
    for key in _MORE_THAN_NOTHING:
        if numbers[key] <= 0:
            raise WeightsError(f"{source}: `{key}` is 0; a number above 0 is needed")
    together = sum(numbers[key] for key in _FACTOR_KEYS)
    if not math.isclose(together, _WHOLE):
        raise WeightsError(f"{source}: the numbers of `[factors]` add up to {together:g}; they must make {_WHOLE:g}")
