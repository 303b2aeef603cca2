"""Conditions: every operator, every qualifier, and the three answers met, not met and unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.iam.compare import number, point_in_time
from analytics.iam.condition import OPERATORS, Context, all_true, any_true, condition_truth
from analytics.iam.policy import OPERATORS as OPERATOR_NAMES
from analytics.iam.policy import Condition
from tests.builders import condition

NEGATED = {name for name in OPERATOR_NAMES if "Not" in name}
SAMPLES = {  # operator family → a policy value, a value that matches it, one that does not, one of another kind
    "String": ("red", "red", "blue", None),
    "Numeric": ("10", "10", "11", "ten"),
    "Date": ("2026-07-01", "2026-07-01T00:00:00Z", "2026-07-02", "soon"),
    "Bool": ("true", "TRUE", "false", "yes"),
    "Binary": ("cmVk", "cmVk", "Ymx1ZQ==", None),
    "Ip": ("10.0.0.0/8", "10.1.2.3", "192.0.2.1", "nowhere"),
    "NotIp": ("10.0.0.0/8", "10.1.2.3", "192.0.2.1", "nowhere"),
    "Arn": ("arn:aws:iam::*:role/*", "arn:aws:iam::1:role/a", "arn:aws:iam::1:user/a", "a"),
}
EQUALITIES = [name for name in OPERATOR_NAMES if name != "Null" and "Than" not in name]


def sample(operator):
    return next(values for family, values in SAMPLES.items() if operator.startswith(family))


def truth(operator, wanted, *values, unknown=(), **keys):
    known = {"k": values} if values else {}
    wants = (wanted,) if isinstance(wanted, str) else wanted
    return condition_truth(condition(operator, "k", *wants), Context(known | keys, frozenset(unknown)))


def test_the_table_has_every_operator_but_null():
    assert set(OPERATORS) == set(OPERATOR_NAMES) - {"Null"}


@pytest.mark.parametrize("operator", EQUALITIES)
def test_a_match_meets_the_operator_and_a_negated_one_not(operator):
    wanted, match, other, _ = sample(operator)
    assert truth(operator, wanted, match) is (operator not in NEGATED)
    assert truth(operator, wanted, other) is (operator in NEGATED)


@pytest.mark.parametrize("operator", EQUALITIES)
def test_several_policy_values_are_alternatives_and_negated_ones_all_hold(operator):
    wanted, match, other, _ = sample(operator)
    absent = {"Numeric": "99", "Date": "2030-01-01", "Ip": "192.0.2.9", "NotIp": "192.0.2.9"}
    spare = next((value for family, value in absent.items() if operator.startswith(family)), other)
    assert truth(operator, (spare, wanted), match) is (operator not in NEGATED)


@pytest.mark.parametrize("operator", [name for name in EQUALITIES if sample(name)[3]])
def test_a_value_of_another_kind_meets_nothing(operator):
    wanted, match, _, odd = sample(operator)
    assert truth(operator, wanted, odd) is False
    assert truth(operator, odd, match) is False


@pytest.mark.parametrize("operator", [name for name in OPERATOR_NAMES if name != "Null"])
def test_an_absent_key(operator):
    wanted = sample(operator)[0]
    assert truth(operator, wanted) is (operator in NEGATED)
    assert truth(f"{operator}IfExists", wanted) is True
    assert truth(f"ForAllValues:{operator}", wanted) is True
    assert truth(f"ForAnyValue:{operator}", wanted) is False
    assert truth(f"ForAnyValue:{operator}IfExists", wanted) is False


@pytest.mark.parametrize("operator", [name for name in OPERATOR_NAMES if name != "Null"])
def test_a_key_that_was_not_recorded(operator):
    wanted = sample(operator)[0]
    for written in (operator, f"{operator}IfExists", f"ForAllValues:{operator}", f"ForAnyValue:{operator}"):
        assert truth(written, wanted, unknown={"k"}) is None


@pytest.mark.parametrize("operator", EQUALITIES)
def test_sets_of_values(operator):
    wanted, match, other, _ = sample(operator)
    hit, miss = (other, match) if operator in NEGATED else (match, other)
    assert truth(f"ForAllValues:{operator}", wanted, hit, hit) is True
    assert truth(f"ForAllValues:{operator}", wanted, hit, miss) is False
    assert truth(f"ForAnyValue:{operator}", wanted, hit, miss) is True
    assert truth(f"ForAnyValue:{operator}", wanted, miss, miss) is False
    assert truth(operator, wanted, hit, hit) is False  # several values need a set operator


@pytest.mark.parametrize(
    ("wanted", "values", "unknown", "expected"),
    [
        ("true", (), (), True),
        ("true", ("v",), (), False),
        ("false", (), (), False),
        ("false", ("v",), (), True),
        ("TRUE", (), (), True),
        ("maybe", (), (), False),
        ("true", (), {"k"}, None),
        (("true", "false"), (), {"k"}, True),
        ((), (), {"k"}, False),
    ],
)
def test_null(wanted, values, unknown, expected):
    assert truth("Null", wanted, *values, unknown=unknown) is expected


@pytest.mark.parametrize(
    ("order", "less", "equal", "more"),
    [
        ("LessThan", True, False, False),
        ("LessThanEquals", True, True, False),
        ("GreaterThan", False, False, True),
        ("GreaterThanEquals", False, True, True),
    ],
)
def test_orders(order, less, equal, more):
    assert [truth(f"Numeric{order}", "10", value) for value in ("9.9", "10.0", "11")] == [less, equal, more]
    days = ("2026-06-30", "2026-07-01", "2026-07-02")
    assert [truth(f"Date{order}", "2026-07-01", day) for day in days] == [less, equal, more]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-02", 86400),
        ("1970-02", 2678400),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("86400", 86400),
        ("tomorrow", None),
        ("", None),
        ("1970-13-01", None),
    ],
)
def test_points_in_time(text, seconds):
    assert point_in_time(text) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" -5.50 ", -5.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("0x10", None),
        ("NaN", None),
        ("1_000", None),
        ("", None),
    ],
)
def test_numbers(text, value):
    assert number(text) == value


def test_numbers_are_exact():
    assert truth("NumericEquals", "0.3", "0.30000000000000001") is False


# Variables


def test_a_variable_takes_its_value_letter_by_letter():
    assert truth("StringLike", "home/${u}/*", "home/al/x", u=("al",)) is True
    assert truth("StringLike", "home/${u}/*", "home/al/x", u=("a*",)) is False


def test_a_variable_without_a_value_is_equal_to_nothing():
    assert truth("StringEquals", "${u}", "x") is False
    assert truth("StringNotEquals", "${u}", "x") is True


def test_an_unknown_variable_leaves_the_condition_unknown_unless_another_value_decides():
    assert truth("StringEquals", "${u}", "x", unknown={"u"}) is None
    assert truth("StringEquals", ("${u}", "x"), "x", unknown={"u"}) is True
    assert truth("StringNotEquals", ("${u}", "x"), "x", unknown={"u"}) is False
    assert truth("StringNotEquals", "${u}", "x", unknown={"u"}) is None


def test_only_text_booleans_and_arns_take_variables():
    assert truth("NumericEquals", "${n}", "5", n=("5",)) is False
    assert truth("Bool", "${b}", "true", b=("true",)) is True
    assert truth("ArnLike", "arn:aws:iam::${a}:*", "arn:aws:iam::1:root", a=("1",)) is True


def test_the_2008_version_takes_a_variable_as_text():
    context = Context({"k": ("${u}",), "u": ("x",)})
    assert condition_truth(condition("StringEquals", "k", "${u}"), context, version="2008-10-17") is True
    assert condition_truth(condition("StringEquals", "k", "${u}"), context) is False


# Laws

truths = st.sampled_from([True, False, None])
operators = st.sampled_from([name for name in OPERATOR_NAMES if name.startswith("String")])
values = st.lists(st.sampled_from(["red", "re*", "${u}", "blue"]), min_size=1, max_size=3).map(tuple)
conditions = st.builds(
    Condition,
    operator=operators,
    key=st.just("k"),
    values=values,
    qualifier=st.sampled_from([None, "ForAllValues", "ForAnyValue"]),
    if_exists=st.booleans(),
)
present = st.lists(st.sampled_from(["red", "redder", "blue", ""]), max_size=3).map(tuple)


@given(conditions, present, present)
def test_a_known_answer_stands_whatever_the_unknown_keys_were(one, of_k, of_u):
    whole = Context({"k": of_k, "u": of_u})
    for unknown in ({"k"}, {"u"}, {"k", "u"}):
        known = {key: value for key, value in whole.values.items() if key not in unknown}
        answer = condition_truth(one, Context(known, frozenset(unknown)))
        assert answer in (None, condition_truth(one, whole))


@given(operators, values, st.sampled_from(["red", "redder", "blue"]))
def test_a_negated_operator_is_the_opposite_of_its_positive(operator, wanted, value):
    positive = operator.replace("Not", "")
    negated = positive.replace("String", "StringNot")
    context = Context({"k": (value,), "u": ("red",)})
    both = [condition_truth(Condition(name, "k", wanted), context) for name in (positive, negated)]
    assert sorted(both) == [False, True]


@given(st.lists(truths, max_size=4))
def test_kleenes_logic_is_what_holds_for_every_way_to_settle_the_unknowns(some):
    def settled(combine):
        ways = {combine([first if one is None else one for one in some]) for first in (True, False)}
        return ways.pop() if len(ways) == 1 else None

    assert all_true(some) is settled(all)
    assert any_true(some) is settled(any)
