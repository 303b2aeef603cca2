"""What a principal can do, as sets of actions.

A condition or a resource scope may or may not fit the next request, so every answer is a pair: allowed *surely*
(on every resource) and allowed *maybe* (on some resource, in some request). INVARIANT: `surely` is a subset of `maybe`.
IAM User Guide, "Policy evaluation logic"; this is the identity side: identity policies, boundary, SCP levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import PolicyDocument, Statement
    from analytics.iam.stack import NamedPolicy, PolicyStack


@dataclass(frozen=True, slots=True)
class Reach:
    """Two bit sets over the catalogue's actions."""

    surely: int
    maybe: int

    def within(self, limit: Reach) -> Reach:
        """Both must allow: a permissions boundary, or one level of SCPs."""
        return Reach(self.surely & limit.surely, self.maybe & limit.maybe)

    def without(self, denied: Reach) -> Reach:
        """A possible deny spoils certainty; only a certain deny spoils possibility."""
        return Reach(self.surely & ~denied.maybe, self.maybe & ~denied.surely)

    def also(self, other: Reach) -> Reach:
        """Either grants: one more policy."""
        return Reach(self.surely | other.surely, self.maybe | other.maybe)


NOTHING = Reach(0, 0)


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Where a statement stands: layer, policy, whom that is attached to, position and Sid."""

    layer: str  # identity, boundary, scp, rcp, resource, session
    policy: str
    attached_to: str
    index: int
    sid: str | None


@dataclass(frozen=True, slots=True)
class Bearing:
    """A statement that bears on an action: on every request for it, or on some."""

    ref: StatementRef
    statement: Statement
    always: bool


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one policy, or all policies of one layer together, allow and deny."""

    allowed: Reach = NOTHING
    denied: Reach = NOTHING

    def also(self, other: _Layer) -> _Layer:
        return _Layer(self.allowed.also(other.allowed), self.denied.also(other.denied))

    @property
    def reach(self) -> Reach:
        return self.allowed.without(self.denied)


_NO_POLICY = _Layer()


class Reachable:
    """The reach of principals over one catalogue; each distinct policy is compiled once.

    Compiled policies are kept by the identity of their frozen document, as `NamedPolicy` promises.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._everything = Reach(catalogue.full, catalogue.full)
        self._compiled: dict[int, tuple[PolicyDocument, _Layer]] = {}

    def of(self, stack: PolicyStack) -> Reach:
        """What the principal can do: identity policies, within the boundary, within every level of SCPs."""
        reach = self._identity(stack)
        if stack.boundary is not None:
            reach = reach.within(self._layer((stack.boundary,)).reach)
        elif stack.boundary_not_collected:
            reach = Reach(0, reach.maybe)
        for level in stack.scp_levels:
            reach = reach.within(self._layer(level.policies).reach)
        return reach

    def granted_by(self, stack: PolicyStack, action: str) -> tuple[StatementRef, ...]:
        """The statements of every layer that allow the action, perhaps; the identity layer's come first."""
        return tuple(bearing.ref for bearing in self.bearing(stack, action, Effect.ALLOW))

    def denied_by(self, stack: PolicyStack, action: str) -> tuple[StatementRef, ...]:
        """The statements of every layer that deny the action, perhaps."""
        return tuple(bearing.ref for bearing in self.bearing(stack, action, Effect.DENY))

    def bearing(self, stack: PolicyStack, action: str, effect: Effect) -> tuple[Bearing, ...]:
        """The statements of one effect that bear on the action, with layer, scope and certainty."""
        number = self.catalogue.number(action)
        if number is None:
            return ()
        return tuple(self._bearing(stack, number, effect))

    def _bearing(self, stack: PolicyStack, number: int, effect: Effect) -> Iterator[Bearing]:
        for layer, named in layered_policies(stack):
            for index, statement in enumerate(named.document.statements):
                if statement.effect is not effect:
                    continue
                reach = _statement_reach(statement, self.catalogue)
                if reach.maybe >> number & 1:
                    ref = StatementRef(layer, named.name, named.attached_to, index, statement.sid)
                    yield Bearing(ref, statement, always=bool(reach.surely >> number & 1))

    def _identity(self, stack: PolicyStack) -> Reach:
        layer = self._layer(stack.identity)
        if stack.principal.kind is PrincipalKind.ROOT:  # the root user needs no policy in its own account
            return self._everything.without(layer.denied)
        return layer.reach

    def _layer(self, policies: Iterable[NamedPolicy]) -> _Layer:
        return reduce(_Layer.also, (self._compile(named.document) for named in policies), _NO_POLICY)

    def _compile(self, document: PolicyDocument) -> _Layer:
        kept = self._compiled.get(id(document))
        if kept is None:
            kept = self._compiled[id(document)] = (document, _policy_layer(document, self.catalogue))
        return kept[1]


def layered_policies(stack: PolicyStack) -> Iterator[tuple[str, NamedPolicy]]:
    """The policies of the identity side with their layers: identity, boundary, then SCPs from the root down."""
    yield from (("identity", named) for named in stack.identity)
    if stack.boundary is not None:
        yield "boundary", stack.boundary
    for level in stack.scp_levels:
        yield from (("scp", named) for named in level.policies)


def _policy_layer(document: PolicyDocument, catalogue: Catalogue) -> _Layer:
    allowed, denied = NOTHING, NOTHING
    for statement in document.statements:
        reach = _statement_reach(statement, catalogue)
        if statement.effect is Effect.ALLOW:
            allowed = allowed.also(reach)
        else:
            denied = denied.also(reach)
    return _Layer(allowed, denied)


def _statement_reach(statement: Statement, catalogue: Catalogue) -> Reach:
    """The actions that the statement bears on in every request, and in some."""
    reach = _on_resources(statement, _actions(statement, catalogue), catalogue)
    return Reach(0, reach.maybe) if statement.condition else reach


def _actions(statement: Statement, catalogue: Catalogue) -> int:
    if statement.not_action:
        return catalogue.full & ~_expand(statement.not_action, catalogue)
    return _expand(statement.action, catalogue)


def _expand(patterns: Iterable[str], catalogue: Catalogue) -> int:
    mask = 0
    for pattern in patterns:
        mask |= catalogue.expand(pattern)
    return mask


def _on_resources(statement: Statement, actions: int, catalogue: Catalogue) -> Reach:
    """Scope by resource: a wildcard-only action is requested on `*` itself, and no narrower pattern matches that."""
    lone = actions & catalogue.wildcard_only
    if statement.not_resource:
        may_spare_all = any(_may_match_star(pattern) for pattern in statement.not_resource)
        if any(_matches_all(pattern) for pattern in statement.not_resource):
            return NOTHING
        return Reach(0 if may_spare_all else lone, actions)
    if not statement.resource or any(_matches_all(pattern) for pattern in statement.resource):
        return Reach(actions, actions)
    if any(_may_match_star(pattern) for pattern in statement.resource):
        return Reach(0, actions)
    return Reach(0, actions & ~lone)


def _matches_all(pattern: str) -> bool:
    return pattern.strip("*") == "" != pattern


def _may_match_star(pattern: str) -> bool:
    """Whether the pattern could match the text `*`: `?*`, or a variable that stands for it."""
    return "${" in pattern or pattern.strip("*?") == ""
