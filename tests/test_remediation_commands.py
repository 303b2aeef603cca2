"""Every printed command runs: an account is made over the AWS API, its list is built, and the scripts change it.

What the account's own dump says afterwards is what the item promised: nothing granted anew, nothing lost that was used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.build import build_store
from analytics.engine.reach import Reach, Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.settings import Settings
from analytics.sources.snapshot import read_snapshot
from analytics.store import Store
from tests.aws_cli import Shell, shell
from tests.event_files import write_layout_a
from tests.store_builder import LAST_DAY, Calls, Person, records_of

ACCOUNT = "111122223333"
MADE = datetime(2024, 3, 1, 12, 30, 45, tzinfo=UTC)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READS = (Calls("s3:CreateBucket", 3), Calls("sqs:CreateQueue", 2), Calls("lambda:CreateFunction20150331", 2))
PEOPLE = (
    Person("inline-app", calls=READS),
    Person("managed-app", calls=READS),
    Person("admin-app", calls=READS),
    Person("deployer", calls=(*READS, Calls("iam:PutRolePolicy", 4), Calls("iam:CreateRole", 4))),
    Person("dormant-role"),
    Person("gina", kind="user", calls=READS),
    Person("rotating", kind="user", calls=READS),
    Person("idle-key", kind="user", calls=READS),
    Person("dormant-user", kind="user"),
)
BY_NAME = {person.name: person for person in PEOPLE}
REPORT = (
    "arn,password_enabled,password_last_used,password_last_changed,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active"
)


def policy(*actions: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    )


@dataclass(frozen=True)
class Account:
    """The account, its list, and what it could do before."""

    shell: Shell
    iam: Any
    items: list[dict[str, Any]]
    before: dict[str, Reach]

    def item(self, name: str, kind: str) -> dict[str, Any]:
        (found,) = (one for one in self.items if one["principal_arn"] == BY_NAME[name].arn and one["kind"] == kind)
        return found

    def carry_out(self, item: dict[str, Any], typed: str = "") -> None:
        done = self.shell.run(*item["commands"], typed=typed)
        assert done.returncode == 0, done.stderr

    def reach(self, name: str) -> Reach:
        return reaches(self.iam, self.shell.folder / "after")[BY_NAME[name].arn]


def reaches(iam: Any, folder: Path) -> dict[str, Reach]:
    """What each identity can do, by the dump that the API gives."""
    snapshot = read_snapshot(dump(iam, folder))
    reachable = Reachable(load_catalogue())
    return {one.arn: reachable.of(snapshot.stack_of(one)) for one in snapshot.identities}


def dump(iam: Any, folder: Path) -> Path:
    kinds = ["User", "Role", "Group", "LocalManagedPolicy"]
    found = iam.get_account_authorization_details(Filter=kinds, MaxItems=1000)
    assert not found["IsTruncated"]
    account = folder / "accounts" / ACCOUNT
    account.mkdir(parents=True, exist_ok=True)
    (account / "authorization-details.json").write_text(json.dumps(found, default=str))
    key = "2024-03-01T12:30:45+00:00"
    lately, long_ago = "2026-11-20T00:00:00+00:00", "2025-01-01T00:00:00+00:00"
    lines = [
        f"arn:aws:iam::{ACCOUNT}:root,not_supported,no_information,not_supported,true,false,N/A,N/A,false",
        f"{BY_NAME['gina'].arn},true,{lately},{key},false,false,N/A,N/A,false",
        f"{BY_NAME['rotating'].arn},false,N/A,N/A,false,true,{key},{lately},false",
        f"{BY_NAME['idle-key'].arn},false,N/A,N/A,false,true,{key},{long_ago},false",
        f"{BY_NAME['dormant-user'].arn},true,{long_ago},{key},true,true,{key},N/A,false",
    ]
    (account / "credential-report.csv").write_text("\n".join((REPORT, *lines)) + "\n")
    (folder / "manifest.json").write_text(
        json.dumps({"taken_at": "2026-11-22T06:00:00Z", "accounts": {ACCOUNT: {"status": "ok"}}})
    )
    return folder


def fill(iam: Any) -> None:
    """The account as it was before."""
    roles = [person.name for person in PEOPLE if person.kind == "role"]
    for name in roles:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    for name in ("gina", "rotating", "idle-key", "dormant-user"):
        iam.create_user(UserName=name)
    wide = policy("s3:*", "sqs:*", "lambda:*", "iam:*", "ec2:*")
    for name in ("inline-app", "deployer", "dormant-role"):
        iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=wide)
    for name in ("rotating", "idle-key", "dormant-user"):
        iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=policy("s3:*", "sqs:*", "lambda:*"))
    own = iam.create_policy(PolicyName="managed-work", PolicyDocument=wide)["Policy"]["Arn"]
    for _ in range(4):  # as many versions as IAM keeps
        iam.create_policy_version(PolicyArn=own, PolicyDocument=wide, SetAsDefault=True)
    iam.attach_role_policy(RoleName="managed-app", PolicyArn=own)
    iam.attach_role_policy(RoleName="admin-app", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.attach_role_policy(RoleName="dormant-role", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.create_instance_profile(InstanceProfileName="dormant")
    iam.add_role_to_instance_profile(InstanceProfileName="dormant", RoleName="dormant-role")
    iam.create_group(GroupName="devs")
    iam.put_group_policy(GroupName="devs", PolicyName="dev", PolicyDocument=wide)
    for name in ("gina", "dormant-user"):
        iam.add_user_to_group(GroupName="devs", UserName=name)
        iam.create_login_profile(UserName=name, Password="Correct-Horse-1")
    for name in ("rotating", "idle-key", "dormant-user"):
        iam.create_access_key(UserName=name)
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="old")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="dormant-user", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    make_old()


def make_old() -> None:
    """Nothing of the account is of today."""
    from moto.iam.models import iam_backends

    backend = iam_backends[ACCOUNT]["aws"]
    for one in (*backend.roles.values(), *backend.users.values()):
        one.create_date = MADE
    for user in backend.users.values():
        for key in user.access_keys:
            key.create_date = MADE


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    with shell(folder) as bash:
        iam = bash.cli.client("iam")
        fill(iam)
        records = [record for person in PEOPLE for calls in person.calls for record in records_of(person, calls)]
        write_layout_a(folder / "events" / "a.parquet", records)
        store = Store(folder / "store")
        taken = dump(iam, folder / "snapshot")
        build_store([str(folder / "events")], taken, store, settings=Settings(), now=LAST_DAY.replace(tzinfo=None))
        with store.connect() as con:
            rows = con.execute("select * from remediation order by rank").df().to_dict("records")
        items = [row | {name: json.loads(row[name]) for name in ("commands", "detail")} for row in rows]
        yield Account(bash, iam, items, reaches(iam, folder / "before"))


def assert_right_sized(account: Account, name: str, item: dict[str, Any]) -> None:
    before, after = account.before[BY_NAME[name].arn], account.reach(name)
    assert not after.maybe & ~before.maybe
    assert not after.surely & ~before.surely
    assert (before.maybe & ~after.maybe).bit_count() == item["detail"]["actions_dropped"] > 0
    used = load_catalogue().mask(["s3:CreateBucket", "sqs:CreateQueue", "lambda:CreateFunction"])
    assert after.surely & used == used


def test_the_list_has_an_item_for_each_thing_that_is_wrong(account: Account) -> None:
    found = {(one["principal_arn"].rpartition("/")[2], one["kind"]) for one in account.items}
    assert found >= {
        ("inline-app", "right-size"), ("managed-app", "right-size"), ("admin-app", "right-size"),
        ("gina", "right-size"),
        ("deployer", "add-boundary"), ("dormant-role", "remove-dormant"), ("dormant-user", "remove-dormant"),
        ("rotating", "rotate-key"), ("idle-key", "delete-key"), ("gina", "add-mfa"),
    }  # fmt: skip
    assert all(one["commands"] for one in account.items)


def test_an_inline_policy_is_rewritten_in_its_place(account: Account) -> None:
    item = account.item("inline-app", "right-size")
    account.carry_out(item)
    assert account.iam.list_role_policies(RoleName="inline-app")["PolicyNames"] == ["work"]
    stored = account.iam.get_role_policy(RoleName="inline-app", PolicyName="work")["PolicyDocument"]
    assert stored == json.loads(item["policy"])
    assert_right_sized(account, "inline-app", item)


def test_a_managed_policy_of_one_role_gets_a_version_where_the_quota_is_full(account: Account) -> None:
    item = account.item("managed-app", "right-size")
    account.carry_out(item)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/managed-work"
    versions = account.iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert len(versions) == 5
    assert "v1" not in {one["VersionId"] for one in versions}
    default = account.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    stored = account.iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]["Document"]
    assert stored == json.loads(item["policy"])
    assert_right_sized(account, "managed-app", item)


def test_an_aws_managed_policy_is_replaced_and_never_edited(account: Account) -> None:
    item = account.item("admin-app", "right-size")
    account.carry_out(item)
    attached = account.iam.list_attached_role_policies(RoleName="admin-app")["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} <= {
        "headroom-right-sized-admin-app", "headroom-right-sized-admin-app-2",
    }  # fmt: skip
    assert attached
    assert_right_sized(account, "admin-app", item)


def test_a_user_leaves_the_group_and_keeps_what_it_used(account: Account) -> None:
    item = account.item("gina", "right-size")
    account.carry_out(item)
    assert account.iam.list_groups_for_user(UserName="gina")["Groups"] == []
    assert_right_sized(account, "gina", item)


def test_a_boundary_is_made_and_put_in_place(account: Account) -> None:
    item = account.item("deployer", "add-boundary")
    account.carry_out(item)
    boundary = account.iam.get_role(RoleName="deployer")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == f"arn:aws:iam::{ACCOUNT}:policy/headroom-boundary-deployer"
    stored = account.iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]["Document"]
    assert stored == json.loads(item["policy"])


def test_a_dormant_role_is_gone_with_all_that_hung_on_it(account: Account) -> None:
    account.carry_out(account.item("dormant-role", "remove-dormant"))
    assert "dormant-role" not in {one["RoleName"] for one in account.iam.list_roles()["Roles"]}
    assert account.iam.get_instance_profile(InstanceProfileName="dormant")["InstanceProfile"]["Roles"] == []


def test_a_dormant_user_is_disabled_first_and_the_way_back_works(account: Account) -> None:
    item = account.item("dormant-user", "remove-dormant")
    disable = next(line for line in item["commands"] if line.startswith("aws "))
    assert account.shell.run(disable).returncode == 0
    assert account.reach("dormant-user") == Reach(0, 0)
    back = next(line.partition("The way back: ")[2] for line in item["commands"] if "The way back: " in line)
    assert account.shell.run(back).returncode == 0
    assert account.reach("dormant-user") == account.before[BY_NAME["dormant-user"].arn]


def test_a_dormant_user_is_gone_with_all_that_hung_on_it(account: Account) -> None:
    account.carry_out(account.item("dormant-user", "remove-dormant"))
    assert "dormant-user" not in {one["UserName"] for one in account.iam.list_users()["Users"]}


def test_a_key_in_use_gets_a_successor_and_goes(account: Account) -> None:
    (old,) = account.iam.list_access_keys(UserName="rotating")["AccessKeyMetadata"]
    account.carry_out(account.item("rotating", "rotate-key"))
    (new,) = account.iam.list_access_keys(UserName="rotating")["AccessKeyMetadata"]
    assert (new["Status"], new["AccessKeyId"] != old["AccessKeyId"]) == ("Active", True)


def test_an_idle_key_is_inactive_before_it_goes(account: Account) -> None:
    item = account.item("idle-key", "delete-key")
    account.shell.cli.log.clear()
    account.carry_out(item)
    assert [operation for _, operation, _ in account.shell.cli.log] == [
        "list-access-keys", "update-access-key", "delete-access-key",
    ]  # fmt: skip
    assert account.iam.list_access_keys(UserName="idle-key")["AccessKeyMetadata"] == []


def test_mfa_is_enabled_with_two_codes(account: Account) -> None:
    account.carry_out(account.item("gina", "add-mfa"), typed="123456 654321\n")
    (device,) = account.iam.list_mfa_devices(UserName="gina")["MFADevices"]
    assert device["SerialNumber"] == f"arn:aws:iam::{ACCOUNT}:mfa/gina"


def test_the_fake_aws_refuses_what_the_aws_cli_refuses(account: Account) -> None:
    for line, reason in (
        ("aws iam put-role-policy --role-name=x --policy-name=y", "PolicyDocument"),
        ("aws iam delete-role --role=inline-app", "has no option --role"),
        ("aws iam drop-role --role-name=x", "has no operation drop-role"),
        ("aws iam delete-role --role-name=nobody-here", "NoSuchEntity"),
        ("aws iam put-role-policy --role-name=inline-app --policy-name=y --policy-document='{'", "MalformedPolicy"),
    ):
        done = account.shell.run(line)
        assert done.returncode != 0
        assert reason in done.stderr
