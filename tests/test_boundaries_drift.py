"""The team's map of boundaries, what differs from it, and commands that AWS would not refuse."""

import shlex
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.findings.boundaries.boundary_map import (
    COLUMNS,
    BoundaryMapError,
    Described,
    Rule,
    first_fit,
    parse_boundary_map,
    read_boundary_map,
)
from analytics.findings.boundaries.drift import Drift, DriftReport, DriftRow, Known, all_commands, described, drift
from analytics.findings.boundaries.inventory import can_have_boundary
from analytics.findings.estate import Estate, Subject
from analytics.iam.policy import parse_policy
from analytics.iam.stack import NamedPolicy
from analytics.outputs.queries import boundaries as queries
from analytics.settings import Settings
from tests.builders import ACCOUNT, allow
from tests.estates import arn, estate, identity

OTHER = "444455556666"
APP = Described("/app/", (("team", "payments"),), "Root/Prod", ACCOUNT, "production", ("analysts",), "engineer", "role")
SET = "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-5555666677778888"
SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
SSO_ROLE = "AWSReservedSSO_Developer_0123456789abcdef"
APP_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary/app"


# --- the map


def rules(*lines: str, header: str = "path,tag,ou,group,job_family,kind,boundary") -> tuple[Rule, ...]:
    return parse_boundary_map("\n".join((header, *lines)))


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        (",,,,,,b", True),
        ("/app/*,,,,,,b", True),
        ("/ap?/,,,,,,b", True),
        ("/app,,,,,,b", False),
        (",team=payments,,,,,b", True),
        (",TEAM=pay*,,,,,b", True),
        (",team=web,,,,,b", False),
        (",,Root/Prod,,,,b", True),
        (",,root/*,,,,b", True),
        (",,Root,,,,b", False),
        (",,,analysts,,,b", True),
        (",,,admins,,,b", False),
        (",,,,Engineer,,b", True),
        (",,,,,role,b", True),
        (",,,,,user,b", False),
        ("/app/*,team=web,,,,,b", False),  # every cell must fit
    ],
)
def test_a_line_fits_where_every_cell_fits(line: str, fits: bool) -> None:  # noqa: FBT001 a column of the table
    assert (first_fit(rules(line), APP) is not None) is fits


def test_the_first_line_that_fits_decides() -> None:
    found = rules("/nowhere/,,,,,,a", "/app/*,,,,,,boundary/b", ",,,,,,c")
    rule = first_fit(found, APP)
    assert rule is not None
    assert (rule.boundary, rule.line) == ("boundary/b", 3)


def test_account_environment_and_note_are_columns_too_and_any_order_will_do() -> None:
    found = parse_boundary_map("note,boundary,environment,account\nwhy,b,PROD*,1111*\n")
    assert first_fit(found, APP) is found[0]
    assert found[0].note == "why"


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("boundary/app", f"arn:aws:iam::{ACCOUNT}:policy/boundary/app"),
        ("app", f"arn:aws:iam::{ACCOUNT}:policy/app"),
        ("arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess"),
        ("none", None),
    ],
)
def test_a_boundary_is_a_policy_of_the_account_one_of_aws_or_none(boundary: str, expected: str | None) -> None:
    (rule,) = rules(f",,,,,,{boundary}")
    assert rule.arn(ACCOUNT, "aws") == expected


def test_blank_lines_comments_a_byte_order_mark_and_spaces_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "boundary_map.csv").write_text("\ufeff# ours\n\n path , boundary \n /app/* , b \n,,\n", "utf-8")
    found = read_boundary_map(tmp_path)
    assert found == (Rule(4, "b", path="/app/*"),)
    assert read_boundary_map(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"`boundary_map.csv` is empty; its first line names the columns, of boundary, path, tag, "),
        ("path,tag\n/x,a=b", r"line 1: the column `boundary` is missing"),
        ("pfad,boundary\n", r"line 1: there is no column `pfad`; the columns are boundary, path"),
        ("path,path,boundary\n", r"line 1: the column `path` stands twice"),
        ("boundary,tag\nb,team", r"line 2, column `tag`: `team` has no `=`; write it as `key=value`"),
        ("boundary,kind\nb,robot", r"line 2, column `kind`: `robot` is none of `role`, `user`, `sso role`"),
        ("boundary,path\nb,app/", r"line 2, column `path`: `app/` does not begin with `/`"),
        ("boundary\n", None),
        ("boundary,path\n,/x", r"line 2, column `boundary`: `` is empty; write a policy as `path/name`"),
        ("boundary\nmy boundary", r"`my boundary` is not the path and name of a managed policy"),
        (f"boundary\n{APP_BOUNDARY}", r"is not the ARN of a policy of AWS; a policy of one's own is written as"),
        ("boundary,path\nb,/x,y", r"line 2: has 3 cells and there are 2 columns"),
        ('boundary\n"b', r"line 2: unexpected end of data; quote a cell that holds a comma"),
    ],
)
def test_a_map_that_is_wrong_is_refused_with_line_and_column(text: str, reason: str | None) -> None:
    if reason is None:
        assert parse_boundary_map(text) == ()
        return
    with pytest.raises(BoundaryMapError, match=reason):
        parse_boundary_map(text)


def test_every_wrong_line_is_named_at_once_and_none_of_the_map_is_used() -> None:
    with pytest.raises(BoundaryMapError, match=r"line 2.*line 4") as refused:
        parse_boundary_map("boundary,tag\nb,x\nb,a=b\nb,y\n")
    assert "line 3" not in str(refused.value)


def test_a_file_that_is_no_text_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "boundary_map.csv").write_bytes(b"\xff\xfe\x00b")
    with pytest.raises(BoundaryMapError, match=r"boundary_map.csv` cannot be read as UTF-8 text .*; save it again"):
        read_boundary_map(tmp_path)


@given(st.text())
def test_any_text_is_a_map_or_refused_with_a_sentence(text: str) -> None:
    try:
        found: tuple[Rule, ...] | str = parse_boundary_map(text)
    except BoundaryMapError as error:
        found = str(error)
    assert "`boundary_map.csv`" in found if isinstance(found, str) else all(rule.boundary for rule in found)


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_pattern_without_wildcards_fits_its_own_text_alone(pattern: str, text: str) -> None:
    if "*" in pattern or "?" in pattern or not pattern:
        return
    rule = Rule(2, "b", job_family=pattern)
    assert rule.fits(replace(APP, job_family=text)) is (pattern.lower() == text.lower())


# --- drift


def report(world: Estate, *lines: str, **known: object) -> DriftReport:
    return drift(world, rules(*lines), Known(**{"policies": frozenset({APP_BOUNDARY}), **known}))


def one(found: DriftReport) -> DriftRow:
    (row,) = found.rows
    return row


def test_missing_different_and_unexpected_are_told_apart_and_the_counts_add_up() -> None:
    world = estate(*(identity(name, allow("*")) for name in ("bare", "other", "right", "spare", "unknown")))
    attached = {arn("other"): f"{APP_BOUNDARY}-2", arn("right"): APP_BOUNDARY, arn("spare"): APP_BOUNDARY}
    lines = [",name=spare,,,,,none", ",name=unknown,,,,,none", ",,,,,role,boundary/app"]
    tagged = {subject.arn: replace(subject, tags=(("name", subject.name),)) for subject in world.subjects.values()}
    found = report(replace(world, subjects=tagged), *lines, attached=attached)
    assert {row.name: row.drift for row in found.rows} == {
        "bare": Drift.MISSING,
        "other": Drift.DIFFERENT,
        "spare": Drift.UNEXPECTED,
    }
    assert (found.as_expected, found.not_in_map) == (2, ())
    empty = report(world)
    assert (empty.rows, empty.as_expected, len(empty.not_in_map)) == ((), 0, 5)


def test_the_commands_put_replace_and_take_away() -> None:
    def commands(name: str, line: str, **facts: object) -> tuple[str, ...]:
        subject = identity(name, allow("*"), **facts)
        return one(report(estate(subject), line, attached={subject.arn: "arn:aws:iam::aws:policy/x"})).commands

    assert commands("app", ",,,,,,boundary/app") == (
        f"aws iam put-role-permissions-boundary --role-name app --permissions-boundary {APP_BOUNDARY}",
    )
    assert commands("ana", ",,,,,,boundary/app", kind="user") == (
        f"aws iam put-user-permissions-boundary --user-name ana --permissions-boundary {APP_BOUNDARY}",
    )
    assert commands("app", ",,,,,,none") == ("aws iam delete-role-permissions-boundary --role-name app",)
    assert commands("ana", ",,,,,,none", kind="user") == ("aws iam delete-user-permissions-boundary --user-name ana",)


def test_a_service_linked_role_is_no_matter_of_the_map() -> None:
    linked = identity("AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/")
    found = report(estate(linked), ",,,,,,boundary/app")
    assert (found.rows, found.as_expected, found.not_in_map) == ((), 0, ())


def sso(account: str = ACCOUNT) -> Subject:
    return identity(SSO_ROLE, allow("*"), path=SSO_PATH, account=account)


def test_a_role_of_identity_center_gets_its_boundary_through_its_permission_set() -> None:
    row = one(report(estate(sso()), ",,,,,,boundary/app", permission_sets={"Developer": (SET,)}))
    put, provision = (shlex.split(command) for command in row.commands)
    assert put[:3] == ["aws", "sso-admin", "put-permissions-boundary-to-permission-set"]
    assert put[put.index("--instance-arn") + 1] == "arn:aws:sso:::instance/ssoins-1111222233334444"
    assert put[put.index("--permissions-boundary") + 1] == (
        '{"CustomerManagedPolicyReference":{"Name":"app","Path":"/boundary/"}}'
    )
    assert provision[2] == "provision-permission-set"
    assert row.blocked_reason is None
    aws = one(
        report(estate(sso()), ",,,,,,arn:aws:iam::aws:policy/PowerUserAccess", permission_sets={"Developer": (SET,)})
    )
    assert '{"ManagedPolicyArn":"arn:aws:iam::aws:policy/PowerUserAccess"}' in shlex.split(aws.commands[0])
    held = {sso().arn: APP_BOUNDARY}
    gone = one(report(estate(sso()), ",,,,,,none", permission_sets={"Developer": (SET,)}, attached=held))
    assert "delete-permissions-boundary-from-permission-set" in gone.commands[0]


@pytest.mark.parametrize(
    ("sets", "reason"),
    [({}, "is not in the snapshot"), ({"Developer": (SET, f"{SET}9")}, "stands twice in the snapshot")],
)
def test_a_permission_set_that_is_not_known_blocks_the_row_and_says_so(sets: dict, reason: str) -> None:
    row = one(report(estate(sso()), ",,,,,,boundary/app", permission_sets=sets))
    assert row.commands == ()
    assert row.blocked_reason is not None
    assert "permission set `Developer`" in row.blocked_reason
    assert reason in row.blocked_reason


def test_a_permission_set_has_one_boundary_so_the_map_must_agree_with_itself() -> None:
    header, lines = "account,boundary", (f"{ACCOUNT},boundary/app", "*,boundary/other")
    known = Known(permission_sets={"Developer": (SET,)}, policies=frozenset({APP_BOUNDARY}))
    found = drift(estate(sso(), sso(OTHER)), rules(*lines, header=header), known)
    assert [row.commands for row in found.rows] == [(), ()]
    assert all(
        "different boundaries for permission set `Developer`" in (row.blocked_reason or "") for row in found.rows
    )
    agreed = drift(estate(sso(), sso(OTHER)), rules("*,boundary/app", header=header), known)
    assert agreed.rows[0].commands != ()


def test_other_reserved_roles_are_left_to_aws() -> None:
    reserved = identity("x", allow("*"), path="/aws-reserved/other.amazonaws.com/")
    row = one(report(estate(reserved), ",,,,,,boundary/app"))
    assert (row.commands, row.blocked_reason) == ((), "AWS reserves this role, and changes it alone")


def test_a_policy_that_does_not_exist_is_made_first_where_another_account_has_it() -> None:
    template = identity("app", allow("*"), account=OTHER)
    theirs = f"arn:aws:iam::{OTHER}:policy/boundary/app"
    statement = {"Effect": "Deny", "Action": "iam:*", "Resource": theirs}
    limit = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, name="limit")
    template = replace(template, stack=replace(template.stack, boundary=NamedPolicy("app", limit, theirs)))
    world = estate(identity("a", allow("*")), identity("b", allow("*")), template)
    found = report(world, ",,,,,,boundary/app", attached={template.arn: theirs}, policies=frozenset({theirs}))
    assert [row.name for row in found.rows] == ["a", "b"]
    create = shlex.split(found.rows[0].first[0])
    assert create[:7] == ["aws", "iam", "create-policy", "--policy-name", "app", "--path", "/boundary/"]
    assert parse_policy(create[-1], name="made").statements[0].resource == (APP_BOUNDARY,)
    assert found.rows[0].document == parse_policy(create[-1], name="made")
    listed = all_commands(found.rows)
    assert [command.split()[2] for _account, command in listed] == [
        *("create-policy", "put-role-permissions-boundary", "put-role-permissions-boundary"),
    ]
    assert {account for account, _command in listed} == {ACCOUNT}


def test_a_policy_that_exists_nowhere_blocks_the_row_and_one_that_could_not_be_seen_does_not() -> None:
    world = estate(identity("app", allow("*")))
    row = one(report(world, ",,,,,,boundary/new"))
    assert (row.commands, row.first) == ((), ())
    assert row.blocked_reason == (
        f"account {ACCOUNT} has no managed policy `boundary/new`; create it, then take a new snapshot"
    )
    failed = replace(world, accounts={ACCOUNT: replace(world.accounts[ACCOUNT], collected="failed")})
    assert one(report(failed, ",,,,,,boundary/new")).blocked_reason is None
    assert one(report(world, ",,,,,,arn:aws:iam::aws:policy/ReadOnlyAccess")).blocked_reason is None


def test_groups_tags_and_places_reach_the_map() -> None:
    subject = replace(identity("app", allow("*"), tags=(("job-family", "engineer"),)), environment="production")
    world = estate(subject)
    known = Known(groups={subject.arn: ("analysts",)})
    found = described(subject, world, known)
    assert (found.groups, found.job_family, found.environment, found.kind) == (
        *(("analysts",), "engineer", "production", "role"),
    )
    assert described(subject, world, replace(known, job_family_tags=("family",))).job_family == ""


def test_the_list_is_the_same_whatever_the_order_of_the_identities() -> None:
    subjects = [identity(name, allow("*"), account=account) for name in "cab" for account in (OTHER, ACCOUNT)]
    one_way, other_way = (report(estate(*order), ",,,,,,none", attached={one.arn: "x" for one in subjects})
                          for order in (subjects, subjects[::-1]))  # fmt: skip
    assert one_way == other_way
    assert [(row.account_id, row.name) for row in one_way.rows] == sorted(
        (one.account_id, one.name) for one in subjects
    )


# What each operation needs: IAM API Reference and IAM Identity Center API Reference, request parameters.
OPERATIONS = {
    ("iam", "put-role-permissions-boundary"): {"role-name", "permissions-boundary"},
    ("iam", "put-user-permissions-boundary"): {"user-name", "permissions-boundary"},
    ("iam", "delete-role-permissions-boundary"): {"role-name"},
    ("iam", "delete-user-permissions-boundary"): {"user-name"},
    ("sso-admin", "put-permissions-boundary-to-permission-set"): {
        *("instance-arn", "permission-set-arn", "permissions-boundary"),
    },
    ("sso-admin", "delete-permissions-boundary-from-permission-set"): {"instance-arn", "permission-set-arn"},
    ("sso-admin", "provision-permission-set"): {"instance-arn", "permission-set-arn", "target-type"},
}


def test_every_command_gives_its_operation_what_it_needs_and_nothing_else() -> None:
    attached = {arn("spare"): "x", sso().arn: "x", arn("ana", kind="user"): "x"}
    worlds = (
        (estate(identity("app", allow("*")), identity("ana", kind="user"), sso()), ",,,,,,boundary/app"),
        (estate(identity("spare", allow("*")), identity("ana", kind="user"), sso()), ",,,,,,none"),
    )
    commands = {
        command
        for world, line in worlds
        for row in report(world, line, permission_sets={"Developer": (SET,)}, attached=attached).rows
        for command in row.commands
    }
    found = {}
    for command in commands:
        aws, service, operation, *options = shlex.split(command)
        assert aws == "aws"
        assert all(options[1::2])
        found[service, operation] = {option.removeprefix("--") for option in options[::2]}
    assert found == OPERATIONS


# --- the sample organisation


def test_the_boundary_that_somebody_took_away_is_missed(
    con: duckdb.DuckDBPyConnection, company: Estate, tmp_path: Path
) -> None:
    """History has it that `payments-checkout-api-task` lost its boundary a few weeks ago."""
    (tmp_path / "boundary_map.csv").write_text(
        "path,ou,boundary\n/workload/*,Root/Prod*,boundary/ardenly-workload-boundary\n", "utf-8"
    )
    found = queries.boundary_drift(con, company, folder=tmp_path, settings=Settings())
    assert found is not None
    rows = queries.drift_rows(con, found, company).set_index("name")
    row = rows.loc["payments-checkout-api-task"]
    assert row["drift"] == str(Drift.MISSING)
    assert row["commands"].startswith("aws iam put-role-permissions-boundary --role-name payments-checkout-api-task ")
    assert row["calls_broken"] == 0
    assert rows.loc["platform-dns-updater-fn", "calls_lost"] > 0
    bound = [subject for subject in company.subjects.values() if can_have_boundary(subject)]
    assert len(found.rows) + found.as_expected + len(found.not_in_map) == len(bound)


def test_without_a_map_there_is_no_drift(con: duckdb.DuckDBPyConnection, company: Estate, tmp_path: Path) -> None:
    assert queries.boundary_drift(con, company, folder=tmp_path, settings=Settings()) is None
    assert set(COLUMNS) >= {"path", "tag", "ou", "group", "job_family", "boundary"}
