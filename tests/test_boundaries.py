"""Boundaries: who has which, who could do without one, and the ways out that they leave open."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.findings.boundaries.inventory import (
    Possible,
    WayOut,
    boundaries_in_use,
    boundary_counts,
    makers,
    questions,
    ways_out,
    weaknesses,
)
from analytics.findings.boundaries.questions import ANY_ROLE, Asker, Question
from analytics.findings.organization.view import EVERYTHING
from analytics.iam.policy import parse_policy
from analytics.outputs.queries import boundaries as queries
from tests.builders import ACCOUNT, allow, condition, deny, document, principal
from tests.demo_sample import sample
from tests.estates import arn, estate, identity

if TYPE_CHECKING:
    import duckdb

    from analytics.findings.boundaries.inventory import Weakness
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import Statement

DATA = Path(__file__).parent / "data"
LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/limit"  # the boundary's ARN in `identity`
NOT_BOUNDED = condition("StringNotEquals", "iam:PermissionsBoundary", LIMIT)
KEEPS = (
    deny("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", sid="Keep"),
    deny("iam:*PolicyVersion", "iam:DeletePolicy", on="arn:aws:iam::*:policy/limit", sid="KeepText"),
    deny("iam:CreateRole", "iam:CreateUser", "iam:Put*PermissionsBoundary", sid="Made", condition=(NOT_BOUNDED,)),
)


def found(*boundary: Statement, holder: Subject | None = None) -> tuple[Weakness, ...]:
    one = holder or identity("app", allow("*"), boundary=boundary)
    world = estate(one)
    return weaknesses(world, boundaries_in_use(world, {one.arn: LIMIT}))


def ways(*boundary: Statement) -> set[WayOut]:
    return {one.way_out for one in found(*boundary)}


# --- the ways out of a boundary


def test_a_boundary_of_everything_leaves_every_way_out_open() -> None:
    weak = found(allow("*", sid="All"))
    assert {one.way_out for one in weak} == set(WayOut)
    assert {one.permits for one in weak} == {Possible.YES}
    assert {(ref.layer, ref.policy, ref.sid) for one in weak for ref in one.statements} == {
        ("boundary", "limit", "All")
    }
    assert {one.able for one in weak} == {(arn("app"),)}


def test_a_boundary_that_keeps_itself_leaves_none() -> None:
    assert found(allow("*"), *KEEPS) == ()
    assert found(allow("s3:*")) == ()


@pytest.mark.parametrize(
    ("missing", "way_out"), [("Keep", WayOut.REMOVE), ("KeepText", WayOut.REWRITE), ("Made", WayOut.CREATE)]
)
def test_each_guard_closes_a_way_of_its_own(missing: str, way_out: WayOut) -> None:
    left = ways(allow("*"), *(statement for statement in KEEPS if statement.sid != missing))
    assert way_out in left
    assert WayOut.REMOVE not in left - {way_out}


def test_a_boundary_that_asks_for_itself_on_new_roles_is_no_way_out() -> None:
    bounded = condition("StringEquals", "iam:PermissionsBoundary", LIMIT)
    assert ways(allow("iam:CreateRole", condition=(bounded,))) == set()
    any_boundary = condition("Null", "iam:PermissionsBoundary", "false")
    (weak,) = found(allow("iam:CreateRole", condition=(any_boundary,)))
    assert weak.question.boundary == "arn:aws:iam::aws:policy/AdministratorAccess"  # a boundary that bounds nothing


def test_a_condition_that_nobody_recorded_makes_it_a_perhaps_with_its_key() -> None:
    mfa = condition("Bool", "aws:MultiFactorAuthPresent", "true")
    (weak,) = found(allow("iam:DeleteRolePermissionsBoundary", condition=(mfa,)))
    assert (weak.permits, weak.unknown_keys) == (Possible.MAYBE, ("aws:multifactorauthpresent",))
    assert (weak.able, weak.perhaps) == ((), (arn("app"),))


def test_roles_of_one_path_are_found_although_no_name_was_given() -> None:
    (weak, wide) = found(allow("iam:CreateRole", on="arn:aws:iam::*:role/teams/*"))
    assert weak.resource.startswith(f"arn:aws:iam::{ACCOUNT}:role/teams/")
    assert (weak.permits, wide.question.boundary is None) == (Possible.YES, False)
    everywhere_else = deny("iam:CreateRole", not_resource=("arn:aws:iam::*:role/teams/a-?",))
    assert {one.resource for one in found(allow("iam:CreateRole"), everywhere_else)} == {
        f"arn:aws:iam::{ACCOUNT}:role/teams/a-x"
    }


def test_who_may_by_the_boundary_may_still_be_stopped_by_its_own_policies() -> None:
    reader = identity("reader", allow("s3:*"), boundary=[allow("*")])
    assert {one.able + one.perhaps for one in found(holder=reader)} == {()}
    scoped = identity("scoped", allow("iam:DeleteRolePermissionsBoundary", on=arn("other")), boundary=[allow("*")])
    removing = next(one for one in found(holder=scoped) if one.way_out is WayOut.REMOVE)
    assert (removing.permits, removing.able) == (Possible.YES, ())


def test_a_guardrail_of_the_organisation_closes_the_way_for_the_holder_alone() -> None:
    level = [allow("*"), deny("iam:Delete*PermissionsBoundary")]
    held = identity("app", allow("*"), boundary=[allow("*")], scps=[level])
    removing = next(one for one in found(holder=held) if one.way_out is WayOut.REMOVE)
    assert (removing.permits, removing.able, removing.perhaps) == (Possible.YES, (), ())


def test_a_user_is_asked_about_users() -> None:
    user = identity("ana", allow("*"), kind="user", boundary=[allow("iam:DeleteUserPermissionsBoundary")])
    world = estate(user)
    assert {way for way, _answer in ways_out(user, LIMIT, world, Asker())} == {WayOut.REMOVE}
    assert {question.action for _way, question in questions(user.arn, LIMIT)} >= {"iam:DeleteUserPermissionsBoundary"}


def test_nobody_rewrites_a_policy_of_aws() -> None:
    held = identity("app", allow("*"), boundary=[allow("*")])
    world = estate(held)
    of_aws = boundaries_in_use(world, {held.arn: "arn:aws:iam::aws:policy/PowerUserAccess"})
    assert WayOut.REWRITE not in {one.way_out for one in weaknesses(world, of_aws)}
    assert WayOut.REMOVE in {one.way_out for one in weaknesses(world, of_aws)}


def test_a_boundary_that_was_not_collected_is_listed_and_not_judged() -> None:
    world = estate(identity("app", allow("*")))
    (boundary,) = boundaries_in_use(world, {arn("app"): LIMIT, arn("gone"): LIMIT})
    assert (boundary.document, boundary.holders) == (None, (arn("app"),))
    assert weaknesses(world, (boundary,)) == ()


# --- who makes identities without having a boundary


def test_makers_are_those_without_a_boundary_whose_reach_holds_creation() -> None:
    world = estate(
        identity("maker", allow("iam:CreateRole")),
        identity("scoped", allow("iam:CreateUser", on="arn:aws:iam::*:user/x")),
        identity("bounded", allow("*"), boundary=[allow("*")]),
        identity("reader", allow("s3:*")),
        identity("linked", allow("*"), path="/aws-service-role/x.amazonaws.com/"),
    )
    assert [(one.arn, one.actions, one.surely, one.unbounded) for one in makers(world)] == [
        (arn("maker"), ("iam:CreateRole",), True, Possible.YES),
        (arn("scoped"), ("iam:CreateUser",), False, Possible.YES),
    ]
    (count,) = boundary_counts(world, makers(world))
    assert (count.identities, count.bounded, count.makers) == (4, 1, 2)


def test_a_boundary_whose_document_was_not_collected_is_a_boundary_still() -> None:
    bare = identity("app", allow("iam:CreateRole"))
    bounded = dataclasses.replace(bare, stack=dataclasses.replace(bare.stack, boundary_not_collected=True))
    world = estate(bounded)
    assert makers(world) == ()
    assert [(count.identities, count.bounded) for count in boundary_counts(world, ())] == [(1, 1)]


def test_a_maker_that_must_give_a_boundary_is_one_still_and_makes_nothing_unbounded() -> None:
    bounded = condition("StringEquals", "iam:PermissionsBoundary", LIMIT)
    (maker,) = makers(estate(identity("app", allow("iam:CreateRole", condition=(bounded,)))))
    assert (maker.surely, maker.unbounded) == (False, Possible.NO)


# --- the answers are the engine's


ROLES = "arn:aws:iam::*:role"
PATTERNS = st.sampled_from(["*", f"{ROLES}/*", f"{ROLES}/app-*", f"{ROLES}/*-x", "arn:*"])
CONDITIONS = st.sampled_from([(), (NOT_BOUNDED,), (condition("Null", "iam:PermissionsBoundary", "true"),)])


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    make = deny if draw(st.booleans()) else allow
    scope = {"not_resource": (draw(PATTERNS),)} if draw(st.booleans()) else {"on": draw(PATTERNS)}
    return make("iam:CreateRole", condition=draw(CONDITIONS), **scope)


NAMES = ("a", "app-", "app-1", "app-x", "-x", "teams/app-x", "teams/b")


@settings(deadline=None)
@given(st.lists(statements(), max_size=4), st.sampled_from([None, LIMIT]))
def test_no_role_can_be_made_of_any_name_where_the_answer_is_no_and_some_where_it_is_yes(
    boundary: list[Statement], given_boundary: str | None
) -> None:
    who = principal(arn("app"), tags=())
    policies = Policies(identity=(EVERYTHING.document,), boundary=(document(*boundary),))
    answer = Asker().ask(policies, who, Question("iam:CreateRole", ANY_ROLE, given_boundary))
    context = {"aws:principalarn": (who.arn,)}
    context |= {"iam:permissionsboundary": (given_boundary,)} if given_boundary else {}
    decider = Decider(policies)
    results = {
        decider.decide(
            Request(who.arn, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/{name}", context=context)
        ).result
        for name in NAMES
    }
    assert answer.possible is (Possible.YES if Result.ALLOWED in results else Possible.NO)


def test_one_name_that_is_in_doubt_outweighs_the_names_that_are_not_allowed() -> None:
    mfa = condition("Bool", "aws:MultiFactorAuthPresent", "true")
    scoped = document(allow("iam:CreateRole", on=f"{ROLES}/a*", condition=(mfa,)), deny("*", on=f"{ROLES}/aa*"))
    answer = Asker().ask(Policies(identity=(scoped,)), principal(arn("app")), Question("iam:CreateRole", ANY_ROLE))
    assert (answer.possible, answer.resource) == (Possible.MAYBE, arn("a"))


def test_too_many_patterns_are_a_perhaps_and_never_a_no() -> None:
    scopes = tuple(f"arn:aws:iam::*:role/*{letter}*{letter}*" for letter in "abcdefghijklmnopqrst")
    policies = Policies(identity=(document(allow("iam:CreateRole", on=scopes)),))
    answer = Asker().ask(policies, principal(arn("app")), Question("iam:CreateRole", ANY_ROLE))
    assert (answer.possible, answer.decision, answer.unknown_keys) == (Possible.MAYBE, None, ())


def test_what_was_not_collected_leaves_the_answer_open() -> None:
    held = identity("app", allow("iam:CreateRole"))
    unsure = dataclasses.replace(held.stack, boundary_not_collected=True)
    assert Asker().ask_stack(unsure, Question("iam:CreateRole", ANY_ROLE)).possible is Possible.MAYBE
    missing = dataclasses.replace(identity("app", allow("s3:*")).stack, not_collected=("work",))
    assert Asker().ask_stack(missing, Question("iam:CreateRole", ANY_ROLE)).possible is Possible.MAYBE
    denied = dataclasses.replace(identity("app", deny("iam:*")).stack, not_collected=("work",))
    assert Asker().ask_stack(denied, Question("iam:CreateRole", ANY_ROLE)).possible is Possible.NO


# --- published boundaries


@pytest.fixture(scope="module")
def published() -> dict[str, tuple[Statement, ...]]:
    with gzip.open(DATA / "policies" / "published.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {
        line["source"]: parse_policy(line["document"], name=line["source"]).statements
        for line in lines
        if line["source"].startswith("boundary/")
    }


def test_the_published_boundaries_say_what_they_permit(published: dict[str, tuple[Statement, ...]]) -> None:
    """The example of aws-samples lists data-plane actions: in either writing it holds."""
    assert len(published) == 2
    assert {source: ways(*content) for source, content in published.items()} == {source: set() for source in published}


# --- the sample organisation


def test_the_planted_boundary_that_permits_its_removal_is_the_only_one(
    con: duckdb.DuckDBPyConnection, company: Estate
) -> None:
    (truth,) = sample().truths("boundary-permits-its-removal", clean=False)
    (clean,) = sample().truths("boundary-permits-its-removal", clean=True)
    rows = queries.boundary_ways_out(con, company)
    removing = rows[rows["action"].isin(truth["expect"]["actions"])]
    assert removing["able"].tolist() == [[truth["principal_arn"]]]
    assert removing["statements"].tolist() == ["PlaygroundServices"]
    held = queries.attached_boundaries(con)
    assert clean["principal_arn"] in held
    assert held[clean["principal_arn"]] not in set(rows["boundary_arn"])


def test_the_inventory_counts_every_holder_once(con: duckdb.DuckDBPyConnection, company: Estate) -> None:
    inventory = queries.boundary_inventory(con, company)
    assert inventory["holders"].sum() == len(queries.attached_boundaries(con)) > 0
    assert inventory.loc[inventory["ways_out"] != "", "boundary"].tolist() == ["ardenly-sandbox-boundary"]
    coverage = queries.boundary_coverage(company)
    assert coverage["bounded"].sum() == inventory["holders"].sum()
    assert coverage["makers"].sum() == len(queries.unbounded_makers(company))
