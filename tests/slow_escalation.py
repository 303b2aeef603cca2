"""The slow twin of the search for escalation paths: one identity at a time, each question put to `decide` afresh.

It knows no caches, no indexes and no reach: all that it shares with the search are the paths, the weighing of caps and
the engine's `decide`. Trust is asked for each pair of identities; everything else by the requests that AWS would see.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from analytics.engine.decide import Policies, Request, Result, decide
from analytics.engine.reach_facts import known_context
from analytics.findings.escalation.facts import ROLE_KINDS, about_identity, chosen_values
from analytics.findings.escalation.levels import ADMINISTRATOR
from analytics.findings.escalation.paths import PASS_ROLE
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.escalation.levels import Weighing
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import PolicyDocument

REGION = "aws:requestedregion"
NO, MAYBE, SURELY = 0, 1, 2
SELF = {"iam:PutRolePolicy": ROLE_KINDS, "iam:PutUserPolicy": {PrincipalKind.USER}}


def asked(caller: Subject, action: str, target: Subject, choice: str | None = None) -> int:
    """What an identity may do to another: every key of its policies that nothing tells is unknown."""
    values = {
        **known_context(caller.stack.principal).values,
        **about_identity(target, passed=choice is not None).values,
    }
    chosen = chosen_values(action, choice, "aws")
    unknown = _unknown(caller, values, None) - chosen.keys()
    if choice is None and target.tags is not None:
        # The tags of what is acted on are known; those of a role that is passed are no test of it.
        unknown = frozenset(key for key in unknown if "resourcetag/" not in key)
    if target.stack.boundary is None:
        unknown -= {"iam:permissionsboundary"}
    request = Request(caller.arn, action, target.arn, caller.account_id, {**values, **chosen}, unknown)
    held = _chosen_best(request, Policies.of(caller.stack), _documents(caller))
    if held is NO and chosen and choice is None:
        other = request._replace(context=values, unknown_keys=unknown | chosen.keys())
        held = min(MAYBE, _certainty(other, Policies.of(caller.stack)))
    return min(held, MAYBE) if caller.stack.boundary_not_collected else held


def _chosen_best(request: Request, policies: Policies, documents: list[PolicyDocument]) -> int:
    """The caller chooses the Region: whichever the documents name, or another one."""
    if REGION not in request.unknown_keys:
        return _certainty(request, policies)
    known = request._replace(unknown_keys=request.unknown_keys - {REGION})
    return max(
        _certainty(known._replace(context={**request.context, REGION: (region,)}), policies)
        for region in (*_values(documents, REGION), "another")
    )


def assumes(caller: Subject, role: Subject) -> int:
    """Whether an identity may assume a role, by its policies, the trust document, and RCPs of the role's account."""
    if role.trust is None or caller is role:
        return NO
    values = known_context(caller.stack.principal).values
    own, rcps = Policies.of(caller.stack), Policies.of(role.stack).rcp_levels
    policies = Policies(own.identity, own.boundary, own.scp_levels, rcps, role.trust)
    request = Request(caller.arn, "sts:AssumeRole", role.arn, None, values, _unknown(caller, values, role))
    return _chosen_best(request, policies, _documents(caller, role))


def serves(role: Subject, service: str) -> int:
    """Whether a service may take on a role for a resource of the role's account."""
    if role.trust is None:
        return NO
    context = {
        "aws:sourceaccount": (role.account_id,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (service,),
    }
    unknown = frozenset(_keys(role.trust)) - context.keys()
    request = Request(service, "sts:AssumeRole", role.arn, None, context, unknown)
    return _certainty(request, Policies(rcp_levels=Policies.of(role.stack).rcp_levels, resource=role.trust))


def administrator(weighing: Weighing, subject: Subject) -> int:
    """Whether it may rewrite its own policies, and nothing else limits it."""
    cap = weighing.cap(subject.stack)
    found = [asked(subject, action, subject) for action, kinds in SELF.items() if subject.kind in kinds]
    return max(found, default=NO) if cap == ADMINISTRATOR else NO


def passed_to(estate: Estate, subject: Subject, service: str) -> Iterator[tuple[Subject, int]]:
    """The roles of its account that it may pass to a service, with how certain that is."""
    for role in estate.subjects.values():
        if role.account_id == subject.account_id and role.kind in ROLE_KINDS and role is not subject:
            held = min(asked(subject, PASS_ROLE, role, service), serves(role, service))
            if held:
                yield role, held


def _certainty(request: Request, policies: Policies) -> int:
    result = decide(request, policies).result
    return {Result.ALLOWED: SURELY, Result.UNDECIDABLE: MAYBE}.get(result, NO)


def _unknown(caller: Subject, values: dict[str, tuple[str, ...]], role: Subject | None) -> frozenset[str]:
    known = known_context(caller.stack.principal)
    keys = {key for document in _documents(caller, role) for key in _keys(document)}
    return frozenset(key for key in keys - values.keys() if known.is_unknown(key))


def _documents(caller: Subject, role: Subject | None = None) -> list[PolicyDocument]:
    stack = caller.stack
    documents = [named.document for named in stack.identity]
    documents += [stack.boundary.document] if stack.boundary else []
    levels = [*stack.scp_levels, *(role.stack.rcp_levels if role else stack.rcp_levels)]
    documents += [named.document for level in levels for named in level.policies]
    documents += [role.trust] if role and role.trust else []
    return documents


def _keys(document: PolicyDocument) -> Iterator[str]:
    """The keys of conditions, and of variables anywhere."""
    for statement in document.statements:
        yield from (one.key.lower() for one in statement.condition)
        texts = (
            *statement.resource,
            *statement.not_resource,
            *(text for one in statement.condition for text in one.values),
        )
        for text in texts:
            yield from (found.lower() for found in re.findall(r"\$\{([^},*?$]+)", text))


def _values(documents: list[PolicyDocument], key: str) -> Iterator[str]:
    """What these documents name as values of a key."""
    for document in documents:
        conditions = (one for statement in document.statements for one in statement.condition)
        yield from (value for one in conditions if one.key.lower() == key for value in one.values)


def pairs(estate: Estate) -> Iterator[tuple[Subject, Subject]]:
    """Every identity with every other one."""
    yield from ((one, other) for one, other in product(estate.subjects.values(), repeat=2) if one is not other)
