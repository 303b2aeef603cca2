"""What the remediation list stands on (`data/reference/remediation.toml`): quotas, managed roles, discounts."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from pathlib import Path

RULES_FILE = REFERENCE / "remediation.toml"


@dataclass(frozen=True, slots=True)
class Quotas:
    """What IAM and Identity Center hold; characters without white space."""

    managed_policy_characters: int
    managed_policy_versions: int
    inline_role_characters: int
    inline_user_characters: int
    attached_managed_policies: int
    access_keys: int
    permission_set_characters: int


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on an item is worth a line, and how long a proposal may be."""

    most_documents: int
    least_observed_days: int
    least_risk_removed: float
    most_gap_drafts: int


@dataclass(frozen=True, slots=True)
class Discounts:
    """What remains of the risk removed when its price is counted."""

    breaks_nothing: float
    not_proven: float
    breaks_calls: float
    set_back: float

    def priority(self, risk_removed: float, calls_broken: int | None, *, set_back: bool) -> float:
        """Points of the score removed, discounted by calls broken. `calls_broken` None: not proven."""
        if calls_broken is None:
            discount = self.not_proven
        elif calls_broken == 0:
            discount = self.breaks_nothing
        else:
            discount = self.breaks_calls / (1 + math.log1p(calls_broken))
        return round(risk_removed * discount * (self.set_back if set_back else 1.0), 4)


@dataclass(frozen=True, slots=True)
class ManagedRole:
    """A role that something else than its account's administrators makes."""

    name: str  # `*` is wild
    blocked: bool  # a change is refused or undone
    idle: bool  # it is meant to be without use
    by: str
    what: str
    source: str

    @property
    def sentence(self) -> str:
        """Who manages the role and what to do."""
        return f"Managed by {self.by}: {self.what}."


@dataclass(frozen=True, slots=True)
class Rules:
    """All of the file."""

    quotas: Quotas
    limits: Limits
    order: Discounts
    managed: tuple[ManagedRole, ...]

    def manager_of(self, name: str) -> ManagedRole | None:
        """Who else manages a role of this name: the first line that fits. Emergency names ignore case."""
        return next((role for role in self.managed if fnmatchcase(name, role.name) or _is_word(name, role)), None)


def _is_word(name: str, role: ManagedRole) -> bool:
    return role.name.startswith("*") and fnmatchcase(name.lower(), role.name)


@cache
def remediation_rules(path: Path = RULES_FILE) -> Rules:
    """The rules of the file, read once."""
    raw = tomllib.loads(path.read_text("utf-8"))
    return Rules(
        quotas=Quotas(**raw["quotas"]),
        limits=Limits(**raw["limits"]),
        order=Discounts(**raw["order"]),
        managed=tuple(ManagedRole(**role) for role in raw["managed"]),
    )
