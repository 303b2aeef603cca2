"""The commands that remove a user or a role: first what is easily undone, then for good, in the order AWS requires.

IAM User Guide, "Delete roles or instance profiles" and "Remove or deactivate an IAM user": IAM deletes an identity only
when nothing hangs on it any more. What the snapshot does not name (keys, devices, profiles) is listed by the commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.drafts.size import characters
from analytics.findings.remediation.shell import command, comment, in_account, is_user, named, noun
from analytics.iam.policy import Effect, PolicyDocument, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.rules import Quotas

DISABLED = "headroom-disabled"
DENY_ALL = PolicyDocument((Statement(Effect.DENY, action=("*",), resource=("*",)),), "2012-10-17")

# What hangs on a user, as IAM lists it: operation and query that list it, operation that deletes one.
_OF_USER = (
    ("list-access-keys", "AccessKeyMetadata[].AccessKeyId", "delete-access-key", "access-key-id"),
    ("list-signing-certificates", "Certificates[].CertificateId", "delete-signing-certificate", "certificate-id"),
    ("list-ssh-public-keys", "SSHPublicKeys[].SSHPublicKeyId", "delete-ssh-public-key", "ssh-public-key-id"),
    (
        "list-service-specific-credentials",
        "ServiceSpecificCredentials[].ServiceSpecificCredentialId",
        "delete-service-specific-credential",
        "service-specific-credential-id",
    ),
    ("list-mfa-devices", "MFADevices[].SerialNumber", "deactivate-mfa-device", "serial-number"),
    ("list-groups-for-user", "Groups[].GroupName", "remove-user-from-group", "group-name"),
)


def remove(subject: Subject, quotas: Quotas) -> tuple[str, ...]:
    """Disable, wait, delete."""
    return (in_account(subject), *_disable(subject, quotas), *_delete(subject))


def _disable(subject: Subject, quotas: Quotas) -> Iterator[str]:
    yield comment("1. Disable: everything is denied from now on, and one command brings it back.")
    what = noun(subject)
    if _has_room(subject, quotas):
        yield command("iam", f"put-{what}-policy", **named(subject), policy_name=DISABLED, policy_document=DENY_ALL)
        undo = command("iam", f"delete-{what}-policy", **named(subject), policy_name=DISABLED)
    else:
        partition = subject.arn.split(":")[1]
        deny_all = f"arn:{partition}:iam::aws:policy/AWSDenyAll"
        yield command("iam", f"attach-{what}-policy", **named(subject), policy_arn=deny_all)
        undo = command("iam", f"detach-{what}-policy", **named(subject), policy_arn=deny_all)
    yield comment(f"   The way back: {undo}")


def _has_room(subject: Subject, quotas: Quotas) -> bool:
    """Whether one more small inline policy fits."""
    most = quotas.inline_user_characters if is_user(subject) else quotas.inline_role_characters
    inline = [one for one in subject.stack.identity if one.arn is None and one.attached_to == subject.arn]
    return sum(characters(one.document) for one in inline) + characters(DENY_ALL) <= most


def _delete(subject: Subject) -> Iterator[str]:
    yield comment("2. When nobody has missed it for a month, delete what hangs on it, and then it:")
    if is_user(subject):
        yield from (_each(subject, *row) for row in _OF_USER)
        login = command("iam", "get-login-profile", **named(subject))
        yield f"if {login} > /dev/null 2>&1; then {command('iam', 'delete-login-profile', **named(subject))}; fi"
    else:
        yield _each(
            subject,
            "list-instance-profiles-for-role",
            "InstanceProfiles[].InstanceProfileName",
            "remove-role-from-instance-profile",
            "instance-profile-name",
        )
    what = noun(subject)
    yield _each(subject, f"list-{what}-policies", "PolicyNames[]", f"delete-{what}-policy", "policy-name")
    yield _each(
        subject,
        f"list-attached-{what}-policies",
        "AttachedPolicies[].PolicyArn",
        f"detach-{what}-policy",
        "policy-arn",
    )
    yield command("iam", f"delete-{what}", **named(subject))


def _each(subject: Subject, listing: str, query: str, operation: str, option: str) -> str:
    """One line that does an operation to everything that a listing names; IAM's ids and names hold no blanks."""
    listed = f"{command('iam', listing, **named(subject))} --query='{query}' --output=text"
    done = command("iam", operation, **named(subject))
    return f'for EACH in $({listed}); do {done} --{option}="$EACH"; done'
