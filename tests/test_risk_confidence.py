"""How well a score is founded: each aspect alone, and the worst decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from analytics.findings.assess import Assessor
from analytics.iam.catalogue import load_catalogue
from tests.builders import MFA, allow
from tests.estates import estate, identity, trusts

if TYPE_CHECKING:
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.risk.confidence import Confidence

FULL = load_catalogue().full


def well_known() -> Subject:
    """A role of which everything is known."""
    return replace(identity("app", allow("s3:*"), trust=trusts("ec2.amazonaws.com")), observable=FULL)


def around(subject: Subject, *, days: int = 90, age: int | None = 0) -> Estate:
    found = estate(subject)
    taken = None if age is None else datetime.combine(found.window_end, time.max) - timedelta(days=age)
    accounts = {name: replace(facts, days_covered=days) for name, facts in found.accounts.items()}
    return replace(found, accounts=accounts, taken_at=taken)


def confidence(subject: Subject, **facts: int | None) -> Confidence:
    return Assessor(around(subject, **facts)).confidence(subject)


def test_a_score_on_full_evidence_is_high_and_says_its_share() -> None:
    found = confidence(well_known())
    assert (found.level, found.share) == ("high", 1.0)
    assert found.reasons == ("This export could have shown 100% of its effective weight in use.",)


@pytest.mark.parametrize(
    ("days", "level"), [(90, "high"), (81, "high"), (80, "medium"), (45, "medium"), (44, "low"), (0, "low")]
)
def test_days_covered(days: int, level: str) -> None:
    found = confidence(well_known(), days=days)
    assert found.level == level
    assert (level == "high") is (f"{days} of the 90 days" not in " ".join(found.reasons))


@pytest.mark.parametrize(("age", "level"), [(0, "high"), (7, "high"), (8, "medium"), (30, "medium"), (31, "low")])
def test_the_age_of_the_snapshot(age: int, level: str) -> None:
    assert confidence(well_known(), age=age).level == level


def test_a_snapshot_of_unknown_age_is_medium() -> None:
    found = confidence(well_known(), age=None)
    assert (found.level, found.reasons[-1]) == ("medium", "When the snapshot of its policies was taken is not known.")


def test_what_the_export_cannot_show_lowers_it() -> None:
    hidden = replace(well_known(), observable=0)
    assert (confidence(hidden).level, confidence(hidden).share) == ("low", 0.0)


def test_what_only_conditions_grant_lowers_it() -> None:
    doubtful = replace(
        identity("app", allow("s3:*", condition=(MFA,)), trust=trusts("ec2.amazonaws.com")), observable=FULL
    )
    found = confidence(doubtful)
    assert found.level == "medium"
    assert found.reasons[-1] == "100% of its effective weight is granted only under conditions."


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"policies_not_collected": 1}, "low", "One of its policies was not collected"),
        ({"policies_not_collected": 3}, "low", "3 of its policies were not collected"),
        ({"is_new": True}, "medium", "younger than the window"),
        ({"trust": None}, "low", "counts as open to anyone"),
    ],
)
def test_what_was_not_collected_is_said(change: dict[str, object], level: str, words: str) -> None:
    found = confidence(replace(well_known(), **change))
    assert found.level == level
    assert words in " ".join(found.reasons)


def test_a_user_without_a_credential_report_is_medium() -> None:
    user = replace(identity("eve", allow("s3:*"), kind="user"), observable=FULL)
    found = confidence(user)
    assert found.level == "medium"
    assert "No credential report" in " ".join(found.reasons)


def test_who_can_do_nothing_has_no_share() -> None:
    found = confidence(identity("empty", trust=trusts("ec2.amazonaws.com")))
    assert (found.level, found.share) == ("high", None)


def test_confidence_stands_beside_the_score_and_never_inside_it() -> None:
    one = well_known()
    known, unknown = around(one), around(one, days=0, age=400)
    assert Assessor(known).of(one.arn).risk == Assessor(unknown).of(one.arn).risk
