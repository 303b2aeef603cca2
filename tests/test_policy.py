"""Parsing policies: the whole language, what is refused and how, and that printing gives back an equal policy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.iam.policy import (
    OPERATORS,
    Condition,
    Effect,
    PolicyError,
    Principals,
    Statement,
    parse_policy,
    to_json,
)

DATA = Path(__file__).parent / "data"
MANAGED = Path(__file__).parents[1] / "data" / "reference" / "aws_managed_policies.json.gz"
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def parsed(*statements, **elements):
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements), **elements}, name="p")


def only(statement):
    return parsed(statement).statements[0]


# What is understood


def test_scalars_and_lists_mean_the_same():
    lists = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}
    assert only(ALLOW) == only(lists) == Statement(Effect.ALLOW, action=("s3:GetObject",), resource=("*",))


def test_one_statement_needs_no_list():
    assert parse_policy({"Statement": ALLOW}, name="p").statements == parsed(ALLOW).statements


def test_without_a_version_the_policy_is_of_2008():
    assert parse_policy({"Statement": ALLOW}, name="p").version == "2008-10-17"


def test_id_and_sid_are_kept():
    policy = parsed({**ALLOW, "Sid": "Read"}, Id="P1")
    assert (policy.id, policy.statements[0].sid) == ("P1", "Read")


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", Principals(everyone=True)),
        ({"AWS": "*"}, Principals(aws=("*",))),
        ({"AWS": ["111122223333", "AIDAEXAMPLE"]}, Principals(aws=("111122223333", "AIDAEXAMPLE"))),
        ({"Service": "ec2.amazonaws.com"}, Principals(service=("ec2.amazonaws.com",))),
        ({"Federated": ["a", "b"], "CanonicalUser": "c"}, Principals(federated=("a", "b"), canonical_user=("c",))),
        ("arn:aws:iam::111122223333:root", Principals(aws=("arn:aws:iam::111122223333:root",))),
        ({}, Principals()),
    ],
)
def test_principals(principal, expected):
    assert only({**ALLOW, "Principal": principal}).principal == expected
    assert only({**ALLOW, "NotPrincipal": principal}).not_principal == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("StringEquals", Condition("StringEquals", "k", ("v",))),
        ("stringlikeifexists", Condition("StringLike", "k", ("v",), if_exists=True)),
        ("ForAllValues:StringLike", Condition("StringLike", "k", ("v",), qualifier="ForAllValues")),
        ("foranyvalue:ArnNotLikeIfExists", Condition("ArnNotLike", "k", ("v",), "ForAnyValue", if_exists=True)),
        ("ForAnyValue:Null", Condition("Null", "k", ("v",), "ForAnyValue")),
    ],
)
def test_condition_operators(written, expected):
    assert only({**ALLOW, "Condition": {written: {"k": "v"}}}).condition == (expected,)


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_printed_as_aws_spells_it(operator):
    written = {"Condition": {f"ForAllValues:{operator}": {"k": ["v"]}}}
    printed = to_json(parsed({**ALLOW, "Condition": {f"ForAllValues:{operator.lower()}": {"k": "v"}}}))
    assert printed["Statement"][0]["Condition"] == written["Condition"]


def test_condition_values_become_text():
    block = {"Bool": {"a": True}, "NumericLessThan": {"b": [10, 2.5]}, "StringEquals": {"c": []}}
    assert [one.values for one in only({**ALLOW, "Condition": block}).condition] == [("true",), ("10", "2.5"), ()]


@pytest.mark.parametrize("element", ["Action", "NotAction", "Resource", "NotResource"])
def test_a_statement_with_an_empty_list_speaks_of_no_action(element):
    kept = {key: value for key, value in ALLOW.items() if key != element.removeprefix("Not")}
    statement = only({**kept, element: []})
    assert (statement.action, statement.not_action) == ((), ())


def test_names_that_aws_never_matches_are_kept_as_they_are():
    assert only({**ALLOW, "Action": ["s3:Get*, s3:Put*", "GetObject"]}).action == ("s3:Get*, s3:Put*", "GetObject")


@pytest.mark.parametrize("encode", [json.dumps, lambda d: json.dumps(d).encode(), lambda d: quote(json.dumps(d))])
def test_text_bytes_and_percent_encoded_text_are_read(encode):
    document = {"Version": "2012-10-17", "Statement": [ALLOW]}
    assert parse_policy(encode(document), name="p") == parse_policy(document, name="p")


def test_a_byte_order_mark_is_no_part_of_the_policy():
    assert parse_policy(b"\xef\xbb\xbf" + json.dumps({"Statement": ALLOW}).encode(), name="p").statements


def test_equal_policies_are_one_key():
    assert len({parsed(ALLOW), parsed(dict(ALLOW))}) == 1


# What is refused, and how


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "policy `p`: a policy is a JSON object, this is null"),
        ([], "policy `p`: a policy is a JSON object, this is a list"),
        ("", "policy `p`: is not a JSON document"),
        ("{", "policy `p`: is not a JSON document"),
        (b"\xff\xfe", "policy `p`: is not a JSON document"),
        (r'{"Id": "\ud800", "Statement": []}', "policy `p`: is not a JSON document"),
        (r'{"\uD800": 1}', "policy `p`: is not a JSON document"),
        ('{"Statement": [], "Statement": []}', "the element `Statement` stands twice"),
        ('{"Statement": NaN}', "`NaN` is not JSON"),
        ({}, "policy `p`, `Statement`: is missing"),
        ({"Statement": [], "Version": "2012-10-18"}, "policy `p`, `Version`: `2012-10-18` is not a version"),
        ({"Statement": [], "Comment": "x"}, "policy `p`: `Comment` is not an element"),
        ({"Statement": [], "Id": 1}, "policy `p`, `Id`: must be text, this is a number"),
        ({"Statement": ["x"]}, "policy `p`, statement 0: a statement is a JSON object, this is text"),
        ({"Statement": [ALLOW, {"Effect": "Allow"}]}, "policy `p`, statement 1, `Action`: is missing"),
        ({"Statement": {**ALLOW, "Effect": "allow"}}, "statement 0, `Effect`: is `allow`; it must be"),
        ({"Statement": {"Action": "*", "Resource": "*"}}, "statement 0, `Effect`: is null"),
        ({"Statement": {**ALLOW, "NotAction": "*"}}, "`Action`: stands beside `NotAction`"),
        ({"Statement": {**ALLOW, "NotResource": "*"}}, "`Resource`: stands beside `NotResource`"),
        ({"Statement": {**ALLOW, "Principal": "*", "NotPrincipal": "*"}}, "`Principal`: stands beside"),
        ({"Statement": {**ALLOW, "Conditions": {}}}, "statement 0: `Conditions` is not an element"),
        ({"Statement": {**ALLOW, "Action": 5}}, "`Action`: must be text or a list of texts, not a number"),
        ({"Statement": {**ALLOW, "Resource": [None]}}, "`Resource`: must be text or a list of texts, not null"),
        ({"Statement": {**ALLOW, "Principal": 5}}, "`Principal`: must be"),
        ({"Statement": {**ALLOW, "Principal": {"Aws": "*"}}}, "`Principal`: `Aws` is not `AWS`, `Service`"),
        ({"Statement": {**ALLOW, "Condition": []}}, "`Condition`: must be an object of operators"),
        ({"Statement": {**ALLOW, "Condition": {"StringEqual": {}}}}, "`StringEqual` is not a condition operator"),
        ({"Statement": {**ALLOW, "Condition": {"ForSome:StringLike": {}}}}, "`ForSome:StringLike` is not a"),
        ({"Statement": {**ALLOW, "Condition": {"NullIfExists": {}}}}, "`Null` takes no `IfExists`"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": {}, "bool": {}}}}, "`Condition`: holds one operator twice"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": "x"}}}, "`Condition.Bool`: must be an object"),
        ({"Statement": {**ALLOW, "Condition": {"Bool": {"k": {}}}}}, "`Condition.Bool.k`: a value is text"),
        ({"Statement": {**ALLOW, "Sid": None}}, "statement 0, `Sid`: must be text, this is null"),
    ],
)
def test_what_is_not_a_policy_is_refused_with_its_place(document, message):
    with pytest.raises(PolicyError) as refused:
        parse_policy(document, name="p")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nesting_without_end_is_refused():
    with pytest.raises(PolicyError, match="deeper than any policy"):
        parse_policy("[" * 100_000, name="p")


# Round trips and fuzz

names = st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Principal", "Condition", "Bool", "k"])
texts = st.sampled_from(["2012-10-17", "Allow", "Deny", "*", "s3:*", "AWS"]) | st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | texts, inner, max_size=5),
    max_leaves=25,
)


def survives(document):
    """Either a policy that prints and parses back to itself, or a PolicyError: nothing else may come out."""
    try:
        policy = parse_policy(document, name="fuzz")
    except PolicyError:
        return
    assert parse_policy(to_json(policy), name="fuzz") == policy
    hash(policy)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_make_anything_but_a_policy_error(document):
    survives(document)


@given(json_values)
def test_no_json_makes_anything_but_a_policy_error(document):
    survives(document)
    survives(json.dumps(document))


@given(
    st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny"])},
        optional={
            "Sid": texts,
            "Action": texts | st.lists(texts, max_size=3),
            "NotAction": texts,
            "Resource": texts | st.lists(texts, max_size=3),
            "NotResource": texts,
            "Principal": texts | st.dictionaries(st.sampled_from(["AWS", "Service"]), st.lists(texts, max_size=2)),
            "Condition": st.dictionaries(
                st.sampled_from([*OPERATORS, *map(str.lower, OPERATORS)]),
                st.dictionaries(texts, json_values, max_size=2),
                max_size=2,
            ),
        },
    ),
)
def test_near_policies_parse_or_are_refused(statement):
    survives({"Version": "2012-10-17", "Statement": statement})


def test_every_aws_managed_policy_survives():
    with gzip.open(MANAGED, "rt", encoding="utf-8") as file:
        policies = json.load(file)
    assert len(policies) == 1643
    for name, entry in policies.items():
        policy = parse_policy(entry["document"], name=name)
        assert parse_policy(to_json(policy), name=name) == policy


def test_every_published_control_policy_survives():
    with gzip.open(DATA / "policies" / "published.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert len(lines) == 71
    for line in lines:
        policy = parse_policy(line["document"], name=line["source"])
        assert parse_policy(json.dumps(to_json(policy)), name=line["source"]) == policy


def documents_in(value):
    """Every policy document of a dump, wherever it stands."""
    if isinstance(value, dict):
        if "Statement" in value:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from documents_in(inner)


def test_every_policy_of_the_dumps_survives():
    found = 0
    for file in sorted([*(DATA / "iam").glob("*.json*"), *(DATA / "org").glob("*.json")]):
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for document in documents_in(json.loads(text)):
            policy = parse_policy(document, name=file.name)
            assert parse_policy(to_json(policy), name=file.name) == policy
            found += 1
    assert found > 250
