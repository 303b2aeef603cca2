"""Escalation held to laws and to a slow twin, over generated estates.

The estates share documents, boundaries and control policies between identities and accounts on purpose, and their
policies ask who calls: by variables, by the caller's ARN, by its tags. What one identity is answered must not reach
another.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.findings.escalation.escalations import Escalations
from analytics.findings.escalation.facts import Held
from analytics.findings.escalation.levels import Weighing
from analytics.findings.escalation.powers import Powers
from analytics.findings.escalation.trust import Trusts
from analytics.findings.escalation.workshop import Workshop
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import PolicyDocument, Principals
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack
from tests import slow_escalation as slow
from tests.builders import MFA, allow, condition, deny, document, principal
from tests.estates import arn, estate, identity, trusts

if TYPE_CHECKING:
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import Statement

HOME, AWAY = "111122223333", "444455556666"
LAMBDA = "lambda.amazonaws.com"
KINDS = (("one", "role"), ("two", "role"), ("three", "role"), ("ann", "user"), ("bob", "user"))
ACTIONS = (
    "*", "iam:*", "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:PassRole", "sts:AssumeRole", "lambda:*",
    "iam:CreateAccessKey", "iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy",
)  # fmt: skip
RESOURCES = (
    "*", "*", "arn:aws:iam::*:role/one", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:role/t*",
    "arn:aws:iam::${aws:PrincipalAccount}:*", "arn:aws:iam::*:role/${aws:PrincipalTag/team}",
    "arn:aws:iam::*:role/o${aws:PrincipalTag/team}",
    f"arn:aws:iam::{HOME}:*",
)  # fmt: skip
CONDITIONS = (
    MFA,
    condition("StringEquals", "aws:PrincipalTag/team", "two"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/one"),
    condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:*/*o*"),
    condition("StringEquals", "aws:PrincipalAccount", AWAY),
    condition("StringEquals", "iam:ResourceTag/team", "${aws:PrincipalTag/team}"),
    condition("StringEquals", "iam:PassedToService", LAMBDA),
    condition("StringEquals", "aws:username", "ann"),
    condition("StringNotEquals", "aws:PrincipalTag/team", "two"),
    condition("StringEquals", "aws:RequestedRegion", "eu-central-1"),
    condition("StringNotLike", "aws:RequestedRegion", "eu-*"),
    condition("Null", "iam:PermissionsBoundary", "true"),
    condition("ArnNotLike", "iam:PolicyARN", "arn:aws:iam::aws:policy/Admin*"),
)
TRUSTS = (
    None, trusts(LAMBDA), trusts(arn("one")), trusts(f"arn:aws:iam::{HOME}:root"), trusts("*"),
    trusts(f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{AWAY}:root", conditions=[CONDITIONS[2]]),
    trusts(f"arn:aws:iam::{AWAY}:root", conditions=[CONDITIONS[1]]), trusts("*", conditions=[MFA]),
    trusts(LAMBDA, arn("ann", kind="user")),
)  # fmt: skip

ASKED_OF_USERS: tuple[tuple[str, str | None], ...] = (("iam:CreateAccessKey", None), ("iam:PutUserPolicy", None))
ASKED_OF_ROLES: tuple[tuple[str, str | None], ...] = (
    ("iam:PassRole", LAMBDA), ("iam:UpdateAssumeRolePolicy", None), ("iam:AttachRolePolicy", None),
    ("iam:DeleteRolePermissionsBoundary", None),
)  # fmt: skip


@st.composite
def statements(draw: Any, effect: Any = None) -> Statement:
    make = effect or draw(st.sampled_from([allow, allow, deny]))
    actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2, unique=True))
    when = tuple(draw(st.lists(st.sampled_from(CONDITIONS), max_size=1)))
    return make(*actions, on=draw(st.sampled_from(RESOURCES)), condition=when)


documents = st.lists(statements(), min_size=1, max_size=3).map(lambda made: document(*made))


@st.composite
def estates(draw: Any) -> Estate:
    """Up to ten identities of two accounts; policies, limits and trusts are drawn from a few shared ones."""
    own = draw(st.lists(documents, min_size=2, max_size=3))
    own.append(document(allow("iam:*", "lambda:*", "sts:AssumeRole")))
    full = NamedPolicy("full", document(allow("*")), None, "root")
    limits = [
        NamedPolicy(f"limit-{at}", document(allow("*"), *draw(st.lists(statements(deny), max_size=2))), None, "root")
        for at in range(2)
    ]
    levels = {
        account: tuple(
            ControlLevel(f"l{at}", f"l{at}", (policy,))
            for at, policy in enumerate(draw(st.lists(st.sampled_from([full, *limits]), max_size=2)))
        )
        for account in (HOME, AWAY)
    }
    bounds = [None, None, NamedPolicy("limit", own[-1], f"arn:aws:iam::{HOME}:policy/limit")]
    made = []
    for account in (HOME, AWAY):
        for name, kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True)):
            its_arn = arn(name, kind=kind, account=account)
            tags = draw(st.sampled_from([None, (), (("team", "one"),), (("team", "two"),)]))
            chosen = draw(st.lists(st.sampled_from(own), min_size=1, max_size=2))
            stack = PolicyStack(
                principal=principal(its_arn, tags=tags),
                identity=tuple(NamedPolicy(f"p{at}", one, None, its_arn) for at, one in enumerate(chosen)),
                boundary=draw(st.sampled_from(bounds)),
                scp_levels=levels[account],
            )
            trust = draw(st.sampled_from(TRUSTS)) if kind == "role" else None
            bare = identity(name, kind=kind, account=account, trust=trust, tags=tags)
            made.append(replace(bare, stack=stack))
    found = estate(*made)
    return found.replaced([found.changed(one, stack=one.stack) for one in found.subjects.values()])


def _shared_powers_are_those_of_each_alone(found: Estate) -> None:
    workshop = Workshop(found)
    for caller, target in slow.pairs(found):
        if caller.account_id != target.account_id:
            continue
        powers = Powers(workshop, caller)
        is_user = target.kind is PrincipalKind.USER
        for action, choice in ASKED_OF_USERS if is_user else ASKED_OF_ROLES:
            about = slow.about_identity(target, passed=choice is not None)
            shared = powers.on(action, target.arn, about, choice=choice)
            assert shared == slow.asked(caller, action, target, choice), (caller.arn, action, target.arn)


@settings(max_examples=25, deadline=None)
@given(estates())
def test_powers_that_identities_share_are_those_that_each_has_alone(found: Estate) -> None:
    _shared_powers_are_those_of_each_alone(found)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(estates())
def test_powers_that_identities_share_are_those_that_each_has_alone_in_many_estates(found: Estate) -> None:
    _shared_powers_are_those_of_each_alone(found)


@settings(max_examples=40, deadline=None)
@given(estates())
def test_trusts_that_are_decided_once_are_those_of_each_pair(found: Estate) -> None:
    workshop = Workshop(found)
    indexed = Trusts(workshop)
    for caller, role in slow.pairs(found):
        assert indexed.assumes(Powers(workshop, caller), role) == slow.assumes(caller, role), (caller.arn, role.arn)
    for role in found.subjects.values():
        behind = {one.arn: held for one, held in indexed.behind(role.account_id, LAMBDA)}
        assert behind.get(role.arn, Held.NO) == slow.serves(role, LAMBDA)


@settings(max_examples=20, deadline=None)
@given(estates())
def test_found_paths_are_those_of_the_slow_twin(found: Estate) -> None:
    escalations, weighing = Escalations(found), Weighing(found)
    for subject in found.subjects.values():
        paths = {path.path_id: path for path in escalations.of(subject)}
        alone = slow.administrator(weighing, subject)
        if alone == slow.SURELY:
            assert escalations.administrator(subject) == "surely"
        passed = dict(slow.passed_to(found, subject, LAMBDA)) if "lambda-001" in paths else {}
        target = paths["lambda-001"].target_arn if "lambda-001" in paths else None
        if target is not None:
            assert target in {one.arn for one in passed}
            assert not paths["lambda-001"].surely or passed[found.subjects[target]] == slow.SURELY
        elif "lambda-001" in paths:
            assert not passed


@settings(max_examples=6, deadline=None)
@given(estates())
def test_an_identity_is_answered_alike_alone_and_after_all_others(found: Estate) -> None:
    together = Escalations(found)
    for subject in reversed(found.subjects.values()):
        together.of(subject)
    for subject in found.subjects.values():
        assert Escalations(found).of(subject) == together.of(subject)


def _strongest(escalations: Escalations, subject: Subject) -> float:
    return max((path.strength for path in escalations.of(subject)), default=0.0)


@settings(max_examples=30, deadline=None)
@given(estates(), st.data())
def test_what_takes_away_never_strengthens_and_never_adds_a_path(found: Estate, data: Any) -> None:
    escalations = Escalations(found)
    subject = data.draw(st.sampled_from(list(found.subjects.values())))
    stack, taken = subject.stack, document(data.draw(statements(deny)))
    kind = data.draw(st.sampled_from(["deny", "scp", "boundary"]))
    if kind == "deny":
        less = replace(stack, identity=(*stack.identity, NamedPolicy("less", taken, None, subject.arn)))
    elif kind == "scp":
        level = ControlLevel("more", "more", (NamedPolicy("more", document(allow("*"), *taken.statements)),))
        less = replace(stack, scp_levels=(*stack.scp_levels, level))
    else:
        less = replace(stack, boundary=stack.boundary or NamedPolicy("b", document(allow("*"), *taken.statements)))
    changed = found.changed(subject, stack=less)
    assert _strongest(escalations, changed) <= _strongest(escalations, subject)
    lifted = {path.path_id for path in escalations.of(changed) if path.why.startswith("without ")}
    assert {path.path_id for path in escalations.of(changed)} - lifted <= {
        path.path_id for path in escalations.of(subject)
    }


def _turned(one: PolicyDocument) -> PolicyDocument:
    """The same policy in another order and spelling, its first statement twice."""
    turned = tuple(
        replace(statement, action=tuple(name.upper() if ":" in name else name for name in reversed(statement.action)))
        for statement in reversed(one.statements)
    )
    return PolicyDocument((*turned, turned[0]), version=one.version)


@settings(max_examples=8, deadline=None)
@given(estates())
def test_order_and_spelling_change_nothing(found: Estate) -> None:
    other = found.replaced(
        found.changed(
            one,
            stack=replace(
                one.stack,
                identity=tuple(
                    replace(named, document=_turned(named.document), name="renamed")
                    for named in reversed(one.stack.identity)
                ),
            ),
        )
        for one in found.subjects.values()
    )

    def plain(escalations: Escalations, of: Estate) -> list[Any]:
        return [
            (one.arn, path.path_id, path.surely, path.target, path.target_arn, path.strength)
            for one in of.subjects.values()
            for path in escalations.of(one)
        ]

    assert plain(Escalations(found), found) == plain(Escalations(other), other)


def test_the_trusts_of_the_laws_name_everyone_somewhere() -> None:
    assert any(one is not None and one.statements[0].principal == Principals(everyone=True) for one in TRUSTS)
