"""What a principal can do, as sets of actions.

A condition or a resource scope may or may not fit the next request, so every answer is a pair: allowed *surely*
(on every resource) and allowed *maybe* (on some resource, in some request). INVARIANT: `surely` is a subset of `maybe`.
IAM User Guide, "Policy evaluation logic"; this is the identity side: identity policies, boundary, SCP levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.engine.reach_conditions import ALWAYS, Certainty, Judge
from analytics.engine.reach_layers import PolicyCompiler, Sums, layer_reach
from analytics.engine.reach_sets import Reach
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Statement
    from analytics.iam.stack import NamedPolicy, PolicyStack

__all__ = ["Bearing", "Reach", "Reachable", "Resources", "StatementRef", "layered_policies"]


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
    """A statement that bears on an action of this principal: in every request for it, or in some.

    `statement.resource` and `statement.not_resource` say on which resources.
    """

    ref: StatementRef
    statement: Statement
    always: bool


@dataclass(frozen=True, slots=True)
class Resources:
    """Resource patterns of one action: what grants name, what their NotResource spares, what denies name."""

    granted: tuple[str, ...]
    spared: tuple[str, ...]
    denied: tuple[str, ...]


class Reachable:
    """The reach of principals over one catalogue; each distinct pattern, policy and condition is compiled once.

    Compiled policies are kept by the identity of their frozen document, as `NamedPolicy` promises.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._judge = Judge(catalogue)
        self._compiler = PolicyCompiler(catalogue, self._judge)

    def of(self, stack: PolicyStack) -> Reach:
        """What the principal can do: identity policies, within the boundary, within every level of SCPs."""
        known = self._judge.principal(stack.principal)
        # The root user needs no policy in its own account.
        implicit = self.catalogue.full if stack.principal.kind is PrincipalKind.ROOT else 0
        start = Sums(allowed_surely=implicit, allowed_maybe=implicit)
        held = layer_reach((self._compiler.policy(named.document) for named in stack.identity), known, start)
        if stack.boundary is not None:
            held = held.within(self._compiler.limits(((stack.boundary,),)).reach(known))
        if stack.scp_levels:
            held = held.within(self._compiler.limits(level.policies for level in stack.scp_levels).reach(known))
        not_seen = stack.boundary is None and stack.boundary_not_collected
        return Reach(0, held.reach.maybe) if not_seen else held.reach

    def granted_by(self, stack: PolicyStack, action: str) -> tuple[StatementRef, ...]:
        """The statements of every layer that allow the action, perhaps; the identity layer's come first."""
        return tuple(bearing.ref for bearing in self.bearing(stack, action, Effect.ALLOW))

    def denied_by(self, stack: PolicyStack, action: str) -> tuple[StatementRef, ...]:
        """The statements of every layer that deny the action, perhaps."""
        return tuple(bearing.ref for bearing in self.bearing(stack, action, Effect.DENY))

    def bearing(self, stack: PolicyStack, action: str, effect: Effect) -> tuple[Bearing, ...]:
        """The statements of one effect that bear on the action for this principal, each with its certainty."""
        number = self.catalogue.number(action)
        if number is None:
            return ()
        return tuple(self._bearing(stack, number, effect))

    def resources(self, stack: PolicyStack, action: str) -> Resources:
        """On which resources the identity policies grant the action, and which any layer may take away again."""
        allows = [one.statement for one in self.bearing(stack, action, Effect.ALLOW) if one.ref.layer == "identity"]
        denies = [one.statement for one in self.bearing(stack, action, Effect.DENY)]
        granted = {pattern for one in allows for pattern in one.resource or ("*",)}
        return Resources(
            granted=("*",) if "*" in granted else tuple(sorted(granted)),
            spared=tuple(sorted({pattern for one in allows for pattern in one.not_resource})),
            denied=tuple(sorted({pattern for one in denies for pattern in one.resource or ("*",)})),
        )

    def _bearing(self, stack: PolicyStack, number: int, effect: Effect) -> Iterator[Bearing]:
        known = self._judge.principal(stack.principal)
        for layer, named in layered_policies(stack):
            for index, piece in enumerate(self._compiler.pieces(named.document)):
                if piece.effect is not effect or not piece.actions.maybe >> number & 1:
                    continue
                verdict = known.verdict(piece.block)
                if verdict.certainty is Certainty.NEVER:
                    continue
                statement = named.document.statements[index]
                ref = StatementRef(layer, named.name, named.attached_to, index, statement.sid)
                on_all = bool(piece.actions.surely >> number & 1)
                yield Bearing(ref, statement, always=on_all and verdict == ALWAYS)


def layered_policies(stack: PolicyStack) -> Iterator[tuple[str, NamedPolicy]]:
    """The policies of the identity side with their layers: identity, boundary, then SCPs from the root down."""
    yield from (("identity", named) for named in stack.identity)
    if stack.boundary is not None:
        yield "boundary", stack.boundary
    for level in stack.scp_levels:
        yield from (("scp", named) for named in level.policies)
