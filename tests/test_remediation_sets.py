"""Permission sets, keys and trust policies: their scripts run against the AWS API, and leave what they promise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from analytics.findings.drafts.size import compact
from analytics.findings.remediation import commands as remediation_commands
from analytics.findings.remediation import keys as remediation_keys
from analytics.findings.remediation import sets as remediation_sets
from analytics.findings.remediation.rightsize import RightSizer
from analytics.findings.remediation.rules import remediation_rules
from analytics.iam.policy import to_json
from analytics.iam.stack import NamedPolicy
from analytics.sources.snapshot_values import AccessKey
from tests.aws_cli import Shell, shell
from tests.builders import ACCOUNT, allow, document
from tests.estates import arn, estate, identity, trusts

SSO = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
QUOTAS = remediation_rules().quotas
EVERYTHING = (1 << len(estate().catalogue.actions)) - 1
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with shell(tmp_path_factory.mktemp("aws")) as found:
        yield found


@pytest.fixture
def bash(server: Shell) -> Shell:
    """An empty account, an empty folder and nothing in the log."""
    boto_reset(server)
    server.cli.log.clear()
    for file in (server.folder / "work").iterdir():
        file.unlink()
    return server


def boto_reset(bash: Shell) -> None:
    """An empty account: the backends of a process outlive a server."""
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{bash.cli.endpoint}/moto-api/reset", method="POST")).close()


def done(bash: Shell, *lines: str, typed: str = "") -> None:
    ran = bash.run(*lines, typed=typed)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def center(bash: Shell) -> dict[str, Any]:
    """A permission set `Ops` with an inline, an AWS managed and a customer managed policy, and one assignment."""
    sso = bash.cli.client("sso-admin")
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    for name in ("Other", "Ops"):
        made = sso.create_permission_set(Name=name, InstanceArn=instance)["PermissionSet"]["PermissionSetArn"]
    both = {"InstanceArn": instance, "PermissionSetArn": made}
    sso.put_inline_policy_to_permission_set(**both, InlinePolicy=json.dumps(to_json(document(allow("s3:*", "sqs:*")))))
    sso.attach_managed_policy_to_permission_set(**both, ManagedPolicyArn=READ_ONLY)
    sso.attach_customer_managed_policy_reference_to_permission_set(
        **both, CustomerManagedPolicyReference={"Name": "extra", "Path": "/ops/"}
    )
    sso.create_account_assignment(
        **both, TargetId=ACCOUNT, TargetType="AWS_ACCOUNT", PrincipalType="GROUP", PrincipalId="g-1"
    )
    return both


def role_of_the_set(*policies: NamedPolicy) -> Any:
    name = "AWSReservedSSO_Ops_0123456789abcdef"
    seen = estate().catalogue.mask(["s3:PutObject"])
    return identity(name, allow("s3:*", "sqs:*"), path=SSO, policies=policies, seen=seen, observable=EVERYTHING)


@pytest.mark.parametrize("known", [True, False], ids=["ARN of the snapshot", "looked up by name"])
def test_a_permission_set_is_right_sized(bash: Shell, center: dict[str, Any], *, known: bool) -> None:
    extra = f"arn:aws:iam::{ACCOUNT}:policy/ops/extra"
    its_arn = arn("AWSReservedSSO_Ops_0123456789abcdef", path=SSO)
    subject = role_of_the_set(
        NamedPolicy("ReadOnlyAccess", document(allow("ec2:Describe*")), READ_ONLY, its_arn),
        NamedPolicy("extra", document(allow("sns:*")), extra, its_arn),
    )
    found = RightSizer(estate(subject), remediation_rules()).of(subject)
    assert found is not None
    arns = {"Ops": (center["PermissionSetArn"],)} if known else {}
    lines = remediation_sets.right_size_set("Ops", found, arns)
    assert lines[-1].startswith("aws sso-admin provision-permission-set ")
    done(bash, *lines)
    sso = bash.cli.client("sso-admin")
    stored = json.loads(sso.get_inline_policy_for_permission_set(**center)["InlinePolicy"])
    assert stored == compact(found.own[0])
    assert sso.list_managed_policies_in_permission_set(**center)["AttachedManagedPolicies"] == []
    references = sso.list_customer_managed_policy_references_in_permission_set(**center)
    assert references["CustomerManagedPolicyReferences"] == []


def test_a_permission_set_is_taken_from_an_account_and_the_way_back_is_kept(
    bash: Shell, center: dict[str, Any]
) -> None:
    done(bash, *remediation_sets.remove_assignments(role_of_the_set(), "Ops", {}))
    sso = bash.cli.client("sso-admin")
    assert sso.list_account_assignments(**center, AccountId=ACCOUNT)["AccountAssignments"] == []
    (kept,) = (bash.folder / "work").glob("assignments-*.txt")
    assert kept.read_text() == "GROUP\tg-1\n"


def test_a_permission_set_gets_a_boundary(bash: Shell, center: dict[str, Any]) -> None:
    lines = remediation_sets.boundary_of_set("Ops", f"arn:aws:iam::{ACCOUNT}:policy/limits/b", {})
    model_only(bash, lines)


def model_only(bash: Shell, lines: tuple[str, ...]) -> None:
    """Moto lacks the operation; botocore takes it, and only the server answers that it is missing."""
    found = bash.run(*lines)
    assert "has no option" not in found.stderr
    assert "validation failed" not in found.stderr.lower()
    assert bash.cli.log[-1][1].endswith(("provision-permission-set", "put-permissions-boundary-to-permission-set"))


# --- keys

MADE = datetime.fromisoformat("2024-03-01T12:30:45")


def keys_of(bash: Shell, *ages: tuple[str, str]) -> list[str]:
    """A user `ann` with keys of these years and states; their ids."""
    from moto.iam.models import iam_backends

    iam = bash.cli.client("iam")
    iam.create_user(UserName="ann")
    made = [iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"] for _ in ages]
    for key_id, (year, status) in zip(made, ages, strict=True):
        key = next(one for one in iam_backends[ACCOUNT]["aws"].users["ann"].access_keys if one.access_key_id == key_id)
        key.create_date = MADE.replace(year=int(year))
        iam.update_access_key(UserName="ann", AccessKeyId=key_id, Status=status)
    return made


def key(year: int, *, active: bool = True, known: bool = True) -> AccessKey:
    return AccessKey(
        active=active,
        created=MADE.replace(year=year) if known else None,
        last_used=None,
        last_used_region=None,
        last_used_service=None,
    )


def left(bash: Shell) -> dict[str, str]:
    found = bash.cli.client("iam").list_access_keys(UserName="ann")["AccessKeyMetadata"]
    return {one["AccessKeyId"]: one["Status"] for one in found}


ANN = identity("ann", allow("s3:*"), kind="user")


def test_an_inactive_key_makes_room_for_the_new_one(bash: Shell) -> None:
    ids = keys_of(bash, ("2024", "Active"), ("2023", "Inactive"))
    done(bash, *remediation_keys.rotate_key(ANN, key(2024), [key(2023, active=False)], QUOTAS))
    assert list(left(bash).values()) == ["Active"]
    assert not set(left(bash)) & set(ids)


def test_another_active_key_is_the_new_one(bash: Shell) -> None:
    _old, other = keys_of(bash, ("2024", "Active"), ("2025", "Active"))
    done(bash, *remediation_keys.rotate_key(ANN, key(2024), [key(2025)], QUOTAS))
    assert left(bash) == {other: "Active"}


def test_a_key_without_a_time_is_chosen_by_a_person(bash: Shell) -> None:
    first, second = keys_of(bash, ("2024", "Active"), ("2025", "Active"))
    done(bash, *remediation_keys.delete_key(ANN, key(2024, known=False)), typed=f"{first}\n")
    assert left(bash) == {second: "Active"}


# --- trust and quotas


def test_a_trust_policy_is_replaced(bash: Shell) -> None:
    iam = bash.cli.client("iam")
    before = to_json(trusts("ec2.amazonaws.com", "lambda.amazonaws.com"))
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(before))
    narrowed = trusts("ec2.amazonaws.com")
    done(bash, *remediation_commands.narrow_trust(identity("app", allow("s3:*")), narrowed))
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"] == compact(narrowed)


def test_a_full_role_makes_room_before_it_attaches(bash: Shell) -> None:
    iam = bash.cli.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(to_json(trusts("ec2.amazonaws.com"))))
    catalogue = estate().catalogue
    services = ["s3", "sqs", "sns", "ec2", "lambda", "iam", "kms", "rds", "ecs", "eks"]
    policies = []
    for service in services:
        iam.create_policy(PolicyName=service, PolicyDocument=json.dumps(to_json(document(allow(f"{service}:*")))))
        iam.attach_role_policy(RoleName="app", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{service}")
        its = f"arn:aws:iam::{ACCOUNT}:policy/{service}"
        policies.append(NamedPolicy(service, document(allow(f"{service}:*")), its, arn("app")))
    seen, everything = catalogue.mask(["s3:PutObject", "sqs:SendMessage"]), EVERYTHING
    one = identity("app", policies=policies, seen=seen, observable=everything)
    twin = replace(identity("twin", policies=[replace(p, attached_to=arn("twin")) for p in policies]), seen=seen)
    found = RightSizer(estate(one, twin), remediation_rules()).of(one)  # shared: nothing is rewritten in its place
    assert found is not None
    assert found.rewritten == ()
    lines = remediation_commands.right_size(one, found, (), QUOTAS)
    done(bash, *lines)
    attached = {p["PolicyName"] for p in iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"]}
    assert attached == {"headroom-right-sized-app"}
    count, most = len(services), 0
    for _, operation, _asked in bash.cli.log:
        count += {"attach-role-policy": 1, "detach-role-policy": -1}.get(operation, 0)
        most = max(most, count)
    assert most <= QUOTAS.attached_managed_policies
    assert any("some calls are denied" in line for line in lines)
