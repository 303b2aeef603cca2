"""One identity assessed: its ways in, its escalation paths, and the score that they make.

The same function scores an identity as it is and a changed copy of it, so that the number of every proposal is exact.
What a change does not touch is not computed again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from analytics.findings.escalation.escalations import Escalations
from analytics.findings.escalation.levels import ADMINISTRATOR
from analytics.findings.escalation.paths import SELF_ESCALATION
from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.confidence import Confidence, Confidences
from analytics.findings.risk.facts import ActionCounter, PathFact, RiskFacts, path_facts
from analytics.findings.risk.score import Risk, score
from analytics.findings.risk.weights import risk_weights
from analytics.findings.trust.parties import trusted_parties

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.findings.escalation.values import HeldPath
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.risk.weights import RiskWeights
    from analytics.findings.trust.values import TrustedParty


TO_EVERYTHING = PathFact(SELF_ESCALATION, surely=True, target=ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A risk with what stands behind it."""

    risk: Risk
    parties: tuple[TrustedParty, ...]  # the strongest first
    paths: tuple[HeldPath, ...]  # the strongest first
    facts: RiskFacts


class Assessor:
    """The risk of every identity of an estate, and of changed copies of them."""

    def __init__(
        self, estate: Estate, weights: RiskWeights | None = None, *, escalations: Escalations | None = None
    ) -> None:
        self.estate = estate
        self.weights = weights or risk_weights()
        self._given = escalations
        self.counter = ActionCounter(estate.catalogue, estate.weights)
        self._confidences = Confidences(estate, self.weights, self.counter)
        self._kept: dict[str, Assessment] = {}
        self.bounded: dict[tuple[str, str], float] = {}  # scores under boundaries, by ARN and by what bounds

    @cached_property
    def escalations(self) -> Escalations:
        """The escalation paths of the estate."""
        return self._given or Escalations(self.estate)

    def of(self, arn: str) -> Assessment:
        """The identity as it is; kept. KeyError for an ARN that is not in the estate."""
        found = self._kept.get(arn)
        if found is None:
            found = self._kept[arn] = self._assess(self.estate.subjects[arn], None)
        return found

    def what_if(self, subject: Subject) -> Assessment:
        """A changed copy of an identity in the same estate."""
        base = self.estate.subjects.get(subject.arn)
        if base is subject:
            return self.of(subject.arn)
        return self._assess(subject, base)

    def confidence(self, subject: Subject) -> Confidence:
        """How well the score of an identity is founded."""
        return self._confidences.of(subject)

    def with_paths(self, subject: Subject, paths: Iterable[HeldPath]) -> Risk:
        """The score of a changed copy that holds these paths, and that one can become as before.

        It is what `what_if` gives for that copy, without the search: for callers that know what a change does to paths.
        """
        held = path_facts(paths)
        settled = replace(
            self.of(subject.arn).facts,
            paths=held,
            administrator=Certainty.SURELY if TO_EVERYTHING in held else None,  # nothing less has a floor
        )
        return score(self._facts(subject, settled), self.weights)

    def _assess(self, subject: Subject, base: Subject | None) -> Assessment:
        same_policies = base is not None and base.stack == subject.stack and base.kind is subject.kind
        same_ways = base is not None and _way_in(base) == _way_in(subject)
        known = self.of(subject.arn) if same_policies or same_ways else None
        parties = known.parties if known and same_ways else trusted_parties(subject, self.estate)
        if known and same_policies:
            paths, administrator = known.paths, known.facts.administrator
        else:
            paths, administrator = self.escalations.of(subject), self.escalations.administrator(subject)
        settled = RiskFacts(
            paths=path_facts(paths),
            administrator=administrator,
            trust_classes=_classes(parties),
        )
        facts = self._facts(subject, settled)
        return Assessment(score(facts, self.weights), parties, paths, facts)

    def _facts(self, subject: Subject, settled: RiskFacts) -> RiskFacts:
        """With the paths and the trust of `settled`, the actions and the environment of the identity."""
        return replace(
            settled,
            reach=self.counter.counts(subject.reach),
            unused=self.counter.unused(subject.reach, subject.seen),
            reveals=self.counter.reveals(subject.reach),
            environment=self.weights.environment_of(subject.environment),
        )


def _way_in(subject: Subject) -> tuple[object, ...]:
    """What decides who may become an identity."""
    return subject.trust, subject.credentials, subject.stack.rcp_levels, subject.stack.principal


def _classes(parties: Iterable[TrustedParty]) -> frozenset[str]:
    return frozenset(party.trust_class for party in parties)
