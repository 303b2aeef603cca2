"""Whether a caller could begin a session of a role, by asking for one: the request is decided as AWS would decide it.

What the caller cannot set decides against certainty; what it may choose for itself (its tags, its MFA device, the
session's name) holds nobody back. An ExternalId is a secret: a caller without it is tried as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.findings.trust.facts import EXTERNAL_ID, callers_choice
from analytics.iam.policy import Effect, PolicyDocument, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.engine.decide_policy import Compiler

_EVERYTHING = PolicyDocument((Statement(Effect.ALLOW, action=("*",), resource=("*",)),), version="2012-10-17")
_SOME_EXTERNAL_ID = "headroom-any-external-id"
# Of a call that no AWS service makes on behalf of a resource; CalledVia and ViaAWSService may still be there.
ONLY_OF_SERVICES = frozenset(
    {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:principalservicename",
        "aws:principalservicenameslist",
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks. Keys that are neither valued nor absent may have any value."""

    principal: str  # as a request names it
    action: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: frozenset[str] = ONLY_OF_SERVICES


class Admission(NamedTuple):
    """Whether somebody is let in."""

    possible: bool
    limits: frozenset[str] = frozenset()  # keys that would decide it and that the caller does not set
    needs_external_id: bool = False

    @property
    def surely(self) -> bool:
        """Whether nothing beyond the caller's control is needed."""
        return self.possible and not self.limits


REFUSED = Admission(possible=False)


@dataclass(frozen=True, slots=True)
class Role:
    """What is asked for: a role, and what binds it beside its trust document."""

    arn: str
    account_id: str
    rcp_levels: tuple[tuple[PolicyDocument, ...], ...] = ()
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # condition keys about the role


class Door:
    """One role under one trust document."""

    def __init__(self, role: Role, trust: PolicyDocument, compiler: Compiler) -> None:
        self._role = role
        self._compiler = compiler
        self._documents = (trust, *(document for level in role.rcp_levels for document in level))
        policies = Policies(identity=(_EVERYTHING,), rcp_levels=role.rcp_levels, resource=trust)
        self._decider = Decider(policies, compiler)
        self._keys: dict[str, frozenset[str]] = {}

    def keys(self, action: str) -> frozenset[str]:
        """The condition keys (lower case) that decide on an action."""
        found = self._keys.get(action)
        if found is None:
            statements = (
                statement
                for document in self._documents
                for statement in self._compiler.policy(document).on(action.lower())
            )
            found = self._keys[action] = frozenset[str]().union(*(statement.keys for statement in statements))
        return found

    def admits(self, caller: Caller) -> Admission:
        """Whether the caller may begin a session."""
        found = self._ask(caller)
        if not found.possible or EXTERNAL_ID not in self.keys(caller.action):
            return found
        for external_id in ((), (_SOME_EXTERNAL_ID,)):
            without = self._ask(caller, {EXTERNAL_ID: external_id})
            if without.possible:
                return without
        return found._replace(limits=found.limits - {EXTERNAL_ID}, needs_external_id=True)

    def _ask(self, caller: Caller, more: Mapping[str, tuple[str, ...]] | None = None) -> Admission:
        given = {**self._role.properties, **caller.values, **(more or {})}
        values = {key: value for key, value in given.items() if value}
        unknown = self.keys(caller.action) - given.keys() - caller.absent
        request = Request(
            caller.principal, caller.action, self._role.arn, self._role.account_id, context=values, unknown_keys=unknown
        )
        decision = self._decider.decide(request)
        if decision.result is Result.ALLOWED:
            return Admission(possible=True)
        if decision.result is not Result.UNDECIDABLE:
            return REFUSED
        limits = frozenset(key for key in decision.unknown_keys if not callers_choice(key))
        return Admission(possible=True, limits=limits)
