"""The commands that put a boundary in place, for IAM's own identities and for permission sets of Identity Center."""

from __future__ import annotations

import json
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.findings.organization.quota import minified
from analytics.iam.names import PrincipalKind, parse_arn
from analytics.iam.policy import PolicyDocument, parse_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.estate import Subject

Commands = tuple[str, ...]
Documents = dict[str, tuple[str, PolicyDocument]]  # by ARN, or by path and name: an account that has it, and the text
_RESERVED = "/aws-reserved/"


def commands_for(
    subject: Subject, boundary: str | None, set_name: str | None, permission_sets: Mapping[str, Commands]
) -> tuple[Commands, str | None]:
    """The commands, or why there are none. `boundary` None: it is to be taken away."""
    if subject.kind is PrincipalKind.SSO_ROLE or set_name is not None:
        return _of_permission_set(set_name or subject.name, boundary, permission_sets)
    if subject.path.startswith(_RESERVED):
        return (), "AWS reserves this role, and changes it alone"
    noun, option = ("user", "--user-name") if subject.kind is PrincipalKind.USER else ("role", "--role-name")
    name = shlex.quote(subject.name)
    if boundary is None:
        return (f"aws iam delete-{noun}-permissions-boundary {option} {name}",), None
    return (
        f"aws iam put-{noun}-permissions-boundary {option} {name} --permissions-boundary {shlex.quote(boundary)}",
    ), None


def creation_of(boundary: str, documents: Documents) -> Commands:
    """The command that makes a policy of which another account has the document; none where no account has it."""
    document = document_of(boundary, documents)
    if document is None:
        return ()
    path, _, name = boundary.partition(":policy/")[2].rpartition("/")
    words = ["aws", "iam", "create-policy", "--policy-name", name]
    words += ["--path", f"/{path}/"] if path else []
    return (shlex.join([*words, "--policy-document", minified(document)]),)


def document_of(boundary: str, documents: Documents) -> PolicyDocument | None:
    """The document of a boundary: its own, or that of its name in another account with the account's id put in."""
    own = documents.get(boundary)
    if own is not None:
        return own[1]
    known, arn = documents.get(boundary.partition(":policy/")[2]), parse_arn(boundary)
    if known is None or arn is None:
        return None
    account_id, document = known
    return _moved(document, account_id, arn.account_id)


@lru_cache(maxsize=4096)
def _moved(document: PolicyDocument, account_id: str, to: str) -> PolicyDocument:
    return parse_policy(minified(document).replace(f":{account_id}:", f":{to}:"), name="boundary of another account")


def _of_permission_set(
    name: str, boundary: str | None, permission_sets: Mapping[str, Commands]
) -> tuple[Commands, str | None]:
    """Put the boundary into the permission set, and provision it again where it is in use."""
    arns = permission_sets.get(name, ())
    if len(arns) != 1:
        known = "is not in the snapshot (`identity-center.json`)" if not arns else "stands twice in the snapshot"
        return (), f"a boundary of this role belongs into permission set `{name}`, which {known}"
    instance, _, _ = arns[0].partition(":permissionSet/")
    store = arns[0].partition(":permissionSet/")[2].partition("/")[0]
    which = ["--instance-arn", f"{instance}:instance/{store}", "--permission-set-arn", arns[0]]
    if boundary is None:
        change = ["delete-permissions-boundary-from-permission-set", *which]
    else:
        change = ["put-permissions-boundary-to-permission-set", *which, "--permissions-boundary", _reference(boundary)]
    provision = ["provision-permission-set", *which, "--target-type", "ALL_PROVISIONED_ACCOUNTS"]
    return tuple(shlex.join(["aws", "sso-admin", *words]) for words in (change, provision)), None


def _reference(boundary: str) -> str:
    """A boundary as Identity Center takes it: AWS's policies by ARN, others by name and path in every account."""
    if ":iam::aws:policy/" in boundary:
        return json.dumps({"ManagedPolicyArn": boundary}, separators=(",", ":"))
    path, _, name = boundary.partition(":policy/")[2].rpartition("/")
    reference = {"Name": name, "Path": f"/{path}/" if path else "/"}
    return json.dumps({"CustomerManagedPolicyReference": reference}, separators=(",", ":"))
