"""Policy documents of the sample: guardrails from files, trust policies and permissions from small builders."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analytics.demo.model import Document

_FOLDER = Path(__file__).parent / "documents"
_MANAGED = Path(__file__).parents[2] / "data" / "reference" / "aws_managed_policies.json.gz"


def guardrail(name: str, names: Mapping[str, str]) -> Document:
    """A policy of `documents/`, with `<account name>` and `<organization-id>` filled in."""
    text = (_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for place, value in names.items():
        text = text.replace(f"<{place}>", value)
    return json.loads(text)  # type: ignore[no-any-return]


@functools.cache
def aws_managed() -> dict[str, Any]:
    """AWS managed policies by ARN: name, version, dates, document (data/reference)."""
    with gzip.open(_MANAGED) as file:
        policies = json.load(file)
    return {policy["arn"]: policy for policy in policies.values()}


def managed(name: str) -> str:
    """The ARN of an AWS managed policy."""
    return f"arn:aws:iam::aws:policy/{name}"


def document(*statements: Document) -> Document:
    """A policy of the current version."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Sequence[str], resources: Sequence[str] | str = "*", **more: Any) -> Document:
    """A statement that allows; `Sid` and `Condition` by name."""
    return statement("Allow", actions, resources, **more)


def statement(effect: str, actions: Sequence[str], resources: Sequence[str] | str = "*", **more: Any) -> Document:
    """A statement with the elements in the order that people write."""
    first = {"Sid": more.pop("Sid")} if "Sid" in more else {}
    body = {"Effect": effect, "Action": _one(actions), "Resource": _one(resources)}
    return first | body | more


def _one(values: Sequence[str] | str) -> object:
    if isinstance(values, str):
        return values
    return values[0] if len(values) == 1 else list(values)


def trust_service(*services: str, **more: Any) -> Document:
    """A trust policy for AWS services."""
    return document(
        {"Effect": "Allow", "Principal": {"Service": _one(services)}, "Action": "sts:AssumeRole"} | _condition(more)
    )


def trust_aws(*principals: str, **condition: Any) -> Document:
    """A trust policy for accounts and identities (`arn:aws:iam::ACCOUNT:root` or more exact)."""
    return document(
        {"Effect": "Allow", "Principal": {"AWS": _one(principals)}, "Action": "sts:AssumeRole"} | _condition(condition)
    )


def trust_saml(provider_arn: str) -> Document:
    """The trust policy that Identity Center writes."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        }
    )


def trust_oidc(provider_arn: str, condition: Mapping[str, Any]) -> Document:
    """A trust policy for a web identity provider under the given condition."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": dict(condition),
        }
    )


def _condition(more: Mapping[str, Any]) -> Document:
    return {"Condition": dict(more)} if more else {}
