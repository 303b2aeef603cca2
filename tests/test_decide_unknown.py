"""Keys that were not recorded: an answer stands for every value that the key could have had, kind by kind."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Policies, Request, Result, decide
from analytics.iam.policy import Condition, Effect, Principals, Statement
from tests.builders import document

USER = "arn:aws:iam::111122223333:user/alice"
ALLOW_ALL = Statement(effect=Effect.ALLOW, action=("*",), resource=("*",))
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
KINDS = {  # operators, policy values, and request values that cover every way to meet them
    "numeric": (
        [f"Numeric{order}" for order in ORDERS],
        ["1", "2", "2.5"],
        ["0", "1", "1.5", "2", "2.2", "2.5", "3"],
    ),
    "date": (
        [f"Date{order}" for order in ORDERS],
        ["2026-01-01", "2026-01-03T00:00:00Z"],
        ["2025-12-31", "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"],
    ),
    "address": (
        ["IpAddress", "NotIpAddress"],
        ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32", "10.1.2.3"],
        ["10.0.0.1", "10.1.0.1", "10.1.2.3", "10.1.2.4", "192.0.2.1", "2001:db8::1", "2001:db9::1"],
    ),
    "boolean": (["Bool"], ["true", "false"], ["true", "false"]),
    "arn": (
        ["ArnLike", "ArnNotLike", "ArnEquals"],
        ["arn:aws:iam::*:role/*", "arn:aws:iam::1:*", "arn:aws:iam::1:role/app", "arn:aws:iam::1:user/*"],
        [
            f"arn:aws:iam::{tail}"
            for tail in ("1:role/app", "1:role/x", "2:role/app", "1:user/u", "2:user/u", "1:root", "2:root")
        ],
    ),
    "text": (
        ["StringEquals", "StringLike", "StringNotLike", "StringNotEquals", "StringEqualsIgnoreCase"],
        ["a", "a*", "*b", "a?", "A"],
        ["a", "A", "ab", "b", "acb", "ac", "x", "a*", "*b", "acd", "A*", "a?", "A?", "*B", ""],
    ),
}


@st.composite
def about_one_key(draw):
    """Statements with conditions of one kind on one key, and the values that cover the kind."""
    operators, wanted, values = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    condition = st.builds(
        Condition,
        operator=st.sampled_from(operators) | st.just("Null"),
        key=st.just("k"),
        values=st.lists(st.sampled_from(wanted), min_size=1, max_size=2, unique=True).map(tuple),
        if_exists=st.booleans(),
    ).map(lambda one: one if one.operator != "Null" else Condition("Null", "k", ("true",)))
    statement = st.builds(
        Statement,
        effect=st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.DENY]),
        action=st.just(("*",)),
        resource=st.just(("*",)),
        condition=st.lists(condition, min_size=1, max_size=3).map(tuple),
    )
    return draw(st.lists(statement, min_size=1, max_size=4)), values


def asked(context=None, unknown=()):
    return Request(USER, "s3:GetObject", "arn:aws:s3:::home/al/x", "111122223333", context or {}, frozenset(unknown))


def answers_of(policies, ways):
    return {decide(asked(context), policies).result is Result.ALLOWED for context in ways}


@given(about_one_key())
@settings(max_examples=150, deadline=None)
def test_an_answer_stands_for_every_value_of_a_key(drawn):
    statements, values = drawn
    policies = Policies(identity=(document(*statements),))
    answers = answers_of(policies, [{}, *({"k": (value,)} for value in values)])
    decision = decide(asked(unknown={"k"}), policies)
    if decision.result is Result.UNDECIDABLE:
        assert (answers, decision.unknown_keys) == ({True, False}, ("k",))
    else:
        assert answers == {decision.result is Result.ALLOWED}


variables = st.sampled_from(["home/${u}/*", "home/${u}*", "home/al/${v}", "${u}/${v}/x", "home/${u, 'al'}/x", "home/*"])
texts = st.sampled_from(["${u}", "${v}", "al", "x${u}", "${u}${v}"])


@given(
    st.lists(st.tuples(st.sampled_from(Effect), variables), min_size=1, max_size=2),
    st.lists(st.tuples(st.sampled_from(["StringEquals", "StringNotEquals"]), texts), max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_unknown_keys_may_stand_in_variables(scopes, compared):
    conditions = tuple(Condition(operator, "w", (text,)) for operator, text in compared)
    statements = [
        Statement(effect=effect, action=("*",), resource=(f"arn:aws:s3:::{pattern}",), condition=conditions)
        for effect, pattern in scopes
    ]
    policies = Policies(identity=(document(*statements),))
    tried = [(), ("al",), ("home",), ("x",), ("xal",), ("alx",), ("alal",), ("al/x",), ("other",), ("xx",), ("xhome",)]
    ways = [dict(zip("uvw", choice, strict=True)) for choice in product(tried, repeat=3)]
    decision = decide(asked(unknown={"u", "v", "w"}), policies)
    answers = answers_of(policies, ways)
    if decision.result is Result.UNDECIDABLE:
        assert decision.unknown_keys
    else:
        assert answers == {decision.result is Result.ALLOWED}


def test_more_ways_than_can_be_tried_are_undecidable_which_claims_nothing():
    keys = [f"k{at}" for at in range(16)]
    odd = [
        Statement(
            effect=Effect.ALLOW,
            action=("*",),
            resource=("*",),
            condition=tuple(Condition("StringEquals", key, ("a", "b", str(at))) for key in keys),
        )
        for at in range(2)
    ]
    every = tuple(Condition("StringLike", key, ("z*",)) for key in keys)
    odd.append(Statement(effect=Effect.DENY, action=("*",), resource=("*",), condition=every))
    decision = decide(asked(unknown=keys), Policies(identity=(document(*odd),)))
    assert decision.result is Result.UNDECIDABLE
    assert set(decision.unknown_keys) == set(keys)


def named(key, principals):
    session = "arn:aws:sts::111122223333:assumed-role/app/s"
    policy = document(Statement(effect=Effect.ALLOW, action=("*",), resource=("*",), principal=principals))
    return decide(asked(unknown={key})._replace(principal=session), Policies(resource=policy))


def test_whom_a_unique_id_names_may_hang_on_a_key_too():
    decision = named("aws:userid", Principals(aws=("AROAEXAMPLE",)))
    assert (decision.result, decision.unknown_keys) == (Result.UNDECIDABLE, ("aws:userid",))


def test_a_sessions_role_is_known_by_account_and_name_where_its_path_was_not_recorded():
    decision = named("aws:principalarn", Principals(aws=("arn:aws:iam::111122223333:role/team/app",)))
    assert decision.result is Result.ALLOWED
