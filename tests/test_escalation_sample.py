"""What the sample organisation plants about escalation is found in its build."""

import json
from functools import cache

from tests.demo_sample import built, sample


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
