"""Makes drafts for one estate: composed for cells of the matrix, and proven before anyone sees them.

The matrix and the scores on either side come from the functions that made those of the build.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from analytics.findings.assess import Assessor
from analytics.findings.drafts.compose import Draft, DraftError, DraftSettings, compose
from analytics.findings.drafts.effect import Effect, compare, proven
from analytics.findings.guardrails.matrix import Guardrails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.drafts.effect import CellsOf, ScoreOf
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.guardrails.matrix import GuardrailSettings
    from analytics.findings.guardrails.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants a draft for."""

    scenarios: tuple[str, ...]  # ids
    target: str  # id of a root, OU or account, or ARN of a role or user
    layer: str  # scp, rcp, boundary
    exempt: tuple[str, ...] = ()  # ARNs to leave out beside the usual exemptions
    propose: bool = True  # leave out roles that are only found by name
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A draft that was proven, and what it does."""

    draft: Draft
    effect: Effect


class Drafter:
    """Makes drafts for one estate; the matrix and the scores as they are, are computed once."""

    def __init__(
        self,
        estate: Estate,
        scenarios: Sequence[Scenario],
        guardrails: GuardrailSettings,
        settings: DraftSettings,
        *,
        assessor: Assessor | None = None,
        matrix: Guardrails | None = None,
    ) -> None:
        """`assessor` and `matrix`: of the same estate, scenarios and settings, where they are known."""
        self.estate = estate
        self.scenarios: Mapping[str, Scenario] = {scenario.id: scenario for scenario in scenarios}
        self.settings = settings
        self._guardrails = guardrails
        self._given, self._given_matrix = assessor, matrix

    def make(self, asked: Asked) -> Made:
        """The draft and its effect. DraftError where there is none, with what works instead."""
        draft = self.composed(asked)
        effect = self.effect(draft)
        return Made(proven(draft, effect), effect)

    def composed(self, asked: Asked) -> Draft:
        """The draft, unproven. DraftError where there is none."""
        chosen = [self._scenario(scenario_id) for scenario_id in asked.scenarios]
        return compose(
            chosen,
            asked.target,
            asked.layer,
            self.estate,
            self.settings,
            exempt=asked.exempt,
            propose=asked.propose,
            name=asked.name,
        )

    def effect(self, draft: Draft) -> Effect:
        """What the draft does, whether or not it closes its cells."""
        return compare(self.estate, draft, cells_of=self._cells_of, score_of=self._score_of)

    def _scenario(self, scenario_id: str) -> Scenario:
        scenario = self.scenarios.get(scenario_id)
        if scenario is None:
            known = ", ".join(sorted(self.scenarios))
            raise DraftError(f"there is no scenario `{scenario_id}`; the scenarios are {known}")
        return scenario

    def _cells_of(self, estate: Estate) -> CellsOf:
        if estate is self.estate:
            return self._matrix_now.cells
        return Guardrails(estate, tuple(self.scenarios.values()), self._guardrails, like=self._matrix_now).cells

    def _score_of(self, estate: Estate) -> ScoreOf:
        """The scores of an estate; of one with a draft only what the draft can change is computed anew."""
        now, other = self._assessor_now, self._assessor_now if estate is self.estate else Assessor(estate)

        def score(arn: str) -> float:
            same = self._is_untouched(self.estate.subjects[arn], estate.subjects[arn])
            return (now if same else other).of(arn).risk.score

        return score

    def _is_untouched(self, before: Subject, after: Subject) -> bool:
        """Same permissions and ways in, and no escalation path: a deny adds none, and so nothing can differ."""
        return (
            before.reach == after.reach
            and before.stack.rcp_levels == after.stack.rcp_levels
            and not self._assessor_now.of(before.arn).paths
        )

    @cached_property
    def _matrix_now(self) -> Guardrails:
        return self._given_matrix or Guardrails(self.estate, tuple(self.scenarios.values()), self._guardrails)

    @cached_property
    def _assessor_now(self) -> Assessor:
        return self._given or Assessor(self.estate)
