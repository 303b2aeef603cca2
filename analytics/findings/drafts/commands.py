"""What one runs to put a draft in force: commands of the AWS CLI, a line each.

Names come from the organisation and from the command line and are untrusted: in a shell every one is quoted, and in a
comment it is one printable line.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from analytics.findings.drafts.size import compact_text
from analytics.findings.estate import POLICY_TYPES
from analytics.iam.names import PrincipalKind, account_of, kind_of_arn, parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.drafts.compose import Draft
    from analytics.findings.drafts.place import DraftPolicy


def commands(draft: Draft) -> tuple[str, ...]:
    """The commands in their order; together they are one script, whose lines share variables."""
    return tuple(_boundary_commands(draft) if draft.layer == "boundary" else _control_commands(draft))


def _control_commands(draft: Draft) -> Iterator[str]:
    """Run with credentials of the management account or of a delegated administrator."""
    for policy in draft.policies:
        content = shlex.quote(compact_text(policy.document))
        if policy.replaces is not None and policy.replaces.arn is not None:
            policy_id = policy.replaces.arn.rpartition("/")[2]
            yield f"aws organizations update-policy --policy-id {shlex.quote(policy_id)} --content {content}"
            continue
        yield (
            f"policy_id=$(aws organizations create-policy --name {shlex.quote(policy.name)} "
            f"--type {POLICY_TYPES[draft.layer]} --description {shlex.quote(description(draft))} "
            f"--content {content} --query Policy.PolicySummary.Id --output text)"
        )
        for node_id in policy.attach_to:
            yield f'aws organizations attach-policy --policy-id "$policy_id" --target-id {shlex.quote(node_id)}'


def _boundary_commands(draft: Draft) -> Iterator[str]:
    """Run with credentials of the account that each comment names: managed policies belong to an account."""
    for policy in draft.policies:
        text = shlex.quote(compact_text(policy.document))
        if policy.replaces is not None and policy.replaces.arn is not None:
            yield f"# In account {account_of(policy.replaces.arn)}; IAM keeps five versions of a policy."
            yield (
                f"aws iam create-policy-version --policy-arn {shlex.quote(policy.replaces.arn)} "
                f"--policy-document {text} --set-as-default"
            )
            continue
        for account_id, arns in by_account(policy).items():
            yield f"# In account {account_id}:"
            yield (
                f"boundary_arn=$(aws iam create-policy --policy-name {shlex.quote(policy.name)} "
                f"--policy-document {text} --query Policy.Arn --output text)"
            )
            yield from map(_put_boundary, arns)


def _put_boundary(arn: str) -> str:
    name = shlex.quote(_last_name(arn))
    if kind_of_arn(arn) is PrincipalKind.SSO_ROLE:
        return (
            f"# {one_line(arn)}: set the boundary on its permission set "
            "(aws sso-admin put-permissions-boundary-to-permission-set)"
        )
    what = "user" if kind_of_arn(arn) is PrincipalKind.USER else "role"
    return f'aws iam put-{what}-permissions-boundary --{what}-name={name} --permissions-boundary "$boundary_arn"'


def description(draft: Draft) -> str:
    """Organizations takes 512 characters."""
    return f"Closes {', '.join(draft.scenarios)} (drafted by Headroom)"[:512]


def by_account(policy: DraftPolicy) -> dict[str, list[str]]:
    """The identities of a boundary by the account in which it is made."""
    accounts: defaultdict[str, list[str]] = defaultdict(list)
    for arn in policy.attach_to:
        accounts[account_of(arn) or "unknown"].append(arn)
    return dict(sorted(accounts.items()))


def _last_name(arn: str) -> str:
    parsed = parse_arn(arn)
    return (parsed.resource if parsed else arn).rpartition("/")[2]


def one_line(text: str) -> str:
    """Fit for a comment: no line break of any kind, and nothing that steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
