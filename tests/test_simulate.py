"""Decision cases as JSON lines: the answers, the errors, and that one bad line does not spoil the rest."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.engine.simulate import Simulator, simulate

USER = "arn:aws:iam::111122223333:user/alice"
REQUEST = {
    "principal": USER,
    "action": "s3:GetObject",
    "resource": "arn:aws:s3:::logs/a",
    "resource_account": "111122223333",
    "context": {},
}
NESTED = json.loads("[" * 900 + "]" * 900)
ALLOW_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def case(request=REQUEST, **parts):
    empty = {"identity_policies": [ALLOW_ALL], "permission_boundary": None, "scps": [], "rcps": []}
    return {"id": "c", "request": request, **empty, "resource_policy": None, "session_policies": None, **parts}


def answers(*cases):
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in cases]
    return [json.loads(answer.line) for answer in simulate(lines)]


def test_a_decision_has_the_fields_of_the_contract_in_their_order():
    boundary = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}}
    (answer,) = simulate([json.dumps(case(permission_boundary=[boundary])).encode()])
    assert answer == (
        b'{"id":"c","decision":"ImplicitlyDenied","blocked_by":["boundary"],"because":[],"unknown_keys":[]}',
        False,
    )


def test_a_deciding_statement_is_named_by_layer_position_and_sid():
    deny = {"Version": "2012-10-17", "Statement": [{"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    (answer,) = answers(case(scps=[[ALLOW_ALL, deny]]))
    assert answer["because"] == [{"layer": "scp", "policy": 1, "statement": 0, "sid": "No"}]


def test_the_id_comes_back_whatever_it_is():
    ids = ["text", 7, None, ["a"], {"k": 1.5}]
    assert [answer["id"] for answer in answers(*(case(id=one) for one in ids))] == ids


def test_a_case_without_an_id_answers_with_null():
    request = case()
    del request["id"]
    assert answers(request)[0]["id"] is None


def test_policies_that_a_case_leaves_out_are_not_there():
    assert answers({"id": 1, "request": REQUEST})[0]["decision"] == "ImplicitlyDenied"
    assert answers({"id": 1, "request": REQUEST, "identity_policies": [ALLOW_ALL]})[0]["decision"] == "Allowed"


@pytest.mark.parametrize(("value", "expected"), [("eu", "Allowed"), (["eu"], "Allowed"), ("us", "ImplicitlyDenied")])
def test_a_context_value_is_text_or_a_list(value, expected):
    policy = {"Statement": {**ALLOW_ALL["Statement"], "Condition": {"StringEquals": {"aws:RequestedRegion": "eu"}}}}
    request = {**REQUEST, "context": {"AWS:requestedregion": value}}
    assert answers(case(request, identity_policies=[policy]))[0]["decision"] == expected


@pytest.mark.parametrize("value", [True, "true"])
def test_numbers_and_booleans_of_a_context_are_taken_as_text(value):
    policy = {"Statement": {**ALLOW_ALL["Statement"], "Condition": {"Bool": {"aws:SecureTransport": "true"}}}}
    request = {**REQUEST, "context": {"aws:SecureTransport": value}}
    assert answers(case(request, identity_policies=[policy]))[0]["decision"] == "Allowed"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "the line is not JSON"),
        (b"{", "the line is not JSON"),
        (b"\xff", "the line is not JSON"),
        (b"[1]", "the line is not a JSON object"),
        (case(None), "`request` must be an object"),
        ({"id": "c"}, "`request` is missing"),
        (case({**REQUEST, "principal": 5}), "`principal` must be text"),
        (case({"principal": USER, "action": "s3:GetObject"}), "`resource` is missing"),
        (case({**REQUEST, "action": "GetObject"}), "`action` must be `service:Action`, not `GetObject`"),
        (case({**REQUEST, "context": []}), "`context` must be an object"),
        (case({**REQUEST, "context": {"k": {}}}), "key `k`: a value is text or a list of texts"),
        (case({**REQUEST, "unknown_keys": "k"}), "`unknown_keys` must be a list"),
        (case({**REQUEST, "unknown_keys": [1]}), "`unknown_keys` must be a list of condition keys"),
        (case({**REQUEST, "wildcard_only_action": "yes"}), "`wildcard_only_action` must be true or false"),
        (case(scps=[ALLOW_ALL]), "`scps[0]` must be a list of policies: one list for each level"),
        (case(identity_policies=ALLOW_ALL), "`identity_policies` must be a list"),
        (case(identity_policies=[{}]), "policy `identity_policies[0]`, `Statement`: is missing"),
        (case(rcps=[[], ["x"]]), "policy `rcps[1][0]`: is not a JSON document"),
        (case(resource_policy={}), "policy `resource_policy`, `Statement`: is missing"),
        (case(resource_policy=[ALLOW_ALL]), "policy `resource_policy`: a policy is a JSON object, this is a list"),
        (case(identity_policies=[NESTED]), "policy `identity_policies[0]`: is nested far too deep"),
        (case(id=NESTED), "`id`: is nested far too deep"),
        (case(identity_policies=[r'{"\ud800": 1}']), "policy `identity_policies[0]`: is not a JSON document"),
    ],
)
def test_a_bad_line_answers_with_one_sentence(line, message):
    (answer,) = answers(line)
    assert message in answer["error"]
    assert "\n" not in answer["error"]


def test_the_rest_goes_on_and_the_bad_lines_are_marked():
    lines = [json.dumps(case()).encode(), b"oops", json.dumps(case(id=2)).encode()]
    found = list(simulate(lines))
    assert [answer.failed for answer in found] == [False, True, False]
    assert json.loads(found[2].line)["decision"] == "Allowed"


def test_an_error_in_a_policy_names_where_it_stands_in_each_case():
    broken = {"Statement": {"Effect": "Allow"}}
    first, second = answers(case(identity_policies=[broken]), case(scps=[[broken]]))
    assert "identity_policies[0]" in first["error"]
    assert "scps[0][0]" in second["error"]


def test_equal_documents_are_parsed_once():
    simulator = Simulator()
    for number in range(5):
        simulator.answer(json.dumps(case(id=number, scps=[[ALLOW_ALL], [ALLOW_ALL]])).encode())
    assert len(simulator._documents) == 1


def test_the_search_for_cycles_rests_only_while_cases_are_decided():
    for answer in simulate([b"{}"]):
        assert answer.failed
        assert not gc.isenabled()
    assert gc.isenabled()


@given(st.binary(max_size=60))
def test_any_bytes_have_an_answer(line):
    assert Simulator().answer(line).failed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(list(case())), json_values),
    st.dictionaries(st.sampled_from(list(REQUEST)), json_values),
)
def test_any_case_has_an_answer(parts, request_parts):
    line = json.dumps({**case({**REQUEST, **request_parts}), **parts}).encode()
    answer = json.loads(Simulator().answer(line).line)
    assert ("decision" in answer) != ("error" in answer)
