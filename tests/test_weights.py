"""Other weights, put to every identity of a build: what is kept is what the scores were made from."""

import json

import pytest
import streamlit
from hypothesis import given
from hypothesis import strategies as st

from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.facts import Counts, PathFact, RiskFacts
from analytics.findings.risk.kept import read_facts, write_facts
from analytics.findings.risk.weights import CLASSES, FACTORS, KEYS, WeightsError, risk_weights
from analytics.outputs import queries
from app_pages.shared import moved_weights
from tests.page_runner import run_page, text_of, tiles
from tests.store_builder import DORMANT, write_store

REFERENCE = risk_weights()
numbers = st.tuples(*[st.integers(0, 9999)] * len(CLASSES))
counts = st.builds(Counts, numbers, numbers)
paths = st.builds(
    PathFact,
    st.sampled_from(sorted(REFERENCE.table("category"))),
    st.booleans(),
    st.sampled_from(sorted(REFERENCE.table("target"))),
)
all_facts = st.builds(
    RiskFacts,
    reach=counts,
    unused=counts,
    reveals=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    paths=st.frozensets(paths, max_size=4),
    administrator=st.sampled_from([None, *Certainty]),
    trust_classes=st.frozensets(st.sampled_from(sorted(REFERENCE.table("exposure"))), max_size=4),
    environment=st.sampled_from(sorted(REFERENCE.table("environment"))),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    yield write_store(tmp_path_factory.mktemp("weights"))
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


@pytest.fixture(scope="module")
def con(store):
    with store.connect() as con:
        yield con


@pytest.fixture
def page(store, monkeypatch):
    def opened(**link):
        monkeypatch.setenv("HEADROOM_STORE", str(store.folder))
        return run_page("weights", link)

    return opened


def band(score):
    return sum(score >= least for least in REFERENCE.table("bands").values())


@given(all_facts)
def test_facts_are_read_as_they_were_written(facts):
    assert read_facts(write_facts(facts)) == facts
    assert write_facts(read_facts(write_facts(facts))) == write_facts(facts)


def test_the_weights_of_this_version_give_the_scores_and_the_order_of_the_build(con):
    order = queries.moved_ranks(con, changes=())
    built = con.execute("select principal_arn, rank, score from risk order by rank").df()
    for column in ("rank", "score"):
        assert list(order.rows[column]) == list(order.rows[f"{column}_before"]) == list(built[column])
    assert list(order.rows["principal_arn"]) == list(built["principal_arn"])
    assert (order.stay, order.top, order.other_band) == (len(built), len(built), 0)


def test_a_weight_that_moves_changes_scores_and_bands_by_the_same_function(con):
    order = queries.moved_ranks(con, changes=(("exposure.compute_service", 25.0),))
    rows = order.rows.set_index("principal_arn")
    assert rows.loc[DORMANT.arn, "score"] > rows.loc[DORMANT.arn, "score_before"]
    assert order.other_band == sum(band(row["score"]) != band(row["score_before"]) for _arn, row in rows.iterrows()) > 0


def test_only_the_first_are_told_and_how_many_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("analytics.outputs.queries.weights.TOP", 2)
    with write_store(tmp_path).connect() as con:
        order = queries.moved_ranks(con, changes=(("factors.control_reach", 0.0), ("factors.exposure", 60.0)))
    assert order.top == 2
    assert order.stay == sum((order.rows["rank"] <= 2) & (order.rows["rank_before"] <= 2))
    assert len(order.rows) == 4 - order.stay


def test_numbers_that_the_score_cannot_use_are_refused(con):
    with pytest.raises(WeightsError, match=r"no weight `exposure[.]nobody_knows`"):
        queries.moved_ranks(con, changes=(("exposure.nobody_knows", 1.0),))
    assert "certainty.maybe" in moved_weights.problem((("certainty.maybe", 0.9), ("certainty.surely", 0.5)))
    assert moved_weights.problem(()) == ""
    assert set(moved_weights.OTHERS) < set(KEYS)


def test_the_page_tells_how_many_stay_and_lists_the_archetypes(page):
    at = page()
    assert not any(slider.value != round(REFERENCE[f"factors.{slider.key}"]) for slider in at.slider)
    assert tiles(at)["Stay in the first 6"] == "6 of 6"
    assert "No weight is moved" in text_of(at)
    archetypes = at.dataframe[-1].value
    assert list(archetypes["score"]) == list(archetypes["was"])
    assert len(archetypes) == 11


def test_a_moved_slider_moves_scores_and_the_button_puts_it_back(page):
    at = page()
    at.slider(key="control_reach").set_value(0).run()
    assert "No weight is moved" not in text_of(at)
    assert set(at.dataframe[-1].value["score"]) != set(at.dataframe[-1].value["was"])
    at.button[0].click().run()
    assert "No weight is moved" in text_of(at)


def test_a_link_holds_moved_weights_and_a_number_that_cannot_be_is_explained(page):
    at = page(unused="60", number="exposure.vendor", value="25")
    assert at.slider(key="unused").value == 60
    assert "No weight is moved" not in text_of(at)
    at = page(number="certainty.maybe", value="0.9")
    at.number_input[0].set_value(7.0).run()
    assert "The score cannot use these numbers" in text_of(at)


def test_the_ranking_holds_everybody_with_factors_that_add_up(con):
    changes = (("factors.control_reach", 5.0), ("factors.exposure", 50.0))
    rows, order = queries.moved_ranking(con, changes=changes), queries.moved_ranks(con, changes=changes)
    assert list(rows["rank"]) == list(range(1, len(rows) + 1))
    assert len(rows) == order.identities
    assert list(rows["score"][: order.top]) == list(order.rows["score"][: order.top])
    sums = rows[[*FACTORS, "floor_points"]].sum(axis=1).round(1)
    assert list(sums) == list(rows["score"])
    assert sum(rows["band"] != rows["band_before"]) == order.other_band


def test_the_legend_and_the_export_tell_the_moved_weights(page):
    at = page(control_reach="0")
    assert [block.proto.popover.label for block in at.get("popover")] == ["Export 6 rows"]
    told = "".join(element.proto.body for element in at.get("html"))
    moved = REFERENCE.with_changes({"factors.control_reach": 0.0})
    assert f"unused {round(moved['factors.unused'], 1):g}" in told
    assert "control 0<" in told


def test_the_table_of_facts_is_one_row_per_identity_with_a_score(con):
    rows = con.execute("select principal_arn, facts from risk_facts").fetchall()
    assert {arn for arn, _facts in rows} == {arn for (arn,) in con.execute("select principal_arn from risk").fetchall()}
    assert all(json.loads(facts)["environment"] in REFERENCE.table("environment") for _arn, facts in rows)
