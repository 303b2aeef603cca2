"""Matching texts, actions and ARNs against patterns of policies, and the example texts for sets of patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.iam.match import (
    ActionSet,
    Variable,
    Wild,
    action_matches,
    any_text_test,
    arn_matches,
    filled,
    plain,
    template,
    text_matches,
    variable_keys,
)
from analytics.iam.witness import Pattern, TooManyStatesError, examples
from tests.slow_engine import any_action, glob


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("*", "", True),
        ("**", "anything", True),
        ("?", "", False),
        ("?*", "a", True),
        ("a*c", "abbbc", True),
        ("a*c", "abbbcd", False),
        ("*b*", "abc", True),
        ("a*b*c", "acb", False),
        ("a*b*b", "ab", False),
        ("a.c", "abc", False),  # a dot is a dot
        ("*.c", "abc", False),
        ("?.c", "a.c", True),
        ("[a]", "a", False),  # IAM gives brackets no meaning
        ("*[ab]", "xa", False),
        ("*(a|b)+*", "x(a|b)+y", True),
        ("a\nb*", "a\nbc", True),
        ("*", "a\nb", True),
        ("a*", "A", False),
    ],
)
def test_text_matches(pattern, text, expected):
    assert text_matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("s3:get*", "s3:GetObject", True),
        ("S3:GetObject", "s3:getobject", True),
        ("*", "s3:GetObject", True),
        ("*:*", "s3:GetObject", True),
        ("*:GetObject", "s3:GetObject", False),  # a service is never a pattern
        ("s?:GetObject", "s3:GetObject", False),
        ("s3*", "s3:GetObject", False),  # an action has a service and a name
        ("GetObject", "s3:GetObject", False),
        ("", "s3:GetObject", False),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:G?tObject", "s3:GetObject", True),
        ("s3:Get*Tagging", "s3:GetObject", False),
    ],
)
def test_action_matches(pattern, action, expected):
    assert action_matches(pattern, action) is expected


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:role/app", True),
        ("arn:aws:*:role/app", "arn:aws:iam::111122223333:role/app", False),  # a wildcard stays in its part
        ("arn:*:*:*:*:*", "arn:aws:lambda:eu-west-1:1:function:f:v1", True),
        ("arn:aws:lambda:*:*:function:?:v*", "arn:aws:lambda:eu-west-1:1:function:f:v1", True),
        ("arn:???:iam::*:*", "arn:aws-cn:iam::1:root", False),
        ("arn:aws:s3:::b*", "arn:aws:s3:::bucket/key:x", True),
        ("*", "arn:aws:s3:::bucket", False),  # no ARN
        ("arn:aws:s3:::bucket", "bucket", False),
    ],
)
def test_arn_matches(pattern, arn, expected):
    assert arn_matches(pattern, arn) is expected


def test_a_template_holds_literals_wildcards_and_variables():
    parts = template("a${aws:UserName}*${x/y, 'z'}?${*}", variables=True)
    assert parts == ("a", Variable("aws:username"), Wild.RUN, Variable("x/y", "z"), Wild.ONE, "*")
    assert variable_keys(parts) == {"aws:username", "x/y"}


def test_in_the_2008_version_a_variable_is_text_and_its_star_a_wildcard():
    assert template("${a}${*}", variables=False) == ("${a}${", Wild.RUN, "}")


@pytest.mark.parametrize("text", ["${", "${}", "a}", "${a{b}}", "$", "${ }"])
def test_what_only_looks_like_a_variable_is_text(text):
    assert variable_keys(template(text, variables=True)) == set()


def test_a_value_is_literal_and_a_missing_one_spoils_the_whole():
    parts = template("home/${u}/*", variables=True)
    assert filled(parts, {"u": "a*"}.get) == ("home/a*/", Wild.RUN)
    assert filled(parts, {}.get) is None


def test_plain_text_keeps_the_wildcards_as_letters():
    assert plain(template("a*b?", variables=True)) == "a*b?"


# Held to the definition

letters = st.text("ab.*?", max_size=8)


@given(letters, st.text("ab.", max_size=10))
def test_the_matcher_agrees_with_the_definition_of_the_wildcards(pattern, text):
    assert text_matches(pattern, text) is glob(pattern, text)


@given(st.lists(letters, max_size=4), st.text("ab", max_size=8))
def test_testing_many_patterns_at_once_is_testing_each(patterns, text):
    together = any_text_test(template(pattern, variables=False) for pattern in patterns)
    assert together(text) is any(glob(pattern, text) for pattern in patterns)


action_patterns = st.sampled_from(
    ["*", "*:*", "s3:*", "s3:Get*", "S3:GETOBJECT", "*:Get*", "ec2:*", "s3:?et*", "s3:", ""]
)


class Named:
    """The part of a statement that the twin looks at."""

    not_action = ()

    def __init__(self, patterns):
        self.action = tuple(patterns)


@given(st.lists(action_patterns, max_size=5), st.sampled_from(["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]))
def test_the_index_of_actions_agrees_with_a_scan(patterns, action):
    assert ActionSet(patterns).matches(action.lower()) is any_action(Named(patterns), action)


@pytest.mark.parametrize("pattern", ["a*" * 40 + "b", "*a" * 40 + "*b", "a*?" * 30])
def test_no_pattern_takes_for_ever(pattern):
    assert text_matches(pattern, "a" * 5000) is glob_ends_with_a(pattern)


def glob_ends_with_a(pattern):
    return not pattern.endswith("b")


# Examples


@given(st.lists(letters, min_size=1, max_size=3), st.text("ab*?", max_size=6))
def test_the_examples_cover_every_way_to_match_a_set_of_patterns(patterns, text):
    found = examples([Pattern.of(template(pattern, variables=False)) for pattern in patterns])
    answers = tuple(glob(pattern, text) for pattern in patterns)
    assert answers in found
    for row, example in found.items():
        assert row == tuple(glob(pattern, example) for pattern in patterns)


def test_the_examples_of_arns_keep_wildcards_in_their_parts():
    arn = template("arn:aws:iam::*:role/*", variables=False)
    found = examples([Pattern.of(arn, as_arn=True), Pattern.of(arn)])
    assert (False, True) in found  # a text may match across colons where an ARN does not
    assert (True, False) not in found


def test_the_examples_ignore_case_where_asked():
    red = template("Red", variables=False)
    assert {"red": True, "RED": True}.get(examples([Pattern.of(red, ignore_case=True)])[True,].lower())


def test_too_tangled_patterns_are_given_up():
    with pytest.raises(TooManyStatesError):
        examples([Pattern.of(template("*a" + "?" * 14, variables=False)) for _ in range(1)])
