"""The score by example: archetypes, floors, bands, factors that add up, and the weights file."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.archetypes import SHADOW_ADMINISTRATOR, archetype_facts, archetypes
from analytics.findings.risk.facts import PathFact, RiskFacts
from analytics.findings.risk.score import Risk, band_of, ranked, rescore, score, stay_on_top
from analytics.findings.risk.weights import KEYS, WeightsError, read_weights, risk_weights
from analytics.findings.weights import RISK_FILE
from analytics.iam.catalogue import load_catalogue

WEIGHTS = risk_weights()
SURE_ADMIN = PathFact("self-escalation", surely=True, target="administrator")
EXPECTED = {
    "administrator for an unknown account, unused": 97,
    "administrator user, old key, no MFA": 91,
    "pipeline of twelve services, any OIDC subject": 84,
    "administrator by single sign-on": 80,
    "the same under a boundary without iam, sts, organizations, account, kms": 72,
    "the same pipeline, OIDC subject pinned": 69,
    "read-only for an unknown account, no ExternalId": 39,
    "tight application role, all of it used": 9,
}


def risks() -> dict[str, Risk]:
    return dict(archetypes(WEIGHTS))


def test_the_archetypes_come_out_in_their_order_and_near_their_numbers() -> None:
    found = [(name, risk.score) for name, risk in archetypes(WEIGHTS) if name in EXPECTED]
    assert [name for name, _ in found] == list(EXPECTED)
    assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)
    for name, value in found:
        assert value == pytest.approx(EXPECTED[name], abs=1.0), name


def test_the_factors_and_the_floor_add_up_to_the_score() -> None:
    for name, risk in archetypes(WEIGHTS):
        assert round(sum(risk.factors) + risk.floor_points, 1) == risk.score, name
        assert all(round(factor, 1) == factor for factor in risk.factors)


def test_a_shadow_administrator_is_lifted_to_the_floor_of_administrators() -> None:
    risk = risks()[SHADOW_ADMINISTRATOR]
    assert (risk.score, risk.floor, risk.band) == (50.0, "administrator", "high")
    assert sum(risk.factors) == pytest.approx(50 - risk.floor_points)
    assert risk.floor_points > 5


@pytest.mark.parametrize(
    ("trust_class", "floor"),
    [("anyone", 90.0), ("unknown_account", 90.0), ("oidc_any_subject", 50.0), ("nobody", 50.0)],
)
def test_an_administrator_that_a_stranger_may_become_has_the_higher_floor(trust_class: str, floor: float) -> None:
    facts = RiskFacts(
        administrator=Certainty.SURELY, paths=frozenset([SURE_ADMIN]), trust_classes=frozenset([trust_class])
    )
    assert score(facts, WEIGHTS).score == floor


def test_perhaps_an_administrator_has_no_floor() -> None:
    facts = RiskFacts(administrator=Certainty.MAYBE, trust_classes=frozenset(["anyone"]))
    risk = score(facts, WEIGHTS)
    assert (risk.floor, risk.floor_points) == (None, 0.0)


def test_nobody_and_nothing_score_next_to_nothing() -> None:
    risk = score(RiskFacts(environment="sandbox"), WEIGHTS)
    assert (risk.factors.exposure, risk.trust_class, risk.band) == (0.0, "nobody", "low")
    assert risk.score == risk.factors.asset == 1.2


@pytest.mark.parametrize(
    ("value", "band"),
    [(75.0, "critical"), (74.9, "high"), (50.0, "high"), (49.9, "medium"), (25.0, "medium"), (24.9, "low")],
)
def test_bands_begin_at_their_number(value: float, band: str) -> None:
    assert band_of(value, WEIGHTS) == band


def test_the_strongest_way_in_is_the_one_that_counts() -> None:
    facts = RiskFacts(trust_classes=frozenset(["same_account", "vendor", "service"]))
    assert score(facts, WEIGHTS).trust_class == "vendor"


@pytest.mark.parametrize(
    ("word", "environment"),
    [
        (None, "unknown"), ("", "unknown"), ("  ", "unknown"), ("Dev", "non-production"), ("playground", "sandbox"),
        ("PRODUCTION", "production"), ("log-archive", "production"), ("unheard of", "production"),
    ],
)  # fmt: skip
def test_an_environment_that_is_not_known_counts_as_the_worst(word: str | None, environment: str) -> None:
    assert WEIGHTS.environment_of(word) == environment
    assert WEIGHTS["environment.unknown"] == max(WEIGHTS.table("environment").values())


def test_ranks_are_a_total_order_by_score_then_unused_weight_then_arn() -> None:
    some = score(RiskFacts(), WEIGHTS)
    found = ranked({"b": some, "a": some, "heavy": replace(some, unused_weight=9.0), "top": replace(some, score=50.0)})
    assert [(one.principal_arn, one.rank) for one in found] == [("top", 1), ("heavy", 2), ("a", 3), ("b", 4)]


def test_other_weights_move_the_ranks_and_say_how_many_stay_on_top() -> None:
    facts = dict(archetype_facts(load_catalogue()))
    before = rescore(facts, WEIGHTS)
    after = rescore(facts, WEIGHTS.with_changes({"exposure.oidc_pinned": 25.0}))
    assert stay_on_top(before, before, top=3) == 3
    assert [one.principal_arn for one in before] != [one.principal_arn for one in after]
    assert 0 <= stay_on_top(before, after, top=3) <= 3


def test_changed_factors_are_scaled_to_a_hundred() -> None:
    changed = WEIGHTS.with_changes({"factors.unused": 50.0})
    assert sum(changed.table("factors").values()) == pytest.approx(100)
    assert changed.version != WEIGHTS.version
    assert WEIGHTS.with_changes({"factors.unused": 25.0}) is WEIGHTS


# --- the file


def weights_of(tmp_path: Path, old: str, new: str) -> None:
    text = RISK_FILE.read_text("utf-8")
    assert old in text
    file = tmp_path / "risk.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    read_weights(file, load_catalogue())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[weights]", "[weights", "is not readable TOML"),
        ("[certainty]", "[certain]", "the table `[certainty]` is missing"),
        ("tagging = 0.3", "# gone", "`weights.tagging` is missing"),
        ("tagging = 0.3", "tagging = 0.3\nlabels = 1", "`[weights]` has an unknown key `labels`"),
        ("tagging = 0.3", "tagging = -1", "`weights.tagging` is `-1`; a number of 0 or more is needed"),
        ("tagging = 0.3", "tagging = true", "`weights.tagging` is `True`; a number of 0 or more is needed"),
        ("tagging = 0.3", 'tagging = "1"', "`weights.tagging` is `1`; a number of 0 or more is needed"),
        ("tagging = 0.3", "tagging = nan", "`weights.tagging` is `nan`"),
        ("maybe = 0.5", "maybe = 1.5", "`certainty.maybe` is 1.5; it must not be more than 1"),
        ("surely = 1.0", "surely = 0.4", "`certainty.maybe` is 0.5; it must not be more than `certainty.surely`"),
        ("lesser = 0.4", "lesser = 0.8", "`target.lesser` is 0.8; it must not be more than `target.privileged`"),
        ("production = 10.0", "production = 11.0", "must not be more than `environment.unknown`, which is 10"),
        ("control_reach = 24.0", "control_reach = 25.0", "`[factors]` add up to 101; they must make 100"),
        ("breadth_bend = 5.0", "breadth_bend = 0", "`scales.breadth_bend` is 0; a number above 0 is needed"),
        ("high_risk_from = 1.0", "high_risk_from = 9", "must not be more than `weights.control`, which is 5"),
        ("critical = 75.0", "critical = 40.0", "`bands.high` is 50; it must not be more than `bands.critical`"),
        ('sandbox = ["sandbox"', 'sandbox = [1, "sandbox"', "`environment_words.sandbox` is"),
    ],
)
def test_a_wrong_weights_file_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(WeightsError) as error:
        weights_of(tmp_path, old, new)
    assert sentence in str(error.value)
    assert str(tmp_path / "risk.toml") in str(error.value)
    assert "\n" not in str(error.value)


def test_weights_to_try_are_checked_too() -> None:
    with pytest.raises(WeightsError, match=r"there is no weight `exposure\.vendors`"):
        WEIGHTS.with_changes({"exposure.vendors": 3})
    with pytest.raises(WeightsError, match=r"`certainty\.maybe` is 2; it must not be more than"):
        WEIGHTS.with_changes({"certainty.maybe": 2})


def test_every_number_of_the_file_has_a_key_and_a_reason() -> None:
    read = tomllib.loads(RISK_FILE.read_text("utf-8"))
    numbers = {
        f"{table}.{key}"
        for table, entries in read.items()
        if isinstance(entries, dict) and table not in ("classes", "environment_words")
        for key in entries
    }
    assert numbers | {"high_risk_from"} == set(KEYS)
    lines = RISK_FILE.read_text("utf-8").splitlines()
    assert [line for line in lines if line.partition(" = ")[2][:1].isdigit() and "#" not in line] == []
