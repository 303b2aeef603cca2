"""Why a principal may or may not do something, layer by layer, with the statements that decide.

The decision is `decide`'s; what is known of the principal fills the context and every other key that the statements
look at is unknown. Without a resource the question is about all of them, and `reach` answers. INVARIANT: what was not
collected (a boundary, the resource's own policy) never makes a fact: it leaves the answer undecidable, with a note.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.engine.decide import Decider, Layer, Policies, Request, Result
from analytics.engine.decide_facts import rcps_bind
from analytics.engine.decide_policy import Compiler
from analytics.engine.decide_principal import read_principal
from analytics.engine.reach import StatementRef
from analytics.engine.reach_facts import known_context
from analytics.iam.condition import Context
from analytics.iam.names import PrincipalKind, account_of
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.engine.reach import Bearing, Reachable
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy, PolicyStack


class Says(StrEnum):
    """What one layer says of the request."""

    ALLOWS = "allows"
    DENIES = "denies"
    SILENT = "does not allow"
    DEPENDS = "depends"  # on the resource, or on a key of the request
    NOT_COLLECTED = "not collected"


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """One layer: what it says, and the statements that make it say so."""

    layer: str  # identity, boundary, scp, rcp, resource
    name: str  # the node of the organisation, or the boundary; else the principal
    result: Says
    statements: tuple[StatementRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision with its reasons; `resource` is None where the question was about every resource."""

    principal_arn: str
    action: str
    resource: str | None
    decision: Result
    layers: tuple[LayerAnswer, ...]
    unknown_keys: tuple[str, ...] = ()  # of an Undecidable decision: the keys that would decide it
    notes: tuple[str, ...] = ()  # what could not be taken into account


class UnknownActionError(ValueError):
    """An action that the catalogue does not have."""


Truths = list[tuple[StatementRef, bool | None]]


@dataclass(frozen=True, slots=True)
class _Section:
    """The policies of one layer, or of one level of it, and what their statements answer."""

    layer: str
    name: str
    denies: Truths
    allows: Truths


def explain(
    reachable: Reachable,
    stack: PolicyStack,
    action: str,
    resource: str | None = None,
    *,
    resource_policy: PolicyDocument | None = None,
) -> Explanation:
    """Explain one action of a principal; raises UnknownActionError for an action that does not exist."""
    number = reachable.catalogue.number(action)
    if number is None:
        msg = (
            f"`{action}` is not an action of the catalogue ({reachable.catalogue.version}): write it as `s3:GetObject`"
        )
        raise UnknownActionError(msg)
    action = reachable.catalogue.actions[number]
    if reachable.catalogue.wildcard_only >> number & 1:
        resource = "*"
    if resource is None:
        return _about_every_resource(reachable, stack, action)
    return _about_one_resource(stack, action, resource, resource_policy)


def _about_every_resource(reachable: Reachable, stack: PolicyStack, action: str) -> Explanation:
    """Over all resources: a statement that names some of them answers with a doubt."""
    denies = reachable.bearing(stack, action, Effect.DENY)
    allows = reachable.bearing(stack, action, Effect.ALLOW)
    sections = [
        _Section(layer, name, _truths(denies, layer, policies), _truths(allows, layer, policies))
        for layer, name, policies in _layers(stack)
        if layer != "rcp"
    ]
    answers = tuple(_answers(stack, sections))
    results = {answer.result for answer in answers}
    if Says.DENIES in results:
        decision = Result.EXPLICITLY_DENIED
    elif Says.SILENT in results:
        decision = Result.IMPLICITLY_DENIED
    else:
        decision = Result.ALLOWED if results == {Says.ALLOWS} else Result.UNDECIDABLE
    context = known_context(stack.principal)
    asked = {condition.key.lower() for one in (*denies, *allows) for condition in one.statement.condition}
    undecided = decision is Result.UNDECIDABLE
    unknown = tuple(sorted(key for key in asked if context.is_unknown(key))) if undecided else ()
    return _with_notes(Explanation(stack.principal.arn, action, None, decision, answers, unknown), stack, [])


def _truths(bearings: Sequence[Bearing], layer: str, policies: Sequence[NamedPolicy]) -> Truths:
    """What the statements of these policies answer: always, or in some requests."""
    places = {(named.name, named.attached_to) for named in policies}
    return [
        (one.ref, True if one.always else None)
        for one in bearings
        if one.ref.layer == layer and (one.ref.policy, one.ref.attached_to) in places
    ]


def _about_one_resource(
    stack: PolicyStack, action: str, resource: str, resource_policy: PolicyDocument | None
) -> Explanation:
    if not _rcps_bind(stack, action, resource):
        stack = replace(stack, rcp_levels=())
    compiler = Compiler()
    spoken = {
        id(named.document): compiler.policy(named.document).on(action.lower())
        for _, _, policies in _layers(stack)
        for named in policies
    }
    asked_by_resource = compiler.policy(resource_policy).on(action.lower()) if resource_policy else ()
    known = known_context(stack.principal)
    keys = frozenset[str]().union(*(one.keys for found in (*spoken.values(), asked_by_resource) for one in found))
    request = Request(
        principal=stack.principal.arn,
        action=action,
        resource=resource,
        context=known.values,
        unknown_keys=frozenset(key for key in keys if known.is_unknown(key)),
    )
    decision = Decider(Policies.of(stack, resource_policy), compiler).decide(request)
    context = Context(request.context, request.unknown_keys)
    sections = [
        _section(layer, name, [(named, spoken[id(named.document)]) for named in policies], resource, context)
        for layer, name, policies in _layers(stack)
    ]
    answers = tuple(_answers(stack, sections))
    explained = Explanation(stack.principal.arn, action, resource, decision.result, answers, decision.unknown_keys)
    return _with_notes(explained, stack, decision.blocked_by if resource_policy is None else [])


def _rcps_bind(stack: PolicyStack, action: str, resource: str) -> bool:
    """Whether the RCPs of this stack bear on the request; those of another account are not in it."""
    account = account_of(resource) or stack.principal.account_id
    if account != stack.principal.account_id:
        return False
    request = Request(stack.principal.arn, action, resource, context=known_context(stack.principal).values)
    return rcps_bind(request, action.lower(), read_principal(request.principal), account, None)


def _layers(stack: PolicyStack) -> Iterator[tuple[str, str, tuple[NamedPolicy, ...]]]:
    """Each layer, or level of it, with the name of what it is attached to and its policies."""
    yield Layer.IDENTITY, stack.principal.arn, stack.identity
    if stack.boundary is not None:
        yield Layer.BOUNDARY, stack.boundary.name, (stack.boundary,)
    yield from ((Layer.SCP, level.node_name, level.policies) for level in stack.scp_levels)
    yield from ((Layer.RCP, level.node_name, level.policies) for level in stack.rcp_levels)


def _section(
    layer: str,
    name: str,
    policies: Iterable[tuple[NamedPolicy, tuple[CompiledStatement, ...]]],
    resource: str,
    context: Context,
) -> _Section:
    """What each statement that speaks of the action answers to the request."""
    denies: Truths = []
    allows: Truths = []
    for named, statements in policies:
        for one in statements:
            ref = StatementRef(layer, named.name, named.attached_to, one.index, one.statement.sid)
            (allows if one.allows else denies).append((ref, one.applies(resource, context)))
    return _Section(layer, name, denies, allows)


def _answer(section: _Section, *, allowed_anyway: bool) -> LayerAnswer:
    """Put what the statements of a layer answer together: a deny wins, silence denies, a doubt stays one."""
    denying = tuple(ref for ref, truth in section.denies if truth)
    allowing = tuple(ref for ref, truth in section.allows if truth)
    doubtful = tuple(ref for ref, truth in section.denies + section.allows if truth is None)
    perhaps_denied = any(truth is None for _, truth in section.denies)
    perhaps_allowed = any(truth is None for _, truth in section.allows)
    if denying:
        return LayerAnswer(section.layer, section.name, Says.DENIES, denying)
    if not (allowing or perhaps_allowed or allowed_anyway):
        return LayerAnswer(section.layer, section.name, Says.SILENT)
    if (allowing or allowed_anyway) and not perhaps_denied:
        return LayerAnswer(section.layer, section.name, Says.ALLOWS, allowing)
    return LayerAnswer(section.layer, section.name, Says.DEPENDS, allowing + doubtful)


def _answers(stack: PolicyStack, sections: Iterable[_Section]) -> Iterator[LayerAnswer]:
    """The answer of every layer; the root user needs no identity policy."""
    is_root = stack.principal.kind is PrincipalKind.ROOT
    for section in sections:
        yield _answer(section, allowed_anyway=is_root and section.layer == Layer.IDENTITY)
    if stack.boundary is None and stack.boundary_not_collected:
        yield LayerAnswer(Layer.BOUNDARY, stack.principal.arn, Says.NOT_COLLECTED)


def _with_notes(explained: Explanation, stack: PolicyStack, blocked_by: Collection[str]) -> Explanation:
    """Say what could not be taken into account; where that could turn the answer, it is undecidable."""
    decision, notes = explained.decision, []
    if stack.boundary is None and stack.boundary_not_collected:
        notes.append("A permissions boundary is attached, but the snapshot does not hold it.")
        decision = Result.UNDECIDABLE if decision is Result.ALLOWED else decision
    if stack.not_collected:
        named = ", ".join(f"`{policy}`" for policy in stack.not_collected)
        notes.append(f"The snapshot does not hold {named}: what these policies allow or deny is not counted.")
        decision = Result.UNDECIDABLE if decision is not Result.EXPLICITLY_DENIED else decision
    if Layer.RESOURCE in blocked_by:
        notes.append("The resource's own policy must allow this too, and it was not collected.")
        if set(blocked_by) == {Layer.RESOURCE}:
            decision = Result.UNDECIDABLE
    elif decision is Result.IMPLICITLY_DENIED and explained.resource not in (None, "*"):
        notes.append("The resource's own policy, which was not collected, could still grant this.")
    return replace(explained, decision=decision, notes=tuple(notes))
