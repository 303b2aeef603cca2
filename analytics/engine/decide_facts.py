"""What AWS does beside the policies: exceptions of control policies, of services, of accounts.

Each function is one fact with its source; docs/METHOD.md lists them together.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.engine.decide_principal import SERVICE_LINKED_PATH, Caller

if TYPE_CHECKING:
    from analytics.engine.decide_principal import Principal, Values
    from analytics.engine.decide_values import Request

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
RCP_SERVICES_FILE = REFERENCE / "rcp_services.csv"
PROTECTED_FILE = REFERENCE / "protected_resources.csv"

# STS API Reference: no permissions are needed, and no policy can take them away
_ALWAYS_ALLOWED = {"sts:getcalleridentity": frozenset(Caller) - {Caller.ANONYMOUS, Caller.EXTERNAL, Caller.SERVICE}}
_ALWAYS_ALLOWED["sts:getsessiontoken"] = frozenset({Caller.USER, Caller.ROOT})

# S3 API Reference, PutBucketPolicy: the owner's root user cannot be locked out by the bucket policy
_BUCKET_RECOVERY = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})

_TRUST_ACTIONS = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")


def always_allowed(action: str, who: Principal) -> bool:
    """Whether AWS never asks a policy about this lower-case action."""
    callers = _ALWAYS_ALLOWED.get(action)
    return callers is not None and who.caller in callers


def needs_resource_grant(action: str, resource: str) -> bool:
    """Whether the resource's own policy must speak for the caller even in one account: KMS keys and role trust.

    AWS KMS Developer Guide, "Key policies"; IAM User Guide, "Policy evaluation logic". Aliases and `*` have no policy.
    """
    if action.startswith("kms:"):
        return resource.startswith("arn:") and resource.split(":", 5)[-1].startswith("key/")
    return action.startswith(_TRUST_ACTIONS) and ":role/" in resource


def is_protected(action: str, resource: str) -> bool:
    """Whether only AWS may do this: change its managed policies, its reserved roles, its KMS aliases."""
    part = protected_parts().get(action)
    return part is not None and part in resource


def owner_recovers_bucket(action: str, who: Principal) -> bool:
    """Whether a deny in the bucket policy cannot stop the root user of the bucket's own account."""
    return who.caller is Caller.ROOT and action in _BUCKET_RECOVERY


def scps_bind(who: Principal, values: Values, management_account: str | None) -> bool:
    """Whether SCPs limit the caller: not outsiders, not the management account, not service-linked roles.

    AWS Organizations User Guide, "Service control policies (SCPs)".
    """
    if who.account_id is None or who.account_id == management_account:
        return False
    return not who.is_service_linked(values)


def rcps_bind(
    request: Request, action: str, who: Principal, account: str | None, management_account: str | None
) -> bool:
    """Whether RCPs limit access to the resource. AWS Organizations User Guide, "Resource control policies (RCPs)"."""
    if action.partition(":")[0] not in rcp_services() or action == "kms:retiregrant":
        return False
    if management_account is not None and account == management_account:
        return False
    if action.startswith(_TRUST_ACTIONS) and SERVICE_LINKED_PATH in request.resource:
        return False
    if action.startswith("kms:") and _is_aws_managed_key(request.resource, request.context):
        return False
    return not who.is_service_linked(request.context)


@cache
def rcp_services() -> frozenset[str]:
    """The services whose calls RCPs bind, from `data/reference/rcp_services.csv`."""
    with RCP_SERVICES_FILE.open(encoding="utf-8", newline="") as file:
        return frozenset(row["service"] for row in csv.DictReader(file))


@cache
def protected_parts() -> dict[str, str]:
    """The part of a resource's ARN that puts it beyond an action, from `data/reference/protected_resources.csv`."""
    with PROTECTED_FILE.open(encoding="utf-8", newline="") as file:
        return {row["action"].lower(): row["resource_part"] for row in csv.DictReader(file)}


def _is_aws_managed_key(resource: str, values: Values) -> bool:
    aliases = values.get("kms:resourcealiases", ()) + values.get("kms:requestalias", ())
    return ":alias/aws/" in resource or any(alias.startswith("alias/aws/") for alias in aliases)
