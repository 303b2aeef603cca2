"""Reach: what a principal can do, surely and maybe."""

from __future__ import annotations

import pytest

from analytics.engine.reach import Reach, Reachable, StatementRef
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect
from analytics.iam.stack import PolicyStack
from tests.builders import MFA, ROLE, allow, catalogue, deny, level, policy, principal, stack

S3 = catalogue("s3:GetObject", "s3:PutObject", "iam:PassRole", wildcard_only=["s3:ListAllMyBuckets"])
EVERYTHING = set(S3.actions)
OBJECTS = "arn:aws:s3:::logs/*"


def sets(of, over=S3):
    """The two sets of a stack's reach, as names."""
    reach = Reachable(over).of(of)
    assert reach.surely & ~reach.maybe == 0
    return set(over.names(reach.surely)), set(over.names(reach.maybe))


def test_without_a_policy_nothing_is_allowed():
    assert sets(stack()) == (set(), set())


def test_an_unconditional_allow_on_every_resource_is_sure():
    assert sets(stack(allow("s3:Get*"))) == ({"s3:GetObject"}, {"s3:GetObject"})


def test_policies_of_a_principal_add_up():
    two = PolicyStack(principal(), identity=(policy(allow("s3:GetObject")), policy(allow("s3:PutObject"))))
    assert sets(two) == ({"s3:GetObject", "s3:PutObject"},) * 2


def test_a_conditional_allow_is_maybe():
    assert sets(stack(allow("s3:GetObject", condition=(MFA,)))) == (set(), {"s3:GetObject"})


def test_a_scoped_allow_is_maybe_and_never_reaches_a_wildcard_only_action():
    assert sets(stack(allow("s3:*", on=OBJECTS))) == (set(), {"s3:GetObject", "s3:PutObject"})


def test_one_star_among_the_resources_covers_them_all():
    assert sets(stack(allow("s3:*", on=[OBJECTS, "*"])))[0] == EVERYTHING - {"iam:PassRole"}


def test_an_allow_but_for_some_resources_is_sure_only_for_wildcard_only_actions():
    surely, maybe = sets(stack(allow("s3:*", not_resource=(OBJECTS,))))
    assert surely == {"s3:ListAllMyBuckets"}
    assert maybe == EVERYTHING - {"iam:PassRole"}


def test_an_allow_but_for_every_resource_allows_nothing():
    assert sets(stack(allow("s3:*", not_resource=("*",)))) == (set(), set())


def test_not_action_allows_all_the_others():
    assert sets(stack(allow(not_action=("s3:*",)))) == ({"iam:PassRole"},) * 2


def test_a_statement_whose_list_of_actions_is_empty_does_nothing():
    assert sets(stack(allow("*"), deny())) == (EVERYTHING, EVERYTHING)


def test_a_deny_wins():
    assert sets(stack(deny("s3:*"), allow("*"))) == ({"iam:PassRole"},) * 2


def test_a_conditional_deny_takes_certainty_but_not_possibility():
    surely, maybe = sets(stack(allow("s3:*"), deny("s3:PutObject", condition=(MFA,))))
    assert surely == {"s3:GetObject", "s3:ListAllMyBuckets"}
    assert maybe == {"s3:GetObject", "s3:PutObject", "s3:ListAllMyBuckets"}


def test_a_scoped_deny_takes_certainty_but_spares_wildcard_only_actions():
    surely, maybe = sets(stack(allow("s3:*"), deny("s3:*", on=OBJECTS)))
    assert surely == {"s3:ListAllMyBuckets"}
    assert maybe == EVERYTHING - {"iam:PassRole"}


@pytest.mark.parametrize("pattern", ["?", "*?", "${aws:PrincipalTag/scope}", "${*}"])
def test_a_pattern_that_might_stand_for_the_star_itself_is_maybe(pattern):
    assert sets(stack(allow("s3:ListAllMyBuckets", on=pattern))) == (set(), {"s3:ListAllMyBuckets"})
    assert sets(stack(allow("s3:ListAllMyBuckets", not_resource=(pattern,)))) == (set(), {"s3:ListAllMyBuckets"})


def test_a_boundary_caps_and_grants_nothing():
    assert sets(stack(allow("s3:GetObject"), boundary=[allow("*")]))[0] == {"s3:GetObject"}
    assert sets(stack(allow("s3:*"), boundary=[allow("s3:GetObject")]))[1] == {"s3:GetObject"}
    assert sets(stack(boundary=[allow("*")])) == (set(), set())


def test_a_deny_in_the_boundary_denies():
    assert sets(stack(allow("s3:GetObject"), boundary=[allow("*"), deny("s3:Get*")])) == (set(), set())


def test_a_boundary_that_was_not_collected_leaves_nothing_sure():
    assert sets(stack(allow("s3:GetObject"), boundary_not_collected=True)) == (set(), {"s3:GetObject"})


def test_every_level_of_control_policies_must_allow():
    everything, only_s3 = [allow("*")], [allow("s3:*")]
    assert sets(stack(allow("*"), scps=[everything, only_s3, everything]))[0] == EVERYTHING - {"iam:PassRole"}


def test_a_level_without_policies_denies_everything():
    assert sets(stack(allow("*"), scps=[[allow("*")], []])) == (set(), set())


def test_a_deny_at_any_level_denies():
    assert sets(stack(allow("*"), scps=[[allow("*"), deny("iam:*")], [allow("*")]]))[1] == EVERYTHING - {"iam:PassRole"}


def test_two_policies_at_one_level_add_up():
    both = level(allow("s3:GetObject"))
    both = type(both)(both.node_id, both.node_name, (*both.policies, policy(allow("s3:PutObject"))))
    of = PolicyStack(principal(), identity=(policy(allow("*")),), scp_levels=(both,))
    assert sets(of)[0] == {"s3:GetObject", "s3:PutObject"}


def test_the_root_user_needs_no_policy_but_is_held_by_control_policies():
    root = principal("arn:aws:iam::111122223333:root")
    assert sets(stack(who=root))[0] == EVERYTHING
    assert sets(stack(who=root, scps=[[allow("*"), deny("s3:*")]]))[0] == {"iam:PassRole"}


def test_the_statements_that_grant_and_deny_are_named():
    of = stack(
        allow("s3:GetObject", sid="Read"),
        allow("iam:*"),
        deny("s3:*", on=OBJECTS, sid="NoLogs"),
        boundary=[allow("*", sid="All")],
        scps=[[allow("*"), deny("s3:Get*", condition=(MFA,), sid="OnlyWithMfa")]],
    )
    reachable = Reachable(S3)
    assert reachable.granted_by(of, "S3:getobject") == (
        StatementRef("identity", "identity", ROLE, 0, "Read"),
        StatementRef("boundary", "boundary", ROLE, 0, "All"),
        StatementRef("scp", "scp-scp-0", "scp-0", 0, None),
    )
    assert reachable.denied_by(of, "s3:GetObject") == (
        StatementRef("identity", "identity", ROLE, 2, "NoLogs"),
        StatementRef("scp", "scp-scp-0", "scp-0", 1, "OnlyWithMfa"),
    )
    assert reachable.granted_by(of, "s3:NoSuchAction") == ()


def test_a_bearing_statement_tells_its_resources_and_whether_it_always_applies():
    of = stack(allow("s3:GetObject", on=OBJECTS), allow("s3:Get*"))
    scoped, open_one = Reachable(S3).bearing(of, "s3:GetObject", Effect.ALLOW)
    assert (scoped.statement.resource, scoped.always) == ((OBJECTS,), False)
    assert (open_one.statement.resource, open_one.always) == (("*",), True)


def test_a_policy_is_compiled_once_however_many_principals_hold_it():
    named = policy(allow("s3:*"))
    counted = catalogue("s3:GetObject")
    asked = []
    counted.expand = lambda pattern: asked.append(pattern) or counted.full
    reachable = Reachable(counted)
    for number in range(5):
        reachable.of(PolicyStack(principal(f"{ROLE}{number}"), identity=(named,)))
    assert asked == ["s3:*"]


def test_administrators_reach_the_whole_catalogue():
    whole = load_catalogue()
    assert Reachable(whole).of(stack(allow("*"))) == Reach(whole.full, whole.full)
