"""The boundary and identity columns: what the policies that identities hold do about a scenario.

An account, OU or root is asked identity by identity: "n of m" are stopped. A boundary stops what it does not allow; of
identity policies only a deny counts, as what is not granted today may be tomorrow. Identities whose policies say the
same are asked once. INVARIANT: what was not collected never counts as stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_facts import about_principal, known_context
from analytics.findings.guardrails.ask import Scope
from analytics.findings.guardrails.chain import chain_of
from analytics.findings.guardrails.control import SPARED, Found, notes_of, stated
from analytics.findings.guardrails.probes import Caller, Place, is_about_strangers
from analytics.findings.guardrails.spared import Others, spared_by
from analytics.findings.guardrails.values import CLOSED, LeftOut, State, Stated
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from analytics.engine.decide_policy import Compiler
    from analytics.findings.estate import Subject
    from analytics.findings.guardrails.answers import Outcome
    from analytics.findings.guardrails.ask import Asker
    from analytics.findings.guardrails.chain import Chain, Test
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy, PrincipalFacts

HOLDERS = (PrincipalKind.ROLE, PrincipalKind.SSO_ROLE, PrincipalKind.USER)
MOST_SHOWN = 25  # statements and exemptions of a cell over many identities


@dataclass(frozen=True, slots=True)
class Held:
    """What one identity's policies do about a scenario."""

    outcome: Outcome | None  # None: not collected, and what was does not stop it
    statements: tuple[Stated, ...] = ()
    exemptions: tuple[LeftOut, ...] = ()  # it is spared by what stops others
    notes: tuple[str, ...] = ()


class Kind(NamedTuple):
    """What makes identities alike in a layer."""

    chain: int  # id; 0: nothing held
    who: object  # None: the policies ask nothing about the principal
    unsure: bool  # something was not collected


class HeldLayer:
    """One of the two columns."""

    def __init__(self, layer: str, asker: Asker, compiler: Compiler) -> None:
        self._layer = layer
        self._asker = asker
        self._compiler = compiler
        self._chains: dict[tuple[int, ...], Chain] = {}
        self._tests: dict[int, tuple[tuple[Test, ...], bool]] = {}
        self._denies: dict[int, bool] = {}
        self._held: dict[tuple[str, Kind], Held] = {}
        self._like: dict[Kind, Subject] = {}

    def kind(self, subject: Subject) -> Kind:
        """A key that is equal for identities for whom the layer does the same."""
        policies = self._policies(subject)
        unsure = self._is_unsure(subject)
        if not policies:
            kind = Kind(0, None, unsure)
        else:
            chain = self._chain(policies)
            kind = Kind(id(chain), self._who(chain, subject), unsure)
        self._like.setdefault(kind, subject)
        return kind

    def found_of(self, scenario: Scenario, subject: Subject) -> Found:
        """What the layer does about the scenario for one identity."""
        stays_out = self._stays_out(scenario, subject)
        if stays_out is not None:
            return stays_out
        held = self._of(scenario, self.kind(subject))
        if held.outcome is None:
            note = "The snapshot does not hold all policies of this identity."
            return Found(State.UNKNOWN, open=scenario.actions, notes=(note,))
        one = held.outcome
        notes = (*held.notes, SPARED) if held.exemptions else held.notes
        return Found(one.state, held.statements, one.missing, one.open, held.exemptions, notes, closed=one.closed)

    def found(self, scenario: Scenario, kinds: Mapping[Kind, int], *, not_collected: int) -> Found:
        """What it does for all of many: `kinds` counts identities that are alike; `not_collected` counts accounts."""
        stays_out = self._stays_out(scenario, None)
        if stays_out is not None:
            return stays_out
        every = [(self._of(scenario, kind), count) for kind, count in kinds.items()]
        return _together(scenario, every, not_collected)

    def _stays_out(self, scenario: Scenario, subject: Subject | None) -> Found | None:
        what = "A boundary" if self._layer == "boundary" else "An identity policy"
        if scenario.principal == "root_user":
            return Found(State.NOT_APPLICABLE, notes=(f"{what} cannot be attached to the root user.",))
        if is_about_strangers(scenario):
            return Found(State.NOT_APPLICABLE, notes=(f"{what} does not bind callers from outside.",))
        if subject is not None and subject.kind not in HOLDERS:
            return Found(State.NOT_APPLICABLE, notes=(f"{what} cannot be attached to this kind of identity.",))
        return None

    def _policies(self, subject: Subject) -> tuple[NamedPolicy, ...]:
        if self._layer == "boundary":
            return (subject.stack.boundary,) if subject.stack.boundary is not None else ()
        return tuple(policy for policy in subject.stack.identity if self._has_deny(policy.document))

    def _is_unsure(self, subject: Subject) -> bool:
        if self._layer == "boundary":
            return subject.stack.boundary is None and subject.stack.boundary_not_collected
        return bool(subject.stack.not_collected)

    def _has_deny(self, document: PolicyDocument) -> bool:
        found = self._denies.get(id(document))
        if found is None:
            found = any(one.effect is Effect.DENY for one in document.statements)
            self._denies[id(document)] = found
        return found

    def _chain(self, policies: Sequence[NamedPolicy]) -> Chain:
        key = tuple(id(policy.document) for policy in policies)
        chain = self._chains.get(key)
        if chain is None:
            levels = (policies,) if policies else ()  # whoever holds no boundary is limited by none
            chain = self._chains[key] = chain_of(levels, self._compiler, omits=self._layer == "boundary")
        return chain

    def _who(self, chain: Chain, subject: Subject) -> object:
        """What the policies ask about the principal, answered; None where they ask nothing."""
        tests, by_name = self._personal(chain)
        who = subject.stack.principal
        if by_name:
            return subject.arn
        here = chain.places_named
        local = (subject.account_id, who.organization_path) if here else None
        if not tests:
            return local
        context = known_context(who)
        return local, tuple([test.truth(context) for test in tests]), who.kind

    def _personal(self, chain: Chain) -> tuple[tuple[Test, ...], bool]:
        found = self._tests.get(id(chain))
        if found is None:
            tests: dict[Test, None] = {}
            by_name = False
            for level in chain.levels:
                for policy in level:
                    for statement in policy.statements():
                        by_name |= bool(statement.scope.keys)
                        for test in statement.requirements:
                            by_name |= len(test.keys) > 1
                            if about_principal(test.key):
                                tests[test] = None
            found = self._tests[id(chain)] = (tuple(tests), by_name)
        return found

    def _of(self, scenario: Scenario, kind: Kind) -> Held:
        held = self._held.get((scenario.id, kind))
        if held is None:
            held = self._held[scenario.id, kind] = self._asked(scenario, kind)
        return held

    def _asked(self, scenario: Scenario, kind: Kind) -> Held:
        subject = self._like[kind]
        policies = self._policies(subject)
        chain = self._chain(policies)
        place = _place(subject.stack.principal)
        callers = [Caller(subject.stack.principal, place)]
        outcome = self._asker.outcome(scenario, chain, callers, Scope())
        if kind.unsure and outcome.state is not State.COVERED:
            return Held(None)
        statements = tuple(dict.fromkeys(stated(policies[at.policy], at) for at in outcome.places))
        exemptions = spared_by(
            scenario,
            subject,
            outcome,
            chain,
            Others(self._asker, place, Scope(), lambda at: stated(policies[at.policy], at)),
        )
        return Held(outcome, statements, exemptions, notes_of(scenario, outcome))


def _together(scenario: Scenario, every: Iterable[tuple[Held, int]], not_collected: int) -> Found:
    states: Counter[State] = Counter()
    exempt: dict[LeftOut, None] = {}
    statements: dict[Stated, None] = {}
    notes: dict[str, None] = {}
    missing: set[str] = set()
    still_open: set[str] = set()
    total = spared = 0
    for held, count in every:
        total += count
        if held.outcome is None:
            states[State.UNKNOWN] += count
            still_open.update(scenario.actions)
            continue
        statements.update(dict.fromkeys(held.statements))
        notes.update(dict.fromkeys(held.notes))
        if held.exemptions:
            spared += count
            exempt.update(dict.fromkeys(held.exemptions))
            if any(one.kind == "wildcard" for one in held.exemptions):
                still_open.update(held.outcome.open)
            continue
        states[held.outcome.state] += count
        missing.update(held.outcome.missing)
        still_open.update(held.outcome.open)
    if not_collected:
        still_open.update(scenario.actions)
    unsure = bool(not_collected or states[State.UNKNOWN])
    return Found(
        _state(states, spared, [one.kind for one in exempt], not_collected),
        tuple(statements)[:MOST_SHOWN],
        tuple(action for action in scenario.actions if action in missing),
        tuple(action for action in scenario.actions if action in still_open),
        tuple(exempt)[:MOST_SHOWN],
        (*notes, *_counted(states, not_collected, len(statements), total)),
        total,
        sum(states[state] for state in CLOSED),
        frozenset(scenario.actions).difference(still_open if unsure else missing) if total else frozenset(),
    )


def _state(states: Counter[State], spared: int, kinds: Sequence[str], not_collected: int) -> State:
    """One state for all: those spared by name do not count, those spared by a wildcard leave it conditional."""
    asked = {state for state, count in states.items() if count and state is not State.UNKNOWN}
    unsure = bool(states[State.UNKNOWN] or not_collected)
    if not asked:
        return State.UNKNOWN if unsure else State.GAP if spared else State.NOT_APPLICABLE
    if asked <= set(CLOSED):
        if unsure:
            return State.UNKNOWN
        return State.COVERED if asked == {State.COVERED} and "wildcard" not in kinds else State.CONDITIONAL
    return State.GAP if asked == {State.GAP} else State.PARTIAL


def _counted(states: Counter[State], not_collected: int, statements: int, total: int) -> list[str]:
    notes = []
    if not_collected:
        notes.append(f"{not_collected} account{'s were' if not_collected > 1 else ' was'} not collected.")
    if states[State.UNKNOWN]:
        notes.append(f"Of {states[State.UNKNOWN]} identities not all policies were collected.")
    if statements > MOST_SHOWN:
        notes.append(f"{statements - MOST_SHOWN} more statements decide it.")
    if not total and not not_collected:
        notes.append("There are no roles or users here.")
    return notes


def _place(who: PrincipalFacts) -> Place:
    return Place(who.account_id, who.organization_id, who.organization_path)
