"""The laws of the score, over generated identities, with the whole chain: policies, trust and use to facts to score.

Dominance is the master law: whatever takes reach, ways in, asset value or doubt away, alone or together, never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.findings.assess import Assessor
from analytics.findings.trust.values import EXTERNAL_CLASSES
from analytics.iam.policy import Effect, PolicyDocument, Principals, Statement
from analytics.iam.stack import ControlLevel, NamedPolicy
from tests.builders import ACCOUNT, MFA, allow, condition, deny, document, level
from tests.estates import estate, identity, trusts

if TYPE_CHECKING:
    from analytics.findings.estate import Estate, Subject

STRANGER, VENDOR, MEMBER = "123456789012", "464622532012", "444455556666"
ADMIN, WORKER = (
    identity("admin", allow("*"), trust=trusts("lambda.amazonaws.com", "ec2.amazonaws.com")),
    identity(
        "worker", allow("s3:GetObject", "dynamodb:*"), trust=trusts("ec2.amazonaws.com", f"arn:aws:iam::{ACCOUNT}:root")
    ),
)
ACTIONS = (
    *("*", "iam:*", "s3:*", "s3:Get*", "dynamodb:*", "lambda:*", "ec2:*", "sts:AssumeRole", "ssm:*", "kms:Decrypt"),
    *("iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:CreatePolicyVersion", "iam:PassRole", "iam:CreateAccessKey"),
    *("iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary", "lambda:CreateFunction", "ec2:RunInstances"),
    *("secretsmanager:GetSecretValue", "cloudformation:*", "glue:*", "iam:DetachRolePolicy", "iam:DeleteRolePolicy"),
)
SCOPES = ("*", "*", f"arn:aws:iam::{ACCOUNT}:role/*", f"arn:aws:iam::{ACCOUNT}:role/worker", "arn:aws:s3:::logs/*")
EXTERNAL_ID = condition("StringEquals", "sts:ExternalId", "x")
NETWORK = condition("IpAddress", "aws:SourceIp", "203.0.113.0/24")
WAYS = (
    trusts("*"), trusts("*", conditions=[NETWORK]), trusts(f"arn:aws:iam::{STRANGER}:root"),
    trusts(f"arn:aws:iam::{STRANGER}:root", conditions=[EXTERNAL_ID]), trusts(f"arn:aws:iam::{VENDOR}:root"),
    trusts(f"arn:aws:iam::{VENDOR}:root", conditions=[EXTERNAL_ID]), trusts(f"arn:aws:iam::{MEMBER}:root"),
    trusts(f"arn:aws:iam::{ACCOUNT}:root"), trusts("ec2.amazonaws.com"), trusts("backup.amazonaws.com"),
)  # fmt: skip
USED = ("s3:*", "iam:*", "dynamodb:*", "lambda:*", "ec2:D*", "sts:*")
LAWS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _statement(draw: st.DrawFn, effect: Effect) -> Statement:
    actions = tuple(draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4, unique=True)))
    conditions = (MFA,) if draw(st.integers(0, 4)) == 0 else ()
    return Statement(effect, action=actions, resource=(draw(st.sampled_from(SCOPES)),), condition=conditions)


@st.composite
def denies(draw: st.DrawFn) -> Statement:
    return _statement(draw, Effect.DENY)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    """A role of any reach, limits, use, ways in and environment."""
    own = [_statement(draw, Effect.ALLOW) for _ in range(draw(st.integers(0, 3)))]
    own += [draw(denies())] if draw(st.integers(0, 3)) == 0 else []
    bounded = draw(st.integers(0, 3)) == 0
    one = identity(
        "app",
        *own,
        trust=_joined(draw(st.lists(st.sampled_from(WAYS), min_size=1, max_size=3))),
        boundary=[_statement(draw, Effect.ALLOW), allow("s3:*")] if bounded else None,
        scps=[[allow("*")]] * draw(st.integers(1, 2)),
    )
    seen = draw(actions_seen(one.reach.maybe))
    environment = draw(st.sampled_from([None, "production", "staging", "sandbox"]))
    return replace(one, seen=seen, environment=environment)


@st.composite
def actions_seen(draw: st.DrawFn, of: int) -> int:
    """Some of these actions."""
    mask = 0
    for name in draw(st.lists(st.sampled_from(USED), max_size=3)):
        mask |= surroundings().catalogue.expand(name)
    return of & mask


def _joined(documents: list[PolicyDocument]) -> PolicyDocument:
    return document(*(statement for one in documents for statement in one.statements))


@cache
def surroundings() -> Estate:
    return estate(ADMIN, WORKER, identity("app", trust=trusts("ec2.amazonaws.com")))


@cache
def assessor() -> Assessor:
    return Assessor(surroundings())


def score(subject: Subject) -> float:
    """By the whole chain; the estate around is the same."""
    return assessor().what_if(subject).risk.score


def changed(subject: Subject, **stack: object) -> Subject:
    return surroundings().changed(subject, stack=replace(subject.stack, **stack))


# --- what may be taken away


def with_identity_deny(draw: st.DrawFn, subject: Subject) -> Subject:
    policy = NamedPolicy("stop", document(draw(denies())), "arn:aws:iam::aws:policy/stop", subject.arn)
    return changed(subject, identity=(*subject.stack.identity, policy))


def with_scp_deny(draw: st.DrawFn, subject: Subject) -> Subject:
    return changed(subject, scp_levels=(*subject.stack.scp_levels, level(allow("*"), draw(denies()), node="ou")))


def with_use_denied(draw: st.DrawFn, subject: Subject) -> Subject:
    """An SCP that denies nothing but what is used: of a share of unused actions it would make more."""
    expand, reach = surroundings().catalogue.expand, subject.reach.maybe
    used = [one for one in USED if expand(one) & reach and not expand(one) & reach & ~subject.seen]
    if not used:
        return subject
    denied = deny(draw(st.sampled_from(used)))
    return changed(subject, scp_levels=(*subject.stack.scp_levels, level(allow("*"), denied, node="ou")))


def with_scp_list(draw: st.DrawFn, subject: Subject) -> Subject:
    listed = _statement(draw, Effect.ALLOW)
    return changed(subject, scp_levels=(*subject.stack.scp_levels, level(listed, node="ou")))


def with_boundary(draw: st.DrawFn, subject: Subject) -> Subject:
    if subject.stack.boundary is not None:
        return subject
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    limit = document(*(_statement(draw, Effect.ALLOW) for _ in range(draw(st.integers(1, 3)))))
    return changed(subject, boundary=NamedPolicy("limit", limit, arn, arn))


def with_less_granted(draw: st.DrawFn, subject: Subject) -> Subject:
    """Without some of what its Allow statements name."""

    def less(one: Statement) -> Statement:
        kept = draw(st.lists(st.sampled_from(one.action), min_size=1, unique=True))
        return one if one.effect is Effect.DENY else replace(one, action=tuple(kept))

    policies = (
        replace(named, document=replace(named.document, statements=tuple(map(less, named.document.statements))))
        for named in subject.stack.identity
    )
    return changed(subject, identity=tuple(policies))


def with_more_seen(draw: st.DrawFn, subject: Subject) -> Subject:
    return replace(subject, seen=subject.seen | draw(actions_seen(surroundings().catalogue.full)))


def with_narrower_trust(draw: st.DrawFn, subject: Subject) -> Subject:
    """Fewer statements, a Deny, or a condition more."""
    assert subject.trust is not None
    statements = list(subject.trust.statements)
    match draw(st.integers(0, 2)):
        case 0:
            statements = draw(st.lists(st.sampled_from(statements), min_size=1, unique_by=id))
        case 1:
            everyone = Principals(everyone=True)
            never = condition("StringNotEquals", "aws:PrincipalOrgID", "o-exampleorg")
            statements.append(
                Statement(Effect.DENY, action=("sts:AssumeRole",), principal=everyone, condition=(never,))
            )
        case _:
            more = draw(st.sampled_from([EXTERNAL_ID, NETWORK]))
            statements = [replace(one, condition=(*one.condition, more)) for one in statements]
    return replace(subject, trust=document(*statements))


def with_rcp(_draw: st.DrawFn, subject: Subject) -> Subject:
    outsiders = Statement(
        Effect.DENY, action=("sts:AssumeRole",), resource=("*",), principal=Principals(everyone=True),
        condition=(
            condition("StringNotEqualsIfExists", "aws:PrincipalOrgID", "o-exampleorg"),
            condition("BoolIfExists", "aws:PrincipalIsAWSService", "false"),
        ),
    )  # fmt: skip
    full = Statement(Effect.ALLOW, action=("*",), resource=("*",), principal=Principals(everyone=True))
    policies = (NamedPolicy("rcp", document(full, outsiders), None, "r"),)
    return changed(subject, rcp_levels=(ControlLevel("r", "r", policies),))


def with_lesser_environment(draw: st.DrawFn, subject: Subject) -> Subject:
    order = [None, "production", "staging", "sandbox"]
    return replace(subject, environment=draw(st.sampled_from(order[order.index(subject.environment) :])))


REDUCTIONS: tuple[Callable[[st.DrawFn, Subject], Subject], ...] = (
    with_identity_deny, with_use_denied, with_scp_deny, with_scp_list, with_boundary, with_less_granted, with_more_seen,
    with_narrower_trust, with_rcp, with_lesser_environment,
)  # fmt: skip


@pytest.mark.parametrize("reduce", REDUCTIONS, ids=lambda one: one.__name__)
def test_nothing_that_is_taken_away_raises_the_score(reduce: Callable[[st.DrawFn, Subject], Subject]) -> None:
    @LAWS
    @given(st.data())
    def law(data: st.DataObject) -> None:
        more = data.draw(subjects())
        assert score(reduce(data.draw, more)) <= score(more)

    law()


@LAWS
@given(st.data())
def test_dominance(data: st.DataObject) -> None:
    """Whatever combination of them."""
    more = data.draw(subjects())
    less = more
    for reduce in data.draw(st.lists(st.sampled_from(REDUCTIONS), min_size=2, max_size=5)):
        less = reduce(data.draw, less)
    assert score(less) <= score(more)


@LAWS
@given(st.data())
def test_lost_evidence_never_lowers(data: st.DataObject) -> None:
    known = data.draw(subjects())
    lost = replace(
        known,
        seen=known.seen & data.draw(actions_seen(surroundings().catalogue.full)),
        observable=0,
        environment=data.draw(st.sampled_from([known.environment, None])),
        trust=data.draw(st.sampled_from([known.trust, None])),
    )
    assert score(lost) >= score(known)


@LAWS
@given(st.data())
def test_words_order_and_names_change_nothing(data: st.DataObject) -> None:
    """Statements shuffled and split, letters in another case, Sids and policy names made up."""
    one = data.draw(subjects())
    policies = []
    for number, named in enumerate(one.stack.identity):
        pieces = [
            replace(part, action=(action.swapcase() if "*" in action else action.upper(),), sid=f"Sid{at}")
            for at, part in enumerate(named.document.statements)
            for action in (*part.action, part.action[0])
        ]
        shuffled = data.draw(st.permutations(pieces))
        policies.append(
            replace(named, name=f"other-{number}", document=replace(named.document, statements=tuple(shuffled)))
        )
    assert one.trust is not None
    trust = document(*reversed([replace(part, sid="Other") for part in one.trust.statements]))
    other = replace(changed(one, identity=tuple(reversed(policies))), trust=trust)
    assert score(other) == score(one)


@LAWS
@given(subjects())
def test_the_parts_add_up_and_stay_within_their_bounds(subject: Subject) -> None:
    found = assessor().what_if(subject)
    risk, most = found.risk, assessor().weights.table("factors")
    assert round(sum(risk.factors) + risk.floor_points, 1) == risk.score
    assert 0 <= risk.score <= 100
    assert all(0 <= points <= most[name] for name, points in zip(most, risk.factors, strict=True))


@LAWS
@given(subjects())
def test_an_rcp_for_the_organisation_leaves_no_way_in_from_outside(subject: Subject) -> None:
    narrowed = assessor().what_if(with_rcp(lambda _strategy: None, subject))
    assert not {party.trust_class for party in narrowed.parties} & EXTERNAL_CLASSES


@LAWS
@given(subjects())
def test_a_changed_copy_scores_as_the_estate_in_which_it_is_real(subject: Subject) -> None:
    assert Assessor(surroundings().replaced([subject])).of(subject.arn).risk == assessor().what_if(subject).risk


def test_a_deny_of_used_actions_does_not_raise_the_score_as_a_ratio_would() -> None:
    app = identity("app", allow("dynamodb:*"), trust=trusts("ec2.amazonaws.com"), scps=[[allow("*")]])
    used = replace(app, seen=surroundings().catalogue.expand("dynamodb:*"))
    half = surroundings().catalogue.expand("dynamodb:*Table*")
    partly = replace(used, seen=half)
    denied = changed(partly, scp_levels=(level(allow("*"), deny("dynamodb:*Table*")),))
    assert score(denied) <= score(partly)
