"""All layers of policies weighed against one request in one context.

Every statement answers True, False or None (a key was not recorded); so do layers and the whole: Kleene's logic.
IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access" and "Cross-account policy
evaluation logic".
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_facts import (
    is_protected,
    needs_resource_grant,
    owner_recovers_bucket,
    rcps_bind,
    scps_bind,
)
from analytics.engine.decide_principal import Caller, Standing, may_stand_otherwise, standing
from analytics.engine.decide_values import Layer
from analytics.iam.condition import all_true, any_true
from analytics.iam.names import account_of

if TYPE_CHECKING:
    from analytics.engine.decide_plan import Group, Plan
    from analytics.engine.decide_principal import Principal
    from analytics.engine.decide_values import Request, StatementAt
    from analytics.iam.condition import Context, Truth


class Reading(NamedTuple):
    """What one layer says, and by which statements."""

    denied: Truth
    allowed: Truth
    denying: tuple[StatementAt, ...] = ()
    allowing: tuple[StatementAt, ...] = ()


class Grants(NamedTuple):
    """What the resource's own policy says, by how directly it names the caller."""

    denied: Truth = False
    direct: Truth = False
    role: Truth = False
    account: Truth = False
    denying: tuple[StatementAt, ...] = ()
    allowing: tuple[StatementAt, ...] = ()


class Asked(NamedTuple):
    """The facts of a request that no unknown key changes."""

    action: str
    resource: str
    who: Principal
    same_account: bool
    scps: tuple[Group, ...]  # the levels that bind the caller
    rcps: tuple[Group, ...]  # the levels that bind the resource


class Weighed(NamedTuple):
    """The answer in one context, with what every layer said."""

    allowed: Truth
    denied: Truth
    asked: Asked
    scps: Reading
    rcps: Reading
    identity: Reading
    boundary: Reading
    session: Reading
    grants: Grants


SILENT = Reading(denied=False, allowed=False)
UNLIMITED = Reading(denied=False, allowed=True)
NO_GRANTS = Grants()


def asked_of(request: Request, action: str, who: Principal, plan: Plan, management_account: str | None) -> Asked:
    """Settle what follows from the request alone; levels that do not bind are as good as absent."""
    account = request.resource_account or account_of(request.resource) or who.account_id
    return Asked(
        action,
        "*" if request.wildcard_only else request.resource,
        who,
        who.account_id is not None and who.account_id == account,
        plan.scps if plan.scps and scps_bind(who, request.context, management_account) else (),
        plan.rcps if plan.rcps and rcps_bind(request, action, who, account, management_account) else (),
    )


def weigh(plan: Plan, asked: Asked, context: Context) -> Weighed:
    """Weigh every layer. Their order on AWS's chart changes the explanation, never the answer."""
    who, resource = asked.who, asked.resource
    scps = _every_level(asked.scps, resource, context) if asked.scps else UNLIMITED
    rcps = _every_level(asked.rcps, resource, context) if asked.rcps else UNLIMITED
    grants = NO_GRANTS if plan.resource is None else _grants(plan, asked, context)
    if who.is_outside:  # no IAM identity: the resource alone admits
        identity = boundary = session = UNLIMITED
        access = grants.direct
    else:
        identity = read(plan.identity, resource, context)
        if who.caller is Caller.ROOT:
            identity = identity._replace(allowed=True)
        boundary = UNLIMITED if plan.boundary is None else read(plan.boundary, resource, context)
        session = _session(plan, who, resource, context)
        access = _access(asked, identity.allowed, boundary.allowed, session.allowed, grants)
    denied = any_true((scps.denied, rcps.denied, identity.denied, boundary.denied, session.denied, grants.denied))
    allowed = all_true((access, negation(denied), scps.allowed, rcps.allowed))
    if allowed is not False and is_protected(asked.action, resource):
        allowed = False
    return Weighed(allowed, denied, asked, scps, rcps, identity, boundary, session, grants)


def blocking(weighed: Weighed, *, perhaps: bool = False) -> tuple[Layer, ...]:
    """The layers that deny, or withhold the allow that is needed of them; with `perhaps`, also those that may."""
    layers = (weighed.scps, weighed.rcps, weighed.identity, weighed.boundary, weighed.session, weighed.grants)
    return _blocking(tuple([layer.denied for layer in layers]), _needed(weighed), perhaps)


@cache
def _blocking(denied: tuple[Truth, ...], needed: tuple[Truth, ...], perhaps: bool) -> tuple[Layer, ...]:  # noqa: FBT001  a key of the cache
    blocks = [any_true((denies, negation(allows))) for denies, allows in zip(denied, needed, strict=True)]
    return tuple(layer for layer, block in zip(Layer, blocks, strict=True) if block or (perhaps and block is None))


def read(group: Group, resource: str, context: Context) -> Reading:
    """What the statements of a group say of a resource in a context."""
    denied: Truth = False
    denying: tuple[StatementAt, ...] = ()
    for statement, at in group.denies:
        applies = statement.applies(resource, context)
        if applies:
            denied = True
            denying += (at,)
        elif applies is None and denied is False:
            denied = None
    allowed: Truth = False
    allowing: tuple[StatementAt, ...] = ()
    for statement, at in group.allows:
        applies = statement.applies(resource, context)
        if applies:
            allowed = True
            allowing += (at,)
        elif applies is None and allowed is False:
            allowed = None
    return Reading(denied, allowed, denying, allowing)


def negation(truth: Truth) -> Truth:
    """Kleene's not."""
    return None if truth is None else not truth


def _access(asked: Asked, identity: Truth, boundary: Truth, session: Truth, grants: Grants) -> Truth:
    """Whether identity and resource together grant, within boundary and session policies."""
    if grants is NO_GRANTS and asked.same_account:
        needs_grant = needs_resource_grant(asked.action, asked.resource)
        return False if needs_grant else all_true((identity, boundary, session))
    if not asked.same_account:
        named = any_true((grants.direct, grants.role, grants.account))
        return all_true((named, identity, boundary, session))
    if needs_resource_grant(asked.action, asked.resource):
        identity = all_true((identity, grants.account))
    indirect = any_true((grants.role, identity))
    return any_true((grants.direct, all_true((indirect, boundary, session))))


def _needed(weighed: Weighed) -> tuple[Truth, ...]:
    """For each layer, in their order: the allow that the request needs of it, or True where it needs none."""
    asked, grants = weighed.asked, weighed.grants
    identity: Truth = True
    boundary: Truth = True
    session: Truth = True
    resource: Truth = True
    if asked.who.is_outside:
        resource = grants.direct
    elif not (asked.same_account and grants.direct):
        boundary, session = weighed.boundary.allowed, weighed.session.allowed
        identity = weighed.identity.allowed
        if asked.same_account:
            identity = any_true((identity, grants.role))
        if not asked.same_account or needs_resource_grant(asked.action, asked.resource):
            resource = any_true((grants.direct, grants.role, grants.account))
    if is_protected(asked.action, asked.resource):
        resource = False
    return weighed.scps.allowed, weighed.rcps.allowed, identity, boundary, session, resource


def _every_level(levels: tuple[Group, ...], resource: str, context: Context) -> Reading:
    """Control policies: every level must allow, and none deny."""
    denied: Truth = False
    allowed: Truth = True
    denying: tuple[StatementAt, ...] = ()
    for level in levels:
        reading = read(level, resource, context)
        denied = any_true((denied, reading.denied))
        allowed = all_true((allowed, reading.allowed))
        denying += reading.denying
    return Reading(denied, allowed, denying)


def _session(plan: Plan, who: Principal, resource: str, context: Context) -> Reading:
    """Session policies limit; a federated user has no permissions but those that its session policies pass on."""
    if plan.session is not None:
        return read(plan.session, resource, context)
    return SILENT if who.caller is Caller.FEDERATED_USER else UNLIMITED


def _grants(plan: Plan, asked: Asked, context: Context) -> Grants:
    """Read the resource's own policy: which of its statements name the caller, and how directly."""
    group, who, values = plan.resource, asked.who, context.values
    if group is None:
        return NO_GRANTS
    bounded = plan.boundary is not None
    denied: Truth = False
    denying: tuple[StatementAt, ...] = ()
    for statement, at in group.denies:
        is_open = bool(context.unknown) and may_stand_otherwise(statement.statement, who, context)
        if not is_open and standing(statement.statement, who, values, bounded=bounded) is Standing.NONE:
            continue
        applies = statement.applies(asked.resource, context)
        denied = any_true((denied, all_true((applies, None)) if is_open else applies))
        denying += (at,) if applies else ()
    if asked.same_account and owner_recovers_bucket(asked.action, who):
        denied, denying = False, ()
    truths: dict[Standing, Truth] = dict.fromkeys(Standing, False)
    allowing: tuple[StatementAt, ...] = ()
    for statement, at in group.allows:
        is_open = bool(context.unknown) and may_stand_otherwise(statement.statement, who, context)
        named = standing(statement.statement, who, values, bounded=bounded)
        if named is Standing.NONE and not is_open:
            continue
        applies = statement.applies(asked.resource, context)
        for possible in (Standing.DIRECT, Standing.ROLE) if is_open else (named,):
            truths[possible] = any_true((truths[possible], all_true((applies, None)) if is_open else applies))
        allowing += (at,) if applies else ()
    return Grants(denied, truths[Standing.DIRECT], truths[Standing.ROLE], truths[Standing.ACCOUNT], denying, allowing)
