"""What is known about requests on identities: the target's condition keys, and the keys that a caller chooses.

IAM User Guide, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.paths import PASS_ROLE
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.engine.decide_policy import Compiler
    from analytics.findings.estate import Subject
    from analytics.iam.stack import NamedPolicy

Values = Mapping[str, tuple[str, ...]]

ADMINISTRATOR_POLICY = "arn:{partition}:iam::aws:policy/AdministratorAccess"
ANY_NAME = "headroom-any-name"  # no policy names it
ROLE_KINDS = frozenset({PrincipalKind.ROLE, PrincipalKind.SSO_ROLE})
VARIABLE = re.compile(r"\$\{[^{}]*\}")
_TAG_KEYS = ("aws:resourcetag/", "iam:resourcetag/")
_BOUNDARY = "iam:permissionsboundary"
_POLICY = "iam:policyarn"
# By action, the key that the caller chooses with the request, and the choice that gives most; () is no value at all.
_CHOSEN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "iam:AttachRolePolicy": (_POLICY, (ADMINISTRATOR_POLICY,)),
    "iam:AttachUserPolicy": (_POLICY, (ADMINISTRATOR_POLICY,)),
    "iam:AttachGroupPolicy": (_POLICY, (ADMINISTRATOR_POLICY,)),
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


# Before Python 3.12 a member looked up in its class takes fifteen times as long as a global name.
NO, MAYBE, SURELY = Held


class AboutResource(NamedTuple):
    """What is known of a resource as condition keys.

    A key that begins with one of `absent` and has no value is known to be absent.
    """

    values: Values = MappingProxyType({})
    absent: tuple[str, ...] = ()


NOTHING_KNOWN = AboutResource()


def about_identity(target: Subject, *, passed: bool = False) -> AboutResource:
    """What is known of an identity that is acted on, as condition keys of the request.

    IAM User Guide, "Granting a user permissions to pass a role to an AWS service": the tags of a role are no
    reliable test of what is passed, so they stay unknown.
    """
    values = {"aws:resourceaccount": target.account_id}
    facts = target.stack.principal
    absent: tuple[str, ...] = ()
    if facts.organization_id and facts.organization_path:
        values["aws:resourceorgid"] = facts.organization_id
        values["aws:resourceorgpaths"] = facts.organization_path
    if facts.tags is not None and not passed:
        values |= {f"{prefix}{key.lower()}": value for key, value in facts.tags for prefix in _TAG_KEYS}
        absent = _TAG_KEYS
    boundary = target.stack.boundary
    if boundary is not None and boundary.arn is not None:
        values[_BOUNDARY] = boundary.arn
    elif boundary is None and not target.stack.boundary_not_collected:
        absent = (*absent, _BOUNDARY)
    return AboutResource({key: (value,) for key, value in values.items()}, absent)


def about_new(subject: Subject, *, bounded: bool) -> AboutResource:
    """What is known of an identity that another one makes in its account: whether it gets a boundary, no more."""
    return AboutResource({"aws:resourceaccount": (subject.account_id,)}, () if bounded else (_BOUNDARY,))


def chosen_values(action: str, choice: str | None, partition: str) -> Values:
    """The condition keys of the request that gives its caller most; `choice`: of a service, or of a policy."""
    if choice is not None:
        return {"iam:passedtoservice" if action == PASS_ROLE else _POLICY: (choice,)}
    if action not in _CHOSEN:
        return {}
    key, values = _CHOSEN[action]
    return {key: tuple(value.format(partition=partition) for value in values)}


def keys_of(compiler: Compiler, policies: Iterable[NamedPolicy], action: str) -> frozenset[str]:
    """The condition keys that the statements of these policies about an action look at, in lower case."""
    spoken = (compiler.policy(named.document).on(action.lower()) for named in policies)
    return frozenset[str]().union(*(statement.keys for found in spoken for statement in found))


def partition_of(arn: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`."""
    parsed = parse_arn(arn)
    return parsed.partition if parsed else "aws"
