"""Permission sets of IAM Identity Center: what their roles are changed with, for IAM refuses any change of those.

A permission set stands in many accounts as one role each, `AWSReservedSSO_<name>_<16 hexadecimal digits>`: a change
reaches all of them. (IAM Identity Center User Guide, "Permission sets"; AWS CLI, `sso-admin`.)
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from analytics.findings.remediation.shell import command, comment
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.rightsize import RightSized

AWS_MANAGED = ":iam::aws:policy/"
_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,32}")  # sso-admin API reference, PermissionSetName
_SET_ARN = re.compile(r"arn:aws[a-z-]*:sso:::permissionSet/(ssoins-[0-9a-zA-Z]+)/ps-[0-9a-zA-Z]+")
_IN_CENTER = "With credentials of the management account, or of the delegated administrator of IAM Identity Center:"


def permission_set_of(subject: Subject) -> str | None:
    """The name of the permission set that a role of Identity Center stands for; None for other identities."""
    found = _ROLE.fullmatch(subject.name) if subject.kind is PrincipalKind.SSO_ROLE else None
    return found[1] if found else None


def by_permission_set(subjects: Iterable[Subject]) -> dict[str, tuple[Subject, ...]]:
    """The roles of each permission set, in the order given; a role whose name says no set stands for itself."""
    found: dict[str, list[Subject]] = {}
    for subject in subjects:
        if subject.kind is PrincipalKind.SSO_ROLE:
            found.setdefault(permission_set_of(subject) or subject.arn, []).append(subject)
    return {name: tuple(roles) for name, roles in sorted(found.items())}


def refused_set(name: str | None) -> str | None:
    """Why no command can name the permission set; None where one can."""
    if name is None or not _NAME.fullmatch(name):
        return "The role's name does not tell its permission set, and IAM refuses changes of such roles."
    return None


def right_size_set(name: str, found: RightSized, arns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Put what stays into the set's inline policy, take the other policies from it, and provision its roles again."""
    return tuple(_right_size_set(name, found, arns))


def _right_size_set(name: str, found: RightSized, arns: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from _find_set(name, arns)
    if found.own:
        inline = command("sso-admin", "put-inline-policy-to-permission-set", inline_policy=found.own[0])
        yield _with_set(inline)
    elif any(policy.arn is None for policy in found.removed):
        yield _with_set("aws sso-admin delete-inline-policy-from-permission-set")
    for policy in found.removed:
        if policy.arn is None:
            continue
        if AWS_MANAGED in policy.arn:
            detach = command("sso-admin", "detach-managed-policy-from-permission-set", managed_policy_arn=policy.arn)
        else:
            detach = command(
                "sso-admin",
                "detach-customer-managed-policy-reference-from-permission-set",
                customer_managed_policy_reference=json.dumps(_reference(policy.arn)),
            )
        yield _with_set(detach)
    yield from _provision()


def boundary_of_set(name: str, policy_arn: str, arns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Put a managed policy of every account, by name, in place as the boundary of the set's roles."""
    boundary = json.dumps({"CustomerManagedPolicyReference": _reference(policy_arn)})
    put = command("sso-admin", "put-permissions-boundary-to-permission-set", permissions_boundary=boundary)
    return (*_find_set(name, arns), _with_set(put), *_provision())


def remove_assignments(subject: Subject, name: str, arns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Take the permission set from an account: its role goes when the last assignment does."""
    account = shlex.quote(subject.account_id)
    kept = shlex.quote(f"assignments-{subject.account_id}-{name}.txt")
    listed = (
        f'aws sso-admin list-account-assignments --instance-arn="$INSTANCE_ARN" --account-id={account} '
        "--permission-set-arn=\"$PERMISSION_SET_ARN\" --query='AccountAssignments[].[PrincipalType,PrincipalId]' "
        f"--output=text > {kept}"
    )
    deleted = (
        "while read -r PRINCIPAL_TYPE PRINCIPAL_ID; do "
        'aws sso-admin delete-account-assignment --instance-arn="$INSTANCE_ARN" '
        f'--permission-set-arn="$PERMISSION_SET_ARN" --target-type=AWS_ACCOUNT --target-id={account} '
        f'--principal-type="$PRINCIPAL_TYPE" --principal-id="$PRINCIPAL_ID"; done < {kept}'
    )
    undo = comment(
        f"assignments-{subject.account_id}-{name}.txt is the way back: create-account-assignment of each line."
    )
    return (*_find_set(name, arns), listed, undo, deleted)


def _find_set(name: str, arns: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Both ARNs as variables: from the snapshot where it has exactly one of that name, else looked up."""
    yield comment(_IN_CENTER)
    known = arns.get(name, ())
    found = _SET_ARN.fullmatch(known[0]) if len(known) == 1 else None
    if found:
        parsed = parse_arn(known[0])
        partition = parsed.partition if parsed else "aws"
        yield f"INSTANCE_ARN=arn:{partition}:sso:::instance/{found[1]}"
        yield f"PERMISSION_SET_ARN={shlex.quote(known[0])}"
        return
    yield "INSTANCE_ARN=$(aws sso-admin list-instances --query='Instances[0].InstanceArn' --output=text)"
    yield (
        'PERMISSION_SET_ARN=$(for ARN in $(aws sso-admin list-permission-sets --instance-arn="$INSTANCE_ARN" '
        "--query='PermissionSets[]' --output=text); do "
        '[ "$(aws sso-admin describe-permission-set --instance-arn="$INSTANCE_ARN" --permission-set-arn="$ARN" '
        f'--query=PermissionSet.Name --output=text)" = {shlex.quote(name)} ] && echo "$ARN"; done)'
    )


def _provision() -> Iterator[str]:
    yield _with_set("aws sso-admin provision-permission-set --target-type=ALL_PROVISIONED_ACCOUNTS")


def _with_set(text: str) -> str:
    return f'{text} --instance-arn="$INSTANCE_ARN" --permission-set-arn="$PERMISSION_SET_ARN"'


def _reference(policy_arn: str) -> dict[str, str]:
    """A policy of the accounts as Identity Center names it: by name and path, the same in every account."""
    path, _, name = policy_arn.partition(":policy/")[2].rpartition("/")
    return {"Name": name, "Path": f"/{path}/" if path else "/"}
