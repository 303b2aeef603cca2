"""trails.json: what is logged for every resource of an account, and what is not."""

import pytest

from analytics.sources.snapshot import read_snapshot
from tests.snapshot_files import ACCOUNT, account, details, role, root, write_account

OTHER = "444455556666"
READS_AND_WRITES = {"ReadWriteType": "All", "IncludeManagementEvents": True}


def trail(*, classic=None, advanced=None, owner=ACCOUNT, **fields):
    """A trail of every Region."""
    shown = {
        "Name": "main",
        "TrailARN": f"arn:aws:cloudtrail:eu-west-1:{owner}:trail/main",
        "IsMultiRegionTrail": True,
        "HasCustomEventSelectors": True,
        **fields,
    }
    selectors = {"EventSelectors": classic, "AdvancedEventSelectors": advanced}
    return shown | {key: value for key, value in selectors.items() if value is not None}


def data(resource_type, *values):
    return {"Type": resource_type, "Values": list(values)}


def selector(**fields):
    """An advanced selector: `resources__type="AWS::S3::Object"`; a dict names another operator."""
    conditions = [
        {"Field": name.replace("__", "."), **(value if isinstance(value, dict) else {"Equals": [value]})}
        for name, value in fields.items()
    ]
    return {"Name": "selector", "FieldSelectors": conditions}


def read(folder, *trails, **files):
    dump = details(roles=[role()])
    return read_snapshot(write_account(folder, dump, **{"trails.json": {"trailList": list(trails)}, **files}))


def logged(folder, *trails):
    return read(folder, *trails).logging_of(ACCOUNT)


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([data("AWS::S3::Object", "arn:aws:s3")], ("AWS::S3::Object",)),
        ([data("AWS::S3::Object", "arn:aws:s3:::")], ("AWS::S3::Object",)),
        ([data("AWS::Lambda::Function", "arn:aws-us-gov:lambda")], ("AWS::Lambda::Function",)),
        ([data("AWS::S3::Object", "arn:aws:s3:::one-bucket/")], ()),  # one bucket says nothing about the others
        ([data("AWS::S3::Object")], ()),  # an empty list logs nothing
        ([data("AWS::S3::Object", "arn:aws:s3:::one/", "arn:aws:s3")], ("AWS::S3::Object",)),
    ],
)
def test_classic_selectors_log_a_type_where_they_name_every_resource(tmp_path, resources, expected):
    found = logged(tmp_path, trail(classic=[{**READS_AND_WRITES, "DataResources": resources}]))
    assert found.data_event_types == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("AWS::S3::Object",)),
        ({"readOnly": {"Equals": ["true", "false"]}}, ("AWS::S3::Object",)),
        ({"resources__ARN": {"StartsWith": ["arn:aws:s3:::"]}}, ("AWS::S3::Object",)),
        ({"readOnly": "false"}, ()),  # writes alone
        ({"eventName": "DeleteObject"}, ()),
        ({"resources__ARN": {"StartsWith": ["arn:aws:s3:::one-bucket/"]}}, ()),
        ({"resources__ARN": {"NotStartsWith": ["arn:aws:s3:::log-bucket/"]}}, ()),
        ({"userIdentity__arn": {"NotEquals": ["x"]}}, ()),
    ],
)
def test_an_advanced_selector_with_a_further_field_logs_only_a_part(tmp_path, fields, expected):
    chosen = selector(eventCategory="Data", resources__type="AWS::S3::Object", **fields)
    assert logged(tmp_path, trail(advanced=[chosen])).data_event_types == expected


def test_reads_by_one_selector_and_writes_by_another_are_all_together(tmp_path):
    reads = selector(eventCategory="Data", resources__type="AWS::SQS::Queue", readOnly="true")
    writes = selector(eventCategory="Data", resources__type="AWS::SQS::Queue", readOnly="false")
    first = trail(advanced=[reads])
    second = trail(advanced=[writes], TrailARN=f"arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/second")
    assert logged(tmp_path, first, second).data_event_types == ("AWS::SQS::Queue",)


@pytest.mark.parametrize(
    ("selectors", "read_only", "kms"),
    [
        ({"classic": [READS_AND_WRITES]}, True, True),
        ({"classic": [{"ReadWriteType": "WriteOnly"}]}, False, False),
        ({"classic": [{**READS_AND_WRITES, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, True, False),
        ({"classic": [{**READS_AND_WRITES, "IncludeManagementEvents": False}]}, False, False),
        ({"classic": [{"ReadWriteType": "Sometimes"}]}, False, False),
        ({"advanced": [selector(eventCategory="Management")]}, True, True),
        ({"advanced": [selector(eventCategory="Management", readOnly="false")]}, False, False),
        (
            {"advanced": [selector(eventCategory="Management", eventSource={"NotEquals": ["kms.amazonaws.com"]})]},
            True,
            False,
        ),
        ({"advanced": [selector(eventCategory="Management", eventSource="iam.amazonaws.com")]}, False, False),
        ({"HasCustomEventSelectors": False}, True, True),  # CloudTrail's default: all management events
    ],
)
def test_management_events_that_only_read_and_those_of_kms(tmp_path, selectors, read_only, kms):
    found = logged(tmp_path, trail(**selectors))
    assert (found.read_only_events, found.kms_events) == (read_only, kms)
    assert found.selectors_collected


def test_selectors_that_were_not_collected_are_no_claim(tmp_path):
    snapshot = read(tmp_path, trail())
    found = snapshot.logging_of(ACCOUNT)
    assert (found.selectors_collected, found.logged) == (False, frozenset())
    assert "not collected" in snapshot.problems[0].reason


@pytest.mark.parametrize("fields", [{"IsMultiRegionTrail": False}, {"IsLogging": False}, {"owner": OTHER}])
def test_a_trail_of_one_region_a_stopped_one_and_another_accounts_do_not_bear(tmp_path, fields):
    assert logged(tmp_path, trail(classic=[READS_AND_WRITES], **fields)) is None


def test_an_organisations_trail_bears_on_every_member(tmp_path):
    shown = trail(classic=[READS_AND_WRITES], owner="999988887777", IsOrganizationTrail=True)
    snapshot = read(tmp_path, shown, shown, **{"organization.json": root(account(), account(OTHER))})
    assert len(snapshot.trails) == 1  # shown in every account, one trail
    assert snapshot.logging_of(OTHER).trails == ("main",)
    assert snapshot.logging_of("123123123123") is None  # not a member


def test_without_the_file_nothing_is_known(tmp_path):
    snapshot = read_snapshot(write_account(tmp_path, details(roles=[role()])))
    assert snapshot.trails is None
    assert snapshot.logging_of(ACCOUNT) is None


def test_a_trail_without_an_arn_is_named(tmp_path):
    snapshot = read(tmp_path, {"Name": "nameless"}, trail(classic=[READS_AND_WRITES]))
    assert [found.name for found in snapshot.trails] == ["main"]
    assert "`nameless`" in snapshot.problems[0].reason
