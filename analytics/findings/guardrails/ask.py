"""One scenario put to one chain of policies: what becomes of each action, who is left out, what hangs on what.

Callers that no policy names stand for everybody in scope; those that the policies do name are asked after one by one.
INVARIANT: an action counts as stopped only if every request of the scenario, by every such caller, is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_choice import free_keys
from analytics.engine.reach_facts import TAG_PREFIX
from analytics.findings.guardrails.chain import PRINCIPAL_ARN, USER_ID, about_names, is_wild
from analytics.findings.guardrails.probes import (
    Place,
    avoiding,
    caller_context,
    example,
    facts_of,
    is_about_strangers,
    is_of_request,
    probes_of,
)
from analytics.findings.guardrails.scope import resources_of
from analytics.findings.guardrails.values import State
from analytics.iam.names import PrincipalKind, kind_of_arn, parse_arn

if TYPE_CHECKING:
    from analytics.findings.guardrails.chain import At, Chain, Spoken, Stop
    from analytics.findings.guardrails.probes import Probe
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.guardrails.scope import Resources
    from analytics.findings.guardrails.values import GuardrailSettings
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.condition import Context, Truth
    from analytics.iam.stack import PrincipalFacts

_ASKED_AS = (PrincipalKind.ROLE, PrincipalKind.SSO_ROLE, PrincipalKind.USER, PrincipalKind.ROOT)


class Caller(NamedTuple):
    """Who asks, and where."""

    who: PrincipalFacts
    place: Place


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what a question is about.

    `account_id` None: resources of any account. `accounts` tells the place of an account in scope: with it, who is
    named by the policies is asked after too. `binds`: whether the layer can act on an action (lower case).
    """

    account_id: str | None
    accounts: Callable[[str], Place | None] | None = None
    binds: Callable[[str], bool] = lambda _: True


class Degree(IntEnum):
    """How far an action is stopped."""

    NOT = 0
    IN_PART = 1  # some requests are, or those of some principals
    PERHAPS = 2  # all are, some of them under a condition
    SURELY = 3


class Spared(NamedTuple):
    """A principal that the policies name, and do not stop."""

    principal: str
    wild: bool
    at: At


@dataclass(frozen=True, slots=True)
class Answer:
    """What a chain does about one action."""

    degree: Degree = Degree.NOT
    places: tuple[At, ...] = ()
    spared: tuple[Spared, ...] = ()
    unlisted: bool = False  # it hangs on a list that the team has not given
    capped: bool = False  # on a class of resources whose patterns the team has not given
    hangs: tuple[str, ...] = ()  # on these condition keys, of which nothing is known, and on PART of the resources


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a chain does about a scenario."""

    state: State
    answers: tuple[Answer, ...]  # in the order of the scenario's actions
    missing: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def places(self) -> tuple[At, ...]:
        """The deciding statements, each once."""
        return tuple(dict.fromkeys(at for answer in self.answers for at in answer.places))

    @property
    def spared(self) -> tuple[Spared, ...]:
        """Who is left out, each once."""
        return tuple(dict.fromkeys(one for answer in self.answers for one in answer.spared))


NOTHING = Answer()


class Asker:
    """Puts scenarios to chains; the same question is answered once."""

    def __init__(self, catalogue: Catalogue, settings: GuardrailSettings, lists: dict[str, tuple[str, ...]]) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._lists = lists
        self._free = free_keys(catalogue)
        self._keys = lru_cache(maxsize=None)(catalogue.condition_keys)

    def outcome(self, scenario: Scenario, chain: Chain, callers: Sequence[Caller], scope: Scope) -> Outcome:
        """What becomes of the scenario when these callers try it; they are all asked, and the worst answer counts."""
        answers = tuple(
            self._answer(scenario, action.lower(), chain.on(action.lower()), callers, scope)
            if scope.binds(action.lower())
            else NOTHING
            for action in scenario.actions
        )
        pairs = tuple(zip(scenario.actions, answers, strict=True))
        return Outcome(
            state_of([answer.degree for answer in answers]),
            answers,
            tuple(action for action, answer in pairs if answer.degree < Degree.PERHAPS),
            tuple(action for action, answer in pairs if answer.degree < Degree.SURELY),
        )

    def _answer(
        self,
        scenario: Scenario,
        action: str,
        spoken: Spoken,
        callers: Sequence[Caller],
        scope: Scope,
    ) -> Answer:
        if not spoken.blocks and not spoken.limits:
            return NOTHING
        accounts = scope.accounts
        question = _Question(self, scenario, action, spoken, scope.account_id)
        stops = [stop for caller in callers for stop in question.stops(caller)]
        # Who stands for all may be named so that a pattern or a tag spares it; an identity has its name, and root too.
        is_one = scenario.principal == "root_user" or accounts is None
        worst = _least(stop.truth if is_one else stop.plainly for stop in stops)
        named = tuple(_named(spoken, callers[0].place, scenario, accounts)) if accounts is not None else ()
        asked = [(one, _least(stop.truth for stop in question.stops(one.caller))) for one in named]
        if worst is False:
            asked = [(one, truth) for one, truth in asked if one.caller.who.kind is not PrincipalKind.ROOT]
            in_part = any(stop.truth is not False for stop in stops) or any(truth is not False for _, truth in asked)
            in_part = in_part or question.is_narrowed(callers[0])
            stops += [stop for one, truth in asked if truth is not False for stop in question.stops(one.caller)]
            return Answer(Degree.IN_PART if in_part else Degree.NOT, _places(stops))
        surely = _least(stop.truth for stop in stops)
        spared = tuple(Spared(one.text, one.wild, one.at) for one, truth in asked if _rank(truth) < _rank(surely))
        degree = Degree.SURELY if worst and not any(one.wild for one in spared) else Degree.PERHAPS
        return Answer(
            degree,
            _places(stops),
            spared,
            unlisted=degree is Degree.PERHAPS and question.is_unlisted,
            capped=degree is Degree.PERHAPS and question.resources.capped,
            hangs=tuple(dict.fromkeys(one for caller in callers for one in question.hangs(caller))),
        )

    def lists(self) -> dict[str, tuple[str, ...]]:
        """The lists by name."""
        return self._lists

    def keys(self, action: str) -> frozenset[str]:
        """The service's condition keys of an action."""
        found: frozenset[str] = self._keys(action)
        return found

    def resources(self, scenario: Scenario, action: str, account_id: str | None) -> Resources:
        """The resources of a scenario's request."""
        patterns = self._settings.resources.get(scenario.id, ())
        return resources_of(scenario, action, self._catalogue, patterns, account_id)

    def chosen(self, action: str, spoken: Spoken, spare: str | None = None) -> dict[str, tuple[str, ...]]:
        """Values of freely chosen keys under which no deny holds for them alone; `spare`: a key left open."""
        number = self._catalogue.number(action) or 0
        found: dict[str, tuple[str, ...]] = {}
        for key in spoken.named:
            if key == spare or not (is_of_request(key) or self._free.get(key, 0) >> number & 1):
                continue
            allowing = [test for allows, _ in spoken.limits for block in allows for test in block.tests]
            if any(test.key == key for test in allowing):
                continue
            value = avoiding([test for block in spoken.blocks for test in block.tests if test.key == key])
            if value is not None:
                found[key] = value
        return found


class _Question:
    """One action of one scenario, put to what a chain says of it."""

    def __init__(self, asker: Asker, scenario: Scenario, action: str, spoken: Spoken, account_id: str | None) -> None:
        self._asker = asker
        self._scenario = scenario
        self._action = action
        self._spoken = spoken
        self._keys = asker.keys(action)
        self.resources = asker.resources(scenario, action, account_id)
        self._chosen = asker.chosen(action, spoken)
        self.is_unlisted = False

    def stops(self, caller: Caller) -> list[Stop]:
        """What stops each request of the scenario by this caller."""
        probes = self._probes(caller)
        found = [self._stop(caller, probe, frozenset(), self._chosen) for probe in probes]
        for probe in probes:
            hanging = probe.unlisted & self._spoken.named.keys()
            if hanging:
                self.is_unlisted = True
                found.append(self._stop(caller, probe, hanging, self._chosen))
        return found

    def hangs(self, caller: Caller) -> Iterable[str]:
        """On what the requests hang that are stopped perhaps."""
        for probe in self._probes(caller):
            stop, context = self._asked(caller, probe, frozenset(), self._chosen)
            if stop.truth is None:
                allows = (block for limit, _ in self._spoken.limits for block in limit)
                for block in (*self._spoken.blocks, *allows):
                    yield from block.hangs_on(self.resources, context)

    def is_narrowed(self, caller: Caller) -> bool:
        """Whether some values of the key that counts in part are stopped."""
        key = next((key for name, key in self._scenario.narrowed_by.items() if name.lower() == self._action), None)
        if key is None:
            return False
        chosen = self._asker.chosen(self._action, self._spoken, key.lower())
        probes = self._probes(caller)
        return all(self._stop(caller, probe, frozenset(), chosen).truth is not False for probe in probes)

    def _probes(self, caller: Caller) -> tuple[Probe, ...]:
        return probes_of(
            self._scenario,
            self._action,
            lists=self._asker.lists(),
            keys=self._keys,
            named=self._spoken.named,
            account_id=caller.place.account_id,
        )

    def _stop(self, caller: Caller, probe: Probe, unknown: frozenset[str], chosen: dict[str, tuple[str, ...]]) -> Stop:
        return self._asked(caller, probe, unknown, chosen)[0]

    def _asked(
        self, caller: Caller, probe: Probe, unknown: frozenset[str], chosen: dict[str, tuple[str, ...]]
    ) -> tuple[Stop, Context]:
        context = caller_context(caller.who, caller.place, self._keys)
        values = {**chosen, **context.values, **probe.values}
        for key in unknown:
            values.pop(key, None)
        context = context._replace(values=values)
        return self._spoken.stopped(self.resources, context), context


class _Named(NamedTuple):
    text: str
    wild: bool
    at: At
    caller: Caller


def _named(
    spoken: Spoken, place: Place, scenario: Scenario, accounts: Callable[[str], Place | None]
) -> Iterable[_Named]:
    """The principals in scope that the policies name, one for each name, pattern or tag."""
    if is_about_strangers(scenario) or scenario.principal == "root_user":
        return
    seen: set[tuple[str, str]] = set()
    for one in spoken.placed:
        for test in one.statement.requirements:
            if not about_names(test):
                continue
            for value in test.condition.values:
                if (test.key, value) not in seen:
                    seen.add((test.key, value))
                    caller = _caller_named(test.key, value, place, accounts)
                    if caller is not None:
                        wild = test.key.startswith(TAG_PREFIX) or is_wild(value)
                        text = value if test.key == PRINCIPAL_ARN else f"{test.condition.key} {value}"
                        yield _Named(text, wild, one.at, caller)


def _caller_named(key: str, value: str, place: Place, accounts: Callable[[str], Place | None]) -> Caller | None:
    role = f"arn:aws:iam::{place.account_id}:role/any-role"
    if key.startswith(TAG_PREFIX):
        tag = (key.removeprefix(TAG_PREFIX), example(value))
        return Caller(facts_of(role, PrincipalKind.ROLE, place, (tag,)), place)
    if key == USER_ID:
        kind = PrincipalKind.USER if value.startswith("AIDA") else PrincipalKind.ROLE
        arn = role if kind is PrincipalKind.ROLE else role.replace("role/any-role", "user/any-user")
        who = replace(facts_of(arn, kind, place), unique_id=example(value.partition(":")[0]))
        return Caller(who, place)
    if key != PRINCIPAL_ARN:
        return Caller(
            facts_of(f"arn:aws:iam::{place.account_id}:user/{example(value)}", PrincipalKind.USER, place), place
        )
    parsed = parse_arn(value)
    if parsed is None or parsed.service != "iam":
        return None
    there = place if not parsed.account_id.isdecimal() else accounts(parsed.account_id)
    if there is None:
        return None
    arn = f"arn:aws:iam::{there.account_id}:{example(parsed.resource)}"
    kind = kind_of_arn(arn)
    return Caller(facts_of(arn, kind, there), there) if kind in _ASKED_AS else None  # the root user may be spared


def state_of(degrees: Sequence[Degree]) -> State:
    """The state of a cell, from what becomes of its actions."""
    if all(degree is Degree.SURELY for degree in degrees):
        return State.COVERED
    if all(degree >= Degree.PERHAPS for degree in degrees):
        return State.CONDITIONAL
    return State.PARTIAL if any(degrees) else State.GAP


def _rank(truth: Truth) -> int:
    return 2 if truth else 1 if truth is None else 0


def _least(truths: Iterable[Truth]) -> Truth:
    return min(truths, key=_rank)


def _places(stops: Iterable[Stop]) -> tuple[At, ...]:
    return tuple(dict.fromkeys(at for stop in stops if stop.truth is not False for at in stop.places()))
