"""The organisation node by node: what bears where, who stops what, quotas, idle policies, misplaced accounts."""

import json
from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.explain import Says, UnknownActionError
from analytics.findings.estate import Estate
from analytics.findings.organization.caller import choose
from analytics.findings.organization.compare import State, compare_nodes
from analytics.findings.organization.idle import Idle, Refusals, idle_policies, policy_hits
from analytics.findings.organization.places import AccountPlace, Misplacement, misplaced_accounts
from analytics.findings.organization.quota import Quotas, attachment_use, character_use, characters, minified
from analytics.findings.organization.view import (
    EVERYTHING,
    answers_at,
    effective_set,
    exemptions_here,
    members,
    policies_here,
    service_counts,
    stack_at,
    stopping,
)
from analytics.iam.policy import Principals, parse_policy
from analytics.iam.stack import ControlLevel, NamedPolicy
from analytics.outputs.estate import read_estate
from analytics.outputs.queries import organization as queries
from analytics.settings import Settings
from tests.builders import allow, condition, deny, document
from tests.demo_sample import built, sample
from tests.draft_world import DEV, FULL_SCP, MANAGEMENT, OU_DEV, OU_PROD, PROD, ROOT, customer_scp, world

EVERYBODY = Principals(everyone=True)
NOT_LANDING_ZONE = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/landing-zone")
OUTSIDE_IRELAND = condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1")


def scp(name: str, *statements: object) -> NamedPolicy:
    return customer_scp(name, *statements)


def rcp(name: str, *statements: object) -> NamedPolicy:
    return customer_scp(name, *statements, kind="resource_control_policy")


def state(estate: Estate, node_id: str, action: str, layer: str = "scp") -> str:
    effective, number = effective_set(estate, node_id, layer), estate.catalogue.number(action)
    assert number is not None
    if effective.reach.surely >> number & 1:
        return "allowed"
    return "depends" if effective.reach.maybe >> number & 1 else "stopped"


# --- what bears on a node


def test_a_node_is_under_what_is_attached_to_it_and_above_it() -> None:
    estate = world(scps={ROOT: [scp("root", deny("s3:*"))], OU_PROD: [scp("prod", deny("ec2:*"))]})
    here = [(one.policy.name, one.node_id, one.inherited) for one in policies_here(estate, PROD) if one.layer == "scp"]
    assert here == [
        *(("FullAWSAccess", ROOT, True), ("root", ROOT, True), ("FullAWSAccess", OU_PROD, True)),
        *(("prod", OU_PROD, True), ("FullAWSAccess", PROD, False)),
    ]
    assert {one.policy.name for one in policies_here(estate, DEV)} == {"FullAWSAccess", "RCPFullAWSAccess", "root"}


def test_nothing_is_in_force_at_the_management_account_nor_of_a_type_that_is_off() -> None:
    policies = {ROOT: [scp("root", deny("s3:*"))]}
    estate = world(scps=policies)
    assert not any(one.in_force for one in policies_here(estate, MANAGEMENT))
    assert state(estate, MANAGEMENT, "s3:GetObject") == "allowed"
    off = world(scps=policies, enabled=frozenset({"RESOURCE_CONTROL_POLICY"}))
    assert state(off, PROD, "s3:GetObject") == "allowed"
    assert [one.in_force for one in policies_here(off, PROD) if one.policy.name == "root"] == [False]


# --- the effective set, and who stops an action


def test_an_exemption_by_name_does_not_leave_the_picture_undecided_and_is_told() -> None:
    estate = world(scps={OU_PROD: [scp("audit", deny("cloudtrail:StopLogging", condition=(NOT_LANDING_ZONE,)))]})
    assert state(estate, PROD, "cloudtrail:StopLogging") == "stopped"
    (spared,) = exemptions_here(estate, PROD)
    assert (spared.policy, spared.node_name, spared.values) == (
        *("audit", "Prod", ("arn:aws:iam::*:role/landing-zone",)),
    )
    assert exemptions_here(estate, DEV) == ()


def test_a_condition_that_is_no_exemption_of_callers_is_not_told_as_one() -> None:
    statement = deny("s3:*", condition=(OUTSIDE_IRELAND, condition("Null", "aws:PrincipalTag/team", "true")))
    assert exemptions_here(world(scps={ROOT: [scp("x", statement)]}), PROD) == ()


def test_the_caller_of_the_picture_asks_in_a_region_that_is_open() -> None:
    estate = world(scps={OU_PROD: [scp("regions", deny("*", condition=(OUTSIDE_IRELAND,)))]})
    assert state(estate, PROD, "ec2:RunInstances") == "allowed"
    assert effective_set(estate, PROD).choices == (("aws:requestedregion", "eu-west-1"),)


def test_regions_that_no_request_can_be_in_at_once_stop_everything() -> None:
    elsewhere = condition("StringNotEquals", "aws:RequestedRegion", "eu-central-1")
    policies = [scp("a", deny("*", condition=(OUTSIDE_IRELAND,))), scp("b", deny("*", condition=(elsewhere,)))]
    estate = world(scps={OU_PROD: policies})
    assert effective_set(estate, PROD).choices == ()
    assert state(estate, PROD, "ec2:RunInstances") == "depends"  # never claimed as allowed


def test_a_deny_of_some_resources_leaves_the_action_to_depend() -> None:
    estate = world(scps={OU_PROD: [scp("x", deny("iam:DeleteRole", on="arn:aws:iam::*:role/platform/*"))]})
    assert state(estate, PROD, "iam:DeleteRole") == "depends"


def test_a_level_that_does_not_allow_is_found_as_the_one_that_stops() -> None:
    estate = world()
    only_s3_scp = replace(scp("only-s3", allow("s3:*")), attached_to=PROD)
    only_s3 = replace(estate.nodes[PROD], scp=ControlLevel(PROD, "payments", (only_s3_scp,)))
    estate = replace(estate, nodes={**estate.nodes, PROD: only_s3})
    (level,) = stopping(answers_at(estate, PROD, "ec2:RunInstances"))
    assert (level.node_id, level.says, level.inherited) == (PROD, Says.SILENT, False)
    assert stopping(answers_at(estate, PROD, "s3:GetObject")) == ()


def test_the_node_that_denies_is_named_with_its_statement() -> None:
    statement = deny("guardduty:*", sid="KeepGuardDuty")
    answers = answers_at(world(scps={OU_PROD: [scp("detect", statement)]}), PROD, "guardduty:DeleteDetector")
    assert [(one.node_name, one.says) for one in answers] == [
        *(("Root", Says.ALLOWS), ("Prod", Says.DENIES), ("payments", Says.ALLOWS)),
    ]
    (ref,) = answers[1].statements
    assert (ref.layer, ref.policy, ref.sid, ref.attached_to) == ("scp", "detect", "KeepGuardDuty", OU_PROD)


def test_rcps_are_asked_for_an_outsider_and_only_about_their_services() -> None:
    perimeter = deny(
        "*",
        principal=EVERYBODY,
        condition=(condition("StringNotEqualsIfExists", "aws:PrincipalOrgID", "o-exampleorg"),),
    )
    estate = world(rcps={OU_PROD: [rcp("perimeter", perimeter)]})
    assert state(estate, PROD, "s3:GetObject", "rcp") == "stopped"
    assert state(estate, DEV, "s3:GetObject", "rcp") == "allowed"
    assert answers_at(estate, PROD, "ec2:RunInstances", "rcp") == ()
    assert answers_at(estate, PROD, "kms:RetireGrant", "rcp") == ()
    assert {one.service for one in service_counts(effective_set(estate, PROD, "rcp"), estate.catalogue)} >= {
        "s3",
        "sts",
    }


def test_an_action_that_does_not_exist_is_refused_with_what_to_write() -> None:
    with pytest.raises(UnknownActionError, match=r"`s3:Nothing` is not an action of the catalogue .* write it as"):
        answers_at(world(), PROD, "s3:Nothing")


def test_the_counts_of_a_service_add_up() -> None:
    statements = (deny("s3:DeleteBucket"), deny("s3:PutObject", on="arn:aws:s3:::logs/*"))
    estate = world(scps={OU_PROD: [scp("x", *statements)]})
    counts = {one.service: one for one in service_counts(effective_set(estate, PROD), estate.catalogue)}
    assert (counts["s3"].stopped, counts["s3"].depends) == (1, 1)
    assert all(one.allowed + one.depends + one.stopped == one.actions for one in counts.values())
    assert sum(one.actions for one in counts.values()) == len(estate.catalogue.actions)


ACTIONS = ("s3:GetObject", "s3:DeleteBucket", "iam:CreateRole", "ec2:RunInstances", "guardduty:DeleteDetector")
RESOURCES = ("arn:aws:s3:::logs", "arn:aws:s3:::logs/a", "arn:aws:iam::111122223333:role/platform/x", "*")
conditions = st.sampled_from(
    [
        (),
        (NOT_LANDING_ZONE,),
        (OUTSIDE_IRELAND,),
        (condition("StringEquals", "aws:RequestedRegion", "us-east-1"),),
        (OUTSIDE_IRELAND, NOT_LANDING_ZONE),
        (condition("Bool", "aws:MultiFactorAuthPresent", "false"),),
    ]
)
patterns = st.lists(st.sampled_from(["*", "s3:*", "s3:Get*", "iam:*", *ACTIONS]), min_size=1, max_size=2)
scopes = st.sampled_from(["*", "arn:aws:s3:::*", "arn:aws:s3:::logs*", "arn:aws:iam::*:role/platform/*"])


@st.composite
def statements(draw: st.DrawFn) -> object:
    """An Allow asks for nothing: that the caller chooses what several statements ask for is reach's to settle."""
    make = deny if draw(st.booleans()) else allow
    parts = {"condition": draw(conditions)} if make is deny else {}
    actions = draw(patterns)
    if draw(st.integers(0, 5)) == 0:
        return make(**parts, not_action=tuple(actions))
    if draw(st.integers(0, 5)) == 0:
        return make(*actions, not_resource=(draw(scopes),), **parts)
    return make(*actions, on=draw(scopes), **parts)


contents = st.lists(st.lists(statements(), min_size=1, max_size=2), max_size=2)
attachments = st.fixed_dictionaries({ROOT: contents, OU_PROD: contents, PROD: contents}).map(
    lambda found: {
        node_id: [scp(f"{node_id[:6]}-{at}", *content) for at, content in enumerate(contents)]
        for node_id, contents in found.items()
    }
)


def decisions(levels: tuple[ControlLevel, ...], arn: str, keys: dict[str, tuple[str, ...]]) -> list[Result]:
    stacks = tuple(tuple(policy.document for policy in level.policies) for level in levels)
    decider = Decider(Policies(identity=(EVERYTHING.document,), scp_levels=stacks))
    context = {"aws:principalarn": (arn,), **keys}
    return [
        decider.decide(Request(arn, action, resource, PROD, context)).result
        for action in ACTIONS
        for resource in RESOURCES
    ]


@settings(deadline=None)
@given(attachments, st.sampled_from(["true", "false"]))
def test_the_picture_is_what_the_engine_decides_for_an_ordinary_role(
    scps: dict[str, list[NamedPolicy]], mfa: str
) -> None:
    estate = world(scps=scps)
    effective = effective_set(estate, PROD)
    asked = choose(estate.levels(PROD, "scp"), estate.catalogue)
    who = stack_at(estate, PROD, "scp", asked).principal.arn
    keys = {key: (value,) for key, value in effective.choices} | {"aws:multifactorauthpresent": (mfa,)}
    keys.setdefault("aws:requestedregion", ("ap-south-1",))
    found = iter(decisions(estate.levels(PROD, "scp"), who, keys))
    for action in ACTIONS:
        results = {next(found) is Result.ALLOWED for _ in RESOURCES}
        assert results in {"stopped": [{False}], "allowed": [{True}]}.get(
            state(estate, PROD, action), [{True}, {False}, {True, False}]
        )


# --- policies that change nothing


def idle(estate: Estate) -> list[tuple[str, str, Idle]]:
    return [(one.name, one.node_name, one.reason) for one in idle_policies(estate)]


def test_the_same_deny_further_down_changes_nothing() -> None:
    twin = scp("region", deny("*", condition=(OUTSIDE_IRELAND, NOT_LANDING_ZONE)))
    other = scp("region-copy", deny("*", sid="Other", condition=(NOT_LANDING_ZONE, OUTSIDE_IRELAND)))
    (found,) = idle_policies(world(scps={ROOT: [twin], OU_PROD: [other]}))
    assert (found.name, found.node_name, found.reason, found.because) == (
        *("region-copy", "Prod", Idle.DUPLICATE, ("region at Root",)),
    )


def test_of_two_equal_policies_on_one_node_one_is_kept() -> None:
    estate = world(scps={OU_PROD: [scp("first", deny("s3:*")), scp("second", deny("s3:*"))]})
    assert idle(estate) == [("second", "Prod", Idle.DUPLICATE)]


def test_full_access_on_every_level_is_needed() -> None:
    assert idle(world()) == []


def test_an_allow_list_beside_full_access_allows_nothing_new() -> None:
    assert idle(world(scps={PROD: [scp("only-s3", allow("s3:*"))]})) == [("only-s3", "payments", Idle.SHADOWED)]


def test_a_deny_is_shadowed_by_wider_denies_together_and_not_by_narrower_ones() -> None:
    above = [scp("s3", deny("s3:*")), scp("ec2", deny("ec2:*"))]
    below = scp("both", deny("s3:DeleteBucket", "ec2:TerminateInstances", condition=(OUTSIDE_IRELAND,)))
    assert idle(world(scps={ROOT: above, OU_PROD: [below]})) == [("both", "Prod", Idle.SHADOWED)]
    narrow = scp("narrow", deny("s3:*", on="arn:aws:s3:::logs/*"))
    assert idle(world(scps={ROOT: [narrow], OU_PROD: [scp("wide", deny("s3:*"))]})) == []
    some = scp("some", deny("s3:*", condition=(OUTSIDE_IRELAND,)))
    assert idle(world(scps={ROOT: [some], OU_PROD: [scp("wide", deny("s3:*"))]})) == []


def test_a_deny_that_spares_more_resources_does_not_shadow_one_that_spares_fewer() -> None:
    spares_two = scp("two", deny("s3:*", not_resource=("arn:aws:s3:::logs", "arn:aws:s3:::logs/*")))
    spares_one = scp("one", deny("s3:*", not_resource=("arn:aws:s3:::logs",)))
    assert idle(world(scps={ROOT: [spares_two], OU_PROD: [spares_one]})) == []
    assert idle(world(scps={ROOT: [spares_one], OU_PROD: [spares_two]})) == [("two", "Prod", Idle.SHADOWED)]


def test_a_deny_beside_the_path_shadows_nothing() -> None:
    assert idle(world(scps={OU_DEV: [scp("dev", deny("s3:*"))], PROD: [scp("prod", deny("s3:*"))]})) == []


def test_a_policy_at_the_management_account_binds_nobody() -> None:
    assert idle(world(scps={MANAGEMENT: [scp("useless", deny("s3:*"))]})) == [
        ("useless", "management", Idle.BINDS_NOBODY)
    ]


def test_a_policy_of_a_type_that_is_off_is_named() -> None:
    estate = world(scps={ROOT: [scp("x", deny("s3:*"))]}, enabled=frozenset({"RESOURCE_CONTROL_POLICY"}))
    assert idle(estate) == [("x", "Root", Idle.OFF)]


@settings(deadline=None, max_examples=60)
@given(attachments, st.sampled_from(["app", "landing-zone"]))
def test_taking_all_idle_policies_away_changes_no_decision(scps: dict[str, list[NamedPolicy]], name: str) -> None:
    estate, arn = world(scps=scps), f"arn:aws:iam::{PROD}:role/{name}"
    gone = {(one.node_id, one.name) for one in idle_policies(estate)}
    kept = {
        node_id: tuple(one for one in node.scp.policies if (node_id, one.name) not in gone)
        for node_id, node in estate.nodes.items()
    }
    nodes = {
        node_id: replace(node, scp=replace(node.scp, policies=kept[node_id])) for node_id, node in estate.nodes.items()
    }
    after = replace(estate, nodes=nodes)
    for region in ("eu-west-1", "us-east-1"):
        for mfa in ("true", "false"):
            keys = {"aws:requestedregion": (region,), "aws:multifactorauthpresent": (mfa,)}
            before = decisions(estate.levels(PROD, "scp"), arn, keys)
            assert decisions(after.levels(PROD, "scp"), arn, keys) == before


# --- policies that nobody ran into


def hits(estate: Estate, denied: dict[str, dict[str, int]], *, seen: str = "*") -> dict[str, tuple[int, bool]]:
    numbers = {
        account: {estate.catalogue.number(action) or 0: calls for action, calls in found.items()}
        for account, found in denied.items()
    }
    visible = dict.fromkeys((PROD, DEV, MANAGEMENT), estate.catalogue.expand(seen))
    return {one.name: (one.could_have_refused, one.proven) for one in policy_hits(estate, Refusals(numbers, visible))}


def test_refused_calls_count_where_the_policy_binds_and_could_have_refused_them() -> None:
    estate = world(scps={OU_PROD: [scp("x", deny("s3:*", on="arn:aws:s3:::logs/*"))]})
    denied = {PROD: {"s3:PutObject": 3, "ec2:RunInstances": 5}, DEV: {"s3:PutObject": 7}}
    assert hits(estate, denied) == {"x": (3, True)}
    assert hits(estate, {DEV: {"s3:PutObject": 7}}) == {"x": (0, True)}


def test_nobody_ran_into_it_is_not_proven_where_a_refusal_could_not_have_been_seen() -> None:
    estate = world(scps={OU_PROD: [scp("x", deny("s3:*"))]})
    assert hits(estate, {}, seen="ec2:*") == {"x": (0, False)}
    short = replace(estate.accounts[PROD], days_covered=30)
    assert hits(replace(estate, accounts={**estate.accounts, PROD: short}), {}) == {"x": (0, False)}


def test_an_rcp_may_have_refused_callers_of_any_account_and_nothing_of_it_is_proven() -> None:
    estate = world(rcps={OU_PROD: [rcp("x", deny("s3:*", "ec2:*", principal=EVERYBODY))]})
    assert hits(estate, {DEV: {"s3:PutObject": 7, "ec2:RunInstances": 5}}) == {"x": (7, False)}


# --- quotas


def test_attachments_and_characters_are_held_against_the_quota() -> None:
    long = scp("long", deny(*(f"s3:Get{number}" for number in range(40))))
    estate = world(scps={OU_PROD: [long, scp("short", deny("s3:*"))]})
    (fullest, *_rest) = [use for use in attachment_use(estate, Quotas()) if use.layer == "scp"]
    assert (fullest.node_name, fullest.attached, fullest.limit) == ("Prod", 3, 10)
    assert [use.attached for use in attachment_use(estate, Quotas()) if use.layer == "rcp"] == [1] * len(estate.nodes)
    longest = next(use for use in character_use(estate, Quotas()) if use.layer == "scp")
    assert (longest.name, longest.limit, longest.nodes) == ("long", 10_240, 1)
    assert longest.characters == len(minified(long.document))
    full = next(use for use in character_use(estate, Quotas(scp_characters=100)) if use.name == "FullAWSAccess")
    assert (full.nodes, full.limit) == (len(estate.nodes), 100)


def test_the_shortest_text_of_a_policy_means_the_same() -> None:
    content = document(deny("s3:*", condition=(NOT_LANDING_ZONE,)), allow("ec2:*", "s3:Get*", on=("a", "b")))
    text = minified(content)
    assert parse_policy(text, name="short") == content
    assert " " not in text
    assert '"Action":"s3:*"' in text
    assert characters(content) == len(text) < len(json.dumps(json.loads(text)))


# --- two nodes compared


def test_two_nodes_differ_in_what_is_stopped_and_in_their_policies() -> None:
    shared, own = scp("shared", deny("organizations:LeaveOrganization")), scp("own", deny("guardduty:DeleteDetector"))
    estate = world(
        scps={ROOT: [shared], OU_PROD: [own], OU_DEV: [scp("dev", deny("ec2:CreateVpc", on="arn:aws:ec2:*"))]}
    )
    found = compare_nodes(estate, OU_PROD, OU_DEV)
    assert [name for _, name, _ in found.only_first] == ["own"]
    assert [name for _, name, _ in found.only_second] == ["dev"]
    assert "shared" in {name for _, name, _ in found.in_common}
    assert {(one.action, one.first, one.second) for one in found.differences} == {
        ("guardduty:DeleteDetector", State.STOPPED, State.ALLOWED),
        ("ec2:CreateVpc", State.ALLOWED, State.DEPENDS),
    }
    assert compare_nodes(estate, OU_PROD, OU_PROD).differences == ()


def test_comparing_the_other_way_round_is_the_same_with_the_sides_changed() -> None:
    estate = world(scps={OU_PROD: [scp("own", deny("s3:*", "iam:CreateUser"))]})
    one, other = compare_nodes(estate, OU_PROD, OU_DEV), compare_nodes(estate, OU_DEV, OU_PROD)
    assert [(found.action, found.first, found.second) for found in one.differences] == [
        (found.action, found.second, found.first) for found in other.differences
    ]
    assert (one.only_first, one.in_common) == (other.only_second, other.in_common)


# --- accounts in the wrong place

WORDS = Settings().environment_words


def place(account_id: str, tag: str | None, ou: str | None, path: str = "Root/Prod") -> AccountPlace:
    return AccountPlace(account_id, f"account-{account_id}", path, tag, ou)


def kinds(*places: AccountPlace) -> dict[str, Misplacement]:
    return {found.place.account_id: found.kind for found in misplaced_accounts(places, world(), WORDS)}


@pytest.mark.parametrize(
    ("tag", "ou", "kind"),
    [
        ("production", "production", None),
        ("prod", "production", None),
        ("Prod ", "production", None),
        ("staging", "non-production", None),
        ("development", "non-production", None),
        ("sandbox", "production", Misplacement.DIFFERS),
        ("production", "non-production", Misplacement.DIFFERS),
        ("production", None, Misplacement.NO_PLACE),
        ("moon-base", None, None),  # no other account says it, so nobody knows where it belongs
        ("moon-base", "production", Misplacement.DIFFERS),
        (None, "production", None),
        (None, None, None),
    ],
)
def test_an_account_is_misplaced_where_tag_and_ou_disagree(tag: str | None, ou: str | None, kind: object) -> None:
    right = place(DEV, "production", "production")
    assert kinds(right, place(PROD, tag, ou)).get(PROD) is kind


def test_the_management_account_stays_where_it_is() -> None:
    assert kinds(place(PROD, "production", "production"), place(MANAGEMENT, "production", None)) == {}


def test_what_a_misplaced_account_misses_is_what_all_its_like_are_under() -> None:
    estate = world(scps={OU_PROD: [scp("detect", deny("guardduty:*"))], OU_DEV: [scp("dev", deny("s3:*"))]})
    found = misplaced_accounts(
        (place(PROD, "production", "production"), place(DEV, "production", None, "Root/Dev")), estate, WORDS
    )
    assert [(one.place.account_id, one.belongs, one.missing) for one in found] == [
        (DEV, ("Root/Prod",), ("SCP detect",))
    ]


# --- the sample organisation


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with built().connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def estate(con: duckdb.DuckDBPyConnection) -> Estate:
    return read_estate(con)


def test_the_planted_misplaced_account_is_the_only_one(con: duckdb.DuckDBPyConnection, estate: Estate) -> None:
    (truth,) = sample().truths("misplaced-account", clean=False)
    found = queries.accounts_in_the_wrong_place(con, estate, settings=Settings())
    assert found["account_id"].tolist() == [truth["account_id"]]
    assert found["environment"].tolist() == [truth["expect"]["environment"]]
    assert truth["expect"]["unit"] in found["ou_path"][0]
    assert "SCP ardenly-protect-detection" in found["missing"][0]


@pytest.mark.parametrize(("word", "expected"), [("open", "allowed"), ("closed", "stopped")])
def test_the_planted_gaps_are_open_and_closed_in_the_picture(estate: Estate, word: str, expected: str) -> None:
    for truth in sample().truths("scp-gap", clean=word == "closed"):
        assert {state(estate, truth["node_id"], action) for action in truth["expect"][word]} == {expected}


def test_the_planted_allow_list_is_found_as_the_level_that_stops(estate: Estate) -> None:
    (truth,) = sample().truths("allow-list", clean=False)
    for action in truth["expect"]["closed"]:
        found = queries.node_answers(estate, node_id=truth["node_id"], action=action)
        silent = found[found["says"] == str(Says.SILENT)]
        assert silent["node_id"].tolist() == [truth["node_id"]]


def test_the_tree_has_every_node_and_the_table_of_services_every_action(estate: Estate) -> None:
    tree = queries.organization_tree(estate)
    assert tree["node_id"].tolist() == list(estate.nodes)
    assert (tree["allowed"] + tree["depends"] + tree["stopped"]).eq(len(estate.catalogue.actions)).all()
    services = queries.node_services(estate, node_id=tree["node_id"][0])
    assert services["actions"].sum() == len(estate.catalogue.actions)
    assert services["stopped"].is_monotonic_decreasing


def test_refusals_are_those_of_the_window_without_what_control_policies_never_bind(
    con: duckdb.DuckDBPyConnection, estate: Estate
) -> None:
    found = queries.refusals(con).denied
    ((expected,),) = con.execute("""
        select sum(usage.denied)::bigint from usage join principals using (principal_arn), build
        where day >= build.window_start and kind not in ('service-linked role', 'service')
            and usage.account_id is not null and action in (select action from actions)""").fetchall()
    assert sum(calls for actions in found.values() for calls in actions.values()) == expected > 0
    assert set(queries.policies_never_hit(con, estate)["proven"]) == {True, False}


def test_an_organisation_that_was_not_collected_has_empty_views(con: duckdb.DuckDBPyConnection) -> None:
    nothing = world(organization=False)
    for table in (
        queries.organization_tree(nothing),
        queries.policies_without_effect(nothing),
        queries.attachment_quota(nothing, settings=Settings()),
        queries.character_quota(nothing, settings=Settings()),
        queries.policies_never_hit(con, nothing),
    ):
        assert table.empty
        assert len(table.columns) > 3


def test_members_are_the_accounts_below_that_can_be_bound() -> None:
    estate = world()
    assert members(estate, ROOT) == (PROD, DEV)
    assert members(estate, OU_PROD) == (PROD,)
    assert members(estate, MANAGEMENT) == ()
    assert FULL_SCP.name == "FullAWSAccess"
