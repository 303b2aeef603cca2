"""Where a draft goes and whom it leaves out: merged with what is attached, inside the quota, nothing invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.findings.drafts.compose import Draft, DraftError, DraftSettings, compose
from analytics.findings.drafts.exemptions import Origin, exempted
from analytics.findings.drafts.place import place_of, with_policies
from analytics.findings.drafts.rules import draft_rules
from analytics.findings.drafts.size import Limit, characters
from analytics.findings.estate import POLICY_TYPES, Estate
from analytics.iam.policy import Effect
from tests.builders import allow, condition, deny, document
from tests.draft_world import (
    AUDIT,
    DEV,
    LISTS,
    MANAGEMENT,
    OU_DEV,
    OU_PROD,
    PROD,
    ROOT,
    customer_boundary,
    customer_scp,
    role,
    scenario,
    world,
)

SETTINGS = DraftSettings(lists=LISTS)
STOP, DELETE = "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"
TRAIL = scenario("LOG-01", STOP, DELETE)
BREAK_GLASS = scenario("LOG-01", STOP, usual_exemptions=("break-glass role", "security tooling role"))
SLR = f"arn:aws:iam::{PROD}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"


def draft(estate: Estate, *scenarios: object, target: str = OU_PROD, layer: str = "scp", **options: object) -> Draft:
    settings = options.pop("settings", SETTINGS)
    return compose(scenarios or (TRAIL,), target, layer, estate, settings, **options)


def reaches(estate: Estate, arn: str, action: str) -> bool:
    number = estate.catalogue.number(action)
    return bool(estate.subjects[arn].reach.maybe >> number & 1)


def exempt(found: Draft) -> list[str]:
    (statement,) = [one for one in found.documents[0].statements if one.effect is Effect.DENY]
    return [value for one in statement.condition if one.key == "aws:PrincipalArn" for value in one.values]


def test_a_draft_takes_its_actions_from_everybody_below_and_from_nobody_else():
    before = world(role("app"), role("app", DEV), role("app", MANAGEMENT), SLR)
    found = draft(before)
    after = with_policies(before, found.policies, "scp")
    assert [reaches(after, arn, STOP) for arn in after.subjects] == [
        arn in {role("app", DEV), role("app", MANAGEMENT), SLR} for arn in after.subjects
    ]
    untouched = [arn for arn in after.subjects if arn != role("app")]
    assert all(after.subjects[arn] is before.subjects[arn] for arn in untouched)
    assert after.levels(PROD, "scp")[1].policies[-1].document is found.documents[0]


def test_the_root_draft_binds_every_member_account():
    before = world(role("app"), role("app", DEV), role("app", MANAGEMENT))
    after = with_policies(before, draft(before, target=ROOT).policies, "scp")
    assert [arn for arn in after.subjects if reaches(after, arn, STOP)] == [role("app", MANAGEMENT)]


# Whom it leaves out


def test_a_role_of_a_known_name_is_proposed_and_said_to_be():
    found = draft(world(role("ardenly-break-glass"), role("app")), BREAK_GLASS)
    assert exempt(found) == [role("ardenly-break-glass")]
    assert [(one.stands_for, one.origin, one.principals) for one in found.exemptions] == [
        ("break-glass role", Origin.FOUND, 1)
    ]
    assert "proposed as the break-glass role" in found.notes[0]
    assert found.notes[1].startswith("Nobody is exempted as security tooling role: no role of such a name")


def test_a_role_of_several_accounts_is_one_pattern_of_one_named_role():
    here, there = role("Break_Glass"), role("Break_Glass", DEV)
    assert exempt(draft(world(here, there), BREAK_GLASS, target=ROOT)) == ["arn:aws:iam::*:role/Break_Glass"]
    assert exempt(draft(world(here, there), BREAK_GLASS)) == [here]  # the other account is not below the target


def test_nothing_is_proposed_on_request():
    found = draft(world(role("break-glass")), BREAK_GLASS, propose=False)
    assert exempt(found) == []
    assert "Nobody is exempted as break-glass role, security tooling role" in found.notes[0]


def test_the_settings_go_before_what_is_found_by_name():
    settings = replace(SETTINGS, exemptions={"break-glass role": ("arn:aws:iam::*:role/rescue",)})
    found = draft(world(role("break-glass"), role("rescue")), BREAK_GLASS, settings=settings)
    assert exempt(found) == ["arn:aws:iam::*:role/rescue"]
    assert [(one.origin, one.principals) for one in found.exemptions] == [(Origin.SETTINGS, 1)]


def test_who_is_asked_for_is_left_out_beside_the_usual():
    found = draft(world(role("break-glass")), BREAK_GLASS, exempt=[role("deploy")])
    assert exempt(found) == [role("break-glass"), role("deploy")]


def test_nobody_usual_is_left_out_of_a_deny_that_always_holds():
    always = scenario("ORG-01", STOP, guardrail_shape="deny_always", usual_exemptions=("break-glass role",))
    assert exempt(draft(world(role("break-glass")), always)) == []


def test_users_and_roles_of_services_are_never_proposed():
    user = f"arn:aws:iam::{PROD}:user/break-glass"
    sso = f"arn:aws:iam::{PROD}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_BreakGlass_0123456789abcdef"
    estate = world(user, sso)
    found = exempted(["break-glass role"], [*estate.subjects.values()], draft_rules(), settings={})
    assert (found.exemptions, found.nobody_for) == ((), ("break-glass role",))


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("break-glass", "cannot be exempted: name a role or user"),
        ("*", "cannot be exempted"),
        ("arn:aws:iam::*:role/*", "cannot be exempted"),
        ("arn:aws:iam::*:role/", "cannot be exempted"),
        ("arn:aws:iam::1111*:role/x", "cannot be exempted"),
        (f"arn:aws:iam::{PROD}:root", "cannot be exempted"),
        (f"arn:aws:sts::{PROD}:assumed-role/app/me", "is a role session; `aws:PrincipalArn` of a session is its role"),
    ],
)
def test_what_is_no_principal_is_not_exempted(arn, reason):
    with pytest.raises(DraftError, match=reason.replace("*", r"\*")):
        draft(world(), exempt=[arn])


# What is attached already


def test_what_an_attached_policy_denies_is_not_drafted_again():
    estate = world(scps={ROOT: [customer_scp("guard", deny(STOP))]})
    (found,) = draft(estate).documents
    assert [one.action for one in found.statements] == [(DELETE,)]


def test_there_is_nothing_to_draft_where_all_is_denied():
    estate = world(scps={OU_PROD: [customer_scp("guard", deny("cloudtrail:*"))]})
    with pytest.raises(DraftError, match=r"policies attached to `Root/Prod` and above deny all of `LOG-01` already"):
        draft(estate)


def test_a_deny_of_the_same_requests_is_joined_to_the_attached_one():
    guard = customer_scp("guard", deny("s3:DeleteBucket", sid="Keep"), allow("*"))
    found = draft(world(scps={OU_PROD: [guard]}))
    (one,) = found.policies
    assert (one.name, one.attach_to, one.replaces and one.replaces.arn) == ("guard", (OU_PROD,), guard.arn)
    assert [(s.sid, s.action) for s in one.document.statements] == [
        ("Keep", ("s3:DeleteBucket", DELETE, STOP)),
        (None, ("*",)),
    ]
    assert "The attached policy `guard` is changed" in found.notes[-1]
    after = with_policies(world(scps={OU_PROD: [guard]}), found.policies, "scp")
    assert [policy.name for policy in after.nodes[OU_PROD].scp.policies] == ["FullAWSAccess", "guard"]
    assert not reaches(after, role("app"), STOP)


@pytest.mark.parametrize(
    "guard",
    [
        customer_scp("guard", deny("s3:DeleteBucket", condition=(condition("Bool", "aws:SecureTransport", "false"),))),
        replace(customer_scp("guard", deny("s3:DeleteBucket")), arn="arn:aws:organizations::aws:policy/x/p-guard"),
        replace(customer_scp("guard", deny("s3:DeleteBucket")), arn=None),
        customer_scp("guard", deny(not_action=("s3:*", "cloudtrail:*"))),
    ],
)
def test_other_requests_and_other_peoples_policies_are_left_as_they_are(guard):
    found = draft(world(scps={OU_PROD: [guard]}))
    assert [(one.name, one.replaces) for one in found.policies] == [("headroom-log-01", None)]


def test_a_policy_that_is_attached_elsewhere_too_is_not_changed():
    guard = customer_scp("guard", deny("s3:DeleteBucket"))
    found = draft(world(scps={OU_PROD: [guard], OU_DEV: [guard]}))
    assert [one.replaces for one in found.policies] == [None]


def test_a_full_policy_takes_up_nothing():
    queues = [f"arn:aws:sqs:*:*:queue-{number}" for number in range(100)]
    guard = customer_scp("guard", deny("s3:DeleteBucket"), deny("sqs:*", on=queues))
    estate, size = world(scps={OU_PROD: [guard]}), characters(guard.document)
    for room, name in ((10, "headroom-log-01"), (60, "guard")):
        settings = replace(SETTINGS, limits={"scp": Limit(size + room, 5)})
        assert [one.name for one in draft(estate, settings=settings).policies] == [name]


# The quota


def many(count: int, name: str = "guard") -> list:
    """Policies of others, so that the draft cannot join them."""
    return [
        replace(customer_scp(f"{name}-{n}", deny("s3:DeleteBucket")), arn=f"arn:aws:organizations::aws:policy/x/p-{n}")
        for n in range(count)
    ]


def test_the_last_free_attachment_is_taken():
    assert len(draft(world(scps={OU_PROD: many(8)})).policies) == 1


def test_without_a_free_attachment_a_policy_of_this_node_takes_up_the_statements():
    own = customer_scp("own", deny("s3:*", condition=(condition("Bool", "aws:SecureTransport", "false"),)))
    estate = world(scps={OU_PROD: [*many(8), own]})
    (one,) = draft(estate).policies
    assert one.name == "own"
    assert [statement.sid for statement in one.document.statements] == [None, "LOG01"]
    assert not reaches(with_policies(estate, [one], "scp"), role("app"), STOP)


def test_a_full_node_is_an_error_that_says_so():
    with pytest.raises(DraftError, match=r"needs 1 more SCP of .* and `Root/Prod` has 10 of 10 attached"):
        draft(world(scps={OU_PROD: many(9)}))


def test_a_long_draft_is_split_and_numbered():
    lots = [
        scenario("A-01", *(f"ec2:{name}" for name in ("RunInstances", "StopInstances", "DeleteVpc"))),
        scenario("A-02", "s3:DeleteBucket", usual_exemptions=("break-glass role",)),
        scenario("A-03", "kms:DisableKey", usual_exemptions=("backup role",)),
    ]
    settings = replace(
        SETTINGS,
        limits={"scp": Limit(330, 5)},
        exemptions={"break-glass role": (role("a"),), "backup role": (role("b"),)},
    )
    estate = world()
    found = draft(estate, *lots, settings=settings)
    assert [one.name for one in found.policies] == ["headroom-a-01-a-02-a-03-1", "headroom-a-01-a-02-a-03-2"]
    assert max(map(characters, found.documents)) <= 330
    after = with_policies(estate, found.policies, "scp")
    assert not any(reaches(after, role("app"), action) for one in lots for action in one.actions)
    with pytest.raises(DraftError, match=r"needs 2 more SCPs of up to 330 characters, and `Root/Prod` has 1 of 2"):
        draft(estate, *lots, settings=replace(settings, limits={"scp": Limit(330, 2)}))


# Boundaries


def test_a_first_boundary_allows_all_but_the_denies():
    estate = world(role("app"), role("ci"), SLR, role("app", DEV))
    found = draft(estate, layer="boundary", target=PROD)
    (one,) = found.policies
    assert one.attach_to == (role("app"), role("ci"))
    after = with_policies(estate, found.policies, "boundary")
    assert [arn for arn in after.subjects if not reaches(after, arn, STOP)] == [role("app"), role("ci")]
    assert reaches(after, role("app"), "s3:GetObject")


def test_the_boundary_that_all_its_holders_share_is_extended():
    held = customer_boundary("workload", document(allow("cloudtrail:*", "s3:*"), deny("s3:DeleteBucket")))
    estate = world(role("app"), role("ci"), boundaries={role("app"): held, role("ci"): held})
    (one,) = draft(estate, layer="boundary", target=PROD).policies
    assert (one.name, one.attach_to, one.replaces and one.replaces.arn) == (
        "workload",
        (role("app"), role("ci")),
        held.arn,
    )
    after = with_policies(estate, [one], "boundary")
    assert [reaches(after, role("app"), action) for action in (STOP, "s3:DeleteBucket", "s3:GetObject")] == [
        False,
        False,
        True,
    ]


def test_a_boundary_that_others_hold_too_is_copied_for_one_role():
    held = customer_boundary("workload", document(allow("*")))
    estate = world(role("app"), role("ci"), boundaries={role("app"): held, role("ci"): held})
    found = draft(estate, layer="boundary", target=role("app"))
    assert [(one.name, one.attach_to, one.replaces) for one in found.policies] == [
        ("headroom-log-01", (role("app"),), None)
    ]
    after = with_policies(estate, found.policies, "boundary")
    assert after.subjects[role("ci")] is estate.subjects[role("ci")]
    assert not reaches(after, role("app"), STOP)


def test_a_boundary_of_aws_is_copied():
    held = replace(customer_boundary("ReadOnly", document(allow("s3:*"))), arn="arn:aws:iam::aws:policy/ReadOnly")
    estate = world(role("app"), boundaries={role("app"): held})
    (one,) = draft(estate, layer="boundary", target=role("app")).policies
    assert one.replaces is None
    assert one.document.statements[0] == held.document.statements[0]


def test_a_boundary_that_would_be_too_long_is_an_error():
    held = customer_boundary("workload", document(*(allow("*", on=f"arn:aws:s3:::{'b' * 60}{n}") for n in range(60))))
    estate = world(role("app"), boundaries={role("app"): held})
    with pytest.raises(
        DraftError, match=r"boundary `workload` with the denies has .* and a managed policy holds 6,144"
    ):
        draft(estate, layer="boundary", target=PROD)


# Places where it cannot go


@pytest.mark.parametrize(
    ("target", "layer", "reason"),
    [
        (
            "ou-nowhere",
            "scp",
            "there is no target `ou-nowhere` in the build; name the id of a root, an OU or an account",
        ),
        ("ou-nowhere", "boundary", "or the ARN of a role or user"),
        (MANAGEMENT, "scp", "is the management account, which no SCP binds .* draft a boundary"),
        (role("app"), "scp", f"an SCP cannot be attached to `.*role/app`; target its account `{PROD}`"),
        (SLR, "boundary", "is a service-linked role, which can hold no permissions boundary"),
        (OU_DEV, "boundary", f"no identities of `{OU_DEV}` are collected"),
    ],
)
def test_a_layer_goes_only_where_it_can_act(target, layer, reason):
    with pytest.raises(DraftError, match=reason):
        draft(world(role("app"), SLR), target=target, layer=layer)


def test_a_policy_type_that_is_off_would_do_nothing():
    off = world(enabled=frozenset({POLICY_TYPES["scp"]}))
    with pytest.raises(DraftError, match="RESOURCE_CONTROL_POLICY is not enabled in this organisation"):
        draft(off, scenario("KMS-01", "kms:DisableKey"), layer="rcp")


def test_without_an_organisation_there_are_boundaries_only():
    alone = world(role("app"), organization=False)
    with pytest.raises(DraftError, match="holds no organisation, so an SCP can be attached nowhere; draft a boundary"):
        draft(alone)
    found = draft(alone, target=PROD, layer="boundary")
    assert not reaches(with_policies(alone, found.policies, "boundary"), role("app"), STOP)


def test_an_account_outside_the_organisation_is_bound_by_nothing_here():
    estate = world()
    outside = replace(estate.accounts[PROD], account_id=AUDIT, in_organization=False)
    estate = replace(estate, accounts={**estate.accounts, AUDIT: outside})
    with pytest.raises(DraftError, match=f"account `{AUDIT}` is outside the organisation"):
        place_of(AUDIT, "scp", estate)


def test_a_draft_needs_a_scenario_and_a_name_that_can_be_kept():
    with pytest.raises(DraftError, match="name at least one scenario"):
        compose((), OU_PROD, "scp", world(), SETTINGS)
    with pytest.raises(DraftError, match="`a b` cannot name a draft"):
        draft(world(), name="a b")
    assert draft(world(), name="trail").name == "trail"
    assert draft(world(), *(scenario(f"LOG-0{n}", STOP) for n in range(1, 6))).name == (
        "headroom-log-01-log-02-log-03-and-2-more"
    )


def test_the_same_question_has_the_same_answer():
    estate = world(role("break-glass"), role("app"))
    assert draft(estate, BREAK_GLASS, TRAIL) == draft(estate, BREAK_GLASS, TRAIL)
