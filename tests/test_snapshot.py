"""Snapshots: the folder, the single file, and everything that can be wrong with them."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import parse_policy
from analytics.sources.snapshot import Collected, SnapshotError, read_snapshot
from analytics.sources.snapshot_documents import AWS_MANAGED
from tests.snapshot_files import (
    ACCOUNT,
    FULL_ACCESS,
    ROLE,
    account,
    attached,
    details,
    document,
    managed,
    ou,
    role,
    root,
    scp,
    trust,
    user,
    write,
    write_account,
)

DUMPS = Path(__file__).parent / "data" / "iam"
OTHER = "444455556666"


def only(snapshot):
    """The one identity of the snapshot."""
    (identity,) = snapshot.identities
    return identity


def reasons(snapshot):
    return {problem.subject: problem.reason for problem in snapshot.problems}


def test_a_role_comes_with_everything_that_its_account_attaches_to_it(tmp_path):
    dump = details(
        roles=[
            role(
                path="/apps/",
                RolePolicyList=[{"PolicyName": "inline", "PolicyDocument": document("s3:GetObject")}],
                AttachedManagedPolicies=[attached("shared")],
                PermissionsBoundary={"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/limit"},
                Tags=[{"Key": "owner", "Value": "team-pay"}],
                RoleLastUsed={"LastUsedDate": "2026-11-01T12:00:00+02:00", "Region": "eu-west-1"},
            )
        ],
        policies=[managed("shared", document("sqs:*")), managed("limit", document("s3:*"))],
    )
    found = only(snapshot := read_snapshot(write_account(tmp_path, dump)))
    assert snapshot.problems == ()
    assert (found.arn, found.name, found.kind) == (f"arn:aws:iam::{ACCOUNT}:role/apps/app", "app", PrincipalKind.ROLE)
    assert (found.path, found.unique_id, found.account_id) == ("/apps/", "AROAAPP", ACCOUNT)
    assert (found.created, found.last_used) == (datetime(2024, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC))
    assert (found.last_used_region, found.tags) == ("eu-west-1", (("owner", "team-pay"),))
    assert [(policy.name, policy.arn, policy.attached_to) for policy in found.policies] == [
        ("inline", None, found.arn),
        ("shared", f"arn:aws:iam::{ACCOUNT}:policy/shared", found.arn),
    ]
    assert found.policies[1].document == parse_policy(document("sqs:*"), name="")  # the default version, not the old
    assert found.boundary.document == parse_policy(document("s3:*"), name="")
    assert found.trust == parse_policy(trust(), name="")
    assert (found.not_collected, found.boundary_not_collected) == ((), False)


def test_a_user_has_the_policies_of_its_groups_too(tmp_path):
    group = {
        "GroupName": "ops",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/teams/ops",
        "GroupPolicyList": [{"PolicyName": "inline", "PolicyDocument": document("ec2:*")}],
        "AttachedManagedPolicies": [attached("shared")],
    }
    dump = details(users=[user(GroupList=["ops"])], groups=[group], policies=[managed("shared", document("sqs:*"))])
    found = only(read_snapshot(write_account(tmp_path, dump)))
    assert found.groups == (group["Arn"],)
    assert [(policy.name, policy.attached_to) for policy in found.policies] == [
        ("inline", group["Arn"]),
        ("shared", group["Arn"]),
    ]


@pytest.mark.parametrize(
    ("arn_path", "kind"),
    [
        ("/", PrincipalKind.ROLE),
        ("/aws-service-role/ecs.amazonaws.com/", PrincipalKind.SERVICE_LINKED_ROLE),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", PrincipalKind.SSO_ROLE),
    ],
)
def test_the_kind_of_a_role_follows_from_its_path(tmp_path, arn_path, kind):
    assert only(read_snapshot(write_account(tmp_path, details(roles=[role(path=arn_path)])))).kind is kind


def test_documents_may_be_objects_json_text_or_percent_encoded(tmp_path):
    content = document("s3:GetObject")
    forms = [content, json.dumps(content), quote(json.dumps(content, indent=2))]
    inline = [{"PolicyName": f"p{index}", "PolicyDocument": form} for index, form in enumerate(forms)]
    found = only(read_snapshot(write_account(tmp_path, details(roles=[role(RolePolicyList=inline)]))))
    assert len(found.policies) == 3
    assert all(policy.document is found.policies[0].document for policy in found.policies)


def test_equal_documents_are_one_object_across_accounts(tmp_path):
    shared = [{"PolicyName": "inline", "PolicyDocument": document("s3:*")}]
    write_account(tmp_path, details(roles=[role(RolePolicyList=shared)]))
    write_account(tmp_path, details(roles=[role(account=OTHER, RolePolicyList=shared)]), account=OTHER)
    first, second = read_snapshot(tmp_path).identities
    assert first.policies[0].document is second.policies[0].document
    assert first.trust is second.trust


def test_several_pages_are_one_dump_whatever_their_order_of_names(tmp_path):
    pages = {"-10": details(roles=[role("ten")]), "-2": details(roles=[role("two")]), "-1": details()}
    pages["-1"]["Policies"] = [managed("shared", document("sqs:*"))]
    pages["-10"]["RoleDetailList"][0]["AttachedManagedPolicies"] = [attached("shared")]
    write(tmp_path, {f"accounts/{ACCOUNT}/authorization-details{key}.json": page for key, page in pages.items()})
    snapshot = read_snapshot(tmp_path)
    assert [identity.name for identity in snapshot.identities] == ["two", "ten"]
    assert snapshot.identities[1].policies[0].name == "shared"  # a policy of another page
    assert snapshot.problems == ()


def test_a_dump_that_ends_in_the_middle_says_so(tmp_path):
    snapshot = read_snapshot(write_account(tmp_path, details() | {"IsTruncated": True, "Marker": "x"}))
    assert "further pages" in reasons(snapshot)[f"accounts/{ACCOUNT}"]


def test_compressed_files_byte_order_marks_and_powershells_utf16_are_read(tmp_path):
    text = json.dumps(details(roles=[role()]))
    for content in (gzip.compress(text.encode(), mtime=0), text.encode("utf-8-sig"), text.encode("utf-16")):
        suffix = ".json.gz" if content.startswith(b"\x1f\x8b") else ".json"
        path = write(tmp_path, {f"dump{suffix}": content}) / f"dump{suffix}"
        assert only(read_snapshot(path)).arn == ROLE


def test_an_aws_policy_that_the_dump_lacks_comes_from_the_copy_and_is_marked(tmp_path):
    dump = details(roles=[role(AttachedManagedPolicies=[attached("ReadOnlyAccess", account="aws")])])
    found = only(snapshot := read_snapshot(write_account(tmp_path, dump)))
    assert found.policies[0].arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert found.not_collected == ()
    assert [policy.arn for policy in snapshot.from_reference] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert snapshot.from_reference[0].version.startswith("v")


def test_a_policy_of_the_dump_outranks_the_copy(tmp_path):
    own = managed("ReadOnlyAccess", document("s3:GetObject"), account="aws")
    dump = details(roles=[role(AttachedManagedPolicies=[attached("ReadOnlyAccess", account="aws")])], policies=[own])
    found = only(snapshot := read_snapshot(write_account(tmp_path, dump)))
    assert found.policies[0].document.statements[0].action == ("s3:GetObject",)
    assert snapshot.from_reference == ()


class TestNotCollectedIsNotNone:
    """What the snapshot refers to and does not hold is named on the identity, and once among the problems."""

    def test_an_attached_policy(self, tmp_path):
        dump = details(roles=[role(AttachedManagedPolicies=[attached("gone")]), role("b")])
        snapshot = read_snapshot(write_account(tmp_path, dump))
        assert snapshot.identities[0].not_collected == (f"arn:aws:iam::{ACCOUNT}:policy/gone",)
        assert snapshot.identities[1].not_collected == ()
        assert snapshot.stack_of(snapshot.identities[0]).not_collected == (f"arn:aws:iam::{ACCOUNT}:policy/gone",)
        assert "not in the snapshot" in reasons(snapshot)[f"arn:aws:iam::{ACCOUNT}:policy/gone"]

    def test_a_boundary(self, tmp_path):
        arn = f"arn:aws:iam::{ACCOUNT}:policy/gone"
        dump = details(roles=[role(PermissionsBoundary={"PermissionsBoundaryArn": arn})])
        found = only(snapshot := read_snapshot(write_account(tmp_path, dump)))
        assert (found.boundary_arn, found.boundary, found.boundary_not_collected) == (arn, None, True)
        assert snapshot.stack_of(found).boundary_not_collected

    def test_a_group(self, tmp_path):
        found = only(read_snapshot(write_account(tmp_path, details(users=[user(GroupList=["ops"])]))))
        assert (found.groups, found.not_collected) == ((), ("group ops",))

    def test_a_policy_of_a_group(self, tmp_path):
        group = {"GroupName": "ops", "Arn": f"arn:aws:iam::{ACCOUNT}:group/ops"}
        group["AttachedManagedPolicies"] = [attached("gone")]
        dump = details(users=[user(GroupList=["ops"])], groups=[group])
        found = only(read_snapshot(write_account(tmp_path, dump)))
        assert (found.groups, found.not_collected) == ((group["Arn"],), (f"arn:aws:iam::{ACCOUNT}:policy/gone",))

    def test_a_document_that_is_no_policy(self, tmp_path):
        inline = [{"PolicyName": "broken", "PolicyDocument": {"Statement": [{"Effect": "Maybe", "Action": "*"}]}}]
        found = only(snapshot := read_snapshot(write_account(tmp_path, details(roles=[role(RolePolicyList=inline)]))))
        assert (found.policies, found.not_collected) == ((), ("broken",))
        assert "`Effect`" in reasons(snapshot)[f"broken of {ROLE}"]

    def test_a_policy_without_a_default_version(self, tmp_path):
        policy = managed("odd", document("s3:*"), PolicyVersionList=[], DefaultVersionId="v9")
        dump = details(roles=[role(AttachedManagedPolicies=[attached("odd")])], policies=[policy])
        found = only(snapshot := read_snapshot(write_account(tmp_path, dump)))
        assert found.not_collected == (f"arn:aws:iam::{ACCOUNT}:policy/odd",)
        assert [problem.reason for problem in snapshot.problems] == [
            "has no default version in the dump; its document is not collected"
        ]

    def test_tags(self, tmp_path):
        untagged = role()
        del untagged["Tags"]
        snapshot = read_snapshot(write_account(tmp_path, details(roles=[untagged, role("b")])))
        assert [snapshot.stack_of(identity).principal.tags for identity in snapshot.identities] == [None, ()]

    def test_a_whole_list_of_the_dump(self, tmp_path):
        dump = details(roles=[role()])
        del dump["UserDetailList"]
        snapshot = read_snapshot(write_account(tmp_path, dump))
        assert "the account's users are not collected" in reasons(snapshot)[f"accounts/{ACCOUNT}"]

    def test_a_trust_policy(self, tmp_path):
        found = only(
            snapshot := read_snapshot(write_account(tmp_path, details(roles=[role(AssumeRolePolicyDocument="?")])))
        )
        assert found.trust is None
        assert f"trust policy of {ROLE}" in reasons(snapshot)


class TestOrganization:
    """The levels that bear on an identity."""

    TREE = root(
        ou("Prod", account(policies=[FULL_ACCESS, scp("NoIam", "iam:*")], Tags={"environment": "prod"})),
        account("999988887777", "management"),
        account(OTHER, "empty", Status="SUSPENDED"),
    )

    def read(self, folder, *roles):
        return read_snapshot(write_account(folder, details(roles=roles), **{"organization.json": self.TREE}))

    def test_an_identity_is_bound_by_every_level_above_it(self, tmp_path):
        snapshot = self.read(tmp_path, role())
        stack = snapshot.stack_of(only(snapshot))
        assert [level.node_name for level in stack.scp_levels] == ["Root", "Prod", "payments"]
        assert stack.rcp_levels == ()  # not enabled
        assert (stack.principal.organization_id, stack.principal.organization_path) == (
            "o-exampleorgid",
            "o-exampleorgid/r-ab12/ou-ab12-0000prod/",
        )

    def test_service_linked_roles_escape(self, tmp_path):
        snapshot = self.read(tmp_path, role(path="/aws-service-role/ecs.amazonaws.com/"))
        assert snapshot.stack_of(only(snapshot)).scp_levels == ()

    def test_the_management_account_escapes(self, tmp_path):
        snapshot = self.read(tmp_path, role(account="999988887777"))
        stack = snapshot.stack_of(only(snapshot))
        assert stack.scp_levels == ()
        assert stack.principal.organization_id == "o-exampleorgid"

    def test_an_account_outside_the_tree_is_named_and_unbound(self, tmp_path):
        snapshot = self.read(tmp_path, role(account="555566667777"))
        stack = snapshot.stack_of(only(snapshot))
        assert (stack.scp_levels, stack.principal.organization_id) == ((), None)
        assert "no SCP is applied" in reasons(snapshot)["555566667777"]

    def test_its_accounts_are_known_even_without_a_dump(self, tmp_path):
        accounts = {found.account_id: found for found in self.read(tmp_path, role()).accounts}
        payments, empty = accounts[ACCOUNT], accounts[OTHER]
        assert (payments.name, payments.ou_path, payments.ou_id) == ("payments", "Root/Prod", "ou-ab12-0000prod")
        assert (payments.tags, payments.collected) == ((("environment", "prod"),), Collected.OK)
        assert (empty.ou_path, empty.status, empty.collected) == ("Root", "SUSPENDED", Collected.NOT_COLLECTED)
        assert [found.account_id for found in accounts.values() if found.is_management] == ["999988887777"]

    def test_without_a_tree_nothing_is_claimed(self, tmp_path):
        snapshot = read_snapshot(write_account(tmp_path, details(roles=[role()])))
        stack = snapshot.stack_of(only(snapshot))
        assert snapshot.organization is None
        assert stack.scp_levels == ()
        assert (stack.principal.organization_id, stack.principal.organization_path) == (None, None)


class TestAccounts:
    """What the manifest, account.json and the credential report add."""

    def test_the_manifest_tells_when_and_what_failed(self, tmp_path):
        manifest = {
            "taken_at": "2026-11-20T06:00:00Z",
            "accounts": {
                ACCOUNT: {"status": "ok"},
                OTHER: {"status": "failed", "reason": "AccessDenied"},
                "555566667777": {"status": "ok"},
            },
        }
        snapshot = read_snapshot(write_account(tmp_path, details(), **{"manifest.json": manifest}))
        assert snapshot.taken_at == datetime(2026, 11, 20, 6, tzinfo=UTC)
        assert [(found.account_id, found.collected, found.reason) for found in snapshot.accounts] == [
            (ACCOUNT, Collected.OK, None),
            (OTHER, Collected.FAILED, "AccessDenied"),
            ("555566667777", Collected.FAILED, "the manifest lists it, but its dump is not there"),
        ]

    def test_alias_and_tags(self, tmp_path):
        described = {"alias": "acme-pay", "tags": [{"Key": "environment", "Value": "prod"}]}
        snapshot = read_snapshot(write_account(tmp_path, details(), **{f"accounts/{ACCOUNT}/account.json": described}))
        assert (snapshot.accounts[0].alias, snapshot.accounts[0].tags) == ("acme-pay", (("environment", "prod"),))

    REPORT = (
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,"
        "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
        "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated\n"
        f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2020-01-01T00:00:00+00:00,not_supported,no_information,"
        "not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A\n"
        f"ann,arn:aws:iam::{ACCOUNT}:user/ann,2020-01-01T00:00:00+00:00,true,2026-01-01T00:00:00+00:00,"
        "2025-01-01T00:00:00+00:00,false,true,2021-05-05T00:00:00+00:00,2026-02-02T00:00:00+00:00,eu-west-1,s3,"
        "false,N/A\n"
    )

    def test_the_credential_report_tells_of_keys_and_mfa(self, tmp_path):
        report = {f"accounts/{ACCOUNT}/credential-report.csv": self.REPORT}
        found = only(snapshot := read_snapshot(write_account(tmp_path, details(users=[user()]), **report)))
        (key,) = found.credentials.access_keys  # the second was never created
        assert (key.active, key.created) == (True, datetime(2021, 5, 5, tzinfo=UTC))
        assert (key.last_used_region, key.last_used_service) == ("eu-west-1", "s3")
        assert (found.credentials.mfa_active, found.credentials.password_enabled) == (False, True)
        assert (found.last_used, found.last_used_region) == (datetime(2026, 2, 2, tzinfo=UTC), "eu-west-1")
        root_user = snapshot.accounts[0].root_credentials
        assert (root_user.mfa_active, root_user.password_enabled, root_user.access_keys) == (True, None, ())

    def test_a_key_that_was_switched_off_and_never_used_is_still_a_key(self, tmp_path):
        report = (
            "arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,"
            "access_key_1_last_used_date,access_key_1_last_used_region\n"
            f"arn:aws:iam::{ACCOUNT}:user/ann,false,false,false,2021-05-05T00:00:00+00:00,N/A,N/A\n"
        )
        files = {f"accounts/{ACCOUNT}/credential-report.csv": report}
        found = only(read_snapshot(write_account(tmp_path, details(users=[user()]), **files)))
        (key,) = found.credentials.access_keys
        assert (key.active, key.last_used, key.last_used_region) == (False, None, None)
        assert found.last_used is None

    def test_a_file_that_is_no_credential_report_is_named(self, tmp_path):
        name = f"accounts/{ACCOUNT}/credential-report.csv"
        snapshot = read_snapshot(write_account(tmp_path, details(users=[user()]), **{name: "a,b\n1,2\n"}))
        assert only(snapshot).credentials is None
        assert "no column `arn`" in reasons(snapshot)[name]

    def test_identity_center_is_kept(self, tmp_path):
        center = {
            "PermissionSets": [{"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "Name": "Admin"}],
            "AccountAssignments": [
                {
                    "AccountId": ACCOUNT,
                    "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1",
                    "PrincipalType": "GROUP",
                    "PrincipalId": "g-1",
                },
                {"AccountId": ACCOUNT},
            ],
        }
        snapshot = read_snapshot(write_account(tmp_path, details(), **{"identity-center.json": center}))
        assert [item.name for item in snapshot.identity_center.permission_sets] == ["Admin"]
        assert [item.principal_id for item in snapshot.identity_center.assignments] == ["g-1"]
        assert "incomplete" in reasons(snapshot)["identity-center.json"]


class TestBadInput:
    """One sentence each; the rest goes on."""

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("authorization-details.json", b'{"RoleDetailList": [', "is not JSON"),
            ("authorization-details.json", b"", "is not JSON"),
            ("authorization-details.json.gz", gzip.compress(b"{}" * 99, mtime=0)[:20], "cannot be read"),
            ("authorization-details.json.gz", b"not gzip", "cannot be read"),
            ("authorization-details.json", b'{"Records": []}', "has none of `UserDetailList`"),
            ("authorization-details.json", b"\xff\xfe\x00", "is not JSON"),
        ],
    )
    def test_a_bad_dump_fails_its_account_alone(self, tmp_path, name, content, says):
        write_account(tmp_path, details(roles=[role()]))
        write(tmp_path, {f"accounts/{OTHER}/{name}": content})
        snapshot = read_snapshot(tmp_path)
        assert only(snapshot).arn == ROLE
        failed = next(found for found in snapshot.accounts if found.account_id == OTHER)
        assert failed.collected is Collected.FAILED
        assert says in failed.reason
        assert says in reasons(snapshot)[f"accounts/{OTHER}"]

    def test_the_same_identity_twice_keeps_the_first(self, tmp_path):
        write_account(tmp_path, details(roles=[role()]))
        write(
            tmp_path, {f"accounts/{ACCOUNT}-copy/authorization-details.json": details(roles=[role(RoleId="AROACOPY")])}
        )
        found = only(snapshot := read_snapshot(tmp_path))
        assert found.unique_id == "AROAAPP"
        assert "stands again" in reasons(snapshot)[ROLE]
        assert "not an account id" in reasons(snapshot)[f"accounts/{ACCOUNT}-copy"]

    def test_an_identity_of_another_account_keeps_its_own(self, tmp_path):
        snapshot = read_snapshot(write_account(tmp_path, details(roles=[role(account=OTHER)])))
        assert only(snapshot).account_id == OTHER
        assert OTHER in reasons(snapshot)[f"accounts/{ACCOUNT}"]

    def test_entries_of_the_wrong_type_are_named_and_the_others_read(self, tmp_path):
        odd = role("odd", Tags=[{"Key": 1}], RoleLastUsed="never", CreateDate="yesterday", AttachedManagedPolicies=7)
        snapshot = read_snapshot(write_account(tmp_path, details(roles=["not a role", odd, role()])))
        assert [identity.name for identity in snapshot.identities] == ["odd", "app"]
        assert snapshot.identities[0].not_collected == ("all of `AttachedManagedPolicies`",)
        assert "entry 0" in reasons(snapshot)[f"accounts/{ACCOUNT}/authorization-details.json"]
        about_odd = " ".join(problem.reason for problem in snapshot.problems if problem.subject.endswith("role/odd"))
        for key in ("Tags", "RoleLastUsed", "CreateDate", "AttachedManagedPolicies"):
            assert f"`{key}`" in about_odd

    def test_a_role_without_an_arn_gets_one_from_its_account(self, tmp_path):
        nameless = role(path="/a/")
        del nameless["Arn"]
        assert only(read_snapshot(write_account(tmp_path, details(roles=[nameless])))).arn.endswith("role/a/app")

    def test_an_arn_of_something_else_is_left_out_and_named(self, tmp_path):
        arn = f"arn:aws:s3:::{ACCOUNT}"
        snapshot = read_snapshot(write_account(tmp_path, details(roles=[role(Arn=arn), role()])))
        assert only(snapshot).arn == ROLE
        assert "is not the ARN of a role" in reasons(snapshot)[arn]

    @pytest.mark.parametrize("name", ["manifest.json", "organization.json", "trails.json", "identity-center.json"])
    @pytest.mark.parametrize("content", ["", "[]", "{", "null", "7"])
    def test_a_bad_side_file_is_named_and_the_identities_stand(self, tmp_path, name, content):
        snapshot = read_snapshot(write_account(tmp_path, details(roles=[role()]), **{name: content}))
        assert only(snapshot).arn == ROLE
        assert "not collected" in reasons(snapshot)[name]

    @pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"Records": []}', "\x00"])
    def test_only_a_path_with_nothing_in_it_raises(self, tmp_path, content):
        path = tmp_path / "dump.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(SnapshotError, match=r"dump\.json"):
            read_snapshot(path)

    def test_an_empty_folder_says_what_is_expected_there(self, tmp_path):
        with pytest.raises(SnapshotError, match=r"accounts/<account id>"):
            read_snapshot(tmp_path)


@pytest.mark.parametrize(
    ("file", "identities", "problems"),
    [
        ("cloudsplaining-example.authz.json.gz", 122, 0),
        ("cloudsplaining-small.authz.json.gz", 6, 0),
        ("cloudsplaining-no-roledetail.authz.json", 0, 1),  # the file has no list of roles at all
        ("iamspy-allow-with-conditions.authz.json", 1, 0),
        ("iamspy-role-boundary-no-policies.authz.json", 1, 0),
        ("iamspy-user-boundary-allow.authz.json", 1, 0),
        ("iamspy-user-boundary-deny.authz.json", 1, 0),
    ],
)
def test_public_dumps_read_whole(file, identities, problems):
    snapshot = read_snapshot(DUMPS / file)
    assert len(snapshot.identities) == identities
    assert len(snapshot.problems) == problems
    assert not any(identity.not_collected for identity in snapshot.identities)


def test_an_account_without_users_and_roles_is_still_known():
    snapshot = read_snapshot(DUMPS / "cloudsplaining-no-roledetail.authz.json")
    assert [(found.account_id, found.collected) for found in snapshot.accounts] == [("123456789012", Collected.OK)]


def test_every_document_of_the_public_dumps_is_accounted_for():
    """Counted by hand from the raw JSON: inline, attached and group policies of every identity."""
    path = DUMPS / "cloudsplaining-example.authz.json.gz"
    raw = json.loads(gzip.decompress(path.read_bytes()))
    groups = {group["GroupName"]: group for group in raw["GroupDetailList"]}

    def held(entry, inline):
        return len(entry.get(inline, [])) + len(entry["AttachedManagedPolicies"])

    expected = {entry["Arn"]: held(entry, "RolePolicyList") for entry in raw["RoleDetailList"]}
    for entry in raw["UserDetailList"]:
        of_groups = sum(held(groups[name], "GroupPolicyList") for name in entry["GroupList"])
        expected[entry["Arn"]] = held(entry, "UserPolicyList") + of_groups
    assert {identity.arn: len(identity.policies) for identity in read_snapshot(path).identities} == expected


def test_every_aws_managed_policy_parses():
    policies = json.loads(gzip.decompress(AWS_MANAGED.read_bytes()))
    parsed = [parse_policy(policy["document"], name=name) for name, policy in policies.items()]
    assert len(parsed) == 1643
    assert all(document.statements for document in parsed)
