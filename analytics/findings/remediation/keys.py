"""The commands for access keys and MFA devices of users.

A credential report names no key ids, so a key is found by the second in which it was made. A user has two keys at most:
a new one needs room first. (IAM User Guide, "Update access keys"; "Assign a virtual MFA device in the AWS CLI".)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.remediation.shell import command, comment, in_account, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analytics.findings.estate import Subject
    from analytics.findings.remediation.rules import Quotas
    from analytics.sources.snapshot_values import AccessKey


def delete_key(subject: Subject, key: AccessKey) -> tuple[str, ...]:
    """Make it inactive, wait, delete it."""
    return (in_account(subject), *_find(subject, key, "KEY_ID"), *_retire(subject, "KEY_ID"))


def rotate_key(subject: Subject, key: AccessKey, others: Sequence[AccessKey], quotas: Quotas) -> tuple[str, ...]:
    """A new key for the callers, then the old one inactive, then gone. `others`: the user's other keys."""
    return (in_account(subject), *_rotate(subject, key, others, quotas))


def _rotate(subject: Subject, key: AccessKey, others: Sequence[AccessKey], quotas: Quotas) -> Iterator[str]:
    yield from _find(subject, key, "OLD_KEY_ID")
    active = [other for other in others if other.active]
    if len(others) + 1 >= quotas.access_keys and not active:
        yield comment("The other key is inactive and takes the place of the new one:")
        yield from _find(subject, others[0], "INACTIVE_KEY_ID")
        yield _key_command(subject, "delete-access-key", "INACTIVE_KEY_ID")
    if active:
        yield comment("The user has another active key: give that one to the callers of this one.")
    else:
        yield command("iam", "create-access-key", **named(subject))
        yield comment("Give the new key to the callers, and watch until the old one rests:")
    yield 'aws iam get-access-key-last-used --access-key-id="$OLD_KEY_ID"'
    yield from _retire(subject, "OLD_KEY_ID")


def add_mfa(subject: Subject) -> tuple[str, ...]:
    """Make a virtual device and enable it; the two codes come from the device."""
    serial = f"arn:{subject.arn.split(':')[1]}:iam::{subject.account_id}:mfa/{subject.name}"
    make = command(
        "iam",
        "create-virtual-mfa-device",
        virtual_mfa_device_name=subject.name,
        outfile=f"{subject.name}-mfa.png",
        bootstrap_method="QRCodePNG",
    )
    enable = command("iam", "enable-mfa-device", **named(subject), serial_number=serial)
    return (
        in_account(subject),
        comment(
            "Best done by the user, in the console (Security credentials), with a passkey. Or with a virtual device:"
        ),
        make,
        comment("Scan the picture, delete it, and take two codes in a row from the device:"),
        'read -r -p "Two codes: " CODE_1 CODE_2',
        f'{enable} --authentication-code1="$CODE_1" --authentication-code2="$CODE_2"',
    )


def _find(subject: Subject, key: AccessKey, variable: str) -> Iterator[str]:
    """The id of the key as a shell variable; without a time of creation a person has to choose."""
    listing = command("iam", "list-access-keys", **named(subject))
    if key.created is None:
        yield listing
        yield f'read -r -p "Key id from the list: " {variable}'
        return
    made = f"{key.created:%Y-%m-%dT%H:%M:%S}"
    yield (
        f"{variable}=$({listing} --query=\"AccessKeyMetadata[?starts_with(CreateDate, '{made}')].AccessKeyId | [0]\" "
        "--output=text)"
    )


def _retire(subject: Subject, variable: str) -> Iterator[str]:
    yield f"{_key_command(subject, 'update-access-key', variable)} --status=Inactive"
    yield comment("When nobody has missed it for a week (the way back: --status=Active):")
    yield _key_command(subject, "delete-access-key", variable)


def _key_command(subject: Subject, operation: str, variable: str) -> str:
    return f'{command("iam", operation, **named(subject))} --access-key-id="${variable}"'
