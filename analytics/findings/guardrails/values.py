"""The guardrail matrix as values: a cell, its states, the statements and exemptions behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analytics.findings.estate import Estate


class Layer(StrEnum):
    """The kinds of policy that can stop a scenario; `best` is the best of the four."""

    SCP = "scp"
    RCP = "rcp"
    BOUNDARY = "boundary"
    IDENTITY = "identity"
    BEST = "best"


class State(StrEnum):
    """What a layer does about a scenario at a target (`data/reference/guardrail_scenarios.yaml`, how_to_read)."""

    COVERED = "covered"
    CONDITIONAL = "conditional"
    PARTIAL = "partial"
    GAP = "gap"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


RANK: Mapping[State, int] = {State.GAP: 0, State.PARTIAL: 1, State.CONDITIONAL: 2, State.COVERED: 3}
CLOSED = (State.CONDITIONAL, State.COVERED)
OWN_ORGANIZATION = "own_organization_id"
LAYERS = (Layer.SCP, Layer.RCP, Layer.BOUNDARY, Layer.IDENTITY)


@dataclass(frozen=True, slots=True, order=True)
class Stated:
    """A deciding statement. Without an index: the whole policy, which does not allow the action."""

    policy: str
    policy_arn: str | None
    attached_to: str
    sid: str | None
    index: int | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A principal that a deny leaves out."""

    principal: str  # a pattern of `aws:PrincipalArn`, or another condition on the principal in words
    kind: str  # named, wildcard
    statement: Stated


@dataclass(frozen=True, slots=True)
class GuardrailSettings:
    """What a team has said that the matrix needs."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # `approved_regions` … -> values
    resources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # scenario id -> patterns of its class


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario at one target in one layer."""

    scenario: str
    target: str
    target_kind: str  # root, ou, account, role, user
    layer: Layer
    state: State
    statements: tuple[Stated, ...] = ()
    missing_actions: tuple[str, ...] = ()  # not stopped, not even conditionally, for somebody in scope
    exemptions: tuple[LeftOut, ...] = ()
    note: str | None = None
    single_layer: bool = False  # this layer alone stops it
    best_layer_of: Layer | None = None  # of a `best` cell: the layer that gives it
    principals: int | None = None  # in scope, where the layer is asked identity by identity
    stopped: int | None = None  # of these
    can_act: int | None = None  # identities that could act through the gap today
    did_act: int | None = None  # those that did in the window; None: it would not have been seen
    open_actions: tuple[str, ...] = ()  # not surely stopped for somebody in scope


def known_lists(lists: Mapping[str, tuple[str, ...]], estate: Estate) -> dict[str, tuple[str, ...]]:
    """The lists that a team names, and the organisation's own id where the snapshot has it."""
    own = {OWN_ORGANIZATION: (estate.organization_id,)} if estate.organization_id else {}
    return {**own, **lists}
