"""What one identity may do to one resource: not, perhaps, or surely.

Reach answers where it can: what is allowed on every resource is allowed on this one, and what is allowed on none is
not. Between the two, one request is decided exactly, with what is known of the identity, of the resource, and of the
keys that the caller would choose. INVARIANT: SURELY is claimed only for a request that AWS would allow.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.decide_facts import is_protected
from analytics.engine.reach_choice import candidates
from analytics.findings.escalation.facts import (
    ANY_NAME,
    MAYBE,
    NO,
    NOTHING_KNOWN,
    SURELY,
    VARIABLE,
    Held,
    chosen_values,
    partition_of,
)
from analytics.findings.escalation.spoken import Gatherer
from analytics.iam.condition import Context
from analytics.iam.match import ARN_PARTS, completed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from analytics.findings.escalation.bearing import Bearing, Spoken
    from analytics.findings.escalation.facts import AboutResource, Values
    from analytics.findings.escalation.own import Lead
    from analytics.findings.escalation.plan import Plan
    from analytics.findings.escalation.spoken import Voice
    from analytics.findings.escalation.workshop import Belongings, Workshop
    from analytics.findings.estate import Subject


class Powers:
    """One identity's powers over the actions of paths; each question is answered once."""

    def __init__(self, workshop: Workshop, subject: Subject) -> None:
        self.subject = subject
        self.own: dict[str, tuple[Lead, ...]] = {}  # by path, once found
        self._workshop = workshop
        self._catalogue = workshop.estate.catalogue
        self.held = workshop.within(subject.reach).held
        self._is_doubtful = subject.stack.boundary_not_collected

    def reach(self, action: str) -> Held:
        """By reach alone: on every resource, on some perhaps, or on none."""
        return self.held.get(action, NO)

    def on(self, action: str, resource: str, about: AboutResource = NOTHING_KNOWN, choice: str | None = None) -> Held:
        """On one resource. `choice`: the service to which a role is passed, the policy that is detached."""
        held = self.reach(action)
        if held is NO or (held is MAYBE and not self.spoken(action).means(resource)):
            return NO
        if is_protected(action.lower(), resource):
            return NO
        if held is SURELY:
            return SURELY
        return self._held(action, resource, about, choice)

    def stance(self, action: str) -> Hashable:
        """All on which its answers about an action rest; identities of one account that agree in it agree in them."""
        held = self.reach(action)
        if held is not MAYBE:
            return held
        kept = self._voice.stances
        stance = kept.get(action)
        if stance is None:
            stance = kept[action] = self._stance(action)
        return stance

    def _stance(self, action: str) -> Hashable:
        spoken = self.spoken(action)
        if not spoken.asking and not self._is_doubtful:
            return spoken.number
        known = self.known
        facts = tuple([(key, known.values.get(key), known.is_unknown(key)) for key in spoken.asking])
        return self._workshop.marks.numbered((spoken.number, facts, self._is_doubtful))

    def spoken(self, action: str) -> Spoken:
        """What the policies say of an action."""
        kept = self._voice.spoken
        spoken = kept.get(action)
        if spoken is None:
            spoken = kept[action] = self._gatherer.gather(action.lower())
        return spoken

    def anywhere(self, action: str, *, made: bool) -> Held:
        """On a resource of which nothing is known; `made`: the caller makes it, and so chooses its name.

        SURELY where a resource with any name would do, or with a name that the caller gives it.
        """
        held = self.reach(action)
        if held is not MAYBE:
            return held
        key = (self.subject.account_id, action, made, self.stance(action))
        answers = self._workshop.answers
        found = answers.get(key)
        if found is None:
            found = answers[key] = self._anywhere(action, made=made)
        return found

    def shared(self, question: str, actions: tuple[str, ...], find: Callable[[], Held]) -> Held:
        """An answer that rests on the account and on what the policies say of the actions, and on nothing else."""
        key = (self.subject.account_id, question, tuple([self.stance(action) for action in actions]))
        answers = self._workshop.answers
        if key not in answers:
            answers[key] = find()
        return answers[key]

    def made(self, plan: Plan) -> Held:
        """How certainly it may do to something of any name what a path takes beside passing a role."""
        key, kept = (self.subject.account_id, plan.path.id), self._voice.made
        held = kept.get(key)
        if held is None:
            found = [self.anywhere(need.action, made=plan.passes) for need in plan.needs]
            held = kept[key] = min(found, default=SURELY)
        return held

    def _anywhere(self, action: str, *, made: bool) -> Held:
        spoken = self.spoken(action)
        names = self.any_names(action) if made else self._of_any_name(action)
        if not spoken.scoped:
            names = names[:1]  # all statements bear on every resource: one name answers for all
        asked = filter(spoken.means, names)
        return SURELY if any(self._held(action, name, NOTHING_KNOWN, None) is SURELY for name in asked) else MAYBE

    def identities(self, action: str, belongings: Belongings) -> frozenset[str] | None:
        """The users and roles on whose belongings its own policies may allow the action; None: any of its account."""
        if self.reach(action) is not MAYBE:
            return None if self.reach(action) else frozenset()
        patterns = self.spoken(action).patterns
        return None if patterns is None else self._workshop.matching(self.subject.account_id, belongings, patterns)

    def any_names(self, action: str) -> Sequence[str]:
        """Resources that stand for all on which the action may be granted: of any name, and one per pattern."""
        patterns = self.spoken(action).patterns or ()
        return [*self._of_any_name(action), *map(self.example, patterns)]

    def example(self, pattern: str) -> str:
        """A resource that the pattern matches: wildcards in the account are the identity's own, else any name."""
        parts = completed(VARIABLE.sub(ANY_NAME, pattern)).split(":", 5)
        if len(parts) == ARN_PARTS and parts[4] == "*":
            parts[4] = self.subject.account_id
        return ":".join(parts).replace("*", ANY_NAME).replace("?", "x")

    def _of_any_name(self, action: str) -> tuple[str, ...]:
        return self._workshop.any_names(action, partition_of(self.subject.arn), self.subject.account_id)

    def _held(self, action: str, resource: str, about: AboutResource, choice: str | None) -> Held:
        """Exactly; where the best choice is denied, another one may be allowed."""
        chosen = chosen_values(action, choice, partition_of(self.subject.arn))
        held = self._ask(action, resource, about, chosen)
        if held is NO and chosen and choice is None:
            held = min(MAYBE, self._ask(action, resource, about, {}, open_keys=frozenset(chosen)))
        return min(held, MAYBE) if self._is_doubtful else held

    def _ask(
        self,
        action: str,
        resource: str,
        about: AboutResource,
        chosen: Values,
        open_keys: frozenset[str] = frozenset(),
    ) -> Held:
        """Decided once for all identities for whom all that bears on the request is the same."""
        values, unknown = self._facts(action, about, chosen, open_keys)
        open_ = frozenset(unknown)
        context = Context({**self.known.values, **values}, open_)
        bearing = self._workshop.marks.bearing(self.spoken(action), resource, context)
        facts = [(key, values.get(key), key in open_) for key in bearing.keys]
        question = (action, bearing.number, tuple(facts))
        held = self._workshop.answers.get(question)
        if held is None:
            # With all that is known of the identity: the statements left out must fall in the request, too.
            still = open_.intersection(bearing.keys)
            me = self.subject
            request = Request(me.arn, action, resource, me.account_id, context.values, unknown_keys=still)
            held = self._workshop.answers[question] = self._decided(request, bearing)
        return held

    def _facts(
        self, action: str, about: AboutResource, chosen: Values, open_keys: frozenset[str]
    ) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The values of the condition keys at which the statements look, and those that are not known."""
        known = self.known
        values: dict[str, tuple[str, ...]] = {}
        unknown: list[str] = []
        for key in self.spoken(action).keys:
            value = next((one[key] for one in (chosen, about.values, known.values) if key in one), None)
            if key in open_keys:
                unknown.append(key)
            elif value is not None:
                values[key] = value
            elif known.is_unknown(key) and not key.startswith(about.absent):
                unknown.append(key)
        return values, unknown

    def _decided(self, request: Request, bearing: Bearing) -> Held:
        free = [key for key in request.unknown_keys if self._may_choose(key, request.action)]
        if len(free) == 1 and self._chooses(free[0], request, bearing):
            return SURELY
        decision = self._decider.decide(request)
        if decision.result is Result.ALLOWED:
            return SURELY
        if decision.result is Result.UNDECIDABLE:  # were no choice allowed, nothing would be open
            undecided = set(decision.unknown_keys)
            return SURELY if undecided and undecided <= set(free) else MAYBE
        return NO

    def _chooses(self, key: str, request: Request, bearing: Bearing) -> bool:
        """Whether some value of an open key, which the caller chooses, is surely allowed."""
        conditions = [one for one in bearing.conditions if one.key.lower() == key]
        tried = (
            request._replace(context={**request.context, key: (value,)}, unknown_keys=request.unknown_keys - {key})
            for value in candidates(conditions)
        )
        return any(self._decider.decide(one).result is Result.ALLOWED for one in tried)

    def _may_choose(self, key: str, action: str) -> bool:
        """Whether a condition key is the caller's free choice."""
        number = self._catalogue.number(action)
        return number is not None and bool(self._workshop.free.get(key, 0) >> number & 1)

    @property
    def known(self) -> Context:
        """What every request of the identity carries."""
        return self._gatherer.known

    @cached_property
    def _voice(self) -> Voice:
        return self._gatherer.voice()

    @cached_property
    def _gatherer(self) -> Gatherer:
        return Gatherer(self._workshop, self.subject)

    @cached_property
    def _decider(self) -> Decider:
        return Decider(Policies.of(self.subject.stack), self._workshop.compiler)
