"""Policies made ready for many decisions: statements found by action, tests of resources and conditions compiled.

A compiled policy is kept with its document, so that stacks which share a policy share the work. INVARIANT: whether a
statement applies is True, False or None, and None only where a key that was not recorded could change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.iam.condition import VARIABLES_SINCE, compile_condition
from analytics.iam.match import (
    ActionSet,
    completed,
    filled,
    has_variables,
    sorted_tests,
    template,
    text_test,
    variable_keys,
)
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.iam.condition import Context, Truth
    from analytics.iam.policy import PolicyDocument, Statement


class CompiledStatement:
    """One statement, asked whether it bears on a resource and a context; that it speaks of the action is known."""

    __slots__ = ("allows", "index", "keys", "requirements", "scope", "statement", "version")

    def __init__(self, statement: Statement, index: int, version: str) -> None:
        self.statement = statement
        self.index = index
        self.version = version
        self.allows = statement.effect is Effect.ALLOW
        self.scope = ResourceScope(statement, version)
        self.requirements = tuple([compile_condition(condition, version) for condition in statement.condition])
        self.keys = self.scope.keys.union(*[requirement.keys for requirement in self.requirements])

    @property
    def is_unconditional(self) -> bool:
        """Whether it applies to every resource in every context."""
        return self.scope.everywhere and not self.requirements

    def applies(self, resource: str, context: Context) -> Truth:
        """Whether resource and conditions fit."""
        fits = True if self.scope.everywhere else self.scope.covers(resource, context)
        if fits is False:
            return False
        for requirement in self.requirements:
            met = requirement.truth(context)
            if met is False:
                return False
            if met is None:
                fits = None
        return fits


class ResourceScope:
    """The Resource or NotResource element; without one, a statement speaks of the resource that it is attached to."""

    __slots__ = ("_literals", "_negated", "_open", "_prefixes", "_tests", "everywhere", "keys", "templates")

    def __init__(self, statement: Statement, version: str) -> None:
        patterns = statement.resource or statement.not_resource
        texts = dict.fromkeys([*patterns, *map(completed, patterns)])  # a `*` may still reach over colons
        templates = [template(text, variables=version == VARIABLES_SINCE) for text in texts]
        self.templates = templates
        self.keys: frozenset[str] = frozenset().union(*map(variable_keys, templates))
        self.everywhere = not patterns or "*" in statement.resource
        self._negated = bool(statement.not_resource)
        self._open = [parts for parts in templates if has_variables(parts)]
        ready = [parts for parts in templates if not has_variables(parts)] if self._open else templates
        self._literals, self._prefixes, self._tests = sorted_tests(ready)

    def covers(self, resource: str, context: Context) -> Truth:
        """Whether the element includes the resource; a variable without a value names no resource at all."""
        if self.everywhere:
            return True
        if resource in self._literals or resource.startswith(self._prefixes):
            return not self._negated
        for test in self._tests:
            if test(resource):
                return not self._negated
        named = self._named_by_variables(resource, context) if self._open else False
        return None if named is None else named != self._negated

    def _named_by_variables(self, resource: str, context: Context) -> Truth:
        unknown = False
        for parts in self._open:
            if any(context.is_unknown(key) for key in variable_keys(parts)):
                unknown = True
                continue
            pattern = filled(parts, context.single)
            if pattern is not None and text_test(pattern)(resource):
                return True
        return None if unknown else False


class CompiledPolicy:
    """A document whose statements are found by action and compiled when first found; both answers are kept."""

    __slots__ = ("_actions", "_by_action", "_compiled", "document")

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document
        self._actions: list[_ActionElement] | None = None
        self._compiled: dict[int, CompiledStatement] = {}
        self._by_action: dict[str, tuple[CompiledStatement, ...]] = {}

    def on(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements that speak of a lower-case action."""
        found = self._by_action.get(action)
        if found is None:
            if self._actions is None:
                self._actions = [_ActionElement(statement) for statement in self.document.statements]
            named = [index for index, element in enumerate(self._actions) if element.names(action)]
            found = self._by_action[action] = tuple([self.statement(index) for index in named])
        return found

    def statements(self) -> tuple[CompiledStatement, ...]:
        """All of them, in order."""
        return tuple([self.statement(index) for index in range(len(self.document.statements))])

    def statement(self, index: int) -> CompiledStatement:
        """One of them, by its position from 0."""
        compiled = self._compiled.get(index)
        if compiled is None:
            compiled = CompiledStatement(self.document.statements[index], index, self.document.version)
            self._compiled[index] = compiled
        return compiled


class _ActionElement:
    """The Action or NotAction element; a statement with neither speaks of nothing."""

    __slots__ = ("_actions", "_otherwise")

    def __init__(self, statement: Statement) -> None:
        self._actions = ActionSet(statement.not_action or statement.action)
        self._otherwise = bool(statement.not_action)

    def names(self, action: str) -> bool:
        return self._actions.matches(action) != self._otherwise


class Compiler:
    """Compiled policies by the identity of their document: equal documents of one source are one object."""

    def __init__(self) -> None:
        self._kept: dict[int, CompiledPolicy] = {}

    def policy(self, document: PolicyDocument) -> CompiledPolicy:
        """The compiled form; the same object for the same document."""
        compiled = self._kept.get(id(document))
        if compiled is None:
            compiled = self._kept[id(document)] = CompiledPolicy(document)
        return compiled

    def policies(self, documents: Iterable[PolicyDocument]) -> tuple[CompiledPolicy, ...]:
        """The compiled forms, in order."""
        return tuple(map(self.policy, documents))
