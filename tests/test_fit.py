"""Which boundary template fits which identity: nothing used is lost, least is left, numbers only where sure."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.findings.audience import audiences
from analytics.findings.boundaries.fit import Fit, Fits, Fitter, best_template, fitter_of, unconditional
from analytics.findings.boundaries.fit_calls import UsedCalls, fit_all, needed_actions
from analytics.findings.boundaries.templates import read_templates, render, template
from analytics.findings.estate import Estate, Subject
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect
from analytics.iam.stack import NamedPolicy
from analytics.outputs.queries import templates as queries
from analytics.sources.snapshot_values import Credentials
from tests.builders import MFA, allow, condition, deny, document
from tests.estates import estate, identity, trusts

CATALOGUE = load_catalogue()
EVERYTHING_SEEN = CATALOGUE.full
LAMBDA = trusts("lambda.amazonaws.com")


def bits(*actions: str) -> int:
    return CATALOGUE.mask(actions)


def program(*statements: object, seen: tuple[str, ...] = (), **facts: object) -> Subject:
    found = {"trust": LAMBDA, "observable": EVERYTHING_SEEN, **facts}
    return identity("app", *statements, seen=bits(*seen), **found)


def fitter(*subjects: Subject) -> Fitter:
    return fitter_of(estate(*subjects))


def under(subject: Subject, template_id: str) -> Fit:
    return next(fit for fit in fitter(subject).of(subject) if fit.template == template_id)


def boundary(*statements: object) -> NamedPolicy:
    return NamedPolicy("limit", document(*statements))


def fit(subject: Subject, *statements: object) -> Fit:
    return fitter(subject).under(subject, boundary(*statements))


# --- what is lost, at risk and left


def test_what_was_used_and_is_not_let_through_is_lost() -> None:
    found = fit(program(allow("*"), seen=("s3:GetObject", "ec2:RunInstances")), allow("s3:*"))
    assert (found.fits, found.lost, found.at_risk) == (Fits.NO, bits("ec2:RunInstances"), 0)


@pytest.mark.parametrize(
    "statements",
    [
        (allow("s3:*", condition=(MFA,)),),
        (allow("s3:*", on="arn:aws:s3:::lake/*"),),
        (allow("s3:*"), deny("*", condition=(MFA,))),
        (allow("s3:*"), deny("s3:GetObject", on="arn:aws:s3:::secret/*")),
        (allow("s3:*", condition=(condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),)),),
    ],
)
def test_what_is_let_through_in_part_is_at_risk_even_where_the_caller_could_choose(statements: tuple) -> None:
    found = fit(program(allow("*"), seen=("s3:GetObject",)), *statements)
    assert (found.fits, found.lost, found.at_risk) == (Fits.PERHAPS, 0, bits("s3:GetObject"))
    assert found.calls_broken is None


def test_what_is_let_through_on_everything_fits_surely() -> None:
    found = fit(program(allow("*"), seen=("s3:GetObject",)), allow("s3:*"), deny("iam:*", condition=(MFA,)))
    assert (found.fits, found.lost, found.at_risk, found.calls_broken) == (Fits.SURELY, 0, 0, 0)


def test_what_was_used_and_its_own_policies_never_gave_is_not_taken_away_by_a_boundary() -> None:
    found = fit(program(allow("s3:*"), seen=("s3:GetObject", "ec2:RunInstances")), allow("s3:*"))
    assert found.fits is Fits.SURELY


def test_an_action_that_may_not_have_been_needed_is_no_loss_and_a_risk() -> None:
    subject = program(allow("*"), seen=("s3:GetObject", "s3-object-lambda:GetObject"))
    found = fitter(subject).under(subject, boundary(allow("s3:*")), needed=bits("s3:GetObject"))
    assert (found.fits, found.at_risk, found.calls_broken) == (Fits.PERHAPS, bits("s3-object-lambda:GetObject"), None)


def test_nothing_is_proven_where_a_cut_action_could_have_been_used_unseen() -> None:
    subject = program(allow("s3:*"), seen=("s3:ListAllMyBuckets",), observable=bits("s3:ListAllMyBuckets"))
    found = fit(subject, allow("s3:ListAllMyBuckets"))
    assert (found.fits, found.calls_broken) == (Fits.SURELY, None)
    assert found.unseen_cut == found.cut == CATALOGUE.expand("s3:*").bit_count() - 1


def test_the_weight_that_is_left_is_that_of_the_unused_actions_inside() -> None:
    weights = dict(zip(CATALOGUE.actions, action_weights(CATALOGUE).weights, strict=True))
    subject = program(allow("s3:GetObject", "s3:PutObject", "s3:DeleteBucket", "iam:PassRole"), seen=("s3:GetObject",))
    found = fit(subject, allow("s3:GetObject", "s3:PutObject"))
    assert found.weight_left == weights["s3:PutObject"]
    assert found.weight_before == round(sum(weights[a] for a in ("s3:PutObject", "s3:DeleteBucket", "iam:PassRole")), 1)
    assert found.cut == 2


def test_the_boundary_that_is_there_makes_way_for_the_template() -> None:
    subject = program(allow("*"), boundary=[allow("ec2:*")], seen=("ec2:RunInstances",))
    found = fit(subject, allow("s3:*"))
    assert (found.fits, found.lost) == (Fits.NO, bits("ec2:RunInstances"))
    assert found.cut == (CATALOGUE.full & ~CATALOGUE.expand("s3:*")).bit_count()


def test_a_boundary_that_asks_who_the_principal_is_is_asked_for_each() -> None:
    mine = condition("StringEquals", "aws:PrincipalTag/team", "data")
    asked = boundary(allow("s3:*", condition=(mine,)))
    data = program(allow("*"), seen=("s3:GetObject",), tags=(("team", "data"),))
    other = program(allow("*"), seen=("s3:GetObject",), tags=(("team", "web"),))
    assert [fitter(one).under(one, asked).fits for one in (data, other)] == [Fits.PERHAPS, Fits.NO]


ACTIONS = ("s3:GetObject", "s3:PutObject", "iam:PassRole", "ec2:RunInstances", "sqs:SendMessage")
PATTERNS = st.sampled_from(["*", "s3:*", "iam:*", "ec2:Run*", *ACTIONS])
SCOPES = st.sampled_from(["*", "arn:aws:s3:::lake/*"])
CONDITIONS = st.sampled_from([(), (), (MFA,), (condition("StringEquals", "aws:PrincipalTag/team", "data"),)])


@st.composite
def statements(draw: st.DrawFn) -> object:
    make = deny if draw(st.integers(0, 2)) == 0 else allow
    return make(draw(PATTERNS), on=draw(SCOPES), condition=draw(CONDITIONS))


@settings(deadline=None)
@given(
    st.lists(statements(), min_size=1, max_size=3),
    st.lists(statements(), min_size=1, max_size=3),
    st.lists(st.sampled_from(ACTIONS), unique=True),
)
def test_a_fit_is_what_the_reach_under_the_boundary_says(own: list, limit: list, seen: list[str]) -> None:
    subject = program(*own, seen=tuple(seen))
    world = estate(subject)
    found = fitter_of(world).under(subject, boundary(*limit))
    after = world.changed(subject, stack=replace(subject.stack, boundary=boundary(*limit))).reach
    before = subject.reach.maybe
    assert found.lost == subject.seen & before & ~after.maybe
    assert found.cut == (before & ~after.maybe).bit_count()
    assert not found.at_risk & found.lost
    sure = unconditional(document(*limit), CATALOGUE)
    assert sure & before & ~after.maybe == 0  # what is let through on everything is never lost
    assert found.weight_left <= found.weight_before
    if found.fits is Fits.SURELY:
        assert subject.seen & before & ~sure == 0


# --- calls


def used(*rows: tuple[str, str, int, bool]) -> UsedCalls:
    arns = tuple(dict.fromkeys(row[0] for row in rows))
    return UsedCalls(
        arns,
        np.array([arns.index(row[0]) for row in rows], np.int64),
        np.array([CATALOGUE.number(row[1]) for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.bool_),
    )


def counted(subject: Subject, template_id: str, *rows: tuple[str, int, bool]) -> Fit:
    found = fit_all(fitter(subject), (subject,), used(*((subject.arn, *row) for row in rows)))
    return next(fit for fit in found if fit.template == template_id)


def test_the_calls_of_lost_actions_are_counted_and_those_at_risk_apart() -> None:
    seen = ("ec2:RunInstances", "s3:GetObject", "sts:AssumeRole")
    subject = program(allow("*"), seen=seen)
    rows = (("ec2:RunInstances", 5, True), ("s3:GetObject", 7, True), ("sts:AssumeRole", 11, True))
    found = counted(subject, "application", *rows)  # runs no instances, assumes roles of its own path
    assert (found.fits, found.calls_lost, found.calls_at_risk, found.calls_broken) == (Fits.NO, 5, 11, None)
    without_roles = counted(subject, "application", *rows[:2])
    assert without_roles.calls_lost == 5


def test_a_call_that_may_not_have_needed_a_lost_action_is_at_risk_and_not_lost() -> None:
    subject = program(allow("ec2:*"), seen=("ec2:RunInstances",))
    found = counted(subject, "application", ("ec2:RunInstances", 5, True), ("ec2:RunInstances", 3, False))
    assert (found.calls_lost, found.calls_at_risk, found.calls_broken) == (5, 3, None)


def test_calls_broken_are_exact_where_nothing_hangs_on_anything() -> None:
    subject = program(allow("ec2:*", "s3:*"), seen=("ec2:RunInstances", "s3:GetObject"))
    found = counted(subject, "application", ("ec2:RunInstances", 5, True), ("s3:GetObject", 7, True))
    assert found.calls_broken == found.calls_lost == 5


def test_calls_of_others_and_of_identities_that_cannot_have_a_boundary_do_not_count() -> None:
    linked = identity("linked", allow("*"), path="/aws-service-role/x.amazonaws.com/", seen=bits("s3:GetObject"))
    app, other = program(allow("*"), seen=("ec2:RunInstances",)), identity("other", allow("*"))
    rows = ((other.arn, "ec2:RunInstances", 9, True), (linked.arn, "s3:GetObject", 4, True))
    found = fit_all(fitter(app), (app, linked), used(*rows))
    assert {one.arn for one in found} == {app.arn}
    assert {(one.calls_lost, one.calls_at_risk) for one in found} == {(0, 0)}


def test_what_a_call_surely_needed_is_told_from_what_it_may_have_needed() -> None:
    rows = (("a", "s3:GetObject", 1, True), ("a", "s3:PutObject", 1, False), ("b", "iam:PassRole", 2, True))
    assert needed_actions(used(*rows)) == {"a": bits("s3:GetObject"), "b": bits("iam:PassRole")}


def test_without_any_calls_there_is_nothing_to_count() -> None:
    subject = program(allow("*"))
    assert {fit.calls_lost for fit in fit_all(fitter(subject), (subject,), UsedCalls.none())} == {0}
    assert fit_all(fitter(subject), (), UsedCalls.none()) == ()


# --- the suggestion


def test_the_suggestion_keeps_all_that_was_used_and_leaves_the_least() -> None:
    subject = program(allow("s3:*", "sqs:*", "iam:*", "ec2:*"), seen=("s3:GetObject", "sqs:SendMessage"))
    fits = fitter(subject).of(subject)
    best = fitter(subject).best(subject)
    assert best is not None
    assert best.template == "application"
    kept = [one for one in fits if one.fits is not Fits.NO and one.template in ("application", "ci-deployer")]
    assert best.weight_left == min(one.weight_left for one in kept)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (program(allow("*")), "nothing was seen used"),
        (program(allow("s3:GetObject"), seen=("s3:GetObject",)), "nothing would be taken away"),
        (program(allow("*"), seen=("s3:GetObject",), policies_not_collected=1), "its policies are not known"),
        (program(allow("*"), seen=("organizations:CreateAccount", "iam:CreateUser")), "none keeps what it used"),
        (identity("l", allow("*"), path="/aws-service-role/x/", seen=bits("s3:GetObject")), "it cannot have one"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_suggested_where_nothing_speaks_for_it(subject: Subject, why: str) -> None:
    assert fitter(subject).best(subject) is None, why
    assert best_template(subject, estate(subject)) is None


def test_the_emergency_template_and_those_for_others_are_never_suggested() -> None:
    people = identity("AWSReservedSSO_x", allow("*"), path="/aws-reserved/sso.amazonaws.com/", seen=bits("iam:GetRole"))
    best = fitter(people).best(people)
    assert best is not None
    assert best.template == "security-auditor"
    admin = program(allow("*"), seen=("organizations:DescribeOrganization", "iam:GetRole"))
    assert fitter(admin).best(admin) is None  # only break-glass and templates for people keep all of that


def test_a_sandbox_template_is_suggested_in_sandboxes_alone() -> None:
    seen = bits("s3:GetObject", "ec2:RunInstances", "route53:ChangeResourceRecordSets")
    found = {}
    for environment in ("sandbox", "production", None):
        person = identity("p", allow("*"), trust=trusts("arn:aws:iam::111122223333:saml-provider/x"), seen=seen)
        best = fitter(person).best(replace(person, environment=environment))
        found[environment] = best.template if best else None
    assert found == {"sandbox": "developer-sandbox", "production": None, None: None}


def test_the_suggestion_is_rendered_for_the_account_and_its_partition() -> None:
    subject = program(allow("*"), seen=("s3:GetObject",))
    found = best_template(subject, estate(subject))
    assert found is not None
    one, content = found
    assert content == render(one, {"account_id": subject.account_id})
    assert subject.account_id in str(content)
    china = replace(subject, arn=subject.arn.replace("arn:aws:", "arn:aws-cn:"))
    _, other = best_template(china, estate(subject)) or (one, content)
    assert "arn:aws-cn:iam" in str(other)


def test_the_production_accounts_of_the_estate_are_known_to_the_templates() -> None:
    subject = program(allow("*"), seen=("s3:GetObject",))
    world = estate(subject)
    prod = replace(world.accounts[subject.account_id], environment="production")
    known = fitter_of(replace(world, accounts={subject.account_id: prod}))
    text = str(known.document(template("developer-no-production"), "444455556666"))
    assert f"arn:aws:*:*:{subject.account_id}:*" in text


# --- who is behind an identity


def test_whom_a_trust_policy_denies_is_not_behind_the_role() -> None:
    (denied,) = trusts("lambda.amazonaws.com").statements
    people = trusts("arn:aws:iam::111122223333:saml-provider/okta")
    both = replace(people, statements=(*people.statements, replace(denied, effect=Effect.DENY)))
    assert audiences(identity("r", trust=both)) == {"people"}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (identity("r", path="/aws-reserved/sso.amazonaws.com/"), {"people"}),
        (identity("r", trust=trusts("lambda.amazonaws.com")), {"automation"}),
        (identity("r", trust=trusts("arn:aws:iam::111122223333:saml-provider/okta")), {"people"}),
        (identity("r", trust=trusts("arn:aws:iam::444455556666:root")), {"people", "automation"}),
        (identity("r", trust=trusts("*")), {"people", "automation"}),
        (identity("r"), {"people", "automation"}),
        (identity("u", kind="user"), {"people", "automation"}),
        (identity("u", kind="user", credentials=Credentials(True, None, None, True, ())), {"people"}),
        (identity("u", kind="user", credentials=Credentials(False, None, None, None, ())), {"automation"}),
    ],
)
def test_who_is_behind_an_identity(subject: Subject, expected: set[str]) -> None:
    assert audiences(subject) == expected


# --- the sample organisation


def test_the_calls_are_those_of_the_window_that_were_not_denied(con: duckdb.DuckDBPyConnection) -> None:
    found = queries.used_calls(con)
    ((expected,),) = con.execute(
        "select sum(calls - denied)::bigint from usage, build where day >= build.window_start"
        " and calls > denied and action in (select action from actions)"
    ).fetchall()
    assert found.calls.sum() == expected > 0


def test_every_identity_has_a_row_for_every_template_and_one_best_at_most(
    con: duckdb.DuckDBPyConnection, company: Estate
) -> None:
    rows = queries.template_fit(con, company)
    assert set(rows.groupby("principal_arn").size()) == {len(read_templates())}
    assert rows.groupby("principal_arn")["best"].sum().max() == 1
    assert (rows.loc[rows["best"], "used_lost"] == 0).all()
    assert rows.loc[rows["calls_broken"].notna(), ["used_at_risk", "actions_cut_unseen"]].eq(0).all(axis=None)
    takers = queries.template_takers(rows)
    assert takers["best_for"].sum() == rows["best"].sum() > 0


def test_the_security_auditors_of_the_sample_fit_the_auditors_template(
    con: duckdb.DuckDBPyConnection, company: Estate
) -> None:
    rows = queries.template_fit(con, company)
    audit = rows[rows["best"] & (rows["name"] == "ardenly-security-audit")]
    assert len(audit) > 5
    assert set(audit["template"]) == {"security-auditor"}
