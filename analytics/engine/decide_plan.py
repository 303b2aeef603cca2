"""What a stack of policies says of one action, gathered once: the statements of each layer that speak of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_values import Layer, StatementAt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.engine.decide_policy import CompiledPolicy, CompiledStatement, Compiler
    from analytics.engine.decide_values import Policies

Placed = tuple["CompiledStatement", StatementAt]


class Group(NamedTuple):
    """The statements of one layer, or of one level of control policies."""

    denies: tuple[Placed, ...]
    allows: tuple[Placed, ...]


class Plan(NamedTuple):
    """The statements of a stack that speak of one action, by layer. None: there is no such policy."""

    scps: tuple[Group, ...]
    rcps: tuple[Group, ...]
    identity: Group
    boundary: Group | None
    session: Group | None
    resource: Group | None

    def statements(self) -> Iterator[CompiledStatement]:
        """Every statement, layer by layer."""
        groups = (*self.scps, *self.rcps, self.identity, self.boundary, self.session, self.resource)
        return (statement for group in groups if group is not None for statement, _ in group.denies + group.allows)


class CompiledPolicies:
    """The policies of a stack, compiled; an empty list of boundaries or session policies means that there is none."""

    __slots__ = ("_boundary", "_identity", "_rcps", "_resource", "_scps", "_session")

    def __init__(self, policies: Policies, compiler: Compiler) -> None:
        compiled = compiler.policies
        self._scps = tuple(map(compiled, policies.scp_levels))
        self._rcps = tuple(map(compiled, policies.rcp_levels))
        self._identity = compiled(policies.identity)
        self._boundary = compiled(policies.boundary) if policies.boundary else ()
        self._session = compiled(policies.session) if policies.session else ()
        self._resource = compiled((policies.resource,)) if policies.resource else ()

    def plan(self, action: str) -> Plan:
        """Gather what speaks of a lower-case action."""
        return Plan(
            _levels(Layer.SCP, self._scps, action),
            _levels(Layer.RCP, self._rcps, action),
            _group(Layer.IDENTITY, self._identity, action),
            _group(Layer.BOUNDARY, self._boundary, action) if self._boundary else None,
            _group(Layer.SESSION, self._session, action) if self._session else None,
            _group(Layer.RESOURCE, self._resource, action) if self._resource else None,
        )


def _levels(layer: Layer, levels: tuple[tuple[CompiledPolicy, ...], ...], action: str) -> tuple[Group, ...]:
    """The levels that limit the action; positions of policies count through all levels."""
    groups, first = [], 0
    for policies in levels:
        groups.append(_group(layer, policies, action, first))
        first += len(policies)
    return tuple(group for group in groups if not _lets_everything_pass(group))


def _lets_everything_pass(group: Group) -> bool:
    return not group.denies and any(statement.is_unconditional for statement, _ in group.allows)


def _group(layer: Layer, policies: tuple[CompiledPolicy, ...], action: str, first: int = 0) -> Group:
    denies: list[Placed] = []
    allows: list[Placed] = []
    for position, policy in enumerate(policies, first):
        for statement in policy.on(action):
            at = StatementAt(layer, position, statement.index, statement.statement.sid)
            (allows if statement.allows else denies).append((statement, at))
    return Group(tuple(denies), tuple(allows))
