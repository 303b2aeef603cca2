"""The list of identities and the page of one: the order, the evidence, and what is said where nothing is known."""

from dataclasses import replace
from datetime import datetime

import pytest
import streamlit

from analytics.outputs import queries
from app_pages.shared import identity_panel, identity_trust, identity_why
from tests.page_runner import run_page, text_of, tiles
from tests.store_builder import (
    ANALYST,
    API,
    DEPLOY,
    DORMANT,
    GHOST,
    LINKED,
    PEOPLE,
    TRICKY,
    Calls,
    write_store,
)

TABS = ("Why this score", "Access", "Who can become it", "Escalation", "Timeline", "Policies")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("full")).folder


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
def open_page(monkeypatch, full):
    """A page over the store with a snapshot, or over another one."""

    def opened(name, store=full, **link):
        monkeypatch.setenv("HEADROOM_STORE", str(store))
        return run_page(name, link)

    return opened


def table(at, column):
    """The first table of the page that has the column."""
    return next(frame.value for frame in at.dataframe if column in frame.value.columns)


def test_the_list_is_ranked_by_score_and_tells_band_and_factors(open_page):
    rows = table(open_page("identities"), "rank")
    assert rows["name"].iloc[0] == DORMANT.name
    assert list(rows["score"].dropna()) == sorted(rows["score"].dropna(), reverse=True)
    assert rows["band"].iloc[0] == "◆ critical"
    assert rows["bar"].iloc[0].startswith("data:image/svg+xml;base64,")


def test_an_identity_of_the_logs_alone_is_listed_without_a_score(open_page):
    rows = table(open_page("identities", q="ghost"), "rank")
    assert list(rows["name"]) == [GHOST.name]
    assert rows["score"].isna().all()
    assert rows["bar"].iloc[0] is None


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("dormant", {DORMANT.name, TRICKY.name}),
        ("not in snapshot", {GHOST.name}),
        ("no owner", {DORMANT.name, ANALYST.name}),
        ("new", {ANALYST.name}),
    ],
)
def test_quick_filters_are_links(open_page, only, names):
    rows = table(open_page("identities", only=only), "rank")
    assert set(rows["name"]) - {"root"} == names


def test_a_quick_filter_without_anyone_says_so(open_page):
    assert "No identity matches" in text_of(open_page("identities", only="policies missing"))


def test_without_a_snapshot_the_list_has_no_picture_of_scores(open_page, usage_only):
    at = open_page("identities", usage_only)
    assert "Bands" not in text_of(at)
    assert table(at, "rank")["score"].isna().all()


def test_the_page_of_one_identity_opens_with_score_band_and_confidence(open_page):
    at = open_page("identity", arn=DORMANT.arn)
    assert DORMANT.name in at.title[0].value
    assert float(tiles(at)["Score, of 100"]) >= 75
    assert "critical" in text_of(at)
    assert tiles(at)["Confidence"] == "low"
    assert "Drop the unused actions of iam" in text_of(at)


def test_no_change_is_offered_without_what_it_would_break(open_page):
    for person in (DORMANT, DEPLOY, API):
        at = open_page("identity", arn=person.arn)
        offered = [element.value for element in at.markdown if element.value.startswith(":blue[−")]
        told = [element.value for element in at.caption if element.value.startswith("Calls broken: ")]
        assert len(told) == len(offered)


@pytest.mark.parametrize(
    ("calls_broken", "detail", "said"),
    [
        (0, {"unobserved": 0}, "Calls broken: 0."),
        (None, {"services": ["s3"]}, "Calls broken: not proven."),
        (
            *(None, {"unobserved": 3}),
            "Calls broken: not proven. 3 of these actions could not have been seen in this export.",
        ),
    ],
)
def test_what_could_not_have_been_seen_is_told_beside_the_change(calls_broken, detail, said):
    assert identity_why.broken({"calls_broken": calls_broken, "detail": detail}) == said


def test_calls_are_told_of_the_window_and_not_of_all_logs(tmp_path):
    early = Calls("ec2:DescribeInstances", 5, days_before=100)
    with write_store(tmp_path, people=(*PEOPLE, replace(GHOST, calls=(early,)))).connect() as con:
        known = queries.identity(con, principal_arn=GHOST.arn, window_days=90)
        assert con.execute("select calls from principals where principal_arn = $1", [GHOST.arn]).fetchall() == [(12,)]
    assert "7 calls in 90 days" in identity_panel.totals(known, 90)


@pytest.mark.parametrize(
    ("calls", "last", "said"),
    [
        (None, None, "could not be seen"),
        (None, datetime.fromisoformat("2026-11-20T08:00:00"), "used, last 20 Nov 2026"),
        (0, None, "not in the window"),
        (1, datetime.fromisoformat("2026-11-20T08:00:00"), "1 time, last 20 Nov 2026"),
    ],
)
def test_a_key_that_was_used_is_not_said_to_be_unseen(calls, last, said):
    assert identity_trust.seen({"seen_calls": calls, "seen_last": last}) == said


@pytest.mark.parametrize(
    ("basis", "said"), [("tag", "owner ` ada ` by its tag"), ("owners.csv", "owner ` ada ` by owners.csv")]
)
def test_the_owner_is_told_with_where_that_is_written(basis, said):
    known = {"owner": "ada", "owner_basis": basis, "kind": "role", "account_name": "a", "last_used": None}
    assert said in identity_panel.facts(known | {"in_snapshot": False})


def test_the_six_factors_add_up_to_the_score(open_page):
    at = open_page("identity", arn=DEPLOY.arn)
    said = [element.proto.body for element in at.get("html")]
    points = [float(html.split(" of ")[0].rpartition(">")[2]) for html in said if " of " in html]
    assert len(points) == 6
    assert sum(points) == pytest.approx(float(tiles(at)["Score, of 100"]), abs=0.05)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("person", [DEPLOY, API, DORMANT, ANALYST, GHOST, LINKED, TRICKY], ids=lambda one: one.kind)
def test_every_tab_opens_for_every_kind_of_identity(open_page, person, tab):
    at = open_page("identity", arn=person.arn, tab=tab)
    assert "Build 22 Nov 2026" in text_of(at)
    for element in (*at.markdown, *at.caption, *at.title):
        before, _, after = element.value.partition("<img")
        assert not after or "`" in before, element.value


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_without_a_snapshot(open_page, usage_only, tab):
    at = open_page("identity", usage_only, arn=DEPLOY.arn, tab=tab)
    assert "usage only" in text_of(at)
    assert tiles(at)["Score, of 100"] == "–"


def test_a_link_to_nobody_says_so_and_leads_to_the_list(open_page):
    assert "No identity is named in this link" in text_of(open_page("identity"))
    at = open_page("identity", arn="arn:aws:iam::1:role/<img src=x>")
    assert "Not in this build:** `" in text_of(at)


def test_access_goes_down_to_the_action_and_its_statement(open_page):
    at = open_page("identity", arn=DEPLOY.arn, tab="Access", service="lambda")
    assert set(table(at, "service")["service"]) == {"s3", "lambda", "iam"}
    assert "lambda" in text_of(at)
    assert len(table(at, "short")) > 50
    assert '"lambda:*"' in at.code[-1].value


def test_denials_are_told_by_action_and_day(open_page):
    at = open_page("identity", arn=DEPLOY.arn, tab="Timeline")
    rows = table(at, "by_day").set_index("action")
    assert rows.loc["s3:CreateBucket", ["denied", "allowed", "days"]].tolist() == [2, 12, 1]
    assert sum(rows.loc["s3:DeleteBucket", "by_day"]) == 4
    assert len(rows.loc["s3:DeleteBucket", "by_day"]) == 90


def test_the_statements_that_decide_an_action_are_marked_in_every_document(open_page):
    at = open_page("identity", arn=API.arn, tab="Policies", mark="kms:Decrypt")
    text = text_of(at)
    assert ":red[**◆ statement 2**] allows it, on some requests" in text
    assert ":red[**◆ statement 1**] allows it" in text  # of the boundary
    assert any("aws:MultiFactorAuthPresent" in code.value for code in at.code)


def test_an_action_that_no_statement_names_is_said(open_page):
    at = open_page("identity", arn=API.arn, tab="Policies", mark="<b>:*")
    assert "No statement of these policies names" in text_of(at)


def test_what_only_a_snapshot_tells_is_not_told_of_an_identity_that_it_does_not_hold(open_page):
    said = text_of(open_page("identity", arn=GHOST.arn))
    assert "Known from logs only" in said
    assert "no boundary" not in said
    assert "created" not in said
    assert "no boundary" in text_of(open_page("identity", arn=DORMANT.arn))


def test_the_list_of_changes_is_narrowed_by_words_and_not_by_ids(open_page):
    at = open_page("remediation", do="Remove dormant")
    assert set(table(at, "title")["title"]) == {"Remove the dormant role"}
    assert "remove-dormant" not in [option for pills in at.get("button_group") for option in pills.options]
