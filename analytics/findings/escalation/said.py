"""What one policy, and what all that limits an identity, says of the actions of paths; found once for all identities.

INVARIANT: only statements that ask who calls are answered for each identity; all others are decided alike for all.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_facts import KNOWN_OF_ALL, about_principal
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analytics.engine.decide_policy import CompiledPolicy, CompiledStatement
    from analytics.findings.escalation.bearing import Groups
    from analytics.findings.escalation.workshop import Workshop
    from analytics.iam.condition import Context
    from analytics.iam.stack import PolicyStack

    Statements = tuple[CompiledStatement, ...]

_NOTHING: tuple[Statements, Statements] = ((), ())


class Said(dict[str, "tuple[Statements, Statements]"]):
    """What one policy says of each action of a path, once asked.

    First the statements that speak of the action for all identities alike, then those that ask who calls.
    """

    def __init__(self, policy: CompiledPolicy, named: Sequence[frozenset[str]]) -> None:
        """`named`: of each statement of the policy, the actions of paths of which it speaks, in lower case."""
        super().__init__()
        self._policy = policy
        self._positions: defaultdict[str, list[int]] = defaultdict(list)
        self.frees = frozenset[str]()  # allowed everywhere without a condition
        self.denies = False
        self.asking: list[tuple[CompiledStatement, frozenset[str]]] = []
        for at, actions in enumerate(named):
            if actions:
                self._add(at, actions)

    def _add(self, at: int, actions: frozenset[str]) -> None:
        statement = self._policy.document.statements[at]
        for action in actions:
            self._positions[action].append(at)
        if statement.effect is Effect.DENY:
            self.denies = True
        elif "*" in statement.resource and not statement.condition:
            self.frees |= actions
        if statement.condition or any("${" in text for text in (*statement.resource, *statement.not_resource)):
            compiled = self._policy.statement(at)
            if asks(compiled):
                self.asking.append((compiled, actions))

    def __missing__(self, action: str) -> tuple[Statements, Statements]:
        found = self[action] = self._find(action) if action in self._positions else _NOTHING
        return found

    def _find(self, action: str) -> tuple[Statements, Statements]:
        spoken = [self._policy.statement(at) for at in self._positions[action]]
        asking = tuple(filter(asks, spoken))
        return tuple(one for one in spoken if one not in asking and may_hold(one, KNOWN_OF_ALL)), asking


def asks(statement: CompiledStatement) -> bool:
    """Whether a condition or a variable asks who the identity is."""
    return any(map(about_principal, statement.keys))


def may_hold(statement: CompiledStatement, known: Context) -> bool:
    """False where a condition does not hold for what is known of the identity, whatever it requests."""
    return all(need.truth(known) is not False for need in statement.requirements)


class Limiting(NamedTuple):
    """What limits an action for some identities; `number` stands for the statements, layer by layer."""

    number: int
    groups: Groups


class Limits:
    """Boundary and control policies of all identities under the same of them."""

    def __init__(self, workshop: Workshop, stack: PolicyStack) -> None:
        self._workshop = workshop
        self._stack = stack
        documents = [named.document for level in (*stack.scp_levels, *stack.rcp_levels) for named in level.policies]
        documents += [] if stack.boundary is None else [stack.boundary.document]
        self.asking = [pair for document in documents for pair in workshop.said(document).asking]
        self._said: dict[str, tuple[Groups, Statements]] = {}
        self._found: dict[tuple[str, tuple[bool, ...]], Limiting] = {}

    def on(self, action: str, may_hold: Callable[[CompiledStatement], bool]) -> Limiting:
        """What limits an action for an identity of which `may_hold` knows whether a statement's conditions may hold.

        Of conditions that do not ask who it is, the answer is the same for all identities.
        """
        said = self._said.get(action)
        if said is None:
            groups = tuple(self._groups(action))
            said = self._said[action] = (groups, tuple(one for _layer, group in groups for one in group if asks(one)))
        groups, asking = said
        key = (action, tuple([may_hold(one) for one in asking]) if asking else ())
        found = self._found.get(key)
        if found is None:
            groups = tuple((layer, tuple(filter(may_hold, group))) for layer, group in groups)
            marks = self._workshop.marks
            number = marks.numbered(frozenset((layer, frozenset(map(marks.mark, group))) for layer, group in groups))
            found = self._found[key] = Limiting(number, groups)
        return found

    def _groups(self, action: str) -> Iterator[tuple[str, Statements]]:
        """By layer and level; one that lets everything pass does not limit."""
        stack, workshop = self._stack, self._workshop
        if stack.boundary is not None:
            yield from _limiting("boundary", workshop.saying(stack.boundary.document, action))
        for layer, levels in (("scp", stack.scp_levels), ("rcp", stack.rcp_levels)):
            for level in levels:
                yield from _limiting(layer, workshop.level(level, action))


def _limiting(layer: str, group: Statements) -> Iterator[tuple[str, Statements]]:
    if not (all(one.allows for one in group) and any(one.is_unconditional for one in group)):
        yield layer, group
