"""Organisations made to mislead the matrix: covered must be covered, and open must be open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import Scenario, load_scenarios
from analytics.iam.policy import Principals
from tests.builders import allow, condition, deny, document
from tests.draft_world import DEV, LISTS, OU_PROD, PROD, ROOT, customer_boundary, customer_scp, role, world
from tests.test_guardrails import BREAK_GLASS, DELETE, STOP, cell, scp

ROLES = Scenario("ROLES", "Roles", "high", ("iam:DeleteRole",))
MIXED = Scenario("MIXED", "Mixed", "high", ("s3:DeleteBucket", DELETE))
STRANGERS = next(one for one in load_scenarios() if one.id == "IAM-13")
EVERYONE = Principals(everyone=True)


def spared(*patterns: str, operator: str = "ArnNotLike"):
    return condition(operator, "aws:PrincipalArn", *patterns)


def listed(found) -> list[tuple[str, str]]:
    return [(one.principal, one.kind) for one in found.exemptions]


def with_list(*statements, node: str = OU_PROD):
    """FullAWSAccess of a node replaced by an allow-list."""
    estate = scp()
    level = replace(estate.nodes[node].scp, policies=(customer_scp("list", *statements),))
    return replace(estate, nodes={**estate.nodes, node: replace(estate.nodes[node], scp=level)})


@pytest.mark.parametrize(("part", "prod", "dev"), [("on", "covered", "gap"), ("not_resource", "gap", "covered")])
def test_a_deny_on_the_resources_of_one_account_leaves_those_above_partial(part, prod, dev):
    mine = f"arn:aws:iam::{PROD}:role/*"
    estate = scp(deny("iam:DeleteRole", **{part: mine if part == "on" else (mine,)}))
    found = {node: cell(estate, node, scenario=ROLES).state for node in (ROOT, PROD, DEV)}
    assert found == {ROOT: "partial", PROD: prod, DEV: dev}


def test_names_of_resources_that_could_hold_another_account_id_do_not_blur_it():
    estate = scp(deny("cloudtrail:*", on=f"arn:aws:cloudtrail:*:{PROD}:trail/*"))
    assert [cell(estate, node).state for node in (ROOT, PROD, DEV)] == ["partial", "covered", "gap"]


def test_a_deny_by_a_tag_of_the_resource_type_hangs_on_that_tag():
    tagged = condition("StringEquals", "iam:ResourceTag/protected", "true")
    found = cell(scp(deny("iam:DeleteRole", condition=(tagged,))), scenario=ROLES)
    assert found.state == "conditional"
    assert "`iam:ResourceTag/protected`" in found.note


def test_a_deny_on_some_resources_and_one_on_all_others_cover_together():
    some = "arn:aws:cloudtrail:*:*:trail/audit*"
    assert cell(scp(deny("cloudtrail:*", on=some), deny("cloudtrail:*", not_resource=(some,)))).state == "covered"
    narrower = "arn:aws:cloudtrail:*:*:trail/audit-1*"
    assert (
        cell(scp(deny("cloudtrail:*", on=narrower), deny("cloudtrail:*", not_resource=(some,)))).state == "conditional"
    )


def test_denies_and_allows_under_different_conditions_count_together_where_all_hold():
    some = "arn:aws:cloudtrail:*:*:trail/audit*"
    rest = {"not_resource": (some,)}
    both = scp(deny("cloudtrail:*", on=some, condition=(BREAK_GLASS,)), deny("cloudtrail:*", **rest))
    assert cell(both).state == "covered"
    wild = spared("arn:aws:iam::*:role/Admin*")
    assert (
        cell(scp(deny("cloudtrail:*", on=some, condition=(wild,)), deny("cloudtrail:*", **rest))).state == "conditional"
    )
    elsewhere = condition("StringEquals", "aws:PrincipalAccount", DEV)
    none = scp(deny("cloudtrail:*", on=some, condition=(elsewhere,)), deny("cloudtrail:*", **rest))
    assert [cell(none, account).state for account in (PROD, DEV)] == ["conditional", "covered"]
    inside = condition("StringEquals", "aws:PrincipalAccount", PROD)
    assert cell(with_list(allow("*", on=some, condition=(inside,)), allow("*", **rest))).state == "gap"


def test_whom_two_denies_spare_only_together_is_listed():
    untagged = condition("StringNotEquals", "aws:PrincipalTag/guard", "off")
    found = cell(scp(deny("cloudtrail:*", condition=(untagged,)), deny("cloudtrail:*", condition=(BREAK_GLASS,))))
    assert (found.state, listed(found)) == ("covered", [("arn:aws:iam::*:role/break-glass", "named")])


def test_patterns_that_only_one_name_fits_both_leave_it_conditional_and_say_so():
    found = cell(
        scp(
            deny("cloudtrail:*", condition=(spared("arn:aws:iam::*:role/a*"),)),
            deny("cloudtrail:*", condition=(spared("arn:aws:iam::*:role/*b"),)),
        )
    )
    assert found.state == "conditional"
    assert "spare names or tags by a pattern" in found.note


@pytest.mark.parametrize(
    "pattern", ["*break-glass*", "arn:aws:iam::*:*break-glass*", "arn:aws:iam::*:role*/break-glass"]
)
def test_a_pattern_that_is_no_whole_arn_is_an_exemption_too(pattern: str):
    found = cell(scp(deny("cloudtrail:*", condition=(spared(pattern, operator="StringNotLike"),))))
    assert (found.state, listed(found)) == ("conditional", [(pattern, "wildcard")])


def test_a_pattern_that_fits_nobody_in_scope_spares_nobody():
    session = spared("arn:aws:sts::*:assumed-role/x/*")  # aws:PrincipalArn is the role's ARN, never the session's
    assert cell(scp(deny("cloudtrail:*", condition=(session,)))).state == "covered"
    elsewhere = scp(deny("cloudtrail:*", condition=(spared(f"arn:aws:iam::{PROD}:role/x*"),)))
    assert [cell(elsewhere, node).state for node in (ROOT, PROD, DEV)] == ["conditional", "conditional", "covered"]


def test_a_role_of_some_accounts_is_listed_above_them():
    estate = scp(deny("cloudtrail:*", condition=(spared(f"arn:aws:iam::{PROD[:4]}*:role/app"),)))
    assert [len(cell(estate, node).exemptions) for node in (ROOT, OU_PROD, PROD, DEV)] == [1, 1, 1, 0]
    other = condition("StringNotEquals", "aws:PrincipalAccount", PROD)
    taken_back = scp(deny("cloudtrail:*", condition=(BREAK_GLASS,)), deny("cloudtrail:*", condition=(other,)))
    assert [len(cell(taken_back, node).exemptions) for node in (ROOT, PROD, DEV)] == [1, 1, 0]


def test_an_exemption_by_the_name_of_a_session_is_listed():
    def found(value: str):
        return cell(scp(deny("cloudtrail:*", condition=(condition("StringNotLike", "aws:userid", value),))))

    assert listed(found("AROAABCDEFGHIJKLMNOPQ:me")) == [("aws:userid AROAABCDEFGHIJKLMNOPQ:me", "named")]
    assert (found("*:break-glass").state, listed(found("*:break-glass"))) == (
        "conditional",
        [("aws:userid *:break-glass", "wildcard")],
    )


@pytest.mark.parametrize(
    ("statements", "state"),
    [
        ([allow("*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),))], "gap"),
        ([allow("s3:*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),))], "covered"),
        (
            [
                allow("*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),)),
                deny("cloudtrail:*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),)),
            ],
            "covered",
        ),
        (
            [
                allow(
                    "cloudtrail:*",
                    on="arn:aws:cloudtrail:*:*:trail/dev",
                    condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),),
                ),
                allow("cloudtrail:*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-central-1"),)),
            ],
            "gap",
        ),
    ],
)
def test_what_an_allow_list_asks_of_the_region_is_the_callers_choice(statements, state):
    assert cell(with_list(*statements)).state == state
    held = customer_boundary("b", document(*statements))
    assert cell(world(role("app"), boundaries={role("app"): held}), role("app"), "boundary").state == state


def test_an_allow_that_needs_name_and_tag_names_whom_it_lets_through():
    named = condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin")
    tag = condition("StringEquals", "aws:PrincipalTag/t", "1")
    found = cell(with_list(allow("*", condition=(named, tag)), allow("s3:*")))
    assert (found.state, ("arn:aws:iam::*:role/admin", "named") in listed(found)) == ("covered", True)


@pytest.mark.parametrize(
    ("pattern", "state", "kind"),
    [
        ("arn:aws:iam::464622532012:role/vendor", "covered", "named"),
        ("arn:aws:iam::464622532012:role/v*", "conditional", "wildcard"),
        ("arn:aws:iam::*:role/vendor", "conditional", "wildcard"),  # anybody may have a role of that name
    ],
)
def test_strangers_whom_an_rcp_spares_are_listed(pattern: str, state: str, kind: str):
    outside = condition("StringNotEqualsIfExists", "aws:PrincipalOrgID", *LISTS["own_organization_id"])
    perimeter = deny("sts:AssumeRole", condition=(outside, spared(pattern)), principal=EVERYONE)
    estate = world(role("app"), rcps={ROOT: [customer_scp("guard", perimeter, kind="resource_control_policy")]})
    found = cell(estate, layer="rcp", scenario=STRANGERS)
    assert (found.state, listed(found)) == (state, [(pattern, kind)])


def test_two_layers_that_stop_it_only_together_are_told_as_such():
    held = customer_boundary("b", document(allow("*"), deny(DELETE, condition=(BREAK_GLASS,))))
    estate = world(role("app"), scps={ROOT: [customer_scp("guard", deny(STOP))]}, boundaries={role("app"): held})
    best = cell(estate, layer="best")
    assert (best.state, best.best_layer_of, best.single_layer, best.missing_actions) == ("covered", None, False, ())
    assert best.note == "No layer stops it alone; SCPs and boundaries do so together."
    assert {one.policy for one in best.statements} == {"guard", "b"}
    assert (best.can_act, best.did_act) == (0, 0)
    assert [cell(estate, layer=layer).state for layer in ("scp", "boundary")] == ["partial", "partial"]


def test_layers_do_not_close_together_what_one_identity_escapes_or_nobody_collected():
    held = customer_boundary("b", document(allow("*"), deny(DELETE)))
    guard = {ROOT: [customer_scp("guard", deny(STOP))]}
    some = world(role("app"), role("ci"), scps=guard, boundaries={role("app"): held})
    assert cell(some, layer="best").state == "partial"
    assert cell(some, role("app"), "best").state == "covered"
    every = world(role("app"), scps=guard, boundaries={role("app"): held})
    lost = {**every.accounts, PROD: replace(every.accounts[PROD], collected="failed")}
    assert cell(replace(every, accounts=lost), layer="best").state == "partial"


def test_an_scp_and_an_rcp_close_together_what_no_rcp_binds_alone():
    bucket = deny("s3:*", principal=EVERYONE)
    estate = world(
        role("app"),
        scps={ROOT: [customer_scp("guard", deny(DELETE))]},
        rcps={ROOT: [customer_scp("guard", bucket, kind="resource_control_policy")]},
    )
    matrix = Guardrails(estate, (MIXED,), GuardrailSettings())
    assert {one.layer.value: one.state.value for one in matrix.cells(ROOT)} == {
        "scp": "partial", "rcp": "partial", "boundary": "gap", "identity": "gap", "best": "covered",
    }  # fmt: skip
