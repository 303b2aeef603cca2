"""Garbage in, problems out: whatever a snapshot holds, reading it raises nothing but SnapshotError."""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.sources.snapshot import Snapshot, SnapshotError, read_snapshot
from tests.snapshot_files import (
    ACCOUNT,
    FULL_ACCESS,
    account,
    attached,
    details,
    document,
    managed,
    ou,
    role,
    root,
    scp,
    user,
    write,
)

RCP = scp("Perimeter", "s3:*", Type="RESOURCE_CONTROL_POLICY")
GROUP = {
    "GroupName": "ops",
    "Arn": f"arn:aws:iam::{ACCOUNT}:group/ops",
    "GroupPolicyList": [{"PolicyName": "g", "PolicyDocument": document("sns:*")}],
    "AttachedManagedPolicies": [attached("shared")],
}
DUMP = details(
    roles=[
        role(
            AttachedManagedPolicies=[attached("shared")],
            RolePolicyList=[{"PolicyName": "inline", "PolicyDocument": document("s3:*")}],
            PermissionsBoundary={"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/shared"},
            Tags=[{"Key": "owner", "Value": "ann"}],
            RoleLastUsed={"LastUsedDate": "2026-11-01T12:00:00Z", "Region": "eu-west-1"},
        )
    ],
    users=[user(GroupList=["ops"])],
    groups=[GROUP],
    policies=[managed("shared", document("sqs:*"))],
)
TREE = root(
    ou("Prod", account(policies=[FULL_ACCESS, RCP])), types=["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
)
SELECTORS = [{"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]
ADVANCED = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type"}]}]
FILES = {
    "manifest.json": {"taken_at": "2026-11-20T06:00:00Z", "accounts": {ACCOUNT: {"status": "ok"}}},
    "organization.json": TREE,
    "trails.json": {
        "trailList": [
            {
                "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/main",
                "IsMultiRegionTrail": True,
                "EventSelectors": SELECTORS,
                "AdvancedEventSelectors": ADVANCED,
            }
        ]
    },
    "identity-center.json": {"PermissionSets": [{"Name": "a"}], "AccountAssignments": [{"AccountId": ACCOUNT}]},
    f"accounts/{ACCOUNT}/authorization-details.json": DUMP,
    f"accounts/{ACCOUNT}/account.json": {"alias": "acme", "AccountAliases": ["acme"], "tags": {"environment": "prod"}},
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["*", "Allow", "arn:aws:iam::1:role/x", "%7B%7D", "{}", "SERVICE_CONTROL_POLICY", "9999-99-99"])
)
KEYS = st.sampled_from(
    [
        "Id",
        "Name",
        "Type",
        "Children",
        "Policies",
        "Content",
        "Arn",
        "Tags",
        "Key",
        "Value",
        "RoleDetailList",
        "Statement",
    ]
)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MODEST = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FRESH = count()


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value within a JSON document, the document itself first."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


PLACES = [(name, path) for name, content in FILES.items() for path in places(content)]


def replaced(content: object, path: tuple, value: object) -> object:
    """The document with one of its values exchanged."""
    if not path:
        return value
    copy = deepcopy(content)
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


def use(snapshot: Snapshot) -> None:
    """Everything that a build asks of a snapshot."""
    for identity in snapshot.identities:
        stack = snapshot.stack_of(identity)
        assert len(stack.principal.account_id) >= 0
        assert (identity.boundary is None) or not identity.boundary_not_collected
    for found in snapshot.accounts:
        logging = snapshot.logging_of(found.account_id)
        assert logging is None or logging.data_event_types is not None
    assert all(problem.subject and problem.reason for problem in snapshot.problems)
    arns = [identity.arn for identity in snapshot.identities]
    assert len(arns) == len(set(arns))


def read(folder: Path, files: dict) -> None:
    try:
        snapshot = read_snapshot(write(folder / str(next(FRESH)), files))
    except SnapshotError:
        return
    use(snapshot)


@MODEST
@given(place=st.sampled_from(PLACES), value=GARBAGE)
def test_one_value_exchanged_for_anything(tmp_path, place, value):
    name, path = place
    read(tmp_path, {**FILES, name: replaced(FILES[name], path, value)})


@MODEST
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FILES, GARBAGE)))
def test_any_json_in_any_file(tmp_path, files):
    read(tmp_path, {name: json.dumps(content) for name, content in files.items()})


@MODEST
@given(name=st.sampled_from([*FILES, f"accounts/{ACCOUNT}/credential-report.csv"]), content=st.binary(max_size=60))
def test_any_bytes_in_any_file(tmp_path, name, content):
    read(tmp_path, {**FILES, name: content})


@MODEST
@given(
    header=st.lists(st.sampled_from(["arn", "password_enabled", "mfa_active", "access_key_1_active", "x"]), max_size=6),
    rows=st.lists(st.lists(st.text(max_size=6), max_size=7), max_size=3),
)
def test_any_table_as_a_credential_report(tmp_path, header, rows):
    lines = [",".join(line) for line in [header, *rows]]
    report = "\n".join(lines).encode("utf-8", "surrogatepass")
    read(tmp_path, {**FILES, f"accounts/{ACCOUNT}/credential-report.csv": report})


@pytest.mark.parametrize("opening", ["[", '{"Children":[', '{"Statement":['])
def test_a_document_nested_a_hundred_thousand_deep(tmp_path, opening):
    for name in FILES:
        read(tmp_path, {**FILES, name: opening * 100_000})


def test_an_account_folder_whose_name_is_no_text(tmp_path):
    folder = write(tmp_path, FILES)
    odd = os.fsdecode(b"\xff\xfe")
    write(folder, {f"accounts/{odd}/authorization-details.json": "{"})
    problems = read_snapshot(folder).problems
    assert any("\\udcff" in problem.subject for problem in problems)
    assert all(problem.subject.encode() and problem.reason.encode() for problem in problems)


def test_a_tree_as_deep_as_json_goes(tmp_path):
    tree = account()
    for index in range(300):
        tree = ou(f"level{index}", tree)
    read(tmp_path, {**FILES, "organization.json": json.dumps(root(tree))})


def test_folders_where_files_are_expected(tmp_path):
    folder = write(tmp_path, FILES)
    for name in FILES:
        path = folder / name
        path.unlink()
        path.mkdir()
    with pytest.raises(SnapshotError):
        read_snapshot(folder / "nothing")
    use(read_snapshot(folder))


@pytest.mark.slow
@settings(MODEST, max_examples=3000)
@given(places=st.lists(st.tuples(st.sampled_from(PLACES), GARBAGE), min_size=1, max_size=4))
def test_several_values_exchanged_for_anything(tmp_path, places):
    files = dict(FILES)
    for (name, path), value in places:
        if files[name] is FILES[name]:  # a second exchange might look for a place that is gone
            files[name] = replaced(FILES[name], path, value)
    read(tmp_path, files)
