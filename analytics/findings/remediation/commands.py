"""The AWS CLI commands that change the policies, the boundary and the trust of users and roles.

New grants come before old ones go, so that no call fails in between; the quotas of IAM are kept at every step. Of a
managed policy with as many versions as IAM keeps, the oldest one goes first. Roles of Identity Center are not changed
with IAM: see `sets`.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from analytics.findings.remediation.shell import command, comment, in_account, named, noun, partition_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.rightsize import RightSized
    from analytics.findings.remediation.rules import Quotas
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy

_PREFIX = "headroom-"
_POLICY_NAME_CHARACTERS = 128


def right_size(subject: Subject, found: RightSized, exists: Collection[str], quotas: Quotas) -> tuple[str, ...]:
    """The commands, in order. `exists`: ARNs of managed policies, whose names are taken."""
    return (in_account(subject), *_right_size(subject, found, exists, quotas))


def _right_size(subject: Subject, found: RightSized, exists: Collection[str], quotas: Quotas) -> Iterator[str]:
    what = noun(subject)
    arns = []
    for name, arn, document in zip(*_own_names(subject, found.own, exists), found.own, strict=True):
        yield command("iam", "create-policy", policy_name=name, policy_document=document)
        arns.append(arn)
    for policy, document in found.rewritten:
        if policy.arn is None:
            yield command(
                "iam", f"put-{what}-policy", **named(subject), policy_name=policy.name, policy_document=document
            )
        else:
            yield from new_version(policy.arn, document, quotas)
    detached = [policy.arn for policy in found.removed if policy.arn is not None]
    attach = [command("iam", f"attach-{what}-policy", **named(subject), policy_arn=arn) for arn in arns]
    detach = [command("iam", f"detach-{what}-policy", **named(subject), policy_arn=arn) for arn in detached]
    yield from _swapped(attach, detach, room=quotas.attached_managed_policies - _attached_directly(subject))
    for policy in found.removed:
        if policy.arn is None:
            yield command("iam", f"delete-{what}-policy", **named(subject), policy_name=policy.name)
    for group in found.left_groups:
        yield command("iam", "remove-user-from-group", **named(subject), group_name=group.rpartition("/")[2])


def new_version(policy_arn: str, document: PolicyDocument, quotas: Quotas) -> Iterator[str]:
    """A new version of a managed policy, in force at once; the oldest idle one goes first where the quota is full."""
    arn = shlex.quote(policy_arn)
    count = f"aws iam list-policy-versions --policy-arn={arn} --query='length(Versions)' --output=text"
    oldest = (
        f"aws iam list-policy-versions --policy-arn={arn} "
        "--query='sort_by(Versions[?IsDefaultVersion==`false`], &CreateDate)[0].VersionId' --output=text"
    )
    yield (
        f'if [ "$({count})" -ge {quotas.managed_policy_versions} ]; '
        f'then aws iam delete-policy-version --policy-arn={arn} --version-id="$({oldest})"; fi'
    )
    yield command("iam", "create-policy-version", policy_arn=policy_arn, policy_document=document, set_as_default=None)


def add_boundary(subject: Subject, name: str, arn: str, document: PolicyDocument) -> tuple[str, ...]:
    """Make the policy, and put it in place as the boundary."""
    return (
        in_account(subject),
        command("iam", "create-policy", policy_name=name, policy_document=document),
        command("iam", f"put-{noun(subject)}-permissions-boundary", **named(subject), permissions_boundary=arn),
    )


def narrow_trust(subject: Subject, document: PolicyDocument) -> tuple[str, ...]:
    """Replace the trust policy of a role."""
    return (
        in_account(subject),
        command("iam", "update-assume-role-policy", **named(subject), policy_document=document),
    )


def own_policy(subject: Subject, purpose: str, exists: Collection[str], number: int = 1) -> tuple[str, str]:
    """Name and ARN of a new managed policy for this identity, not taken by another one."""
    prefix = f"arn:{partition_of(subject.arn)}:iam::{subject.account_id}:policy/"
    base = f"{_PREFIX}{purpose}-{subject.name}"
    while True:
        suffix = f"-{number}" if number > 1 else ""
        name = base[: _POLICY_NAME_CHARACTERS - len(suffix)] + suffix
        if prefix + name not in exists:
            return name, prefix + name
        number += 1


def _own_names(
    subject: Subject, documents: tuple[PolicyDocument, ...], exists: Collection[str]
) -> tuple[list[str], list[str]]:
    names: list[str] = []
    arns: list[str] = []
    for _ in documents:
        name, arn = own_policy(subject, "right-sized", {*exists, *arns})
        names.append(name)
        arns.append(arn)
    return names, arns


def _swapped(attach: list[str], detach: list[str], *, room: int) -> Iterator[str]:
    """Attach first, detach after; where the quota leaves no room, as many old ones go before as it takes."""
    early = max(0, len(attach) - max(room, 0))
    if early:
        yield comment("IAM attaches no more policies: between the next commands some calls are denied.")
    yield from detach[:early]
    yield from attach
    yield from detach[early:]


def _attached_directly(subject: Subject) -> int:
    def is_direct(policy: NamedPolicy) -> bool:
        return policy.arn is not None and policy.attached_to == subject.arn

    return sum(map(is_direct, subject.stack.identity))
