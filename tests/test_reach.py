"""Reach: what a principal can do, surely and maybe."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from analytics.engine.reach import Reach, Reachable, StatementRef
from analytics.engine.reach_choice import FREE_KEYS_FILE, free_keys
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect, parse_policy
from analytics.iam.stack import NamedPolicy, PolicyStack
from analytics.settings import REFERENCE
from tests.builders import MFA, ROLE, allow, catalogue, condition, deny, document, level, policy, principal, stack

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
    reachable = Reachable(counted)
    asked = []
    counted.expand = lambda pattern: asked.append(pattern) or counted.full
    for number in range(5):
        reachable.of(PolicyStack(principal(f"{ROLE}{number}"), identity=(named,)))
    assert asked == ["s3:*"]


def test_administrators_reach_the_whole_catalogue():
    whole = load_catalogue()
    assert Reachable(whole).of(stack(allow("*"))) == Reach(whole.full, whole.full)


BREAK_GLASS = "arn:aws:iam::111122223333:role/ops/break-glass"
ONLY_BREAK_GLASS = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ops/break-glass")
IN_IRELAND = condition("StringEquals", "aws:RequestedRegion", "eu-west-1")
IN_FRANKFURT = condition("StringEquals", "aws:RequestedRegion", "eu-central-1")


def test_deny_unless_break_glass_is_a_sure_deny_for_everyone_else():
    scps = [[allow("*"), deny("iam:*", condition=(ONLY_BREAK_GLASS,))]]
    assert sets(stack(allow("*"), scps=scps)) == (EVERYTHING - {"iam:PassRole"},) * 2
    assert sets(stack(allow("*"), scps=scps, who=principal(BREAK_GLASS))) == (EVERYTHING, EVERYTHING)


def test_one_engine_tells_the_principals_under_one_guardrail_apart():
    shared = level(allow("*"), deny("iam:*", condition=(ONLY_BREAK_GLASS,)))
    reachable = Reachable(S3)
    administrator = policy(allow("*"))
    reaches = [
        reachable.of(PolicyStack(principal(arn), identity=(administrator,), scp_levels=(shared,)))
        for arn in (ROLE, BREAK_GLASS, f"{ROLE}2", BREAK_GLASS)
    ]
    assert [reach.surely == S3.full for reach in reaches] == [False, True, False, True]


@pytest.mark.parametrize(
    ("who", "asked", "expected"),
    [
        (principal(tags=(("Team", "a"),)), condition("StringEquals", "aws:PrincipalTag/team", "a"), "surely"),
        (principal(tags=(("team", "b"),)), condition("StringEquals", "aws:PrincipalTag/team", "a"), "not"),
        (principal(tags=()), condition("StringEquals", "aws:PrincipalTag/team", "a"), "not"),
        (principal(tags=None), condition("StringEquals", "aws:PrincipalTag/team", "a"), "maybe"),
        (principal(), condition("StringEquals", "aws:PrincipalOrgID", "o-1"), "maybe"),
        (principal(organization_id="o-1"), condition("StringEquals", "aws:PrincipalOrgID", "o-1"), "surely"),
        (principal(organization_id="o-2"), condition("StringEquals", "aws:PrincipalOrgID", "o-1"), "not"),
        (principal(), condition("StringEquals", "aws:PrincipalAccount", "111122223333"), "surely"),
        (principal(), condition("StringEquals", "aws:PrincipalType", "AssumedRole"), "surely"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "AROA1:*"), "surely"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "AROA*"), "surely"),
        (principal(unique_id="AROA1"), condition("StringNotLike", "aws:userid", "AROA1:*"), "not"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "AROA2:*", "AROA1:ops-*"), "maybe"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "AROA2:*", "AIDA3"), "not"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "*:ops"), "maybe"),
        (principal(unique_id="AROA1"), condition("StringEquals", "aws:userid", "AROA1:*"), "maybe"),
        (principal(unique_id="AROA1"), condition("StringEquals", "aws:userid", "AROA1"), "not"),
        (principal(unique_id="AROA1"), condition("StringLike", "aws:userid", "${aws:username}:*"), "maybe"),
        (principal(), condition("StringLike", "aws:userid", "AROA1:*"), "maybe"),
        (principal("arn:aws:iam::1:user/team/ann"), condition("StringEquals", "aws:username", "ann"), "surely"),
        (principal("arn:aws:iam::1:root"), condition("StringEquals", "aws:PrincipalType", "Account"), "surely"),
        (principal("arn:aws:iam::1:root"), condition("Null", "aws:username", "true"), "surely"),
        (principal(), condition("StringLike", "aws:SourceVpc", "vpc-*"), "maybe"),
    ],
)
def test_a_condition_on_the_principal_is_decided_from_what_is_known(who, asked, expected):
    surely, maybe = sets(stack(allow("*"), boundary=[allow("*", condition=(asked,))], who=who))
    assert (surely, maybe) == {
        "surely": (EVERYTHING, EVERYTHING),
        "maybe": (set(), EVERYTHING),
        "not": (set(), set()),
    }[expected]


def test_a_tag_that_an_identity_center_role_lacks_may_come_with_its_sessions():
    sso = principal("arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1", tags=())
    asked = condition("StringEquals", "aws:PrincipalTag/team", "a")
    assert sets(stack(allow("*", condition=(asked,)), who=sso)) == (set(), EVERYTHING)


def test_a_variable_of_the_principal_has_its_value():
    tagged = principal(tags=(("team", "a"), ("owner", "a")))
    same = condition("StringEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/owner}")
    assert sets(stack(allow("*", condition=(same,)), who=tagged))[0] == EVERYTHING


def test_an_allow_on_a_key_that_the_caller_chooses_is_sure():
    assert sets(stack(allow("s3:GetObject", condition=(IN_IRELAND,)))) == ({"s3:GetObject"},) * 2


def test_a_deny_on_a_key_that_the_caller_chooses_takes_certainty():
    elsewhere = condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1")
    assert sets(stack(allow("s3:GetObject"), deny("*", condition=(elsewhere,)))) == (set(), {"s3:GetObject"})


def test_two_layers_that_ask_for_a_choice_of_one_key_leave_a_maybe():
    in_both = stack(allow("s3:*", condition=(IN_IRELAND,)), boundary=[allow("s3:Get*", condition=(IN_FRANKFURT,))])
    assert sets(in_both) == (set(), {"s3:GetObject"})
    in_one = stack(allow("s3:*", condition=(IN_IRELAND,)), boundary=[allow("s3:Get*")], scps=[[allow("*")]])
    assert sets(in_one)[0] == {"s3:GetObject"}


def test_a_choice_does_not_matter_where_another_statement_allows_anyway():
    of = stack(
        allow("s3:*", condition=(IN_IRELAND,)), allow("s3:Get*"), boundary=[allow("*", condition=(IN_FRANKFURT,))]
    )
    assert sets(of)[0] == {"s3:GetObject"}


def test_a_possible_deny_spoils_a_choice_too():
    of = stack(allow("s3:*", condition=(IN_IRELAND,)), deny("s3:Put*", condition=(MFA,)))
    surely, maybe = sets(of)
    assert (surely, maybe) == ({"s3:GetObject", "s3:ListAllMyBuckets"}, EVERYTHING - {"iam:PassRole"})


def test_a_choice_that_cannot_be_made_is_a_maybe():
    both = (IN_IRELAND, IN_FRANKFURT)
    assert sets(stack(allow("s3:GetObject", condition=both))) == (set(), {"s3:GetObject"})


def test_a_choice_beside_a_doubt_is_a_maybe_and_beside_a_falsehood_nothing():
    assert sets(stack(allow("s3:GetObject", condition=(IN_IRELAND, MFA)))) == (set(), {"s3:GetObject"})
    elsewhere = condition("StringEquals", "aws:PrincipalAccount", "9")
    assert sets(stack(allow("s3:GetObject", condition=(IN_IRELAND, elsewhere)))) == (set(), set())


def test_a_free_key_counts_only_for_actions_whose_requests_carry_it():
    ec2 = catalogue("ec2:RunInstances", "ec2:StopInstances")
    small = condition("StringLike", "ec2:InstanceType", "t3.*")
    assert sets(stack(allow("ec2:*", condition=(small,))), over=ec2) == ({"ec2:RunInstances"}, set(ec2.actions))


def test_every_free_key_names_actions_that_exist():
    whole = load_catalogue()
    carriers = free_keys(whole)
    assert carriers["aws:requestedregion"] == whole.full
    assert all(carriers.values())
    for row in csv.DictReader(FREE_KEYS_FILE.read_text("utf-8").splitlines()):
        assert all(whole.expand(pattern) for pattern in row["actions"].split()), row


def test_variables_have_no_meaning_in_the_old_version_of_the_language():
    same = condition("StringEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/owner}")
    old = NamedPolicy("old", document(allow("*", condition=(same,)), version="2008-10-17"))
    tagged = principal(tags=(("team", "a"), ("owner", "a")))
    assert sets(PolicyStack(tagged, identity=(old,))) == (set(), set())
    assert sets(PolicyStack(tagged, identity=(old, policy(allow("*", condition=(same,))))))[0] == EVERYTHING


def test_a_deny_that_spares_this_principal_is_not_named_among_its_denies():
    scps = [[allow("*"), deny("iam:*", condition=(ONLY_BREAK_GLASS,), sid="BreakGlassOnly")]]
    reachable = Reachable(S3)
    denies = reachable.denied_by(stack(allow("*"), scps=scps), "iam:PassRole")
    assert [ref.sid for ref in denies] == ["BreakGlassOnly"]
    assert reachable.denied_by(stack(allow("*"), scps=scps, who=principal(BREAK_GLASS)), "iam:PassRole") == ()


def test_the_resources_of_a_grant_are_kept_as_patterns():
    of = stack(
        allow("s3:GetObject", on=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]),
        deny("s3:*", on="arn:aws:s3:::a/secret/*"),
        boundary=[allow("*")],
    )
    resources = Reachable(S3).resources(of, "s3:GetObject")
    assert resources.granted == ("arn:aws:s3:::a/*", "arn:aws:s3:::b/*")
    assert resources.denied == ("arn:aws:s3:::a/secret/*",)
    assert Reachable(S3).resources(of, "iam:PassRole").granted == ()


def test_a_grant_on_all_resources_but_some_says_which_it_spares():
    of = stack(allow("s3:GetObject", not_resource=(OBJECTS,)), allow("s3:GetObject", on="arn:aws:s3:::logs/public/*"))
    resources = Reachable(S3).resources(of, "s3:GetObject")
    assert (resources.granted, resources.spared) == (("*",), (OBJECTS,))


def managed(name):
    """An AWS managed policy, from the copy that Headroom carries."""
    entry = json.loads(gzip.decompress((REFERENCE / "aws_managed_policies.json.gz").read_bytes()))[name]
    return NamedPolicy(name, parse_policy(entry["document"], name=name))


@pytest.mark.parametrize(
    ("name", "within", "beyond"),
    [
        ("AdministratorAccess", ["iam:CreateUser", "s3:GetObject"], []),
        ("PowerUserAccess", ["s3:PutObject", "iam:CreateServiceLinkedRole"], ["iam:CreateUser", "iam:PassRole"]),
        ("ReadOnlyAccess", ["s3:GetObject", "iam:ListUsers"], ["s3:PutObject", "iam:CreateUser"]),
        ("job-function/ViewOnlyAccess", ["s3:ListAllMyBuckets"], ["s3:GetObject", "iam:CreateUser"]),
        ("SecurityAudit", ["iam:GetRole"], ["secretsmanager:GetSecretValue", "iam:CreateUser"]),
    ],
)
def test_well_known_managed_policies_reach_what_they_are_known_for(name, within, beyond):
    whole = load_catalogue()
    reach = Reachable(whole).of(PolicyStack(principal(), identity=(managed(name.rpartition("/")[2]),)))
    assert whole.mask(within) & ~reach.surely == 0
    assert whole.mask(beyond) & reach.maybe == 0
    assert whole.mask(within).bit_count() == len(within)
    assert whole.mask(beyond).bit_count() == len(beyond)
