"""What goes into a decision and what comes out: frozen values, in AWS's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import PolicyStack


class Result(StrEnum):
    """The answer to a request."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    UNDECIDABLE = "Undecidable"


class Layer(StrEnum):
    """The kinds of policy, in the order in which a decision names them."""

    SCP = "scp"
    RCP = "rcp"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    RESOURCE = "resource"


class StatementAt(NamedTuple):
    """Where a deciding statement stands: layer, position of its policy in the layer (levels in a row), its own."""

    layer: Layer
    policy: int
    statement: int
    sid: str | None


class Request(NamedTuple):
    """Who asks for what. Context keys are in lower case; one in neither `context` nor `unknown_keys` is absent."""

    principal: str
    action: str
    resource: str
    resource_account: str | None = None  # None: the ARN's, or else the caller's
    context: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    unknown_keys: frozenset[str] = frozenset()
    wildcard_only: bool = False  # the action has no resource types: it is asked of `*`


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that bears on a request. None: there is no such policy; a level without policies denies."""

    identity: tuple[PolicyDocument, ...] = ()
    boundary: tuple[PolicyDocument, ...] | None = None
    scp_levels: tuple[tuple[PolicyDocument, ...], ...] = ()
    rcp_levels: tuple[tuple[PolicyDocument, ...], ...] = ()
    resource: PolicyDocument | None = None
    session: tuple[PolicyDocument, ...] | None = None
    management_account: str | None = None

    @classmethod
    def of(cls, stack: PolicyStack, resource: PolicyDocument | None = None) -> Policies:
        """The policies of a principal's stack, and perhaps the resource's own."""
        return cls(
            identity=tuple(named.document for named in stack.identity),
            boundary=None if stack.boundary is None else (stack.boundary.document,),
            scp_levels=tuple(tuple(named.document for named in level.policies) for level in stack.scp_levels),
            rcp_levels=tuple(tuple(named.document for named in level.policies) for level in stack.rcp_levels),
            resource=resource,
        )


class Decision(NamedTuple):
    """The result and its reasons."""

    result: Result
    blocked_by: tuple[Layer, ...] = ()  # the layers that deny or withhold; of Undecidable: that may
    because: tuple[StatementAt, ...] = ()  # the denying statements, or those of identity and resource that grant
    unknown_keys: tuple[str, ...] = ()  # of Undecidable: the keys that would decide it
