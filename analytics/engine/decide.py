"""One request, decided as AWS decides it, with the layers that blocked it and the statements that decided.

An explicit deny anywhere wins; every level of RCPs and SCPs must allow; then the resource's own policy and the caller's
identity policies, boundary and session policies are weighed as the manual says for the caller's kind and account.
IAM User Guide, "Policy evaluation logic"; docs/METHOD.md says section by section what is modelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.engine.decide_facts import always_allowed
from analytics.engine.decide_plan import CompiledPolicies
from analytics.engine.decide_policy import Compiler
from analytics.engine.decide_principal import read_principal
from analytics.engine.decide_unknown import settle
from analytics.engine.decide_values import Decision, Layer, Policies, Request, Result, StatementAt
from analytics.engine.decide_weigh import asked_of, blocking, weigh
from analytics.iam.condition import Context

if TYPE_CHECKING:
    from analytics.engine.decide_plan import Plan
    from analytics.engine.decide_weigh import Weighed

__all__ = ["Decider", "Decision", "Layer", "Policies", "Request", "Result", "StatementAt", "decide"]


class Decider:
    """The policies of one stack, compiled once; what speaks of an action is gathered when it is first asked about."""

    def __init__(self, policies: Policies, compiler: Compiler | None = None) -> None:
        self.policies = policies
        self._compiled = CompiledPolicies(policies, compiler or Compiler())
        self._plans: dict[str, Plan] = {}

    def decide(self, request: Request) -> Decision:
        """The decision on one request."""
        action = request.action.lower()
        who = read_principal(request.principal)
        if always_allowed(action, who):
            return Decision(Result.ALLOWED)
        plan = self._plans.get(action)
        if plan is None:
            plan = self._plans[action] = self._compiled.plan(action)
        asked = asked_of(request, action, who, plan, self.policies.management_account)
        context = Context(request.context, request.unknown_keys)
        weighed = weigh(plan, asked, context)
        if weighed.allowed is not None:
            return decision_of(weighed)
        settled, keys = settle(plan, asked, context)
        if settled is not None and not keys:
            return decision_of(settled)
        return Decision(Result.UNDECIDABLE, blocking(weighed, perhaps=True), unknown_keys=keys)


def decide(request: Request, policies: Policies) -> Decision:
    """Decide one request; for many under the same policies, keep a `Decider`."""
    return Decider(policies).decide(request)


def decision_of(weighed: Weighed) -> Decision:
    """Put the outcome into words; an unknown deny under a certain denial stays unsaid."""
    if weighed.allowed:
        return Decision(Result.ALLOWED, because=weighed.identity.allowing + weighed.grants.allowing)
    result = Result.EXPLICITLY_DENIED if weighed.denied else Result.IMPLICITLY_DENIED
    layers = (weighed.scps, weighed.rcps, weighed.identity, weighed.boundary, weighed.session, weighed.grants)
    because = tuple(at for layer in layers for at in layer.denying)
    return Decision(result, blocking(weighed), because)
