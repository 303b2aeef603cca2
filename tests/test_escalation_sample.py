"""What the sample organisation plants about escalation is found in its build."""

import json
from copy import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from analytics.findings.escalation.escalations import Escalations
from analytics.findings.escalation.targets import Targets
from analytics.findings.escalation.trust import Trusts
from analytics.findings.escalation.workshop import Workshop
from analytics.findings.estate import Estate
from analytics.outputs.estate import read_estate
from analytics.store import Store
from tests.bench.bench_findings import make_store
from tests.demo_sample import built, sample


def estate_of(store: Store) -> Estate:
    with store.connect() as con:
        return read_estate(con)


def _fresh(found: Estate, known: Escalations) -> Escalations:
    """The same knowledge of who is how privileged, and no answer kept."""
    other, workshop = copy(known), Workshop(found)
    workshop.__dict__["free"] = known._field.workshop.free  # a fact of the catalogue
    other._field = replace(known._field, workshop=workshop, trusts=Trusts(workshop), facts={}, leads={}, kept={})
    other._targets = Targets(found, known._field.weighing, other._field.trusts, known._targets._levels)
    other._found = {}
    return other


def answered_alike_alone(found: Estate, every: int) -> int:
    """Every so many identities asked in a search where nobody else was asked before; the number of their paths."""
    together = Escalations(found)
    answers = {one.arn: together.of(one) for one in found.subjects.values()}
    chosen = list(found.subjects.values())[::every]
    for one in chosen:
        assert _fresh(found, together).of(one) == answers[one.arn], one.arn
    return sum(len(answers[one.arn]) for one in chosen)


def test_identities_of_the_sample_are_answered_alike_alone_and_together() -> None:
    assert answered_alike_alone(estate_of(built()), every=9) > 300


@pytest.mark.slow
def test_identities_of_an_organisation_are_answered_alike_alone_and_together(tmp_path: Path) -> None:
    make_store(tmp_path, 2000)
    assert answered_alike_alone(estate_of(Store(tmp_path / "store")), every=1) > 20_000


def test_a_boundary_that_permits_its_removal_is_lifted() -> None:
    for clean in (False, True):
        for line in sample().truths("boundary-permits-its-removal", clean=clean):
            with built().connect() as con:
                rows = con.execute(
                    "select surely, target from escalation where principal_arn = $arn"
                    " and list_contains(actions::varchar[], 'iam:DeleteRolePermissionsBoundary')",
                    {"arn": line["principal_arn"]},
                ).fetchall()
            assert bool([surely for surely, target in rows if surely and target != "none"]) is not clean, line


@cache
def administrators() -> dict[str, bool]:
    """Those who lead themselves to everything, surely or not, by ARN."""
    with built().connect() as con:
        rows = con.execute(
            "select principal_arn, bool_or(surely) from escalation"
            " where target = 'administrator' and category = 'self-escalation' group by all"
        ).fetchall()
    return dict(rows)


def test_shadow_administrators_are_found_by_the_path_that_was_planted() -> None:
    for line in sample().truths("shadow-administrator", clean=False):
        with built().connect() as con:
            rows = con.execute(
                "select surely, target, actions from escalation"
                " where principal_arn = $arn and category = 'self-escalation'",
                {"arn": line["principal_arn"]},
            ).fetchall()
        sure = [json.loads(actions) for surely, target, actions in rows if surely and target == "administrator"]
        assert any(set(actions) <= set(line["expect"]["actions"]) for actions in sure), line


def test_the_one_beside_them_is_no_administrator() -> None:
    for line in sample().truths("shadow-administrator", clean=True):
        assert line["principal_arn"] not in administrators()


def test_dormant_administrators_are_administrators_surely() -> None:
    for line in sample().truths("dormant-administrator", clean=False):
        assert administrators().get(line["principal_arn"]) is True, line


def test_ways_end_at_an_administrator_and_hang_together() -> None:
    with built().connect() as con:
        rows = con.execute(
            "select principal_arn, list(from_arn order by step), list(to_arn order by step)"
            " from escalation_step group by all"
        ).fetchall()
    assert len(rows) > 10
    for arn, starts, ends in rows:
        assert starts == [arn, *ends[:-1]]
        assert arn not in administrators() or not administrators()[arn]
