"""Laws of decisions, held on generated requests and policies, and against the slow twin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Policies, Request, Result, decide
from analytics.iam.policy import Condition, Effect, PolicyDocument, Principals, Statement
from tests.builders import document
from tests.slow_engine import slow_answers, slow_decide

HOME, ABROAD = "111122223333", "444455556666"
USER = f"arn:aws:iam::{HOME}:user/alice"
ROLE = f"arn:aws:iam::{HOME}:role/app"
SESSION = f"arn:aws:sts::{HOME}:assumed-role/app/run"
CAROL = f"arn:aws:iam::{HOME}:user/carol"  # the user who federated
CALLERS = [USER, ROLE, SESSION, f"arn:aws:iam::{HOME}:root", f"arn:aws:sts::{HOME}:federated-user/carol"]
CALLERS += [f"arn:aws:iam::{ABROAD}:user/dora", "lambda.amazonaws.com", "anonymous"]
OBJECT = "arn:aws:s3:::logs/red/a"
KEY = f"arn:aws:kms:eu-west-1:{HOME}:key/1"
TARGETS = [("s3:GetObject", OBJECT), ("s3:ListBucket", "arn:aws:s3:::logs"), ("kms:Decrypt", KEY)]
TARGETS += [("sts:AssumeRole", f"arn:aws:iam::{HOME}:role/target"), ("ec2:StartInstances", f"arn:aws:ec2:::{HOME}:i")]

TEXTS = ["red", "reddish", "blue", "*"]
VALUES = {  # every text that the generated conditions can tell apart, and whether the key can hold several
    "k:team": ([*TEXTS, "re*", "RED", "other", ""], False),
    "k:mfa": (["true", "false"], False),
    "k:tags": (["red", "reddish", "re*", "blue", "other"], True),
}

text_conditions = st.builds(
    Condition,
    operator=st.sampled_from(
        ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
    ),
    key=st.sampled_from(["k:team", "K:Team"]),
    values=st.lists(st.sampled_from(["red", "blue", "re*", "*"]), min_size=1, max_size=2, unique=True).map(tuple),
    if_exists=st.booleans(),
)
set_conditions = st.builds(
    Condition,
    operator=st.sampled_from(["StringEquals", "StringLike", "StringNotEquals"]),
    key=st.just("k:tags"),
    values=st.lists(st.sampled_from(["red", "blue", "re*"]), min_size=1, max_size=2, unique=True).map(tuple),
    qualifier=st.sampled_from(["ForAllValues", "ForAnyValue"]),
    if_exists=st.booleans(),
)
other_conditions = st.sampled_from(
    [
        Condition("Bool", "k:mfa", ("true",)),
        Condition("Bool", "k:mfa", ("false",), if_exists=True),
        Condition("Null", "k:team", ("true",)),
        Condition("Null", "k:mfa", ("false",)),
        Condition("Null", "k:tags", ("true",)),
    ],
)
conditions = st.one_of(text_conditions, set_conditions, other_conditions)
actions = st.lists(
    st.sampled_from(["*", "s3:*", "s3:Get*", "S3:getobject", "kms:*", "sts:Assume*", "sts:*", "ec2:*", "s3:?et*t"]),
    min_size=1,
    max_size=2,
    unique=True,
).map(tuple)
resources = st.lists(
    st.sampled_from(
        [
            "*",
            OBJECT,
            "arn:aws:s3:::logs/*",
            "arn:aws:s3:::logs/${k:team}/*",
            "arn:aws:s3",
            KEY,
            "arn:aws:iam::*:role/*",
        ]
    ),
    min_size=1,
    max_size=2,
    unique=True,
).map(tuple)
principals = st.sampled_from(
    [
        Principals(everyone=True),
        Principals(aws=(HOME,)),
        Principals(aws=(USER,)),
        Principals(aws=(ROLE,)),
        Principals(aws=(SESSION, ROLE)),
        Principals(aws=(CAROL,)),
        Principals(aws=(f"arn:aws:iam::{ABROAD}:root",)),
        Principals(aws=("*",), service=("lambda.amazonaws.com",)),
        Principals(service=("lambda.amazonaws.com",)),
    ],
)


@st.composite
def statements(draw, *, effect=None, named=False, max_conditions=2):
    parts = {
        "effect": effect or draw(st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.DENY])),
        draw(st.sampled_from(["action"] * 5 + ["not_action"])): draw(actions),
        draw(st.sampled_from(["resource"] * 5 + ["not_resource"])): draw(resources),
        "condition": tuple(draw(st.lists(conditions, max_size=max_conditions))),
    }
    if named:
        parts[draw(st.sampled_from(["principal"] * 4 + ["not_principal"]))] = draw(principals)
    return Statement(**parts)


def documents(**parts):
    return st.builds(
        PolicyDocument,
        statements=st.lists(statements(**parts), max_size=3).map(tuple),
        version=st.sampled_from(["2012-10-17"] * 3 + ["2008-10-17"]),
    )


some_documents = st.lists(documents(), max_size=2).map(tuple)
levels = st.lists(st.lists(documents(), max_size=2).map(tuple), max_size=2).map(tuple)
policies = st.builds(
    Policies,
    identity=some_documents,
    boundary=st.none() | some_documents,
    scp_levels=levels,
    rcp_levels=levels,
    resource=st.none() | documents(named=True),
    session=st.none() | some_documents,
    management_account=st.sampled_from([None, None, HOME, ABROAD]),
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "k:team": st.sampled_from([(text,) for text in VALUES["k:team"][0]]),
        "k:mfa": st.sampled_from([("true",), ("false",)]),
        "k:tags": st.lists(st.sampled_from(VALUES["k:tags"][0]), max_size=3).map(tuple),
    },
)


@st.composite
def requests(draw, *, unknown=False):
    action, resource = draw(st.sampled_from(TARGETS))
    context = draw(contexts)
    keys = [key for key in VALUES if key not in context]
    return Request(
        principal=draw(st.sampled_from(CALLERS)),
        action=action,
        resource=resource,
        resource_account=HOME,
        context=context,
        unknown_keys=frozenset(draw(st.lists(st.sampled_from(keys), unique=True)) if unknown and keys else ()),
        wildcard_only=draw(st.sampled_from([False, False, False, True])),
    )


def is_allowed(request, bearing):
    return decide(request, bearing).result is Result.ALLOWED


# The twin


@given(requests(), policies)
@settings(max_examples=200, deadline=None)
def test_the_engine_agrees_with_its_slow_twin(request_, bearing):
    decision = decide(request_, bearing)
    assert (decision.result, [str(layer) for layer in decision.blocked_by]) == slow_decide(request_, bearing)


@pytest.mark.slow
@given(requests(), policies)
@settings(max_examples=4000, deadline=None)
def test_the_engine_agrees_with_its_slow_twin_on_many_requests(request_, bearing):
    decision = decide(request_, bearing)
    assert (decision.result, [str(layer) for layer in decision.blocked_by]) == slow_decide(request_, bearing)


# Unknown keys


def hold_unknown_to_its_meaning(request, bearing):
    decision = decide(request, bearing)
    keys, answers = slow_answers(request, bearing, VALUES)
    if decision.result is not Result.UNDECIDABLE:
        assert set(answers.values()) == {decision.result is Result.ALLOWED}
        assert decision.unknown_keys == ()
        return
    assert set(answers.values()) == {True, False}
    assert list(decision.unknown_keys) == [key for at, key in enumerate(keys) if changes_the_answer(at, answers)]


def changes_the_answer(at, answers):
    """Whether two ways to fill in the keys that differ in one alone give different answers."""
    grouped = {}
    for choice, allowed in answers.items():
        grouped.setdefault(choice[:at] + choice[at + 1 :], set()).add(allowed)
    return any(len(group) > 1 for group in grouped.values())


@given(requests(unknown=True), policies)
@settings(max_examples=100, deadline=None)
def test_an_undecidable_request_has_both_answers_and_a_decided_one_has_one(request_, bearing):
    hold_unknown_to_its_meaning(request_, bearing)


@pytest.mark.slow
@given(requests(unknown=True), policies)
@settings(max_examples=1500, deadline=None)
def test_unknown_is_never_wrong_on_many_requests(request_, bearing):
    hold_unknown_to_its_meaning(request_, bearing)


# Laws


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_a_deny_wins(request_, bearing):
    banned = document(Statement(effect=Effect.DENY, action=(request_.action,), resource=("*",)))
    decision = decide(request_, replace(bearing, scp_levels=(*bearing.scp_levels, (banned,)), management_account=None))
    bound = request_.principal.startswith("arn:")
    assert not bound or decision.result is Result.EXPLICITLY_DENIED


@given(requests(), policies, documents(effect=Effect.DENY), st.sampled_from(["identity", "scp_levels", "rcp_levels"]))
@settings(max_examples=60, deadline=None)
def test_adding_a_deny_never_widens(request_, bearing, more, where):
    added = (more,) if where == "identity" else ((more, document(ALLOW_ALL)),)
    narrower = replace(bearing, **{where: getattr(bearing, where) + added})
    assert is_allowed(request_, bearing) or not is_allowed(request_, narrower)


ALLOW_ALL = Statement(effect=Effect.ALLOW, action=("*",), resource=("*",))


@given(requests(), policies, st.lists(documents(), max_size=2).map(tuple))
@settings(max_examples=60, deadline=None)
def test_adding_a_level_of_control_policies_never_widens(request_, bearing, level):
    for layer in ("scp_levels", "rcp_levels"):
        narrower = replace(bearing, **{layer: (*getattr(bearing, layer), level)})
        assert is_allowed(request_, bearing) or not is_allowed(request_, narrower)


@given(requests(), policies, documents())
@settings(max_examples=60, deadline=None)
def test_adding_a_boundary_never_widens(request_, bearing, boundary):
    free = replace(bearing, boundary=None)
    assert is_allowed(request_, free) or not is_allowed(request_, replace(free, boundary=(boundary,)))


@given(requests(), policies, documents(effect=Effect.ALLOW))
@settings(max_examples=60, deadline=None)
def test_adding_an_allow_to_the_identity_never_narrows(request_, bearing, more):
    wider = replace(bearing, identity=(*bearing.identity, more))
    assert not is_allowed(request_, bearing) or is_allowed(request_, wider)


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_a_level_that_allows_everything_changes_nothing(request_, bearing):
    full = (document(ALLOW_ALL),)
    wider = replace(bearing, scp_levels=(full, *bearing.scp_levels, full), rcp_levels=(full, *bearing.rcp_levels))
    assert decide(request_, wider).result is decide(request_, bearing).result


@given(requests(), policies, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_and_duplicates_of_statements_change_nothing(request_, bearing, random):
    def shuffled(policy):
        statements = [*policy.statements, *policy.statements[:1]]
        random.shuffle(statements)
        return replace(policy, statements=tuple(statements))

    other = replace(
        bearing,
        identity=tuple(shuffled(policy) for policy in reversed(bearing.identity)),
        boundary=bearing.boundary and tuple(map(shuffled, bearing.boundary)),
        resource=bearing.resource and shuffled(bearing.resource),
    )
    assert decide(request_, other)[:2] == decide(request_, bearing)[:2]


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_splitting_a_policy_into_its_statements_changes_nothing(request_, bearing):
    def split(policy):
        return [replace(policy, statements=(statement,)) for statement in policy.statements]

    other = replace(bearing, identity=tuple(part for policy in bearing.identity for part in split(policy)))
    assert decide(request_, other)[:2] == decide(request_, bearing)[:2]


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_the_case_of_actions_and_keys_changes_nothing(request_, bearing):
    def loud(policy):
        return replace(policy, statements=tuple(map(loud_statement, policy.statements)))

    def loud_statement(statement):
        return replace(
            statement,
            action=tuple(map(str.upper, statement.action)),
            not_action=tuple(map(str.upper, statement.not_action)),
            condition=tuple(replace(one, key=one.key.upper()) for one in statement.condition),
        )

    other = replace(bearing, identity=tuple(map(loud, bearing.identity)))
    assert decide(request_._replace(action=request_.action.upper()), other) == decide(request_, bearing)


@given(requests(unknown=True), policies)
@settings(max_examples=60, deadline=None)
def test_what_is_recorded_can_only_settle_a_request(request_, bearing):
    decision = decide(request_, bearing)
    if decision.result is Result.UNDECIDABLE:
        return
    absent = request_._replace(unknown_keys=frozenset())
    assert is_allowed(absent, bearing) == (decision.result is Result.ALLOWED)


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_nothing_is_allowed_without_an_allow(request_, bearing):
    def only_denies(policy):
        kept = tuple(one for one in policy.statements if one.effect is Effect.DENY)
        return replace(policy, statements=kept)

    mute = replace(
        bearing,
        identity=tuple(map(only_denies, bearing.identity)),
        resource=bearing.resource and only_denies(bearing.resource),
    )
    is_root = request_.principal.endswith(":root")
    assert is_root or not is_allowed(request_, mute)


@given(requests(), policies)
@settings(max_examples=60, deadline=None)
def test_a_denial_names_a_layer_and_an_allowance_none(request_, bearing):
    decision = decide(request_, bearing)
    assert bool(decision.blocked_by) == (decision.result is not Result.ALLOWED)
    if decision.result is Result.EXPLICITLY_DENIED:
        assert decision.because
