"""AWS CLI commands as text that a shell takes as it is meant, whatever names an account holds.

Names come from the snapshot and are untrusted. A name that IAM would not accept never reaches a command; every value is
quoted all the same, and stands behind `=`, so that none is taken for an option. A comment is one printable line.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from analytics.findings.drafts.size import compact_text
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from analytics.findings.estate import Subject
    from analytics.iam.policy import PolicyDocument

# IAM API reference: `[\w+=,.@-]+`, where `\w` is ASCII; roles and users have 64 characters at most.
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_POLICY_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/([!-~]*/)?[A-Za-z0-9_+=,.@-]{1,128}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_STORED = re.compile(r"[\t\n\r\x20-\xff]*")  # IAM quotas: the characters that a policy document may hold


def command(service: str, operation: str, **options: str | PolicyDocument | None) -> str:
    """`aws iam put-role-policy --role-name=app …`: an option of None is a flag; documents are printed as JSON."""
    words = ["aws", service, operation]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is None:
            words.append(option)
        else:
            words.append(f"{option}={shlex.quote(value if isinstance(value, str) else compact_text(value))}")
    return " ".join(words)


def comment(text: str) -> str:
    """A line that a shell skips."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in text)


def in_account(subject: Subject) -> str:
    """The first line of a script: whose credentials it takes."""
    return comment(f"With credentials of account {subject.account_id}:")


def is_user(subject: Subject) -> bool:
    """Whether IAM's user operations apply, and not those of roles."""
    return subject.kind is PrincipalKind.USER


def named(subject: Subject) -> dict[str, str]:
    """The option that names the identity."""
    return {"user_name" if is_user(subject) else "role_name": subject.name}


def noun(subject: Subject) -> str:
    """`user` or `role`, as operations are named."""
    return "user" if is_user(subject) else "role"


def refused_name(subject: Subject) -> str | None:
    """Why no command can name this identity; None where one can."""
    if not _NAME.fullmatch(subject.name) or not _ACCOUNT.fullmatch(subject.account_id):
        return "IAM accepts no such name or account: the snapshot is wrong here, and a command would be refused."
    return None


def is_policy_name(name: str) -> bool:
    """Whether IAM accepts it as the name of a policy."""
    return _POLICY_NAME.fullmatch(name) is not None


def is_policy_arn(arn: str | None) -> bool:
    """Whether IAM accepts it as the ARN of a managed policy."""
    return arn is not None and _POLICY_ARN.fullmatch(arn) is not None


def is_storable(document: PolicyDocument) -> bool:
    """Whether IAM stores every character of the document."""
    return _STORED.fullmatch(compact_text(document)) is not None


def partition_of(arn: str) -> str:
    """Of an ARN: `aws`, `aws-cn`, `aws-us-gov`."""
    parsed = parse_arn(arn)
    return parsed.partition if parsed else "aws"
