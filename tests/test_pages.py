"""Every page opens on every kind of store, says what it is about, and survives any link."""

import duckdb
import pytest
import streamlit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.page_runner import run_page, text_of, tiles
from tests.store_builder import API, DEPLOY, DORMANT, HOSTILE, TRICKY, write_store

PAGES = ("overview", "identities", "identity", "heatmap", "guardrails", "remediation", "weights", "health")
OF_THE_WHOLE_BUILD = ("guardrails", "health", "identity", "weights")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("full"), builds=2).folder


@pytest.fixture(scope="module")
def usage_only(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("usage"), snapshot=False).folder


@pytest.fixture(scope="module", autouse=True)
def let_go_of_connections():
    """The caches of a process end with it; those of these tests end here."""
    yield
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


@pytest.fixture
def open_page(monkeypatch):
    """Open a page over a store, at a link; an exception on it fails the test."""

    def opened(name, store, **link):
        monkeypatch.setenv("HEADROOM_STORE", str(store))
        return run_page(name, link)

    return opened


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_which_build_and_window_it_speaks_of(open_page, full, name):
    text = text_of(open_page(name, full))
    assert "Build 22 Nov 2026 13:00 UTC · 25 Aug 2026 – 22 Nov 2026 · snapshot" in text
    assert "86 events" in text


@pytest.mark.parametrize("name", PAGES)
def test_without_a_snapshot_every_page_says_so(open_page, usage_only, name):
    at = open_page(name, usage_only)
    assert "no IAM snapshot" in text_of(at)
    assert "usage only" in text_of(at)


@pytest.mark.parametrize("name", PAGES)
def test_a_filter_that_leaves_nothing_is_explained(open_page, full, name):
    at = open_page(name, full, q="no such name")
    if name not in OF_THE_WHOLE_BUILD:
        said = text_of(at)
        assert any(why in said for why in ("No identity matches", "Nothing here needs a decision", "No item matches"))


@pytest.mark.parametrize("name", PAGES)
def test_a_store_without_a_build_names_the_command(open_page, tmp_path, name):
    at = open_page("overview", tmp_path)
    assert at.subheader[0].value == "There is no build to show yet"
    assert "python -m analytics demo" in at.code[0].value


def test_a_broken_store_says_what_is_broken(open_page, tmp_path):
    (tmp_path / "CURRENT").write_text("20261122T060000-0a1b2c\n")
    at = open_page("overview", tmp_path)
    assert "its file is gone; run `build` again" in text_of(at)


def test_a_build_of_another_version_is_not_shown(open_page, tmp_path):
    store = write_store(tmp_path)
    with duckdb.connect(str(store.path(store.current()))) as con:
        con.execute("update build set format = format + 1")
    assert "made by another version of Headroom" in text_of(open_page("overview", store.folder))


def test_overview_tiles_tell_figures_and_change(open_page, full):
    at = open_page("overview", full)
    assert tiles(at)["Critical identities"] == "1"
    assert tiles(at)["Dormant identities"] == "2"
    assert tiles(at)["Denied calls"] == "6"
    assert {metric.delta for metric in at.metric} == {"no change"}


def test_overview_of_a_first_build_says_first_build(open_page, tmp_path):
    at = open_page("overview", write_store(tmp_path).folder)
    assert {metric.delta for metric in at.metric} == {"first build"}


def test_overview_without_a_snapshot_shows_no_invented_figure(open_page, usage_only):
    at = open_page("overview", usage_only)
    assert tiles(at)["Unused high-risk"] == "–"
    assert tiles(at)["Critical identities"] == "–"
    assert "Cannot be told without a snapshot" in text_of(at)
    assert tiles(at)["Denied calls"] == "6"


def test_overview_compares_only_like_with_like(open_page, full):
    at = open_page("overview", full, q="payments")
    assert {metric.delta for metric in at.metric} == {""}


def test_a_linked_cell_shows_its_actions_and_their_statements(open_page, full):
    at = open_page("heatmap", full, row=DEPLOY.arn, service="s3")
    actions = next(table.value for table in at.dataframe if "short" in table.value.columns)
    assert len(actions) == 180
    assert actions["mark"].iloc[0] == "○ unused"
    assert "statement 1, Sid ` Work `" in text_of(at)
    assert '"s3:*"' in at.code[-1].value


def test_a_cell_where_nothing_is_granted_says_so(open_page, full):
    assert "Nothing is granted here" in text_of(open_page("heatmap", full, row=API.arn, service="ec2"))


def test_a_service_or_a_larger_row_lists_its_identities(open_page, full):
    at = open_page("heatmap", full, service="sqs")
    assert list(at.dataframe[0].value["name"])[:2] == [DORMANT.name, TRICKY.name]
    at = open_page("heatmap", full, by="OUs", row="Root/Sandbox", service="athena")
    assert "new-analyst" in set(at.dataframe[0].value["name"])


def test_health_lists_what_limits_the_numbers(open_page, full):
    text = text_of(open_page("health", full))
    assert "**1 file of 2 could not be read**: their calls are missing." in text
    assert "**1 account of 3 not collected**" in text


def test_hostile_names_stand_in_code_spans_only(open_page, full):
    for name in PAGES:
        at = open_page(name, full, row=TRICKY.arn, arn=TRICKY.arn, service="sqs")
        for element in (*at.markdown, *at.caption, *at.subheader, *at.title):
            before, _, after = element.value.partition("<img")
            assert not after or "`" in before, element.value


link_texts = st.one_of(st.text(max_size=30), st.sampled_from([HOSTILE, "../../etc/passwd", "' or 1=1 --", "-1", "1e9"]))
links = st.dictionaries(
    st.sampled_from(
        ["window", "ou", "account", "kind", "q", "by", "measure", "services", "sort", "page", "row", "service",
         "arn", "tab", "mark", "item", "only", "rank", "identities_page", "split", "names", "unknown"]
    ),
    link_texts,
    max_size=6,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PAGES), links)
def test_no_link_breaks_a_page(open_page, full, name, link):
    at = open_page(name, full, **link)
    assert "Build 22 Nov 2026" in text_of(at)


def test_a_run_reads_one_build_and_the_next_run_the_new_one(open_page, tmp_path):
    at = open_page("overview", write_store(tmp_path).folder)
    assert {metric.delta for metric in at.metric} == {"first build"}
    write_store(tmp_path, builds=2)
    at.run()
    assert {metric.delta for metric in at.metric} == {"no change"}


def test_an_item_about_a_target_opens_with_its_place_in_the_matrix(open_page, full):
    store = next(path for path in sorted((full / "builds").glob("*.duckdb"), reverse=True))
    with duckdb.connect(str(store), read_only=True) as con:
        rows = con.execute(
            "select item_id, title, risk_removed, blocked_reason from remediation where target is not null"
        ).fetchall()
    drafted = next(row for row in rows if row[3] is None)
    blocked = next(row for row in rows if row[3] is not None)
    for item_id, title, removed, _reason in (drafted, blocked):
        at = open_page("remediation", full, item=item_id)
        assert title[:60] in text_of(at)
        shown = {one.label: one.value for one in at.metric}
        assert shown["Risk removed"] == ("not known" if removed is None else f"{removed:.1f}")
        assert "Score" not in shown
    assert {one.label: one.value for one in at.metric}["Identities"] == "–"
