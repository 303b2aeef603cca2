"""One scenario put to one chain of policies: what becomes of each action, who is left out, what hangs on what.

Callers that no policy names stand for everybody in scope; those that the policies do name are asked after one by one.
INVARIANT: an action counts as stopped only if every request of the scenario, by every such caller, is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from analytics.engine.reach_choice import free_keys
from analytics.findings.guardrails.answers import NOTHING, Answer, Degree, Outcome, Spared, state_of
from analytics.findings.guardrails.named import named_callers
from analytics.findings.guardrails.probes import (
    Caller,
    Place,
    avoiding,
    caller_context,
    choices_of,
    is_of_request,
    probes_of,
)
from analytics.findings.guardrails.scope import resources_of
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from analytics.findings.guardrails.chain import At, Chain, Spoken, Stop
    from analytics.findings.guardrails.probes import Probe
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.guardrails.scope import Resources
    from analytics.findings.guardrails.values import GuardrailSettings
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.condition import Context, Truth


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a question is about.

    `accounts` tells the place of an account in scope: with it, who is named by the policies is asked after too.
    `binds`: whether the layer can act on an action (lower case).
    """

    accounts: Callable[[str], Place | None] | None = None
    binds: Callable[[str], bool] = lambda _: True


MOST_CHOICES = 64  # of freely chosen keys that allows test, asked one by one; with more the keys are unknown


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
            frozenset(action for action, answer in pairs if answer.degree >= Degree.PERHAPS),
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
        question = _Question(self, scenario, action, spoken)
        by_caller = [(caller, stop) for caller in callers for stop in question.stops(caller)]
        stops = [stop for _, stop in by_caller]
        # Who stands for all may be named so that a pattern or a tag spares it; an identity has its name, and root too.
        is_one = scenario.principal == "root_user" or accounts is None
        worst = _least(stop.truth if is_one else stop.plainly(caller.who.account_id) for caller, stop in by_caller)
        named = tuple(named_callers(spoken, callers, scenario, accounts)) if accounts is not None else ()
        asked = [(one, _least(stop.truth for stop in question.stops(one.caller))) for one in named]
        if worst is False:
            asked = [(one, truth) for one, truth in asked if one.caller.who.kind is not PrincipalKind.ROOT]
            in_part = any(stop.truth is not False for stop in stops) or any(truth is not False for _, truth in asked)
            in_part = in_part or question.is_narrowed(callers[0])
            stops += [stop for one, truth in asked if truth is not False for stop in question.stops(one.caller)]
            return Answer(Degree.IN_PART if in_part else Degree.NOT, _places(stops))
        surely = _least(stop.truth for stop in stops)
        left_out = (Spared(one.text, one.wild, one.at) for one, truth in asked if _rank(truth) < _rank(surely))
        spared = tuple(dict.fromkeys(left_out))
        by_several = surely is True and worst is None and not any(one.wild for one in spared)
        degree = Degree.SURELY if worst and not any(one.wild for one in spared) else Degree.PERHAPS
        return Answer(
            degree,
            _places(stops),
            spared,
            unlisted=degree is Degree.PERHAPS and question.is_unlisted,
            capped=degree is Degree.PERHAPS and question.resources(callers[0]).capped,
            hangs=tuple(dict.fromkeys(one for caller in callers for one in question.hangs(caller))),
            by_several=by_several,
        )

    def lists(self) -> dict[str, tuple[str, ...]]:
        """The lists by name."""
        return self._lists

    def keys(self, action: str) -> frozenset[str]:
        """The service's condition keys of an action."""
        found: frozenset[str] = self._keys(action)
        return found

    def resources(self, scenario: Scenario, action: str, account_id: str) -> Resources:
        """The resources of a scenario's request in an account."""
        patterns = self._settings.resources.get(scenario.id, ())
        return resources_of(scenario, action, self._catalogue, patterns, account_id)

    def chosen(self, action: str, spoken: Spoken, spare: str | None = None) -> list[dict[str, tuple[str, ...]]]:
        """What a caller may choose of the keys that are free: each choice is to be asked; `spare`: a key left open.

        Of a key that only denies test, one value under which none holds; of one that allows test, every value.
        """
        number = self._catalogue.number(action) or 0
        sure: dict[str, tuple[str, ...]] = {}
        open_to_choice: dict[str, list[tuple[str, ...]]] = {}
        for key in spoken.named:
            if key == spare or not (is_of_request(key) or self._free.get(key, 0) >> number & 1):
                continue
            tests = [test for test in spoken.tests if test.key == key]
            if any(test.key == key for allows, _ in spoken.limits for block in allows for test in block.tests):
                open_to_choice[key] = choices_of(tests)
            elif (value := avoiding(tests)) is not None:
                sure[key] = value
        if prod(map(len, open_to_choice.values())) > MOST_CHOICES:
            return [sure]
        return [sure | dict(zip(open_to_choice, values, strict=True)) for values in product(*open_to_choice.values())]


class _Question:
    """One action of one scenario, put to what a chain says of it."""

    def __init__(self, asker: Asker, scenario: Scenario, action: str, spoken: Spoken) -> None:
        self._asker = asker
        self._scenario = scenario
        self._action = action
        self._spoken = spoken
        self._keys = asker.keys(action)
        self._resources: dict[str, Resources] = {}
        self._chosen = asker.chosen(action, spoken)
        self.is_unlisted = False

    def resources(self, caller: Caller) -> Resources:
        """What the caller's request is about: resources of the account where it lands."""
        account_id = caller.place.account_id
        found = self._resources.get(account_id)
        if found is None:
            found = self._asker.resources(self._scenario, self._action, account_id)
            self._resources[account_id] = found
        return found

    def stops(self, caller: Caller) -> list[Stop]:
        """What stops each request of the scenario by this caller."""
        found = []
        for probe in self._probes(caller):
            found.append(self._asked(caller, probe, frozenset(), self._chosen)[0])
            hanging = probe.unlisted & self._spoken.named.keys()
            if hanging:
                self.is_unlisted = True
                found.append(self._asked(caller, probe, hanging, self._chosen)[0])
        return found

    def hangs(self, caller: Caller) -> Iterable[str]:
        """On what the requests hang that are stopped perhaps."""
        for probe in self._probes(caller):
            stop, context = self._asked(caller, probe, frozenset(), self._chosen)
            if stop.truth is None:
                allows = (block for limit, _ in self._spoken.limits for block in limit)
                for block in (*self._spoken.blocks, *allows):
                    yield from block.hangs_on(self.resources(caller), context)

    def is_narrowed(self, caller: Caller) -> bool:
        """Whether some values of the key that counts in part are stopped."""
        key = next((key for name, key in self._scenario.narrowed_by.items() if name.lower() == self._action), None)
        if key is None:
            return False
        chosen = self._asker.chosen(self._action, self._spoken, key.lower())
        probes = self._probes(caller)
        return all(self._asked(caller, probe, frozenset(), chosen)[0].truth is not False for probe in probes)

    def _probes(self, caller: Caller) -> tuple[Probe, ...]:
        return probes_of(
            self._scenario,
            self._action,
            lists=self._asker.lists(),
            keys=self._keys,
            named=self._spoken.named,
            account_id=caller.place.account_id,
        )

    def _asked(
        self, caller: Caller, probe: Probe, unknown: frozenset[str], chosen: Sequence[dict[str, tuple[str, ...]]]
    ) -> tuple[Stop, Context]:
        """What stops a request least of all that the caller may choose."""
        known = caller_context(caller.who, caller.place, self._keys)
        asked = []
        for choice in chosen:
            values = {**choice, **known.values, **probe.values}
            context = known._replace(values={key: value for key, value in values.items() if key not in unknown})
            asked.append((self._spoken.stopped(self.resources(caller), context), context))
        account_id = caller.who.account_id
        return min(asked, key=lambda one: (_rank(one[0].truth), _rank(one[0].plainly(account_id))))


def _rank(truth: Truth) -> int:
    return 2 if truth else 1 if truth is None else 0


def _least(truths: Iterable[Truth]) -> Truth:
    return min(truths, key=_rank)


def _places(stops: Iterable[Stop]) -> tuple[At, ...]:
    return tuple(dict.fromkeys(at for stop in stops if stop.truth is not False for at in stop.places()))
