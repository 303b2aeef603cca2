"""Who belongs to which group, and what stands behind a role of Identity Center, as a snapshot tells it."""

from pathlib import Path

from analytics.sources.group_rows import group_tables, permission_set_of
from analytics.sources.snapshot import read_snapshot
from tests.snapshot_files import ACCOUNT, details, document, managed, role, user, write

OTHER = "444455556666"
SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
SSO_ROLE = "AWSReservedSSO_Data_Analyst_0123456789abcdef"
SSO_ARN = f"arn:aws:iam::{ACCOUNT}:role{SSO_PATH}{SSO_ROLE}"
GROUP_ARN = f"arn:aws:iam::{ACCOUNT}:group/eng/admins"
SET = "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-1"
DUMP = details(
    roles=[role(SSO_ROLE, path=SSO_PATH), role("plain")],
    users=[user("ana", GroupList=["admins"])],
    groups=[{"GroupName": "admins", "Arn": GROUP_ARN, "Path": "/eng/"}],
    policies=[managed("boundary/app", document("s3:*"))],
)


def assignment(kind: str = "GROUP", principal: str = "g-1", account: str = ACCOUNT) -> dict[str, str]:
    return {"AccountId": account, "PermissionSetArn": SET, "PrincipalType": kind, "PrincipalId": principal}


def tables(folder: Path, *assignments: dict[str, str], **center: object) -> dict[str, list[tuple[str, ...]]]:
    files = {
        f"accounts/{ACCOUNT}/authorization-details.json": DUMP,
        "identity-center.json": {
            "PermissionSets": [{"PermissionSetArn": SET, "Name": "Data_Analyst"}],
            "AccountAssignments": list(assignments),
            **center,
        },
    }
    snapshot = read_snapshot(write(folder, files))
    return {name: [tuple(row.values()) for row in rows.to_pylist()] for name, rows in group_tables(snapshot)}


def memberships(found: dict[str, list[tuple[str, ...]]]) -> set[tuple[str, str]]:
    return {(row[0], row[3]) for row in found["identity_groups"]}


def test_a_user_belongs_to_its_iam_groups_and_a_role_to_the_groups_that_have_its_permission_set(tmp_path: Path):
    groups = [{"GroupId": "g-1", "DisplayName": "analysts"}]
    found = tables(tmp_path, assignment(), assignment("USER", "u-1"), Groups=groups)
    assert set(found["identity_groups"]) == {
        (SSO_ARN, "identity center", "g-1", "analysts"),
        (f"arn:aws:iam::{ACCOUNT}:user/ana", "iam", GROUP_ARN, "admins"),
    }


def test_a_group_without_a_known_name_goes_by_its_id(tmp_path: Path):
    assert (SSO_ARN, "g-1") in memberships(tables(tmp_path, assignment()))


def test_an_assignment_in_another_account_says_nothing_of_this_role(tmp_path: Path):
    assert SSO_ARN not in {arn for arn, _ in memberships(tables(tmp_path, assignment(account=OTHER)))}


def test_permission_sets_and_managed_policies_are_listed_attached_or_not(tmp_path: Path):
    found = tables(tmp_path)
    assert found["permission_sets"] == [(SET, "Data_Analyst")]
    assert found["managed_policies"] == [(f"arn:aws:iam::{ACCOUNT}:policy/boundary/app",)]


def test_a_group_that_is_incomplete_is_named_and_left_out(tmp_path: Path):
    found = tables(tmp_path, assignment(), Groups=[{"GroupId": "g-1"}])
    assert (SSO_ARN, "g-1") in memberships(found)
    problems = read_snapshot(tmp_path).problems
    assert any("group 0 has no `GroupId` or `DisplayName`" in problem.reason for problem in problems)


def test_the_permission_set_stands_in_the_name_of_the_role(tmp_path: Path):
    tables(tmp_path)
    names = {identity.name: permission_set_of(identity) for identity in read_snapshot(tmp_path).identities}
    assert names == {SSO_ROLE: "Data_Analyst", "plain": None, "ana": None}
