"""Policies made ready for many decisions: statements found by action, tests of resources and conditions compiled.

A compiled policy is kept with its document, so that stacks which share a policy share the work. INVARIANT: whether a
statement applies is True, False or None, and None only where a key that was not recorded could change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.iam.condition import VARIABLES_SINCE, compile_condition
from analytics.iam.match import ActionSet, filled, template, text_test, variable_keys
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.iam.condition import Context
    from analytics.iam.match import Template, Test
    from analytics.iam.policy import PolicyDocument, Statement


class CompiledStatement:
    """One statement, asked whether it bears on an action, a resource and a context."""

    __slots__ = ("_actions", "_always", "_not_actions", "allows", "index", "keys", "requirements", "scope", "statement")

    def __init__(self, statement: Statement, index: int, version: str) -> None:
        self.statement = statement
        self.index = index
        self.allows = statement.effect is Effect.ALLOW
        self.scope = ResourceScope(statement, version)
        self.requirements = tuple(compile_condition(condition, version) for condition in statement.condition)
        self.keys = self.scope.keys.union(*(requirement.keys for requirement in self.requirements))
        self._actions = ActionSet(statement.action) if statement.action else None
        self._not_actions = ActionSet(statement.not_action) if statement.not_action else None
        self._always = self.scope.everywhere and not self.requirements

    def names(self, action: str) -> bool:
        """Whether the statement speaks of a lower-case `service:action`."""
        if self._actions is not None:
            return self._actions.matches(action)
        return self._not_actions is not None and not self._not_actions.matches(action)

    def applies(self, resource: str, context: Context) -> bool | None:
        """Whether resource and conditions fit; the action is known to."""
        if self._always:
            return True
        fits = self.scope.covers(resource, context)
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

    __slots__ = ("_negated", "_open", "_tests", "everywhere", "keys", "templates")

    def __init__(self, statement: Statement, version: str) -> None:
        patterns = statement.resource or statement.not_resource
        templates = [template(pattern, variables=version == VARIABLES_SINCE) for pattern in patterns]
        self.templates = templates
        self.keys: frozenset[str] = frozenset().union(*map(variable_keys, templates))
        self.everywhere = not patterns or any(pattern == "*" for pattern in statement.resource)
        self._negated = bool(statement.not_resource)
        self._tests: tuple[Test, ...] = tuple(text_test(parts) for parts in templates if not variable_keys(parts))
        self._open: tuple[Template, ...] = tuple(parts for parts in templates if variable_keys(parts))

    def covers(self, resource: str, context: Context) -> bool | None:
        """Whether the element includes the resource; a variable without a value names no resource at all."""
        if self.everywhere:
            return True
        for test in self._tests:
            if test(resource):
                return not self._negated
        named = self._named_by_variables(resource, context) if self._open else False
        return None if named is None else named != self._negated

    def _named_by_variables(self, resource: str, context: Context) -> bool | None:
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
    """A document whose statements are found by action; the answer for each action is kept."""

    __slots__ = ("_by_action", "document", "statements")

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document
        self.statements = tuple(
            CompiledStatement(statement, index, document.version) for index, statement in enumerate(document.statements)
        )
        self._by_action: dict[str, tuple[CompiledStatement, ...]] = {}

    def on(self, action: str) -> tuple[CompiledStatement, ...]:
        """The statements that speak of a lower-case action."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.names(action))
            self._by_action[action] = found
        return found


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
