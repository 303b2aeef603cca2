"""What one identity may do to one resource: not, perhaps, or surely.

Reach answers where it can: what is allowed on every resource is allowed on this one, and what is allowed on none is
not. Between the two, one request is decided exactly, with what is known of the identity, of the resource, and of the
keys that the caller would choose. INVARIANT: SURELY is claimed only for a request that AWS would allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.decide_facts import is_protected
from analytics.engine.decide_policy import Compiler
from analytics.engine.reach_choice import free_keys
from analytics.engine.reach_facts import known_context
from analytics.findings.escalation_paths import PASS_ROLE
from analytics.iam.match import completed
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analytics.findings.estate import Estate, Subject
    from analytics.iam.condition import Context
    from analytics.iam.stack import NamedPolicy, PolicyStack

    Values = Mapping[str, tuple[str, ...]]

ADMINISTRATOR_POLICY = "arn:{partition}:iam::aws:policy/AdministratorAccess"
ANY_NAME = "headroom-any-name"  # no policy names it
ROLE_KINDS = frozenset({PrincipalKind.ROLE, PrincipalKind.SSO_ROLE})
_TAG_KEYS = ("aws:resourcetag/", "iam:resourcetag/")
_BOUNDARY = "iam:permissionsboundary"
VARIABLE = re.compile(r"\$\{[^{}]*\}")
# Service Authorization Reference, IAM: keys that the caller chooses with the request; () is none at all.
_CHOSEN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "iam:AttachRolePolicy": ("iam:policyarn", (ADMINISTRATOR_POLICY,)),
    "iam:AttachUserPolicy": ("iam:policyarn", (ADMINISTRATOR_POLICY,)),
    "iam:AttachGroupPolicy": ("iam:policyarn", (ADMINISTRATOR_POLICY,)),
    "iam:PutRolePermissionsBoundary": (_BOUNDARY, (ADMINISTRATOR_POLICY,)),
    "iam:PutUserPermissionsBoundary": (_BOUNDARY, (ADMINISTRATOR_POLICY,)),
    "iam:CreateRole": (_BOUNDARY, ()),
    "iam:CreateUser": (_BOUNDARY, ()),
}


class Held(IntEnum):
    """How certain a power is; the lesser of two is that of both together."""

    NO = 0
    MAYBE = 1
    SURELY = 2


@dataclass(frozen=True, slots=True)
class AboutResource:
    """What is known of a resource as condition keys.

    A key that begins with one of `absent` and has no value is known to be absent.
    """

    values: Values = field(default_factory=dict)
    absent: tuple[str, ...] = ()


NOTHING_KNOWN = AboutResource()


@dataclass(frozen=True)
class Workshop:
    """What all identities of an estate share: compiled policies, and the keys that any caller may choose."""

    estate: Estate
    compiler: Compiler = field(default_factory=Compiler)

    @cached_property
    def free(self) -> Mapping[str, int]:
        """Condition keys of free choice, with the actions that carry them."""
        return free_keys(self.estate.catalogue)


class Powers:
    """One identity's powers; each question is answered once."""

    def __init__(self, workshop: Workshop, subject: Subject) -> None:
        self.subject = subject
        self._workshop = workshop
        self._catalogue = workshop.estate.catalogue
        self._answers: dict[tuple[str, str, str | None, tuple[str, ...]], Held] = {}
        self._anywhere: dict[tuple[str, bool], Held] = {}
        self._keys: dict[str, frozenset[str]] = {}

    def reach(self, action: str) -> Held:
        """By reach alone: on every resource, on some perhaps, or on none."""
        number = self._catalogue.number(action)
        if number is None or not self.subject.reach.maybe >> number & 1:
            return Held.NO
        return Held.SURELY if self.subject.reach.surely >> number & 1 else Held.MAYBE

    def on(self, action: str, resource: str, about: AboutResource = NOTHING_KNOWN, choice: str | None = None) -> Held:
        """On one resource. `choice`: the service to which a role is passed, the policy that is detached."""
        held = self.reach(action)
        if held is Held.NO or is_protected(action.lower(), resource):
            return Held.NO
        if held is Held.SURELY:
            return Held.SURELY
        key = (action, resource, choice, about.absent)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._decided(action, resource, about, choice)
        return answer

    def anywhere(self, action: str, *, made: bool) -> Held:
        """On a resource of which nothing is known; `made`: the caller makes it, and so chooses its name.

        SURELY where a resource with any name would do, or with a name that the caller gives it.
        """
        held = self.reach(action)
        if held is not Held.MAYBE:
            return held
        key = (action, made)
        answer = self._anywhere.get(key)
        if answer is None:
            names = (*self._of_any_name(action), *(self.examples(action) if made else ()))
            sure = any(self._decided(action, name, NOTHING_KNOWN, None) is Held.SURELY for name in names)
            answer = self._anywhere[key] = Held.SURELY if sure else Held.MAYBE
        return answer

    def examples(self, action: str) -> list[str]:
        """A resource for each pattern on which identity policies grant the action."""
        granted = self._workshop.estate.reachable.resources(self.subject.stack, action).granted
        return [self.example(pattern) for pattern in granted if pattern != "*"]

    def any_names(self, action: str) -> list[str]:
        """Resources that stand for all on which the action may be granted: of any name, and one per pattern."""
        return [*self._of_any_name(action), *self.examples(action)]

    def example(self, pattern: str) -> str:
        """A resource that the pattern matches: wildcards in the account are the identity's own, else any name."""
        parts = completed(VARIABLE.sub(ANY_NAME, pattern)).split(":", 5)
        if len(parts) == 6 and parts[4] in ("*", ""):
            parts[4] = self.subject.account_id if parts[4] else ""
        return ":".join(parts).replace("*", ANY_NAME).replace("?", "x")

    def _of_any_name(self, action: str) -> Iterator[str]:
        fill = {"partition": _partition(self.subject.arn), "account": self.subject.account_id}
        kinds = self._catalogue.resource_types(action)
        if not kinds:
            yield "*"
        for kind in kinds:
            yield VARIABLE.sub(lambda found: fill.get(found.group()[2:-1].lower(), ANY_NAME), kind.arn)

    def _decided(self, action: str, resource: str, about: AboutResource, choice: str | None) -> Held:
        """Exactly; where the best choice is denied, another one may be allowed."""
        chosen = self._chosen(action, choice)
        held = self._ask(action, resource, about, chosen)
        if held is Held.NO and chosen and choice is None:
            return min(Held.MAYBE, self._ask(action, resource, about, {}, open_keys=frozenset(chosen)))
        return held

    def _chosen(self, action: str, choice: str | None) -> Values:
        if choice is not None:
            return {"iam:passedtoservice" if action == PASS_ROLE else "iam:policyarn": (choice,)}
        if action not in _CHOSEN:
            return {}
        key, values = _CHOSEN[action]
        partition = _partition(self.subject.arn)
        return {key: tuple(value.format(partition=partition) for value in values)}

    def _ask(
        self,
        action: str,
        resource: str,
        about: AboutResource,
        chosen: Values,
        open_keys: frozenset[str] = frozenset(),
    ) -> Held:
        values = {**self._known.values, **about.values, **chosen}
        for key in open_keys:
            values.pop(key, None)
        unknown = frozenset(
            key
            for key in self._looked_at(action)
            if key not in values
            and (key in open_keys or (self._known.is_unknown(key) and not key.startswith(about.absent)))
        )
        request = Request(self.subject.arn, action, resource, self.subject.account_id, values, unknown_keys=unknown)
        decision = self._decider.decide(request)
        if decision.result is Result.ALLOWED:
            held = Held.SURELY
        elif decision.result is Result.UNDECIDABLE:
            held = Held.SURELY if self._may_choose(decision.unknown_keys, action) else Held.MAYBE
        else:
            return Held.NO
        return min(held, Held.MAYBE) if self.subject.stack.boundary_not_collected else held

    def _may_choose(self, keys: Sequence[str], action: str) -> bool:
        """Whether all that is open is the caller's free choice: some choice is allowed, or nothing would be open."""
        number = self._catalogue.number(action)
        return number is not None and bool(keys) and all(self._workshop.free.get(key, 0) >> number & 1 for key in keys)

    @cached_property
    def _known(self) -> Context:
        return known_context(self.subject.stack.principal)

    @cached_property
    def _decider(self) -> Decider:
        return Decider(Policies.of(self.subject.stack), self._workshop.compiler)

    def _looked_at(self, action: str) -> frozenset[str]:
        """The condition keys on which the statements about the action depend."""
        keys = self._keys.get(action)
        if keys is None:
            keys = keys_of(self._workshop.compiler, policies_of(self.subject.stack), action)
            self._keys[action] = keys
        return keys


def keys_of(compiler: Compiler, policies: Iterator[NamedPolicy], action: str) -> frozenset[str]:
    """The condition keys that the statements of these policies about an action look at, in lower case."""
    spoken = (compiler.policy(named.document).on(action.lower()) for named in policies)
    return frozenset[str]().union(*(statement.keys for found in spoken for statement in found))


def policies_of(stack: PolicyStack) -> Iterator[NamedPolicy]:
    """Every policy of a stack, layer after layer."""
    yield from stack.identity
    if stack.boundary is not None:
        yield stack.boundary
    for level in (*stack.scp_levels, *stack.rcp_levels):
        yield from level.policies


def about_identity(target: Subject, *, passed: bool = False) -> AboutResource:
    """What is known of an identity that is acted on, as condition keys of the request.

    IAM User Guide, "Granting a user permissions to pass a role to an AWS service": the tags of a role are no
    reliable test of what is passed, so they stay unknown.
    """
    values: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (target.account_id,)}
    facts = target.stack.principal
    absent: tuple[str, ...] = ()
    if facts.organization_id and facts.organization_path:
        values["aws:resourceorgid"] = (facts.organization_id,)
        values["aws:resourceorgpaths"] = (facts.organization_path,)
    if facts.tags is not None and not passed:
        values |= {f"{prefix}{key.lower()}": (value,) for key, value in facts.tags for prefix in _TAG_KEYS}
        absent = _TAG_KEYS
    boundary = target.stack.boundary
    if boundary is not None and boundary.arn is not None:
        values[_BOUNDARY] = (boundary.arn,)
    elif boundary is None and not target.stack.boundary_not_collected:
        absent = (*absent, _BOUNDARY)
    return AboutResource(values, absent)


def about_new(subject: Subject, *, bounded: bool) -> AboutResource:
    """What is known of an identity that another one makes in its account: whether it gets a boundary, no more."""
    return AboutResource({"aws:resourceaccount": (subject.account_id,)}, () if bounded else (_BOUNDARY,))


def _partition(arn: str) -> str:
    parsed = parse_arn(arn)
    return parsed.partition if parsed else "aws"
