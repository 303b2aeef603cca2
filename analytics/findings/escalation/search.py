"""Where the paths of one identity lead beside itself: to other identities, to roles behind a service.

Each path gives leads; the strongest one is the path's. IAM User Guide, "Granting a user permissions to pass a role to
an AWS service"; "IAM roles", terms and concepts.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from analytics.findings.escalation.facts import MAYBE, NO, SURELY, Held, partition_of
from analytics.findings.escalation.levels import ADMINISTRATOR, NONE
from analytics.findings.escalation.own import Lead, Lifted
from analytics.findings.escalation.own_search import Field, OwnSearch, doubted, without_limit
from analytics.findings.escalation.paths import ASSUME, PASS_ROLE, PRINCIPAL_ACCESS, SELF_ESCALATION, TakesOver
from analytics.findings.escalation.targets import itself, strongest
from analytics.iam.names import PrincipalKind, account_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping

    from analytics.findings.escalation.plan import Plan
    from analytics.findings.escalation.targets import Best, Candidate, Targets
    from analytics.findings.estate import Subject


class Search(OwnSearch):
    """All leads of one identity, measured against whom they reach."""

    def __init__(self, field: Field, subject: Subject, targets: Targets) -> None:
        super().__init__(field, subject)
        self.targets = targets
        self._free: dict[str, tuple[tuple[Plan, Lead], ...]] = {}

    def found(self) -> Iterator[tuple[Plan, Lead]]:
        """The strongest lead of every path that is held."""
        for plan in self.plans():
            leads = list(self.leads(plan))
            if leads:
                yield plan, max(leads, key=self.field.factors.strength) if leads[1:] else leads[0]

    def plans(self) -> tuple[Plan, ...]:
        """The paths within reach, and to assume a role that names the identity: that needs no policy of its own."""
        plans = super().plans()
        assume = self.field.plans.assume
        if assume is None or any(one is assume for one in plans) or not self.assumed:
            return plans
        return (*plans, assume)

    @cached_property
    def assumed(self) -> tuple[Candidate, ...]:
        """The roles that the identity may assume for what it is, most privileged first."""
        is_linked = self.subject.kind is PrincipalKind.SERVICE_LINKED_ROLE
        return () if is_linked else self.targets.assumed(self.powers)

    def leads(self, plan: Plan) -> Iterator[Lead]:
        """Every lead of a path; its own come first."""
        path = plan.path
        if plan.is_own:
            yield from self.own(plan)
        if path.lifts:
            for lifted in self.field.ownership.lifted(path, self.powers):
                yield doubted(self._freed(lifted), plan)
        elif path.takes_over is TakesOver.ASSUMABLE_ROLE:
            yield from self._assumes()
        elif not path.creates:
            other = self._shared(plan)
            if other is not None:
                yield other

    def _shared(self, plan: Plan) -> Lead | None:
        """The lead of a path to others: one for all of an account for whom all that it rests on is the same.

        But for the one to whom it leads: its own is the strongest beside itself.
        """
        account_id, me = self.subject.account_id, self.subject.arn
        key = (account_id, plan.path.id, self._resting_on(plan))
        kept = self.field.leads
        if key not in kept:
            kept[key] = self._to_others(plan, but=None)
        lead = kept[key]
        return lead if lead is None or lead.target_arn != me else self._to_others(plan, but=me)

    def _resting_on(self, plan: Plan) -> Hashable:
        """What a lead to others rests on beside the account: what the policies say, as far as the path asks."""
        stance = self.powers.stance
        if plan.path.services:
            return self.powers.made(plan), stance(PASS_ROLE) if plan.passes else None
        others = plan.path.takes_over is None or self.targets.taken_over(self.subject.account_id, plan.path).others(
            self.subject.arn
        )
        says = tuple([stance(need.action) for need in plan.needs])
        return others, says, (self.assumes_freely(), self._named) if plan.assumes else None

    def _to_others(self, plan: Plan, but: str | None) -> Lead | None:
        if plan.path.services:
            lead = self._behind_service(plan, but)
        elif plan.path.takes_over in (TakesOver.PERMISSION_SET, TakesOver.MEMBER_ROOT):
            lead = self._of_organization(plan)
        else:
            lead = self._other(plan, but)
        return None if lead is None else doubted(lead, plan)

    def assumes_freely(self) -> bool:
        """Whether its own policies let it assume whatever role admits its account."""
        may_call = self.subject.kind not in (PrincipalKind.ROOT, PrincipalKind.SERVICE_LINKED_ROLE)
        return may_call and self.powers.reach(ASSUME) is SURELY

    def _freed(self, lifted: Lifted) -> Lead:
        """Without the limit: the strongest of what it holds then."""
        key = f"{lifted.held} {lifted.what}"
        if key not in self._free:
            free = Search(self.field, lifted.subject, self.targets)
            self._free[key] = tuple(
                (plan, lead) for plan in free.plans() if not plan.path.lifts for lead in free.leads(plan)
            )
        leads = [without_limit(lifted, lead, plan) for plan, lead in self._free[key]]
        nothing = Lead(
            SELF_ESCALATION, lifted.held, self.subject.arn, NONE, f"without {lifted.what} it holds no path either"
        )
        return max(leads, key=self.field.factors.strength, default=nothing)

    def _behind_service(self, plan: Plan, but: str | None) -> Lead | None:
        """The roles of the account that trust the service: those that may be passed, or those that may be there."""
        path = plan.path
        rest = self.powers.made(plan)
        candidates = self.targets.serving(self.subject.account_id, path.services)
        passable = self.powers.identities(PASS_ROLE, itself) if plan.passes else None

        def grade(candidate: Candidate) -> Held:
            if passable is not None and candidate.subject.arn not in passable:
                return NO
            held = min(rest, candidate.trusted)
            return min(held, self._passes(candidate)) if plan.passes and held else held

        best = self._strongest(candidates, grade, rest, but)
        services = " or ".join(path.services)
        if best is not None:
            candidate, held = best
            if plan.passes:
                why = f"the most privileged role of its account that it may pass to {candidate.service}"
            else:
                why = f"which role is attached is not known; the most privileged that {services} may assume"
            return Lead(path.category, held, candidate.subject.arn, candidate.level, why)
        if plan.passes and not self._passes_something(path.services):
            return None
        inside = " and may be passed" if candidates else ""
        return Lead(path.category, rest, None, NONE, f"no role of its account trusts {services}{inside}")

    def _passes(self, candidate: Candidate) -> Held:
        about = self.field.about(candidate.subject, passed=True)
        return self.powers.on(PASS_ROLE, candidate.subject.arn, about, choice=candidate.service)

    def _passes_something(self, services: tuple[str, ...]) -> bool:
        """Whether some role, if there were one, could be passed to one of the services."""
        prefix = f"arn:{partition_of(self.subject.arn)}:iam::{self.subject.account_id}:role/"
        names = [name for name in self.powers.any_names(PASS_ROLE) if name.startswith(prefix)]
        return any(self.powers.on(PASS_ROLE, name, choice=service) for service in services for name in names)

    def _other(self, plan: Plan, but: str | None) -> Lead | None:
        """Another identity of the account that the path takes over, or changes."""
        everyone = self.targets.taken_over(self.subject.account_id, plan.path)
        within = everyone.within(self._scopes(plan))
        best = self._strongest(within, lambda one: self._on_other(plan, one.subject), SURELY, but)
        noun = "user" if plan.path.takes_over is TakesOver.USER else "identity"
        if best is not None:
            candidate, held = best
            as_what = " once it is changed" if plan.path.strengthens else ""
            why = f"the most privileged {noun} of its account within the scope{as_what}"
            return Lead(PRINCIPAL_ACCESS, held, candidate.subject.arn, candidate.level, why)
        most = min((self.powers.reach(need.action) for need in plan.needs), default=SURELY)
        if most is SURELY or not everyone.others(self.subject.arn):
            return Lead(PRINCIPAL_ACCESS, most, None, NONE, f"no other {noun} of its account can be reached this way")
        return None

    def _scopes(self, plan: Plan) -> Iterator[Collection[str]]:
        """Sets of ARNs outside which the path cannot lead, one for each action that is not allowed everywhere."""
        for action, belongings in plan.needs:
            scope = self.powers.identities(action, belongings) if belongings else None
            if scope is not None:
                yield scope
        if plan.assumes:
            yield self._assumable.keys()

    def _on_other(self, plan: Plan, target: Subject) -> Held:
        held = self.on(plan, target)
        return min(held, self._assumable[target.arn]) if plan.assumes and held else held

    @cached_property
    def _named(self) -> tuple[tuple[str, Held], ...]:
        """The roles that it may assume for what it is, with how certain that is."""
        return tuple([(one.subject.arn, one.trusted) for one in self.assumed])

    @cached_property
    def _assumable(self) -> Mapping[str, Held]:
        """How certainly the identity may assume each role, where it may at all."""
        if not self.assumes_freely():
            return dict(self._named)
        return {**self.targets.admitted(self.subject.account_id), **dict(self._named)}

    def _assumes(self) -> Iterator[Lead]:
        """Roles of any account: those that admit its account, if its policies let it assume all, and its own."""
        reach = self.powers.reach(ASSUME)
        admitting = self.targets.admitting(self.subject.account_id) if self.assumes_freely() else ()
        both = (self._strongest(one, _trusted, SURELY, self.subject.arn) for one in (self.assumed, admitting))
        found = [best for best in both if best is not None]
        for candidate, held in found:
            why = "the most privileged role that it may assume"
            yield Lead(PRINCIPAL_ACCESS, held, candidate.subject.arn, candidate.level, why)
        outside = self._outside()
        if outside is not None:
            why = "a role of an account that was not collected"
            yield Lead(PRINCIPAL_ACCESS, MAYBE, outside, ADMINISTRATOR, why)
        if not found and outside is None:
            yield Lead(PRINCIPAL_ACCESS, reach, None, NONE, "no role of the collected accounts trusts it")

    def _outside(self) -> str | None:
        """A role that its policies name in an account of which no identity was collected."""
        estate = self.field.workshop.estate
        if self.powers.reach(ASSUME) is not MAYBE:
            return None
        for pattern in estate.reachable.resources(self.subject.stack, ASSUME).granted:
            account_id = account_of(pattern) or ""
            known = estate.accounts.get(account_id)
            is_known = account_id == self.subject.account_id or (known is not None and known.collected == "ok")
            if account_id.isdigit() and not is_known:
                role_arn = self.powers.example(pattern)
                if self.field.trusts.might_assume(self.powers, role_arn):
                    return pattern
        return None

    def _of_organization(self, plan: Plan) -> Lead:
        """What only the management account, or one to which it delegates, can do."""
        held = min(self.powers.anywhere(need.action, made=False) for need in plan.needs)
        management = self.field.workshop.estate.management_account_id
        if self.subject.account_id == management:
            why = "acts from the organisation's management account on all accounts"
        else:
            held, why = min(held, MAYBE), "only if the organisation delegates this to its account"
        return Lead(plan.path.category, held, None, ADMINISTRATOR, why)

    def _strongest(
        self, candidates: Iterable[Candidate], grade: Callable[[Candidate], Held], most: Held, but: str | None
    ) -> Best | None:
        chosen = (one for one in candidates if one.subject.arn != but)
        return strongest(chosen, grade, self.field.factors.target, self.field.factors.certainty, most)


def _trusted(candidate: Candidate) -> Held:
    return candidate.trusted
