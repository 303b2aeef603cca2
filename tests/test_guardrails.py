"""Cells of the guardrail matrix, rule by rule."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from analytics.findings.guardrails.matrix import Cell, GuardrailError, Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import Scenario, load_scenarios
from tests.builders import allow, condition, deny, document
from tests.demo_sample import built, sample
from tests.draft_world import (
    DEV,
    LISTS,
    MANAGEMENT,
    OU_PROD,
    PROD,
    ROOT,
    customer_boundary,
    customer_scp,
    role,
    world,
)

STOP, DELETE = "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"
TRAIL = Scenario("TRAIL", "Trail", "high", (STOP, DELETE))
OURS = {scenario.id: scenario for scenario in load_scenarios()}
BREAK_GLASS = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass")
SLR = f"arn:aws:iam::{PROD}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"


def cell(estate, target: str = PROD, layer: str = "scp", scenario: Scenario = TRAIL, **settings) -> Cell:
    matrix = Guardrails(estate, (scenario,), GuardrailSettings(**{"lists": LISTS, **settings}))
    return next(one for one in matrix.cells(target) if one.layer == layer)


def scp(*statements, node: str = ROOT):
    return world(role("app"), role("app", DEV), scps={node: [customer_scp("guard", *statements)]})


def test_a_cell_names_the_statement_its_policy_and_where_it_is_attached():
    found = cell(scp(deny("s3:*"), deny("cloudtrail:*", sid="Trails"), node=OU_PROD))
    assert found.state == "covered"
    (one,) = found.statements
    assert (one.policy, one.attached_to, one.sid, one.index) == ("guard", OU_PROD, "Trails", 1)
    assert cell(scp(deny("cloudtrail:*"), node=OU_PROD), ROOT).state == "gap"


def test_a_named_exemption_is_listed_and_a_wildcard_makes_it_conditional():
    named = cell(scp(deny("cloudtrail:*", condition=(BREAK_GLASS,))))
    assert (named.state, [(one.principal, one.kind) for one in named.exemptions]) == (
        "covered", [("arn:aws:iam::*:role/break-glass", "named")]
    )  # fmt: skip
    wild = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/Admin*")
    spared = cell(scp(deny("cloudtrail:*", condition=(wild,))))
    assert (spared.state, [one.kind for one in spared.exemptions]) == ("conditional", ["wildcard"])


def test_an_exemption_that_another_deny_takes_back_is_none():
    found = cell(scp(deny("cloudtrail:*", condition=(BREAK_GLASS,)), deny(STOP, DELETE)))
    assert (found.state, found.exemptions) == ("covered", ())


def test_missing_actions_are_named_and_what_hangs_on_mfa_is_conditional():
    half = cell(scp(deny(STOP)))
    assert (half.state, half.missing_actions) == ("partial", (DELETE,))
    mfa = condition("BoolIfExists", "aws:MultiFactorAuthPresent", "false")
    assert cell(scp(deny("cloudtrail:*", condition=(mfa,)))).state == "conditional"


def test_an_allow_list_stops_what_it_omits_and_is_named_as_a_whole():
    estate = scp()
    level = replace(estate.nodes[OU_PROD].scp, policies=(customer_scp("list", allow("s3:*")),))
    nodes = {**estate.nodes, OU_PROD: replace(estate.nodes[OU_PROD], scp=level)}
    found = cell(replace(estate, nodes=nodes))
    assert (found.state, [(one.policy, one.index) for one in found.statements]) == ("covered", [("list", None)])


def test_a_caller_chooses_what_it_can_so_a_deny_of_other_regions_or_of_plain_http_stops_nothing():
    plain = condition("Bool", "aws:SecureTransport", "false")
    other = condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1")
    assert cell(scp(deny("*", condition=(plain,)), deny("*", condition=(other,)))).state == "gap"


def test_a_region_lock_covers_its_scenario_when_the_list_is_known_and_hangs_on_it_otherwise():
    lock = scp(deny("*", condition=(condition("StringNotEquals", "aws:RequestedRegion", *LISTS["approved_regions"]),)))
    assert cell(lock, scenario=OURS["ORG-04"]).state == "covered"
    unlisted = cell(lock, scenario=OURS["ORG-04"], lists={})
    assert unlisted.state == "conditional"
    assert "`approved_regions`" in unlisted.note
    wider = condition("StringNotEquals", "aws:RequestedRegion", *LISTS["approved_regions"], "us-east-1")
    assert cell(scp(deny("*", condition=(wider,))), scenario=OURS["ORG-04"]).state == "partial"


def test_a_deny_on_a_class_of_resources_needs_its_patterns_and_one_on_all_does_not():
    audit = "arn:aws:logs:*:*:log-group:audit*"
    some = scp(deny("logs:*", on=audit))
    assert cell(some, scenario=OURS["LOG-07"]).state == "conditional"
    assert cell(some, scenario=OURS["LOG-07"], resources={"LOG-07": (audit,)}).state == "covered"
    assert cell(some, scenario=OURS["LOG-07"], resources={"LOG-07": ("arn:aws:logs:*:*:*",)}).state == "conditional"
    assert cell(scp(deny("logs:*")), scenario=OURS["LOG-07"]).state == "covered"


def test_a_put_that_pins_the_boundary_covers_and_a_waiting_period_counts_in_part():
    pinned = condition(
        "StringNotEquals", "iam:PermissionsBoundary", "arn:aws:iam::111122223333:policy/boundary/workload"
    )
    estate = scp(
        deny("iam:Delete*PermissionsBoundary"), deny("iam:Put*PermissionsBoundary", condition=(pinned,))
    )  # fmt: skip
    assert cell(estate, scenario=OURS["IAM-01"]).state == "covered"
    days = condition("NumericLessThan", "kms:ScheduleKeyDeletionPendingWindowInDays", "30")
    rest = deny("kms:DisableKey", "kms:DeleteImportedKeyMaterial", "kms:DeleteCustomKeyStore")
    assert (
        cell(scp(rest, deny("kms:ScheduleKeyDeletion", condition=(days,))), scenario=OURS["KMS-01"]).state == "partial"
    )
    assert cell(scp(deny("kms:ScheduleKeyDeletion", condition=(days,))), scenario=OURS["KMS-01"]).state == "partial"


@pytest.mark.parametrize(
    ("target", "layer", "scenario", "state"),
    [
        (MANAGEMENT, "scp", TRAIL, "not_applicable"),
        (PROD, "rcp", TRAIL, "not_applicable"),  # no RCP binds CloudTrail
        (PROD, "boundary", OURS["ROOT-01"], "not_applicable"),
        (PROD, "identity", OURS["ROOT-01"], "not_applicable"),
        (PROD, "scp", OURS["IAM-13"], "not_applicable"),
        (SLR, "scp", TRAIL, "not_applicable"),
        (role("app"), "scp", TRAIL, "covered"),
    ],
)
def test_where_a_layer_cannot_act_the_cell_says_so(target: str, layer: str, scenario: Scenario, state: str):
    estate = world(role("app"), SLR, scps={ROOT: [customer_scp("guard", deny("cloudtrail:*"))]})
    assert cell(estate, target, layer, scenario).state == state


def test_the_management_account_is_out_of_scope_above_it_and_said_to_be():
    assert MANAGEMENT in cell(scp(), ROOT).note
    assert cell(scp(), OU_PROD).note is None


def test_what_was_not_collected_is_unknown():
    assert cell(world(role("app"), organization=False)).state == "unknown"
    estate = world(role("app"), boundaries={role("app"): customer_boundary("b", document(allow("s3:*")))})
    lost = {**estate.accounts, PROD: replace(estate.accounts[PROD], collected="failed")}
    assert cell(estate, layer="boundary").state == "covered"
    assert cell(replace(estate, accounts=lost), layer="boundary").state == "unknown"
    subject = estate.subjects[role("app")]
    unread = replace(subject, stack=replace(subject.stack, boundary=None, boundary_not_collected=True))
    assert cell(estate.replaced([unread]), layer="boundary").state == "unknown"


def test_a_boundary_column_counts_n_of_m_and_a_role_that_it_spares_by_name_is_an_exemption():
    held = customer_boundary("b", document(allow("*"), deny("cloudtrail:*", condition=(BREAK_GLASS,))))
    estate = world(role("app"), role("ci"), SLR, boundaries={role("app"): held})
    some = cell(estate, layer="boundary")
    assert (some.state, some.stopped, some.principals) == ("partial", 1, 2)
    estate = world(role("app"), role("break-glass"), boundaries={role("app"): held, role("break-glass"): held})
    every = cell(estate, layer="boundary")
    assert (every.state, every.stopped, every.principals) == ("covered", 1, 2)
    assert [one.principal for one in every.exemptions] == ["arn:aws:iam::*:role/break-glass"]


def test_an_identity_policy_counts_by_its_denies_alone():
    estate = world(role("app"))
    subject = estate.subjects[role("app")]
    policy = replace(subject.stack.identity[0], document=document(allow("s3:*"), deny(STOP)))
    estate = estate.replaced([estate.changed(subject, stack=replace(subject.stack, identity=(policy,)))])
    found = cell(estate, layer="identity")
    assert (found.state, found.missing_actions) == ("partial", (DELETE,))


def test_who_can_act_and_who_did_is_counted_and_unknown_where_it_would_not_have_been_seen():
    estate = scp(deny(STOP))
    assert (cell(estate).can_act, cell(estate).did_act) == (1, None)
    bits = estate.catalogue.mask((STOP, DELETE))
    seen = [replace(one, observable=bits, seen=0) for one in estate.subjects.values()]
    assert cell(estate.replaced(seen)).did_act == 0
    assert cell(estate.replaced([replace(one, seen=bits) for one in seen])).did_act == 1
    assert cell(scp(deny("cloudtrail:*"))).can_act == 0


def test_best_names_its_layer_and_a_layer_alone_is_flagged():
    best = cell(scp(deny("cloudtrail:*")), layer="best")
    assert (best.state, best.best_layer_of, best.single_layer) == ("covered", "scp", True)
    held = customer_boundary("b", document(allow("s3:*")))
    both = world(
        role("app"), scps={ROOT: [customer_scp("guard", deny("cloudtrail:*"))]}, boundaries={role("app"): held}
    )
    assert cell(both, layer="best").single_layer is False
    nothing = cell(world(role("app")), layer="best")
    assert (nothing.state, nothing.best_layer_of) == ("gap", None)


def test_a_declarative_policy_is_a_note_and_no_cell():
    assert "declarative" in cell(scp(), scenario=OURS["NET-04"]).note


def test_the_samples_planted_gaps_are_open_and_what_is_planted_closed_is_closed():
    """Each truth names actions; where scenarios hold them, their cells agree."""
    with built().connect() as con:
        rows = con.execute(
            "select target, scenario, missing_actions::varchar, state from coverage where layer = 'scp'"
        ).fetchall()
    actions = {scenario.id: scenario.actions for scenario in load_scenarios()}
    missing = {(target, scenario): json.loads(text) for target, scenario, text, _state in rows}
    judged = 0
    for clean, key in ((False, "open"), (True, "closed")):
        for truth in sample().truths("scp-gap", clean=clean):
            for action in truth["expect"][key]:
                for scenario in (one for one, held in actions.items() if action in held):
                    assert (action in missing[truth["node_id"], scenario]) is not clean, (truth["id"], action)
                    judged += 1
    assert judged >= 5


def test_a_target_that_there_is_not_is_named():
    with pytest.raises(GuardrailError, match="there is no target `ou-none`"):
        cell(scp(), "ou-none")
