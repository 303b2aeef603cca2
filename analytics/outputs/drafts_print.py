"""A draft as people and machines take it on: policy documents, AWS CLI commands, Terraform.

Names come from the organisation and from the command line and are untrusted: in a shell every one is quoted, in HCL
every one is a quoted string without templates, and in a comment it is one printable line.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.findings.drafts.commands import by_account, commands, description, one_line
from analytics.findings.drafts.size import compact
from analytics.findings.estate import POLICY_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.drafts.compose import Draft
    from analytics.findings.drafts.place import DraftPolicy

_LABEL = re.compile(r"[^A-Za-z0-9_]")
_OPENS_TEMPLATE = re.compile(r"(\$+|%+)\{")
_BACKSLASHED = re.compile(r"\\(\\|b|f)")


class DraftFormat(StrEnum):
    """What a draft can be printed as."""

    JSON = "json"
    CLI = "cli"
    TERRAFORM = "terraform"


def printed(draft: Draft, form: DraftFormat) -> str:
    """The draft in one of the formats, with a line break at the end."""
    writers = {DraftFormat.JSON: _json, DraftFormat.CLI: _cli, DraftFormat.TERRAFORM: _terraform}
    return writers[form](draft)


def _json(draft: Draft) -> str:
    """The document; of several a list of them."""
    documents = [compact(document) for document in draft.documents]
    return json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False) + "\n"


def _cli(draft: Draft) -> str:
    head = [f"# {one_line(line)}" for line in _head(draft)]
    return "\n".join(["#!/bin/sh", *head, "set -eu", *commands(draft), ""])


def _terraform(draft: Draft) -> str:
    blocks = _boundary_blocks(draft) if draft.layer == "boundary" else _control_blocks(draft)
    head = [f"# {one_line(line)}" for line in _head(draft)]
    return "\n".join(head) + "\n\n" + "\n\n".join(blocks) + "\n"


def _control_blocks(draft: Draft) -> Iterator[str]:
    for policy, label in zip(draft.policies, _labels(draft), strict=True):
        changed = policy.replaces is not None and policy.replaces.arn is not None
        if changed and policy.replaces is not None and policy.replaces.arn is not None:
            yield _import(f"aws_organizations_policy.{label}", policy.replaces.arn.rpartition("/")[2])
        yield (
            f'resource "aws_organizations_policy" "{label}" {{\n'
            f"  name        = {_hcl(policy.name)}\n"
            + ("" if changed else f"  description = {_hcl(description(draft))}\n")
            + f"  type        = {_hcl(POLICY_TYPES[draft.layer])}\n"
            f"  content     = {_encoded(policy)}\n"
            "}"
        )
        if not changed:
            for number, node_id in enumerate(policy.attach_to, start=1):
                yield (
                    f'resource "aws_organizations_policy_attachment" "{label}{f"_{number}" if number > 1 else ""}" {{\n'
                    f"  policy_id = aws_organizations_policy.{label}.id\n"
                    f"  target_id = {_hcl(node_id)}\n"
                    "}"
                )


def _boundary_blocks(draft: Draft) -> Iterator[str]:
    """Policies only: the boundary of a role is an argument of the role's own resource."""
    for policy, label in zip(draft.policies, _labels(draft), strict=True):
        if policy.replaces is not None and policy.replaces.arn is not None:
            yield _import(f"aws_iam_policy.{label}", policy.replaces.arn)
            yield _iam_policy(label, policy.name, policy)
            continue
        for account_id, arns in by_account(policy).items():
            holders = "\n".join(f"#   {one_line(arn)}" for arn in arns)
            own = f"{label}_{_LABEL.sub('_', account_id)}"
            yield (
                f"# In account {account_id}: set permissions_boundary = aws_iam_policy.{own}.arn on\n{holders}\n"
                + _iam_policy(own, policy.name, policy)
            )


def _iam_policy(label: str, name: str, policy: DraftPolicy) -> str:
    return f'resource "aws_iam_policy" "{label}" {{\n  name   = {_hcl(name)}\n  policy = {_encoded(policy)}\n}}'


def _import(address: str, identifier: str) -> str:
    """An attached policy that Terraform may not know yet: it is taken in, not made anew."""
    return f"import {{\n  to = {address}\n  id = {_hcl(identifier)}\n}}"


def _labels(draft: Draft) -> list[str]:
    """One label a policy; different names may differ in characters that a label cannot have."""
    labels: list[str] = []
    for policy in draft.policies:
        base = _LABEL.sub("_", policy.name).strip("_") or "policy"
        base = base if not base[0].isdigit() else f"policy_{base}"
        number = sum(label == base or label.startswith(f"{base}__") for label in labels)
        labels.append(f"{base}__{number + 1}" if number else base)
    return labels


def _encoded(policy: DraftPolicy) -> str:
    """The document as an argument of `jsonencode`: HCL reads JSON's objects and strings, but for templates."""
    text = json.dumps(compact(policy.document), indent=2, ensure_ascii=False)
    return f"jsonencode({_without_templates(text)})".replace("\n", "\n  ")


def _hcl(text: str) -> str:
    """A quoted HCL string that stands for exactly this text."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _without_templates(quoted)


def _without_templates(quoted: str) -> str:
    """JSON's quoting as HCL's: no `${…}` and `%{…}`, and the two escapes that HCL lacks written as numbers.

    `$${` is HCL for a plain `${`; a run of several is spelled by number, as scanners differ on it.
    """
    quoted = _BACKSLASHED.sub(lambda found: {"b": r"\u0008", "f": r"\u000c"}.get(found[1], found[0]), quoted)
    return _OPENS_TEMPLATE.sub(
        lambda found: f"{found[1] * 2}{{" if len(found[1]) == 1 else f"{_numbered(found[1])}{{", quoted
    )


def _numbered(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def _head(draft: Draft) -> list[str]:
    return [
        f"Draft {draft.name}: {draft.layer} for {', '.join(draft.scenarios)} at {draft.target_name} ({draft.target})",
        *draft.notes,
    ]
