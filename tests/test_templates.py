"""Boundary templates: policies that AWS accepts, each proven by its requests, and none with a way out."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from analytics.engine.decide import Result
from analytics.engine.reach_layers import spoken_of
from analytics.findings.boundaries.inventory import Boundary, weaknesses
from analytics.findings.boundaries.templates import (
    MOST_CHARACTERS,
    TEMPLATES_FILE,
    Template,
    TemplateError,
    prove,
    read_templates,
    render,
    template,
)
from analytics.findings.organization.quota import characters
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect, PolicyDocument, parse_policy, to_json
from analytics.outputs.queries import templates as queries
from tests.builders import allow
from tests.estates import estate

ACCOUNT = "111122223333"
TEMPLATES = read_templates()
every_template = pytest.mark.parametrize("one", TEMPLATES, ids=[one.id for one in TEMPLATES])
# What the issue asks for, and one for the programs that most roles of a company are.
GALLERY = {
    *("developer-sandbox", "developer-no-production", "database-administrator", "data-analyst", "business-user"),
    *("security-auditor", "ci-deployer", "break-glass", "application"),
}


def defaults(one: Template) -> PolicyDocument:
    return render(one, {"account_id": ACCOUNT})


def test_the_gallery_has_the_kinds_of_work_that_were_asked_for() -> None:
    assert {one.id for one in TEMPLATES} == GALLERY


# --- each template


@every_template
def test_every_request_of_a_template_is_decided_as_it_promises(one: Template) -> None:
    assert [(proof.probe, proof.decision) for proof in prove(one) if not proof.holds] == []
    assert {probe.allowed for probe in one.probes} == {True, False}
    assert len(one.probes) >= 10


@every_template
def test_the_proof_fails_for_a_boundary_that_does_not_hold(one: Template) -> None:
    everything = PolicyDocument((allow("*"),), "2012-10-17")
    nothing = PolicyDocument((allow("s3:NoSuchAction"),), "2012-10-17")
    stopped = [proof for proof in prove(one, document=everything) if not proof.probe.allowed]
    assert not any(proof.holds for proof in stopped)
    assert not any(proof.holds for proof in prove(one, document=nothing) if proof.probe.allowed)


@every_template
def test_a_template_fits_into_a_managed_policy_and_parses_back(one: Template) -> None:
    for document in (defaults(one), render(one, one.example)):
        assert characters(document) <= MOST_CHARACTERS
        assert parse_policy(to_json(document), name=one.id) == document
        assert "<" not in str(to_json(document))


@every_template
def test_no_template_leaves_a_way_out(one: Template) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/boundary/{one.id}"
    for document in (defaults(one), render(one, one.example)):
        assert weaknesses(estate(), (Boundary(arn, one.id, ACCOUNT, document, ()),)) == ()


@every_template
def test_every_action_and_pattern_names_something_and_no_sid_stands_twice(one: Template) -> None:
    catalogue = load_catalogue()
    document = render(one, one.example)
    for statement in document.statements:
        assert [text for text in (*statement.action, *statement.not_action) if not catalogue.expand(text)] == []
        assert spoken_of(statement, catalogue)
        assert statement.sid
        assert statement.sid.isalnum()
    sids = [statement.sid for statement in document.statements]
    assert len(sids) == len(set(sids))
    assert {probe.action for probe in one.probes} <= set(catalogue.actions)


@every_template
def test_the_sets_of_a_template_do_not_hang_on_who_the_principal_is(one: Template) -> None:
    keys = {condition.key.lower() for found in render(one, one.example).statements for condition in found.condition}
    assert not any(key.startswith("aws:principal") or key in ("aws:userid", "aws:username") for key in keys)


# --- parameters


def test_a_text_with_a_list_stands_once_for_each_entry() -> None:
    given = {"account_id": ACCOUNT, "production_accounts": ("444455556666", "777788889999")}
    document = render(template("developer-no-production"), given)
    statement = next(found for found in document.statements if found.sid == "NothingInProductionAccounts")
    assert statement.resource == ("arn:aws:*:*:444455556666:*", "arn:aws:*:*:777788889999:*")


def test_a_statement_that_needs_an_empty_parameter_is_left_out() -> None:
    sids = {found.sid for found in defaults(template("developer-no-production")).statements}
    assert "NothingInProductionAccounts" not in sids
    assert "TheseRegionsOnly" not in sids
    regions = render(template("data-analyst"), {"account_id": ACCOUNT, "regions": ("eu-west-1",)})
    lock = next(found for found in regions.statements if found.sid == "TheseRegionsOnly")
    assert (lock.effect, lock.condition[0].values) == (Effect.DENY, ("eu-west-1",))


def test_a_new_role_may_carry_the_boundary_itself_unless_others_are_named() -> None:
    def accepted(**given: object) -> tuple[str, ...]:
        document = render(template("ci-deployer"), {"account_id": ACCOUNT, **given})
        found = next(one for one in document.statements if one.sid == "BoundedIdentitiesOnly")
        return found.condition[0].values

    assert accepted() == (f"arn:aws:iam::{ACCOUNT}:policy/boundary/ci-deployer",)
    assert accepted(boundary_name="deploy", boundary_path="b/") == (f"arn:aws:iam::{ACCOUNT}:policy/b/deploy",)
    assert accepted(boundaries=("boundary/app", "boundary/job")) == (
        *(f"arn:aws:iam::{ACCOUNT}:policy/boundary/app", f"arn:aws:iam::{ACCOUNT}:policy/boundary/job"),
    )


def test_another_partition_is_written_everywhere() -> None:
    for one in TEMPLATES:
        text = str(to_json(render(one, {"account_id": ACCOUNT, "partition": "aws-cn"})))
        assert "arn:aws:" not in text


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, r"template `ci-deployer`: parameter `account_id` is missing \(The account of the boundary\)"),
        ({"account_id": ACCOUNT, "region": "x"}, r"has no parameter `region`; its parameters are account_id, "),
        ({"account_id": ACCOUNT, "regions": "eu-west-1"}, r"parameter `regions` must be a list of texts"),
        ({"account_id": (ACCOUNT,)}, r"parameter `account_id` must be one text"),
        (
            {"account_id": ACCOUNT, "deploy_roles": tuple(f"arn:aws:iam::{n:012}:role/deploy" for n in range(99))},
            r"has \d+ characters, and a managed policy may have 6144; shorten its lists",
        ),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(given: dict[str, object], reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        render(template("ci-deployer"), given)


def test_a_template_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(TemplateError, match="there is no boundary template `root`; choose one of developer-sandbox, "):
        template("root")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: one.pop("about"), "template `t`: `about` is missing"),
        (lambda one: one["statements"].append({"use": "nothing"}), "template `t`: nothing is shared as `nothing`"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_template(tmp_path: Path, change: object, reason: str) -> None:
    raw = yaml.safe_load(TEMPLATES_FILE.read_text("utf-8"))
    one = {**raw["templates"][0], "id": "t", "statements": list(raw["templates"][0]["statements"])}
    change(one)
    path = tmp_path / "templates.yaml"
    path.write_text(yaml.safe_dump({**raw, "templates": [one]}), "utf-8")
    with pytest.raises(TemplateError, match=reason):
        read_templates(path)


def test_a_statement_that_names_an_unknown_parameter_is_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(TEMPLATES_FILE.read_text("utf-8"))
    one = {**raw["templates"][0], "id": "t"}
    one["statements"] = [{"Sid": "A", "Effect": "Deny", "Action": "*", "Resource": "<moon>"}]
    path = tmp_path / "templates.yaml"
    path.write_text(yaml.safe_dump({**raw, "templates": [one]}), "utf-8")
    with pytest.raises(TemplateError, match="template `t` names `<moon>`, which is not one of its parameters"):
        render(read_templates(path)[0], {"account_id": ACCOUNT})


@given(st.lists(st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True), max_size=5, unique=True))
def test_whatever_regions_are_given_the_promises_hold_inside_them(regions: list[str]) -> None:
    """In a Region of the list, or with none given anywhere, what is allowed without a Region stays so."""
    one = template("data-analyst")
    document = render(one, {**one.example, "regions": tuple(regions)})
    for proof in prove(one, document=document):
        region = dict(proof.probe.context).get("aws:RequestedRegion")
        if proof.probe.allowed:
            assert proof.holds is (not regions or region in regions)
        elif region != "us-east-2":
            assert proof.decision.result is not Result.ALLOWED


def test_a_template_is_suggested_where_it_belongs() -> None:
    sandbox, developer = template("developer-sandbox"), template("developer-no-production")
    assert [sandbox.belongs_in(word) for word in ("sandbox", "Sandbox", "production", "staging", None)] == [
        *(True, True, False, False, False),
    ]
    assert [developer.belongs_in(word) for word in ("staging", "sandbox", "production", "prod", None)] == [
        *(True, True, False, False, False),
    ]


# --- as the page shows it


def test_the_gallery_shows_every_template_proven() -> None:
    gallery = queries.boundary_templates()
    assert set(gallery["template"]) == GALLERY
    assert gallery["proven"].all()
    assert (gallery["characters"] <= gallery["limit"]).all()


def test_the_proof_shows_what_was_promised_and_what_was_decided() -> None:
    proof = queries.template_proof("break-glass")
    assert proof["holds"].all()
    assert set(proof["promised"]) == {"allowed", "stopped"}
    assert queries.template_document("break-glass", {"account_id": ACCOUNT})["Version"] == "2012-10-17"
