"""The risk score of one identity: six factors that add up, between 0 and 100.

`docs/METHOD.md`, "Risk", has the formulas. Factors are rounded before they are added: the bar on a page adds up.
INVARIANT (dominance): an identity with no more reach, paths, trust and asset value and with no less seen use than
another never scores higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import log1p
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.weights import CLASSES, HIGH_RISK_FROM, PRIVILEGE, UNKNOWN_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.findings.risk.facts import Counts, PathFact, RiskFacts
    from analytics.findings.risk.weights import RiskWeights

NOBODY = "nobody"


class Band(StrEnum):
    """How urgent a score is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Factors(NamedTuple):
    """Points by factor, each rounded to a tenth."""

    control_reach: float
    data_reach: float
    breadth: float
    unused: float
    exposure: float
    asset: float


@dataclass(frozen=True, slots=True)
class Risk:
    """A score with its reasons: `score` is the sum of `factors` and `floor_points`."""

    score: float
    band: str
    factors: Factors
    floor: str | None  # the key of [floors] that lifts the sum; None: the sum stands as it is
    floor_points: float
    administrator: Certainty | None
    trust_class: str  # the strongest
    unused_weight: float  # of high-risk actions not seen used: the order among equal scores


class Ranked(NamedTuple):
    """An identity's place among all, from 1."""

    principal_arn: str
    rank: int
    risk: Risk


def score(facts: RiskFacts, weights: RiskWeights) -> Risk:
    """The score of an identity: numbers in, number out."""
    scale = _scale(weights)
    most = weights.table("factors")
    unused_weight = scale.high_risk.of(facts.unused)
    control = round(most["control_reach"] * strongest_path(facts.paths, weights), 1)
    data = round(most["data_reach"] * scale.data(facts.reveals), 1)
    breadth = round(most["breadth"] * scale.everything.share(scale.everything.of(facts.reach)), 1)
    unused = round(most["unused"] * scale.high_risk.share(unused_weight), 1)
    multiplier = scale.multiplier(control + data + breadth)
    trust_class, points = _strongest_trust(facts.trust_classes, weights)
    exposure = round(most["exposure"] * points / scale.most_exposed * multiplier, 1)
    worth = weights["environment." + facts.environment] / weights["environment." + UNKNOWN_ENVIRONMENT]
    asset = round(most["asset"] * worth * multiplier, 1)
    found = Factors(control, data, breadth, unused, exposure, asset)
    total = round(sum(found), 1)
    floor = _floor(facts.administrator, points, weights)
    lift = round(max(0.0, weights[f"floors.{floor}"] - total), 1) if floor else 0.0
    value = round(total + lift, 1)
    return Risk(
        score=value,
        band=band_of(value, weights),
        factors=found,
        floor=floor if lift else None,
        floor_points=lift,
        administrator=facts.administrator,
        trust_class=trust_class,
        unused_weight=unused_weight,
    )


def total_weight(counts: Counts, weights: RiskWeights) -> float:
    """The weight of a set of actions, each by its certainty."""
    return _scale(weights).everything.of(counts)


def band_of(value: float, weights: RiskWeights) -> str:
    """The band of a score."""
    bands = weights.table("bands")
    return next((band for band in Band if band != Band.LOW and value >= bands[band]), Band.LOW).value


def ranked(risks: Mapping[str, Risk]) -> tuple[Ranked, ...]:
    """Identities by risk: score, then the weight of what they do not use, then ARN. A total order."""
    order = sorted(risks.items(), key=lambda item: (-item[1].score, -item[1].unused_weight, item[0]))
    return tuple(Ranked(arn, rank, risk) for rank, (arn, risk) in enumerate(order, start=1))


def rescore(facts: Mapping[str, RiskFacts], weights: RiskWeights) -> tuple[Ranked, ...]:
    """All identities under these weights, by rank; equal facts are scored once."""
    scored = {one: score(one, weights) for one in set(facts.values())}
    return ranked({arn: scored[one] for arn, one in facts.items()})


def stay_on_top(before: Iterable[Ranked], after: Iterable[Ranked], top: int = 20) -> int:
    """How many of the first identities are among the first under other weights too."""
    first, second = ({one.principal_arn for one in ranks if one.rank <= top} for ranks in (before, after))
    return len(first & second)


@dataclass(frozen=True, slots=True)
class _Sum:
    """A weighted sum over classes of actions, and its place on a logarithmic scale that ends at the whole catalogue."""

    surely: tuple[float, ...]  # by class: weight × certainty
    maybe: tuple[float, ...]
    bend: float
    end: float  # the logarithm of the whole catalogue

    def of(self, counts: Counts) -> float:
        """The weight of a set of actions."""
        sure = sum(map(mul, self.surely, counts.surely), start=0.0)
        return sure + sum(map(mul, self.maybe, counts.maybe), start=0.0)

    def share(self, weight: float) -> float:
        """Between 0 and 1."""
        return min(1.0, log1p(weight / self.bend) / self.end) if self.end else 0.0


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the formulas take from the weights, made ready."""

    everything: _Sum
    high_risk: _Sum
    surely: float
    maybe: float
    data_end: float
    privilege: float  # points of what an identity can do, whoever it is
    least: float
    most_exposed: float

    def data(self, reveals: tuple[int, int]) -> float:
        """Between 0 and 1, by actions on secrets and data."""
        return min(1.0, log1p(self.surely * reveals[0] + self.maybe * reveals[1]) / self.data_end)

    def multiplier(self, privilege: float) -> float:
        """How much exposure and asset count, by the points of what the identity can do."""
        return self.least + (1.0 - self.least) * (privilege / self.privilege if self.privilege else 0.0)


@lru_cache(maxsize=64)
def _scale(weights: RiskWeights) -> _Scale:
    factors = weights.table("factors")
    return _Scale(
        everything=_sum(weights, 0.0, weights["scales.breadth_bend"]),
        high_risk=_sum(weights, weights[HIGH_RISK_FROM], weights["scales.unused_bend"]),
        surely=weights["certainty.surely"],
        maybe=weights["certainty.maybe"],
        data_end=log1p(weights["scales.data_full"]),
        privilege=sum(factors[name] for name in PRIVILEGE),
        least=weights["scales.least_multiplier"],
        most_exposed=max(weights.table("exposure").values()),
    )


def _sum(weights: RiskWeights, least: float, bend: float) -> _Sum:
    """Of the classes of this weight or more."""
    by_class = [weight if weight >= least else 0.0 for weight in map(weights.table("weights").__getitem__, CLASSES)]
    surely = tuple(weights["certainty.surely"] * weight for weight in by_class)
    maybe = tuple(weights["certainty.maybe"] * weight for weight in by_class)
    return _Sum(surely, maybe, bend, log1p(sum(map(mul, surely, weights.actions)) / bend))


def strongest_path(paths: Iterable[PathFact], weights: RiskWeights) -> float:
    """Between 0 and 1: category x certainty x target of the path that counts most."""
    category, target, certainty = weights.table("category"), weights.table("target"), weights.table("certainty")
    strengths = (
        category[one.category] * certainty["surely" if one.surely else "maybe"] * target[one.target] for one in paths
    )
    return max(strengths, default=0.0)


def _strongest_trust(trust_classes: Iterable[str], weights: RiskWeights) -> tuple[str, float]:
    """The most exposed class and its points; among equals the first of the table."""
    exposure = weights.table("exposure")
    held = frozenset(trust_classes) | {NOBODY}
    most = max(exposure[name] for name in held)
    return next(name for name, points in exposure.items() if points == most and name in held), most


def _floor(administrator: Certainty | None, exposure: float, weights: RiskWeights) -> str | None:
    """The key of the floor that an identity may not sink below; to be open never gives a lower one."""
    if administrator is not Certainty.SURELY:
        return None
    held = ["administrator", *(["open_administrator"] if exposure >= weights["floors.open_from"] else [])]
    return max(held, key=lambda name: weights[f"floors.{name}"])
