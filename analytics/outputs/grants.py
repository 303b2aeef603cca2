"""Which statements grant an action to an identity: the evidence behind its reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.engine.reach import Reachable, StatementRef
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect, PolicyDocument, to_json
from analytics.outputs.stacks import stack_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.iam.policy import Statement


@dataclass(frozen=True, slots=True)
class Granting:
    """A statement that allows the action, perhaps; `statement` is its JSON."""

    ref: StatementRef
    statement: dict[str, Any]
    always: bool  # on every request for the action


def granting_statements(con: DuckDBPyConnection, *, principal_arn: str, action: str) -> tuple[Granting, ...]:
    """The statements of every layer that allow the action, the identity's own first; none without a snapshot."""
    stack = stack_of(con, principal_arn)
    if stack is None:
        return ()
    bearing = Reachable(load_catalogue()).bearing(stack, action, Effect.ALLOW)
    return tuple(Granting(found.ref, _document(found.statement), found.always) for found in bearing)


def _document(statement: Statement) -> dict[str, Any]:
    printed: dict[str, Any] = to_json(PolicyDocument((statement,)))["Statement"][0]
    return printed
