"""What would lower a score: every number is the one that the change leaves once it is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings

from analytics.findings.assess import Assessor
from analytics.findings.boundaries.fit import fitter_of
from analytics.findings.boundaries.templates import template
from analytics.findings.lowering.actions import ActionChanges
from analytics.findings.lowering.changes import Change, ChangeKind, Lowering
from analytics.findings.remediation.boundary import boundary_document
from analytics.findings.remediation.commands import own_policy
from analytics.findings.remediation.narrow import Narrower
from analytics.findings.remediation.rightsize import RightSizer
from analytics.findings.remediation.rules import remediation_rules
from analytics.findings.trust.parties import narrowed_trust, trusted_parties
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Condition
from analytics.iam.stack import NamedPolicy
from analytics.sources.snapshot_values import AccessKey, Credentials
from tests.builders import ACCOUNT, MFA, allow, deny, document
from tests.estates import estate, identity, trusts
from tests.test_risk_laws import ADMIN, EXTERNAL_ID, LAWS, STRANGER, WORKER, subjects, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from analytics.findings.estate import Estate, Subject

CATALOGUE = load_catalogue()
NARROWER = Narrower(CATALOGUE)
SERVICES = {name: ((1 << len(span)) - 1) << span.start for name, span in CATALOGUE.services.items()}
FEW = settings(LAWS, max_examples=40)


@cache
def high_risk() -> int:
    weights = surroundings().weights
    facts = zip(CATALOGUE.actions, weights.weights, strict=True)
    return CATALOGUE.mask(action for action, weight in facts if weight >= weights.high_risk_from)


def without_service(subject: Subject, service: str, around: Estate) -> Subject:
    keep = CATALOGUE.full & ~(subject.reach.maybe & ~subject.seen & SERVICES[service])
    kept = [(named, NARROWER.document(named.document, keep)) for named in subject.stack.identity]
    policies = tuple(replace(named, document=left) for named, left in kept if left is not None)
    return around.changed(subject, stack=replace(subject.stack, identity=policies))


def with_scp(subject: Subject, around: Estate) -> Subject:
    """One more policy at the lowest level, in another wording: two statements."""
    names = CATALOGUE.names(subject.reach.maybe & ~subject.seen & high_risk())
    half = len(names) // 2
    denied = document(*(deny(*part) for part in (names[:half], names[half:]) if part))
    *upper, lowest = subject.stack.scp_levels
    added = replace(lowest, policies=(*lowest.policies, NamedPolicy("more", denied, None, lowest.node_id)))
    return around.changed(subject, stack=replace(subject.stack, scp_levels=(*upper, added)))


def bounded(subject: Subject, around: Estate) -> Subject:
    name, arn = own_policy(subject, "boundary", ())
    found = boundary_document(subject, arn, around, remediation_rules().quotas.managed_policy_characters)
    assert found is not None
    boundary = NamedPolicy(name, found.document, arn, arn)
    return around.changed(subject, stack=replace(subject.stack, boundary=boundary))


def made(subject: Subject, change: Change, around: Estate) -> Subject:
    """The identity once the change is made."""
    match change.kind:
        case ChangeKind.DROP_UNUSED:
            return without_service(subject, change.detail["service"], around)
        case ChangeKind.SCP:
            return with_scp(subject, around)
        case ChangeKind.BOUNDARY:
            return bounded(subject, around)
        case ChangeKind.TEMPLATE:
            content = fitter_of(around).document(template(change.detail["template"]), subject.account_id)
            arn = f"arn:aws:iam::{subject.account_id}:policy/boundary/{change.detail['template']}"
            policy = NamedPolicy(change.detail["template"], content, arn, arn)
            return around.changed(subject, stack=replace(subject.stack, boundary=policy))
        case ChangeKind.TRUST:
            detail = change.detail
            wanted = set(zip(detail["parties"], detail["statements"], strict=True))
            named = [one for one in trusted_parties(subject, around) if (one.party, one.statement) in wanted]
            return around.changed(subject, trust=narrowed_trust(subject, named))
        case ChangeKind.KEY:
            assert subject.credentials is not None
            keys = subject.credentials.access_keys
            left = tuple(key for at, key in enumerate(keys, start=1) if at != change.detail["key"])
            return around.changed(subject, credentials=replace(subject.credentials, access_keys=left))


def score_when_made(subject: Subject, change: Change, around: Estate) -> float:
    """In an estate of its own, everything computed anew."""
    return Assessor(around.replaced([made(subject, change, around)])).of(subject.arn).risk.score


@LAWS
@given(subjects())
def test_the_score_of_right_sized_policies_is_the_one_that_they_leave(subject: Subject) -> None:
    watched = replace(subject, observable=CATALOGUE.full, seen=subject.reach.maybe & SERVICES["s3"])
    around = surroundings().replaced([watched])
    found = RightSizer(around, remediation_rules()).of(watched)
    if found is not None:
        assessor = Assessor(around)
        assert ActionChanges(assessor).score_of_narrowed(found.after) == assessor.what_if(found.after).risk.score


def two_statements_about_one_party() -> Subject:
    """The account comes in plainly and with an ExternalId; a Deny leaves it nothing to do."""
    stranger = f"arn:aws:iam::{STRANGER}:root"
    trust = document(*trusts(stranger).statements, *trusts(stranger, conditions=[EXTERNAL_ID]).statements)
    return identity("app", replace(deny("*"), condition=(MFA,)), trust=trust, scps=[[allow("*")]])


def under_a_template_of_scoped_actions() -> Subject:
    """A template may allow what a path needs, but on fewer resources than the path leads to."""
    own = [allow("iam:CreatePolicyVersion", "iam:CreateAccessKey"), allow("sts:AssumeRole", "s3:Get*")]
    one = identity("app", *(replace(part, condition=(MFA,)) for part in own), trust=trusts("*"), scps=[[allow("*")]])
    return replace(one, seen=one.reach.maybe & SERVICES["s3"])


def every_score_is_the_one_that_the_change_leaves(subject: Subject) -> None:
    """By the search itself: that a changed copy scores as in an estate of its own is a law of test_risk_laws."""
    around = surroundings().replaced([subject])
    assessor = Assessor(around)
    before = assessor.of(subject.arn).risk.score
    changes = Lowering(assessor).of(subject.arn)
    for change in changes:
        assert change.score_after == assessor.what_if(made(subject, change, around)).risk.score, change
    assert all(change.score_after < before for change in changes)
    assert [one.score_after for one in changes] == sorted(one.score_after for one in changes)
    assert len({one.kind for one in changes}) == len(changes)


def no_other_service_would_lower_it_more(subject: Subject) -> None:
    around = surroundings().replaced([subject])
    assessor = Assessor(around)
    before = assessor.of(subject.arn).risk.score
    unused = subject.reach.maybe & ~subject.seen
    interesting = [name for name in ("iam", "sts", "s3", "lambda", "ec2", "dynamodb", "kms") if unused & SERVICES[name]]
    others = [assessor.what_if(without_service(subject, name, around)).risk.score for name in interesting]
    named = [one.score_after for one in Lowering(assessor).of(subject.arn) if one.kind is ChangeKind.DROP_UNUSED]
    assert min([*named, before]) <= min([*others, before])


@FEW
@given(subjects())
@example(two_statements_about_one_party())
@example(under_a_template_of_scoped_actions())
def test_every_score_is_the_one_that_the_change_leaves(subject: Subject) -> None:
    every_score_is_the_one_that_the_change_leaves(subject)


@FEW
@given(subjects())
def test_no_other_service_would_lower_it_more(subject: Subject) -> None:
    no_other_service_would_lower_it_more(subject)


@pytest.mark.slow
@pytest.mark.parametrize("law", [every_score_is_the_one_that_the_change_leaves, no_other_service_would_lower_it_more])
def test_the_laws_hold_for_many(law: Callable[[Subject], None]) -> None:
    settings(LAWS, max_examples=400)(given(subjects())(law))()


# --- one by one


def changes(subject: Subject, *others: Subject, never_used: tuple[int, ...] = ()) -> dict[str, Change]:
    around = estate(ADMIN, WORKER, subject, *others)
    return {str(one.kind): one for one in Lowering(Assessor(around)).of(subject.arn, never_used)}


def test_an_idle_administrator_would_lose_most_without_iam() -> None:
    idle = identity("idle", allow("*"), trust=trusts(f"arn:aws:iam::{ACCOUNT}:root"), scps=[[allow("*")]])
    found = changes(idle)
    assert found["drop-unused"].title == "Drop the unused actions of iam"
    assert found["scp"].score_after < found["drop-unused"].score_after
    assert "boundary" not in found  # nothing was seen used that one could keep


def test_a_boundary_is_of_the_services_used() -> None:
    seen = CATALOGUE.mask(["s3:GetObject"])
    app = replace(identity("busy", allow("s3:*", "dynamodb:*", "iam:PutRolePolicy")), seen=seen)
    found = changes(app)["boundary"]
    assert found.detail == {"services": ["s3"], "granted_services": 3}
    assert found.title == "Add a boundary of the one service that it used"
    assert "scp" not in changes(app)  # no level of SCPs binds it


def test_parties_that_nobody_used_go_first_and_else_the_most_exposed_one() -> None:
    both = document(*trusts(f"arn:aws:iam::{STRANGER}:root").statements, *trusts("ec2.amazonaws.com").statements)
    app = identity("open", allow("s3:*"), trust=both)
    found = changes(app)["narrow-trust"]
    assert found.detail == {
        "parties": [f"arn:aws:iam::{STRANGER}:root"], "basis": "most exposed", "statements": [0],
    }  # fmt: skip
    assert changes(app, never_used=(0,))["narrow-trust"].detail["basis"] == "never used"
    # that the service never came lowers nothing: the stranger counts
    assert changes(app, never_used=(1,))["narrow-trust"].detail["basis"] == "most exposed"


def test_of_two_statements_about_one_party_the_one_that_goes_is_named() -> None:
    stranger = f"arn:aws:iam::{STRANGER}:root"
    pinned = trusts(stranger, conditions=[Condition("StringEquals", "sts:ExternalId", ("x",))])
    app = identity("open", allow("s3:*"), trust=document(*pinned.statements, *trusts(stranger).statements))
    found = changes(app)["narrow-trust"]
    assert found.title == f"Stop trusting {stranger} by statement 2 of the trust policy"
    assert found.score_after == score_when_made(app, found, estate(ADMIN, WORKER, app))


def test_the_template_that_fits_best_joins_where_it_lowers_the_score() -> None:
    seen = CATALOGUE.mask(["s3:GetObject", "athena:StartQueryExecution", "glue:GetTable"])
    sso = "/aws-reserved/sso.amazonaws.com/"
    people = trusts("arn:aws:iam::111122223333:saml-provider/corp")
    analyst = replace(identity("AWSReservedSSO_Data_0123456789abcdef", allow("*"), path=sso, trust=people), seen=seen)
    found = changes(analyst)["boundary-template"]
    around = estate(ADMIN, WORKER, analyst)
    best = fitter_of(around).best(analyst)
    assert best is not None
    assert found.title == f"Add the boundary template {best.template}"
    assert found.detail["unused_weight_left"] < found.detail["unused_weight"]
    assert found.score_after == score_when_made(analyst, found, around) < Assessor(around).of(analyst.arn).risk.score


def test_nobody_with_a_boundary_or_without_use_is_offered_a_template() -> None:
    seen = CATALOGUE.mask(["s3:GetObject"])
    assert "boundary-template" not in changes(identity("idle", allow("*")))
    bound = replace(identity("bound", allow("*"), boundary=[allow("s3:*", "iam:*")]), seen=seen)
    assert "boundary-template" not in changes(bound)


def test_the_only_way_in_is_no_trust_to_narrow() -> None:
    assert "narrow-trust" not in changes(identity("one", allow("s3:*"), trust=trusts("*")))


def test_of_two_keys_the_one_whose_end_lowers_most_is_named() -> None:
    old, new = (datetime(year, 11, 1, tzinfo=UTC).replace(tzinfo=None) for year in (2020, 2026))
    keys = (AccessKey(True, new, None, None, None), AccessKey(True, old, None, None, None))
    known = Credentials(False, None, None, True, keys)
    user = identity("eve", allow("s3:*"), kind="user", credentials=known)
    found = changes(user)["remove-key"]
    assert found.detail == {"key": 2, "created": "2020-11-01"}
    only = replace(user, credentials=replace(known, access_keys=keys[:1]))
    assert changes(only)["remove-key"].detail["key"] == 1


def test_a_role_that_is_named_by_another_keeps_the_way_that_needs_no_policy() -> None:
    """Losing sts:AssumeRole does not end it: the trust of the other role stands by itself."""
    app = identity("named", allow("sts:*"), scps=[[allow("*")]])
    target = identity("strong", allow("*"), trust=trusts(app.arn))
    around = estate(app, target)
    found = {str(one.kind): one for one in Lowering(Assessor(around)).of(app.arn)}
    assert found
    for change in found.values():
        assert change.score_after == score_when_made(app, change, around), change.kind


@pytest.mark.parametrize("lifting", ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"])
def test_who_may_lift_its_boundary_is_assessed_anew(lifting: str) -> None:
    app = identity(
        "lifts", allow(lifting, "iam:PutRolePolicy", "lambda:*", "iam:PassRole", "s3:*"), scps=[[allow("*")]],
        boundary=[allow(lifting, "lambda:*", "iam:PassRole", "s3:*")],
    )  # fmt: skip
    around = estate(app, ADMIN)
    found = Lowering(Assessor(around)).of(app.arn)
    assert found
    for change in found:
        assert change.score_after == score_when_made(app, change, around), change.kind


def test_an_identity_that_can_do_nothing_has_nothing_to_lose() -> None:
    assert not {"drop-unused", "scp", "boundary"} & set(changes(identity("empty", trust=trusts("ec2.amazonaws.com"))))
    linked = identity("AWSServiceRoleForX", allow("*"), path="/aws-service-role/x.amazonaws.com/")
    assert changes(linked) == {}


# --- what a change would break


def idle_user(**facts: Any) -> Subject:
    """Reads a bucket and could delete tables; its key lies idle."""
    key = AccessKey(True, datetime(2020, 11, 1), None, None, None)  # noqa: DTZ001  naive UTC, as in a build
    known = Credentials(False, None, None, True, (key,))
    user = identity("eve", allow("s3:*", "dynamodb:*"), kind="user", credentials=known, scps=[[allow("*")]])
    return replace(user, seen=CATALOGUE.mask(["s3:GetObject"]), **facts)


def test_nothing_breaks_where_every_call_of_what_goes_would_have_been_seen() -> None:
    found = changes(idle_user(observable=CATALOGUE.full), never_used=(0,))
    assert {kind: one.calls_broken for kind, one in found.items()} == dict.fromkeys(found, 0)
    assert {"drop-unused", "boundary", "scp", "remove-key"} <= set(found)


def test_what_would_not_have_been_seen_is_not_proven() -> None:
    found = changes(idle_user())
    assert {one.calls_broken for one in found.values()} == {None}


def test_a_call_of_which_the_action_is_not_known_leaves_actions_not_proven_but_not_the_key() -> None:
    user = idle_user(observable=CATALOGUE.full)
    lowering = Lowering(Assessor(estate(ADMIN, WORKER, user)), unresolved=[user.arn])
    found = {str(one.kind): one.calls_broken for one in lowering.of(user.arn, (0,))}
    assert found.pop("remove-key") == 0
    assert set(found.values()) == {None}


def test_a_way_in_that_was_used_may_break_who_uses_it() -> None:
    both = document(*trusts(f"arn:aws:iam::{STRANGER}:root").statements, *trusts("ec2.amazonaws.com").statements)
    app = identity("open", allow("s3:*"), trust=both)
    assert changes(app)["narrow-trust"].calls_broken is None
    assert changes(app, never_used=(0,))["narrow-trust"].calls_broken == 0
