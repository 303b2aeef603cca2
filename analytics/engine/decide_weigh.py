"""All layers of policies weighed against one request in one context.

Every statement answers True, False or None (a key was not recorded); so do layers and the whole: Kleene's logic.
IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access" and "Cross-account policy
evaluation logic".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_facts import (
    is_protected,
    needs_resource_grant,
    owner_recovers_bucket,
    rcps_bind,
    scps_bind,
)
from analytics.engine.decide_principal import Caller, Standing, standing
from analytics.engine.decide_values import Layer
from analytics.iam.names import account_of

if TYPE_CHECKING:
    from analytics.engine.decide_plan import Group, Plan
    from analytics.engine.decide_principal import Principal
    from analytics.engine.decide_values import Request, StatementAt
    from analytics.iam.condition import Context

Truth = bool | None


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
    scps_bind: bool
    rcps_bind: bool


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


def asked_of(request: Request, action: str, who: Principal, management_account: str | None) -> Asked:
    """Settle what follows from the request alone."""
    resource = "*" if request.wildcard_only else request.resource
    account = request.resource_account or account_of(request.resource) or who.account_id
    return Asked(
        action,
        resource,
        who,
        same_account=who.account_id is not None and who.account_id == account,
        scps_bind=scps_bind(who, request.context, management_account),
        rcps_bind=rcps_bind(request, action, who, account, management_account),
    )


def weigh(plan: Plan, asked: Asked, context: Context) -> Weighed:
    """Weigh every layer. Their order on AWS's chart changes the explanation, never the answer."""
    who, resource = asked.who, asked.resource
    scps = _every_level(plan.scps, resource, context) if asked.scps_bind and plan.scps else UNLIMITED
    rcps = _every_level(plan.rcps, resource, context) if asked.rcps_bind and plan.rcps else UNLIMITED
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
        access = _access(asked, identity.allowed, both(boundary.allowed, session.allowed), grants)
    denied = either(either(scps.denied, rcps.denied), either(identity.denied, boundary.denied))
    denied = either(denied, either(session.denied, grants.denied))
    allowed = both(both(access, negation(denied)), both(scps.allowed, rcps.allowed))
    if allowed is not False and is_protected(asked.action, resource):
        allowed = False
    return Weighed(allowed, denied, asked, scps, rcps, identity, boundary, session, grants)


def blocking(weighed: Weighed, *, perhaps: bool = False) -> tuple[Layer, ...]:
    """The layers that deny, or withhold the allow that is needed of them; with `perhaps`, also those that may."""
    denies: dict[Layer, Truth] = {
        Layer.SCP: weighed.scps.denied,
        Layer.RCP: weighed.rcps.denied,
        Layer.IDENTITY: weighed.identity.denied,
        Layer.BOUNDARY: weighed.boundary.denied,
        Layer.SESSION: weighed.session.denied,
        Layer.RESOURCE: weighed.grants.denied,
    }
    needed = _needed(weighed)
    blocks = {layer: either(denies[layer], negation(needed.get(layer, True))) for layer in denies}
    return tuple(layer for layer, blocked in blocks.items() if blocked or (perhaps and blocked is None))


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


def both(one: Truth, other: Truth) -> Truth:
    """Kleene's and."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def either(one: Truth, other: Truth) -> Truth:
    """Kleene's or."""
    if one or other:
        return True
    return None if one is None or other is None else False


def negation(truth: Truth) -> Truth:
    """Kleene's not."""
    return None if truth is None else not truth


def _access(asked: Asked, identity: Truth, limits: Truth, grants: Grants) -> Truth:
    """Whether identity and resource together grant, within boundary and session policies."""
    if not asked.same_account:
        named = either(either(grants.direct, grants.role), grants.account)
        return both(both(named, identity), limits)
    if needs_resource_grant(asked.action, asked.resource):
        identity = both(identity, grants.account)
    return either(grants.direct, both(either(grants.role, identity), limits))


def _needed(weighed: Weighed) -> dict[Layer, Truth]:
    """The layers whose allow the request needs, in the caller's situation, and whether they give it."""
    asked, grants = weighed.asked, weighed.grants
    needed: dict[Layer, Truth] = {Layer.SCP: weighed.scps.allowed, Layer.RCP: weighed.rcps.allowed}
    if is_protected(asked.action, asked.resource):
        needed[Layer.RESOURCE] = False
    if asked.who.is_outside:
        return {Layer.RESOURCE: grants.direct} | needed
    if asked.same_account and grants.direct:
        return needed
    identity = weighed.identity.allowed
    needed[Layer.IDENTITY] = either(identity, grants.role) if asked.same_account else identity
    needed[Layer.BOUNDARY] = weighed.boundary.allowed
    needed[Layer.SESSION] = weighed.session.allowed
    if not asked.same_account or needs_resource_grant(asked.action, asked.resource):
        named = either(either(grants.direct, grants.role), grants.account)
        needed.setdefault(Layer.RESOURCE, named)
    return needed


def _every_level(levels: tuple[Group, ...], resource: str, context: Context) -> Reading:
    """Control policies: every level must allow, and none deny."""
    denied: Truth = False
    allowed: Truth = True
    denying: tuple[StatementAt, ...] = ()
    for level in levels:
        reading = read(level, resource, context)
        denied = either(denied, reading.denied)
        allowed = both(allowed, reading.allowed)
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
        if standing(statement.statement, who, values, bounded=bounded) is Standing.NONE:
            continue
        applies = statement.applies(asked.resource, context)
        denied = either(denied, applies)
        denying += (at,) if applies else ()
    if asked.same_account and owner_recovers_bucket(asked.action, who):
        denied, denying = False, ()
    truths: dict[Standing, Truth] = dict.fromkeys(Standing, False)
    allowing: tuple[StatementAt, ...] = ()
    for statement, at in group.allows:
        named = standing(statement.statement, who, values, bounded=bounded)
        if named is Standing.NONE:
            continue
        applies = statement.applies(asked.resource, context)
        truths[named] = either(truths[named], applies)
        allowing += (at,) if applies else ()
    return Grants(denied, truths[Standing.DIRECT], truths[Standing.ROLE], truths[Standing.ACCOUNT], denying, allowing)
