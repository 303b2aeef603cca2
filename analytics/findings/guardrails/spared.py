"""By which exemptions one identity escapes what stops an ordinary one of its account.

INVARIANT: only an action that is stopped for the ordinary identity, and for this one for its name, id or tags alone,
counts as spared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_facts import known_context
from analytics.findings.guardrails.answers import Degree
from analytics.findings.guardrails.naming import PRINCIPAL_ARN, can_spare, is_wild
from analytics.findings.guardrails.probes import Caller, ordinary
from analytics.findings.guardrails.values import LeftOut
from analytics.iam.match import arn_matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.findings.estate import Subject
    from analytics.findings.guardrails.answers import Outcome
    from analytics.findings.guardrails.ask import Asker, Scope
    from analytics.findings.guardrails.chain import At, Chain, Test
    from analytics.findings.guardrails.probes import Place
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.guardrails.values import Stated


class Others(NamedTuple):
    """How ordinary identities are asked beside the one, and how a statement is named."""

    asker: Asker
    place: Place
    scope: Scope
    shown: Callable[[At], Stated]


def spared_by(
    scenario: Scenario, subject: Subject, outcome: Outcome, chain: Chain, others: Others
) -> tuple[LeftOut, ...]:
    """The exemptions; none where an action is open to the ordinary identity too."""
    open_to_it = [
        action
        for action, answer in zip(scenario.actions, outcome.answers, strict=True)
        if answer.degree < Degree.PERHAPS
    ]
    sparing = {action: _sparing(chain, action, subject) for action in open_to_it}
    if not open_to_it or not all(sparing.values()):
        return ()
    callers = [Caller(who, others.place) for who in ordinary(scenario, others.place)]
    usual = others.asker.outcome(scenario, chain, callers, others.scope)
    if not set(open_to_it).isdisjoint(usual.missing):
        return ()
    found = {
        LeftOut(*_exempting(test, subject), others.shown(at)): None for tests in sparing.values() for test, at in tests
    }
    return tuple(found)


def _sparing(chain: Chain, action: str, subject: Subject) -> list[tuple[Test, At]]:
    """The conditions on names that the identity does not meet, of the denies of an action."""
    context = known_context(subject.stack.principal)
    return [
        (test, block.placed[0].at)
        for block in chain.on(action.lower()).blocks
        for test in block.tests
        if can_spare(test) and test.truth(context) is False
    ]


def _exempting(test: Test, subject: Subject) -> tuple[str, str]:
    """The pattern that spares an identity, and its kind."""
    if test.key == PRINCIPAL_ARN:
        fitting = [value for value in test.condition.values if arn_matches(value, subject.arn)]
        plain = [value for value in fitting if not is_wild(value)]
        if fitting:
            return (plain or fitting)[0], "named" if plain else "wildcard"
    return f"{subject.arn} by {test.condition.key}", "wildcard"
