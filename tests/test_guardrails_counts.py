"""What a cell does not know it does not say: texts and accounts that were not collected, and who could act."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import parse_policy, to_json
from analytics.iam.stack import ControlLevel, NamedPolicy
from analytics.sources.organization import NOT_COLLECTED
from tests.builders import allow, condition, deny, document
from tests.draft_world import DEV, MANAGEMENT, OU_PROD, PROD, ROOT, customer_boundary, customer_scp, role, world
from tests.test_guardrails import DELETE, OURS, SLR, STOP, TRAIL, cell

if TYPE_CHECKING:
    from analytics.findings.estate import Estate

LOST = NamedPolicy(
    "lost", NOT_COLLECTED, "arn:aws:organizations::999999999999:policy/o-x/service_control_policy/p-lost"
)
SSO = f"arn:aws:iam::{PROD}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"
GUARD = deny(
    "cloudtrail:*", condition=(condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass"),)
)
WILD = deny("cloudtrail:*", condition=(condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-*"),))


def lost_level(estate: Estate, node: str, *policies: NamedPolicy) -> Estate:
    held = ControlLevel(node, node, tuple(replace(one, attached_to=node) for one in policies))
    return replace(estate, nodes={**estate.nodes, node: replace(estate.nodes[node], scp=held)})


def uncollected(estate: Estate, account_id: str = PROD) -> Estate:
    lost = {**estate.accounts, account_id: replace(estate.accounts[account_id], collected="failed")}
    return replace(estate, accounts=lost)


def gone(estate: Estate) -> Estate:
    """The same estate, of whose production account nothing was collected."""
    return uncollected(replace(estate, subjects={a: s for a, s in estate.subjects.items() if s.account_id != PROD}))


@pytest.mark.parametrize("target", [ROOT, OU_PROD, PROD, role("app")])
def test_an_scp_whose_text_was_not_collected_leaves_the_cell_unknown(target: str):
    alone = cell(lost_level(world(role("app")), ROOT, LOST), target)
    assert alone.state == "unknown"
    assert "`lost on r-ab12`" in alone.note
    assert cell(world(role("app"), scps={ROOT: [LOST]}), target).state == "unknown"
    best = cell(world(role("app"), scps={ROOT: [LOST]}), target, "best")
    assert best.state == "unknown"


def test_what_another_policy_stops_stays_covered_beside_a_lost_one():
    both = world(role("app"), scps={ROOT: [LOST], OU_PROD: [customer_scp("guard", deny("cloudtrail:*"))]})
    assert cell(both).state == "covered"
    assert cell(both, DEV).state == "unknown"


def test_a_lost_text_is_known_again_when_a_build_is_read():
    kept = NamedPolicy("lost", parse_policy(to_json(NOT_COLLECTED), name="lost"), None)
    assert cell(world(role("app"), scps={ROOT: [kept]})).state == "unknown"


def test_nobody_is_counted_in_an_account_that_was_not_collected():
    nothing = gone(world(role("app")))
    assert [(one.can_act, one.did_act) for one in (cell(nothing), cell(nothing, layer="boundary"))] == [
        (None, None)
    ] * 2
    assert cell(nothing, ROOT).can_act is None
    some = gone(world(role("app"), role("app", DEV)))
    assert (cell(some, ROOT).can_act, cell(some, ROOT).did_act) == (1, None)
    stopped = gone(world(role("app"), scps={ROOT: [customer_scp("guard", deny("cloudtrail:*"))]}))
    assert (cell(stopped).can_act, cell(stopped).did_act) == (0, 0)


def test_an_identity_with_policies_that_were_not_collected_can_perhaps_act():
    estate = world(role("app"))
    subject = estate.subjects[role("app")]
    stack = replace(subject.stack, identity=(), not_collected=("AdminPolicy",))
    estate = estate.replaced([estate.changed(subject, stack=stack)])
    assert (cell(estate).can_act, cell(estate, role("app")).can_act) == (None, None)


@pytest.mark.parametrize("scenario", ["ROOT-01", "IAM-13"])
@pytest.mark.parametrize("target", [ROOT, PROD, MANAGEMENT, role("app")])
def test_roles_are_not_counted_in_scenarios_about_the_root_user_or_strangers(scenario: str, target: str):
    for layer in ("scp", "rcp", "boundary", "best"):
        found = cell(world(role("app")), target, layer, OURS[scenario])
        assert (found.can_act, found.did_act) == (None, None)


@pytest.mark.parametrize("scenario", ["ROOT-01", "IAM-13"])
@pytest.mark.parametrize("layer", ["scp", "rcp", "boundary", "identity", "best"])
def test_no_role_is_asked_about_the_root_user_or_strangers(scenario: str, layer: str):
    for held in ({}, {ROOT: [customer_scp("guard", deny("*"))]}):
        assert cell(world(role("app"), scps=held), role("app"), layer, OURS[scenario]).state == "not_applicable"


def test_whom_a_covered_cell_spares_by_name_does_not_act_through_a_gap():
    named = world(role("app"), role("break-glass"), scps={ROOT: [customer_scp("guard", GUARD)]})
    assert (cell(named).state, cell(named).can_act) == ("covered", 0)
    wild = world(role("app"), role("break-glass"), scps={ROOT: [customer_scp("guard", WILD)]})
    assert (cell(wild).state, cell(wild).can_act) == ("conditional", 1)


def test_whom_a_boundary_spares_by_a_wildcard_can_act_and_by_name_is_an_exemption():
    for statement, state, can in ((GUARD, "covered", 0), (WILD, "conditional", 1)):
        held = customer_boundary("b", document(allow("*"), statement))
        both = {role("app"): held, role("break-glass"): held}
        found = cell(world(role("app"), role("break-glass"), boundaries=both), layer="boundary")
        assert (found.state, found.stopped, found.can_act) == (state, 1, can)


def test_the_cell_of_an_identity_that_an_scp_spares_says_by_what():
    for arn, pattern, kind in (
        (role("break-glass"), "arn:aws:iam::*:role/break-glass", "named"),
        (SSO, "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*", "wildcard"),
    ):
        spare = deny("cloudtrail:*", condition=(condition("ArnNotLike", "aws:PrincipalArn", pattern),))
        estate = world(arn, role("app"), scps={ROOT: [customer_scp("guard", spare)]})
        found = cell(estate, arn)
        assert (found.state, [(one.principal, one.kind) for one in found.exemptions]) == ("gap", [(pattern, kind)])
        assert "spare" in found.note
        assert (cell(estate, role("app")).state, cell(estate, role("app")).exemptions) == ("covered", ())


def test_an_identity_that_lacks_more_than_an_exemption_is_not_called_spared():
    estate = world(role("break-glass"), scps={ROOT: [customer_scp("guard", replace(GUARD, action=(STOP,)))]})
    found = cell(estate, role("break-glass"))
    assert (found.state, found.exemptions, found.missing_actions) == ("gap", (), (STOP, DELETE))
    users = condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*")
    meant = replace(GUARD, condition=(*GUARD.condition, users))
    estate = world(role("break-glass"), scps={ROOT: [customer_scp("guard", meant)]})
    assert cell(estate, role("break-glass")).exemptions == ()


def test_a_service_linked_role_can_act_where_no_control_policy_binds_it():
    estate = world(role("app"), SLR, scps={ROOT: [customer_scp("guard", deny("*"))]})
    found = cell(estate, SLR)
    assert estate.subjects[SLR].kind is PrincipalKind.SERVICE_LINKED_ROLE
    assert (found.state, found.can_act) == ("not_applicable", 1)


def test_a_wildcard_of_accounts_is_asked_at_every_account_below_and_at_one_to_come():
    some = f"{PROD[:6]}*"
    guard = deny("cloudtrail:*", condition=(condition("StringNotLike", "aws:PrincipalAccount", some),))
    matrix = Guardrails(world(scps={ROOT: [customer_scp("guard", guard)]}), (TRAIL,), GuardrailSettings())
    found = {one.target: one.state for one in matrix.matrix() if one.layer == "scp"}
    assert (found[PROD], found[DEV], found[OU_PROD], found[ROOT]) == ("gap", "covered", "partial", "partial")


def test_a_wildcard_of_ous_is_asked_at_every_account_below():
    path = f"o-exampleorg/{ROOT}/ou-ab12-prod*"
    guard = deny("cloudtrail:*", condition=(condition("ForAllValues:StringNotLike", "aws:PrincipalOrgPaths", path),))
    estate = world(role("app"), scps={ROOT: [customer_scp("guard", guard)]})
    assert [cell(estate, node).state for node in (PROD, OU_PROD, DEV, ROOT)] == ["gap", "gap", "covered", "partial"]


def test_the_root_user_that_a_deny_spares_is_an_exemption():
    spare = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:root")
    found = cell(world(role("app"), scps={ROOT: [customer_scp("guard", deny("cloudtrail:*", condition=(spare,)))]}))
    assert (found.state, [(one.principal, one.kind) for one in found.exemptions]) == (
        "covered", [("arn:aws:iam::*:root", "named")]
    )  # fmt: skip
    only = condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:root")
    assert cell(world(scps={ROOT: [customer_scp("guard", deny("cloudtrail:*", condition=(only,)))]})).state == "gap"


def test_a_cell_that_is_conditional_for_part_of_the_resources_says_so():
    found = cell(
        world(
            role("app"),
            scps={ROOT: [customer_scp("guard", deny("cloudtrail:*", on="arn:aws:cloudtrail:*:*:trail/a*"))]},
        )
    )
    assert found.state == "conditional"
    assert "part of the resources" in found.note
    mfa = condition("BoolIfExists", "aws:MultiFactorAuthPresent", "false")
    found = cell(world(role("app"), scps={ROOT: [customer_scp("guard", deny("cloudtrail:*", condition=(mfa,)))]}))
    assert found.state == "conditional"
    assert "`aws:MultiFactorAuthPresent`" in found.note


def test_a_boundary_must_allow_every_resource_that_a_request_names():
    run = replace(TRAIL, actions=("ec2:RunInstances",))
    types = ("image", "instance", "network-interface", "security-group", "subnet", "volume")

    def state(*allowed: str) -> str:
        parts = [allow("ec2:RunInstances", on=f"arn:aws:ec2:*:*:{one}/*") for one in allowed]
        parts += [allow("ec2:RunInstances", on="arn:aws:ec2:*::image/*")] if "image" in allowed else []
        held = customer_boundary("b", document(*parts))
        return cell(world(role("app"), boundaries={role("app"): held}), layer="boundary", scenario=run).state

    # A wildcard of IAM crosses the parts of an ARN, so that no image is surely apart from all instances.
    assert (state(*types), state("instance"), state()) == ("gap", "conditional", "covered")


def test_a_deny_that_is_meant_for_users_is_no_exemption_of_a_role():
    users = deny("cloudtrail:*", condition=(condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),))
    held = customer_boundary("b", document(allow("*"), GUARD, users))
    both = {role("app"): held, role("break-glass"): held}
    found = cell(world(role("app"), role("break-glass"), boundaries=both), layer="boundary")
    assert (found.state, [one.kind for one in found.exemptions]) == ("covered", ["named"])


def test_what_stops_users_perhaps_and_roles_not_at_all_is_partial():
    users = condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*")
    mfa = condition("BoolIfExists", "aws:MultiFactorAuthPresent", "false")
    guard = customer_scp("guard", deny("cloudtrail:*", condition=(users, mfa)))
    assert cell(world(role("app"), scps={ROOT: [guard]})).state == "partial"
