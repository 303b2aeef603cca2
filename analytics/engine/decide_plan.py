"""What a stack of policies says of one action, gathered once: the statements of each layer that speak of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_values import Layer, StatementAt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.engine.decide_policy import CompiledPolicy, CompiledStatement, Compiler
    from analytics.engine.decide_values import Policies
    from analytics.iam.policy import PolicyDocument

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


def make_plan(policies: Policies, action: str, compiler: Compiler) -> Plan:
    """Gather what speaks of a lower-case action; an empty list of boundaries or session policies means none."""
    compiled = compiler.policies
    return Plan(
        scps=_levels(Layer.SCP, map(compiled, policies.scp_levels), action),
        rcps=_levels(Layer.RCP, map(compiled, policies.rcp_levels), action),
        identity=_group(Layer.IDENTITY, compiled(policies.identity), action),
        boundary=_limit(Layer.BOUNDARY, policies.boundary, action, compiler),
        session=_limit(Layer.SESSION, policies.session, action, compiler),
        resource=_limit(Layer.RESOURCE, (policies.resource,) if policies.resource else None, action, compiler),
    )


def _limit(layer: Layer, documents: tuple[PolicyDocument, ...] | None, action: str, compiler: Compiler) -> Group | None:
    return _group(layer, compiler.policies(documents), action) if documents else None


def _levels(layer: Layer, levels: Iterable[tuple[CompiledPolicy, ...]], action: str) -> tuple[Group, ...]:
    """One group per level; positions of policies count through the levels."""
    groups, first = [], 0
    for policies in levels:
        groups.append(_group(layer, policies, action, first))
        first += len(policies)
    return tuple(groups)


def _group(layer: Layer, policies: Iterable[CompiledPolicy], action: str, first: int = 0) -> Group:
    denies: list[Placed] = []
    allows: list[Placed] = []
    for position, policy in enumerate(policies, first):
        for statement in policy.on(action):
            at = StatementAt(layer, position, statement.index, statement.statement.sid)
            (allows if statement.allows else denies).append((statement, at))
    return Group(tuple(denies), tuple(allows))
