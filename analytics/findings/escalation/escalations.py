"""Which ways to more permissions every identity holds, and to whom they lead.

A path holds when all its actions are in effective reach; it counts by its category, its certainty, and the most
privileged identity that it can lead to inside its resource scope. Administrators are found first, by what they may do
to themselves; all other paths are then measured against whom they reach. docs/METHOD.md, "Escalation".
INVARIANT: taking a permission away from an identity never makes its strongest path stronger.
"""

from __future__ import annotations

from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from analytics.findings.escalation.factors import Factors, read_factors
from analytics.findings.escalation.facts import NO, SURELY
from analytics.findings.escalation.levels import ADMINISTRATOR, Weighing
from analytics.findings.escalation.own import Ownership
from analytics.findings.escalation.own_search import Field, OwnSearch
from analytics.findings.escalation.paths import SELF_ESCALATION
from analytics.findings.escalation.plan import Plans
from analytics.findings.escalation.routes import Routes
from analytics.findings.escalation.search import Search
from analytics.findings.escalation.targets import Targets
from analytics.findings.escalation.trust import Trusts
from analytics.findings.escalation.values import Certainty, HeldPath, Step
from analytics.findings.escalation.workshop import Workshop

if TYPE_CHECKING:
    from analytics.findings.escalation.own import Lead
    from analytics.findings.escalation.plan import Plan
    from analytics.findings.estate import Estate, Subject

__all__ = ["Certainty", "Escalations", "HeldPath", "Step"]

_STRENGTH = attrgetter("strength")


class Escalations:
    """The paths of every identity of an estate; indexes and administrators are found once."""

    def __init__(self, estate: Estate, factors: Factors | None = None) -> None:
        workshop = Workshop(estate)
        weighing = Weighing(estate)
        trusts = Trusts(workshop)
        self._estate = estate
        self._field = Field(
            workshop=workshop,
            plans=Plans(estate.catalogue),
            factors=factors or read_factors(),
            weighing=weighing,
            ownership=Ownership(estate, weighing),
            trusts=trusts,
        )
        self._administrators = {arn: self._own_certainty(one) for arn, one in estate.subjects.items()}
        levels = {
            arn: ADMINISTRATOR if self._administrators[arn] is Certainty.SURELY else weighing.level(one)
            for arn, one in estate.subjects.items()
        }
        self._targets = Targets(estate, weighing, trusts, levels)
        self._found: dict[str, tuple[HeldPath, ...]] = {}
        self._held: dict[tuple[str, Lead], HeldPath] = {}  # identities share most of theirs

    def of(self, subject: Subject) -> tuple[HeldPath, ...]:
        """The paths that an identity holds, strongest first; also of one that a proposal changes."""
        if self._estate.subjects.get(subject.arn) is not subject:
            return self._paths(subject)
        if subject.arn not in self._found:
            self._found[subject.arn] = self._paths(subject)
        return self._found[subject.arn]

    def administrator(self, subject: Subject) -> Certainty | None:
        """Whether a self-escalation leads the identity to everything: surely, maybe, or not at all."""
        if self._estate.subjects.get(subject.arn) is subject:
            return self._administrators[subject.arn]
        return self._own_certainty(subject)

    def is_named(self, subject: Subject) -> bool:
        """Whether the trust of a role names the identity: then it may assume that role without a policy of its own."""
        return bool(self._field.trusts.naming(subject))

    def route(self, arn: str) -> tuple[Step, ...]:
        """The shortest way of an identity to an administrator; none where there is none, or where it is one itself."""
        return self._routes.of(arn)

    @cached_property
    def _routes(self) -> Routes:
        subjects = self._estate.subjects.values()
        searches = {one.arn: self._search(one) for one in subjects}
        callers = {arn: one.subject.account_id for arn, one in searches.items() if one.assumes_freely()}
        return Routes(
            found={one.arn: self.of(one) for one in subjects},
            assumed={arn: one.assumed for arn, one in searches.items()},
            callers=callers,
            admitted={account_id: self._targets.admitting(account_id) for account_id in set(callers.values())},
            administrators={arn for arn, found in self._administrators.items() if found is Certainty.SURELY},
        )

    def _search(self, subject: Subject) -> Search:
        return Search(self._field, subject, self._targets)

    def _own_certainty(self, subject: Subject) -> Certainty | None:
        best = NO
        for _plan, lead in OwnSearch(self._field, subject).own_leads():
            if lead.target == ADMINISTRATOR and lead.category == SELF_ESCALATION:
                best = max(best, lead.held)
                if best is SURELY:
                    return Certainty.SURELY
        return Certainty.MAYBE if best else None

    def _paths(self, subject: Subject) -> tuple[HeldPath, ...]:
        found = [self._path(plan, lead) for plan, lead in self._search(subject).found()]
        return tuple(sorted(found, key=_STRENGTH, reverse=True))  # stable: the order of the file among equals

    def _path(self, plan: Plan, lead: Lead) -> HeldPath:
        key = (plan.path.id, lead)
        known = self._held.get(key)
        if known is not None:
            return known
        factors = self._field.factors
        self._held[key] = path = HeldPath(
            path_id=plan.path.id,
            title=plan.path.title,
            category=lead.category,
            surely=lead.held is SURELY,
            target_arn=lead.target_arn,
            target=lead.target,
            target_factor=factors.target[lead.target],
            strength=factors.strength(lead),
            actions=plan.path.required_actions,
            why=lead.why,
        )
        return path
