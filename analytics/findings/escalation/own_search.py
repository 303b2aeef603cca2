"""What one identity reaches by itself: a path to itself, to one that it makes, or without a limit that it lifts.

Enough to know administrators, whom all other paths are then measured against (`search`).
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING

from analytics.findings.escalation.facts import MAYBE, NO, NOTHING_KNOWN, SURELY, Held, about_identity
from analytics.findings.escalation.levels import ADMINISTRATOR
from analytics.findings.escalation.own import KIND_WORDS, Lead, Lifted
from analytics.findings.escalation.paths import SELF_ESCALATION
from analytics.findings.escalation.powers import Powers
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from analytics.findings.escalation.factors import Factors
    from analytics.findings.escalation.facts import AboutResource
    from analytics.findings.escalation.levels import Weighing
    from analytics.findings.escalation.own import Ownership
    from analytics.findings.escalation.plan import Plan, Plans
    from analytics.findings.escalation.trust import Trusts
    from analytics.findings.escalation.workshop import Workshop
    from analytics.findings.estate import Subject


@dataclass(frozen=True)
class Field:
    """What the search stands on, shared by all identities of an estate."""

    workshop: Workshop
    plans: Plans
    factors: Factors
    weighing: Weighing
    ownership: Ownership
    trusts: Trusts
    facts: dict[tuple[str, bool], tuple[Subject, AboutResource]] = dataclass_field(default_factory=dict)
    leads: dict[Hashable, Lead | None] = dataclass_field(default_factory=dict)
    kept: dict[str, Powers] = dataclass_field(default_factory=dict)  # of the identities of the estate

    def powers(self, subject: Subject) -> Powers:
        """The powers of an identity; kept for those of the estate."""
        if self.workshop.estate.subjects.get(subject.arn) is not subject:
            return Powers(self.workshop, subject)
        known = self.kept.get(subject.arn)
        if known is None:
            known = self.kept[subject.arn] = Powers(self.workshop, subject)
        return known

    def about(self, target: Subject, *, passed: bool = False) -> AboutResource:
        """What is known of a target as condition keys; kept for the last one of each ARN."""
        known = self.facts.get((target.arn, passed))
        if known is None or known[0] is not target:
            known = self.facts[target.arn, passed] = (target, about_identity(target, passed=passed))
        return known[1]


class OwnSearch:
    """The leads of one identity that end with itself, or with one that it makes: enough to know administrators."""

    def __init__(self, field: Field, subject: Subject) -> None:
        self.field = field
        self.subject = subject
        self.powers = field.powers(subject)
        self._cap: str | None = None

    def own_leads(self) -> Iterator[tuple[Plan, Lead]]:
        """Every self-escalation, by a path of its own or without a limit that it may lift."""
        for plan in self.own_plans():
            for lead in self.own(plan):
                yield plan, lead
            for lifted in self.field.ownership.lifted(plan.path, self.powers) if plan.path.lifts else ():
                for other, lead in self._without(lifted).own_leads_alone():
                    yield plan, without_limit(lifted, lead, other)

    def own_leads_alone(self) -> Iterator[tuple[Plan, Lead]]:
        """The same, with all limits in place."""
        for plan in self.own_plans():
            for lead in self.own(plan):
                yield plan, lead

    def own_plans(self) -> list[Plan]:
        """The paths within reach that may lead to the identity itself, or to one that it makes."""
        return [plan for plan in self.plans() if plan.is_own]

    def plans(self) -> tuple[Plan, ...]:
        """The paths within reach; the sessions of service-linked roles are AWS's own, and nobody's way."""
        if self.subject.kind is PrincipalKind.SERVICE_LINKED_ROLE:
            return ()
        return self.field.plans.within(self.powers.held)

    def own(self, plan: Plan) -> tuple[Lead, ...]:
        """Leads of a path to the identity itself, or to one that it makes; kept with its powers."""
        path, kept = plan.path, self.powers.own
        if not plan.is_own:
            return ()
        if path.id not in kept:
            kept[path.id] = tuple(doubted(lead, plan) for lead in self._own(plan))
        return kept[path.id]

    def _own(self, plan: Plan) -> Iterator[Lead]:
        path = plan.path
        if path.creates:
            lead = self.field.ownership.created(path, self.powers)
            if lead is not None:
                yield lead
        elif path.takes_over and KIND_WORDS.get(self.subject.kind) in path.self_for:
            held = self.on(plan, self.subject)
            if held:
                cap = self.cap()
                limits = "nothing limits" if cap == ADMINISTRATOR else "its boundary or the SCPs above limit"
                yield Lead(SELF_ESCALATION, held, self.subject.arn, cap, f"changes its own permissions; {limits} it")

    def cap(self) -> str:
        """How much a self-escalation leads to."""
        if self._cap is None:
            self._cap = self.field.ownership.cap(self.powers)
        return self._cap

    def on(self, plan: Plan, target: Subject) -> Held:
        """How certain it is that all actions of a path are allowed on what belongs to a target."""
        held = SURELY
        for action, belongings in plan.needs:
            if belongings is None:
                held = min(held, self.powers.anywhere(action, made=False))
            else:
                held = min(held, self._on_one_of(action, belongings(target), target))
            if held is NO:
                return held
        return held

    def _on_one_of(self, action: str, resources: tuple[str, ...], target: Subject) -> Held:
        held = NO
        for resource in resources:
            about = self.field.about(target) if resource == target.arn else NOTHING_KNOWN
            held = max(held, self.powers.on(action, resource, about))
        return held

    def _without(self, lifted: Lifted) -> OwnSearch:
        return OwnSearch(self.field, lifted.subject)


def doubted(lead: Lead, plan: Plan) -> Lead:
    """A path that needs what no snapshot tells is never sure."""
    if plan.path.not_known is None:
        return lead
    return lead._replace(held=min(lead.held, MAYBE), why=f"{lead.why}; not known: {plan.path.not_known}")


def without_limit(lifted: Lifted, lead: Lead, plan: Plan) -> Lead:
    """A lead that is there once a limit is lifted."""
    why = f"without {lifted.what}, {plan.path.id}: {lead.why}"
    return lead._replace(held=min(lead.held, lifted.held), why=why)
