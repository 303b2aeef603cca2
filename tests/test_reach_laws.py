"""The laws of reach: what may change a principal's reach, and in which direction only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Policies, Request, Result, decide
from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect
from tests import builders
from tests.builders import ACCOUNT, level, policy
from tests.slow_reach import slow_reach
from tests.strategies import (
    BUCKET,
    CONDITIONS,
    REGIONS,
    ROOT,
    SMALL,
    USER,
    WHO,
    conditions,
    contexts,
    free_conditions,
    policies,
    stacks,
    statements,
)

denies = statements(effect=Effect.DENY)


def reach_of(stack):
    """A fresh engine each time: nothing that was compiled for another stack may help or harm."""
    return Reachable(SMALL).of(stack)


def is_within(narrower, wider):
    return narrower.surely & ~wider.surely == 0 and narrower.maybe & ~wider.maybe == 0


def with_identity(stack, *statements):
    return replace(stack, identity=(policy(*statements),) if statements else ())


def identity_statements(stack):
    return [statement for named in stack.identity for statement in named.document.statements]


@given(stacks())
def test_surely_is_within_maybe(stack):
    reach = reach_of(stack)
    assert reach.surely & ~reach.maybe == 0


@given(stacks())
def test_the_slow_and_obvious_way_agrees(stack):
    reach = reach_of(stack)
    assert (set(SMALL.names(reach.surely)), set(SMALL.names(reach.maybe))) == slow_reach(stack, SMALL, CONDITIONS)


@given(st.lists(stacks(), max_size=4))
def test_one_engine_for_many_principals_agrees_with_one_engine_each(several):
    shared = Reachable(SMALL)
    assert [shared.of(stack) for stack in several] == [reach_of(stack) for stack in several]


@given(stacks(), denies)
def test_adding_a_deny_to_the_identity_never_widens(stack, denial):
    wider = with_identity(stack, *identity_statements(stack), denial)
    assert is_within(reach_of(wider), reach_of(stack))


@given(stacks(), denies)
def test_adding_a_deny_to_a_control_policy_never_widens(stack, denial):
    if stack.scp_levels:
        first, *rest = stack.scp_levels
        denied = replace(first, policies=(*first.policies, policy(denial)))
        assert is_within(reach_of(replace(stack, scp_levels=(denied, *rest))), reach_of(stack))


@given(stacks(), policies())
def test_adding_a_boundary_never_widens(stack, statements):
    bounded = replace(stack, boundary=policy(*statements))
    assert is_within(reach_of(bounded), reach_of(replace(stack, boundary=None)))


@given(stacks(), policies())
def test_adding_a_level_of_control_policies_never_widens(stack, statements):
    deeper = replace(stack, scp_levels=(*stack.scp_levels, level(*statements)))
    assert is_within(reach_of(deeper), reach_of(stack))


@given(stacks(), statements(effect=Effect.ALLOW))
def test_adding_an_allow_to_the_identity_never_narrows(stack, permission):
    assert is_within(reach_of(stack), reach_of(with_identity(stack, *identity_statements(stack), permission)))


@given(stacks(), st.data())
def test_the_order_of_statements_changes_nothing(stack, data):
    shuffled = data.draw(st.permutations(identity_statements(stack)))
    assert reach_of(with_identity(stack, *shuffled)) == reach_of(stack)


@given(stacks())
def test_stating_everything_twice_changes_nothing(stack):
    doubled = replace(stack, identity=stack.identity * 2, scp_levels=stack.scp_levels * 2)
    assert reach_of(doubled) == reach_of(stack)


@given(stacks())
def test_the_case_of_action_names_changes_nothing(stack):
    def swapped(patterns):
        return tuple(pattern.swapcase() for pattern in patterns)

    other = [
        replace(statement, action=swapped(statement.action), not_action=swapped(statement.not_action))
        for statement in identity_statements(stack)
    ]
    assert reach_of(with_identity(stack, *other)) == reach_of(stack)


@given(stacks())
def test_splitting_statements_and_policies_changes_nothing(stack):
    parts = [
        replace(statement, action=(action,), resource=(resource,))
        for statement in identity_statements(stack)
        if statement.action and statement.resource
        for action in statement.action
        for resource in statement.resource
    ]
    whole = [statement for statement in identity_statements(stack) if not (statement.action and statement.resource)]
    split = replace(stack, identity=tuple(policy(statement) for statement in (*parts, *whole)))
    assert reach_of(split) == reach_of(stack)


@given(stacks())
def test_writing_out_the_actions_of_a_wildcard_changes_nothing(stack):
    def written_out(patterns):
        named = tuple(name for pattern in patterns for name in SMALL.names(SMALL.expand(pattern)))
        return named or ("none:Such",) * bool(patterns)

    listed = [
        replace(statement, action=written_out(statement.action), not_action=written_out(statement.not_action))
        for statement in identity_statements(stack)
    ]
    assert reach_of(with_identity(stack, *listed)) == reach_of(stack)


ANYTHING = conditions | free_conditions
LOGS_AND_MORE = st.sampled_from(
    [BUCKET, f"{BUCKET}/a", f"{BUCKET}/ann/b", "arn:aws:s3:::other", f"arn:aws:iam::{ACCOUNT}:user/ann"],
)


@st.composite
def questions(draw):
    """A stack, an action of the catalogue, a resource that it can be asked of, and a context but for the Region."""
    who = draw(st.sampled_from([WHO, USER, ROOT]))
    number = draw(st.integers(0, len(SMALL.actions) - 1))
    lone = bool(SMALL.wildcard_only >> number & 1)
    resource = "*" if lone else draw(LOGS_AND_MORE)
    return draw(stacks(who=who, condition=ANYTHING)), number, resource, draw(contexts(who))


def is_allowed(stack, number, resource, context, region):
    request = Request(
        principal=stack.principal.arn,
        action=SMALL.actions[number],
        resource=resource,
        resource_account=ACCOUNT,
        context=context | {"aws:requestedregion": (region,)},
        wildcard_only=bool(SMALL.wildcard_only >> number & 1),
    )
    return decide(request, Policies.of(stack)).result is Result.ALLOWED


def is_reached_only_as_decided(question, region):
    """An action surely in reach is allowed for some choice of the caller; one not in maybe is never allowed."""
    stack, number, resource, context = question
    reach = reach_of(stack)
    if reach.surely >> number & 1:
        return any(is_allowed(stack, number, resource, context, chosen) for chosen in REGIONS)
    return bool(reach.maybe >> number & 1) or not is_allowed(stack, number, resource, context, region)


@settings(max_examples=400)
@given(questions(), st.sampled_from(REGIONS))
def test_reach_agrees_with_single_decisions(question, region):
    assert is_reached_only_as_decided(question, region)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(questions(), st.sampled_from(REGIONS))
def test_reach_agrees_with_single_decisions_at_length(question, region):
    assert is_reached_only_as_decided(question, region)


@pytest.mark.parametrize("action", ["sts:GetCallerIdentity", "sts:GetSessionToken"])
def test_an_action_that_needs_no_permission_is_nobody_s_privilege(action):
    """Reach counts what policies grant; these are always allowed, so no policy grants them or takes them away."""
    user = builders.stack(who=USER)
    catalogue = load_catalogue()
    assert decide(Request(USER.arn, action, "*"), Policies.of(user)).result is Result.ALLOWED
    assert not Reachable(catalogue).of(user).maybe >> catalogue.number(action) & 1
