"""Concrete requests about permissions boundaries, put to the engine: yes, no, or a key that decides it.

A request names a resource. Where the question is about any role or user of an account, one name is tried for every way
in which a name can fit the patterns of the statements at hand, so that a `no` is no accident of the name chosen.
IAM User Guide, "Permissions boundaries for IAM entities", "Delegating responsibility to others".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.decide_policy import Compiler
from analytics.engine.reach_facts import known_context
from analytics.iam.condition import Context
from analytics.iam.match import Template, filled, has_variables, template
from analytics.iam.witness import Pattern, TooManyStatesError, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.engine.decide import Decision
    from analytics.engine.decide_policy import CompiledStatement
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import PolicyStack, PrincipalFacts

BOUNDARY_KEY = "iam:permissionsboundary"
ANY_ROLE, ANY_USER = "role/?*", "user/?*"  # of the caller's account


class Possible(StrEnum):
    """Whether a caller may do something."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Question:
    """One action on one resource. A resource with a wildcard asks for any that fits it in the caller's account."""

    action: str
    resource: str
    boundary: str | None = None  # what iam:PermissionsBoundary says in the request; None: it is absent


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer, with the request that shows it."""

    possible: Possible
    resource: str
    decision: Decision | None  # None: the patterns are too many to try every name

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Of `maybe`: the keys that would decide it."""
        return self.decision.unknown_keys if self.decision else ()


class Asker:
    """Puts questions to policies; each document is compiled once."""

    def __init__(self) -> None:
        self._compiler = Compiler()

    def ask(self, policies: Policies, who: PrincipalFacts, question: Question) -> Answer:
        """The most permissive answer over the resources that the question asks about."""
        known = known_context(who)
        statements = tuple(self._on(policies, question.action.lower()))
        keys = frozenset[str]().union(*(statement.keys for statement in statements)) - {BOUNDARY_KEY}
        unknown = frozenset(key for key in keys if known.is_unknown(key))
        context = dict(known.values)
        if question.boundary is not None:
            context[BOUNDARY_KEY] = (question.boundary,)
        names = _names(question.resource, who, statements, Context(context, unknown))
        decider = Decider(policies, self._compiler)
        best: Answer | None = None
        for name in names or ():
            decision = decider.decide(Request(who.arn, question.action, name, context=context, unknown_keys=unknown))
            answer = Answer(_POSSIBLE.get(decision.result, Possible.NO), name, decision)
            if answer.possible is Possible.YES:
                return answer
            best = answer if best is None or best.possible is Possible.NO else best
        if names is None or best is None:
            return Answer(Possible.MAYBE, question.resource, None)
        return best

    def ask_stack(self, stack: PolicyStack, question: Question) -> Answer:
        """As `ask`, of a principal's whole stack; what was not collected leaves a `yes` or a `no` in doubt."""
        answer = self.ask(Policies.of(stack), stack.principal, question)
        unsure = stack.boundary is None and stack.boundary_not_collected
        missing = bool(stack.not_collected) and not _is_explicit(answer)
        if (answer.possible is Possible.YES and (unsure or missing)) or (answer.possible is Possible.NO and missing):
            return Answer(Possible.MAYBE, answer.resource, answer.decision)
        return answer

    def allowing(self, document: PolicyDocument, who: PrincipalFacts, question: Question, name: str) -> tuple[int, ...]:
        """The positions of the statements of a document that allow the request on this resource, perhaps."""
        known = known_context(who)
        values = {**known.values, **({BOUNDARY_KEY: (question.boundary,)} if question.boundary else {})}
        found = self._compiler.policy(document).on(question.action.lower())
        keys = frozenset[str]().union(*(one.keys for one in found)) - {BOUNDARY_KEY}
        context = Context(values, frozenset(key for key in keys if known.is_unknown(key)))
        return tuple(one.index for one in found if one.allows and one.applies(name, context) is not False)

    def _on(self, policies: Policies, action: str) -> Iterator[CompiledStatement]:
        levels = (*policies.scp_levels, *policies.rcp_levels)
        for documents in (policies.identity, policies.boundary or (), *levels):
            for document in documents:
                yield from self._compiler.policy(document).on(action)


_POSSIBLE = {Result.ALLOWED: Possible.YES, Result.UNDECIDABLE: Possible.MAYBE}


def _is_explicit(answer: Answer) -> bool:
    return answer.decision is not None and answer.decision.result is Result.EXPLICITLY_DENIED


def _names(
    resource: str, who: PrincipalFacts, statements: tuple[CompiledStatement, ...], context: Context
) -> tuple[str, ...] | None:
    """The resources to try: the one that is named, or one for every way to fit the statements; None: too many."""
    if not ("*" in resource or "?" in resource):
        return (resource,)
    partition = who.arn.split(":")[1]
    wanted = template(f"arn:{partition}:iam::{who.account_id}:{resource}", variables=False)
    patterns: dict[Template, None] = {}
    for statement in statements:
        for parts in statement.scope.templates:
            pattern = filled(parts, context.single) if has_variables(parts) else parts
            if pattern is not None:
                patterns.setdefault(pattern)
    return _fitting(wanted, tuple(patterns))


@lru_cache(maxsize=4096)
def _fitting(wanted: Template, patterns: tuple[Template, ...]) -> tuple[str, ...] | None:
    try:
        found = examples([Pattern.of(pattern) for pattern in (wanted, *patterns)])
    except TooManyStatesError:
        return None
    return tuple(text for answers, text in found.items() if answers[0])
