"""The page Guardrails tells what the table of the matrix holds, in every tab, and survives any store and any link."""

import json

import pytest
import streamlit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.outputs import queries
from analytics.outputs.drafts_store import kept_drafts
from analytics.store import Store
from app_pages.shared import guardrail_tree
from tests.guardrail_store import MANAGEMENT, write_guarded_store
from tests.page_runner import run_page, text_of, tiles
from tests.store_builder import API, HOSTILE, LOGS, NAMES, PROD, SANDBOX, write_store

ROOT = "r-ab12"
TABS = ("Matrix", "Organisation", "Boundaries", "Templates", "Drafts")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return write_guarded_store(tmp_path_factory.mktemp("guarded")).folder


@pytest.fixture(scope="module", autouse=True)
def let_go_of_connections():
    yield
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


@pytest.fixture
def open_page(monkeypatch):
    def opened(store, **link):
        monkeypatch.setenv("HEADROOM_STORE", str(store))
        return run_page("guardrails", link)

    return opened


def test_the_matrix_is_summed_up_in_the_numbers_of_the_table(open_page, full):
    text = text_of(open_page(full, set="Core and extended"))
    with Store(full).connect() as con:
        found = queries.guardrail_matrix(con, choice=queries.MatrixChoice(extended=True))
    counts = found.counts()
    assert f"**{int(found.open_rows.sum())} of {len(found.scenarios)} scenarios** open somewhere" in text
    assert f"**✕ {counts['gap']} gaps**" in text
    assert f"◐ {counts['partial']} partial" in text
    assert f"of {found.states.size} cells" in text


def test_a_linked_cell_shows_its_evidence(open_page, full):
    at = open_page(full, scenario="LOG-01", at=PROD)
    text = text_of(at)
    assert ":blue-badge[● covered] by SCP :gray-badge[◥ one layer only]" in text
    assert "Spares (1): ` arn:aws:iam::*:role/break-glass `" in text
    assert [one.label for one in at.expander if "protect-trail" in one.label] == [
        "` protect-trail ` · Sid ` ProtectTrail `"
    ]


def test_a_gap_says_who_can_act_and_who_did(open_page, full):
    text = text_of(open_page(full, scenario="IAM-03", at=PROD))
    assert "What it means today" in text
    assert "2 identities can act · 0 did in the window" in text
    assert "◐ **Boundary** partial · stops 1 of 4 identities" in text


def test_no_draft_is_offered_where_its_layer_cannot_act(open_page, full, tmp_path):
    def offered(store, target: str) -> list[str]:
        at = open_page(store, scenario="LOG-04", at=target)
        return [one.label for one in at.button if one.label.startswith("Draft")]

    assert offered(full, SANDBOX) == ["Draft an SCP", "Draft a boundary"]
    assert offered(write_guarded_store(tmp_path, management=True).folder, MANAGEMENT) == ["Draft a boundary"]


def test_a_scenario_and_a_target_open_alone(open_page, full):
    text = text_of(open_page(full, scenario="LOG-04"))
    assert "best in SCP, Boundary" in text
    text = text_of(open_page(full, at=SANDBOX))
    assert f"Account ` {SANDBOX} ` · ` Root/Sandbox/sandbox-1 `" in text


def test_names_that_do_not_exist_are_said(open_page, full):
    assert "No scenario of this build" in text_of(open_page(full, scenario="NONE", at=PROD))
    assert "No account or OU of this build" in text_of(open_page(full, scenario="LOG-01", at="1"))


def test_filters_that_leave_nothing_are_explained(open_page, full):
    at = open_page(full, gaps="true", target=f"Root/Prod/Payments/payments-prod · {PROD}", severity="none")
    assert "open in its best layer" in text_of(at)
    at = open_page(full, ou="Root/Security", account=f"{PROD} payments-prod")
    assert "No account or OU matches" in text_of(at)


def test_the_tree_beside_the_matrix_counts_what_is_open_at_each_node(open_page, full):
    tree = next(table.value for table in open_page(full).dataframe if "gaps" in table.value.columns)
    with Store(full).connect() as con:
        found = queries.guardrail_matrix(con, choice=queries.MatrixChoice())
    counts = found.counts()
    assert [name.strip(" \u2003▣▸") for name in tree["node"]] == [one.name for one in found.targets]
    assert (tree["gaps"].sum(), tree["partial"].sum()) == (counts["gap"], counts["partial"])
    assert tree["gaps"].nunique() > 1


def test_the_tree_of_many_targets_waits_until_it_is_asked_for(open_page, full, monkeypatch):
    monkeypatch.setattr(guardrail_tree, "OPEN_UNTIL", 1)
    assert not any("gaps" in table.value.columns for table in open_page(full).dataframe)


def test_the_same_cells_stand_in_a_table(open_page, full):
    assert "The same cells as a table" in [one.label for one in open_page(full).expander]


def test_the_organisation_says_what_applies_and_from_where(open_page, full):
    at = open_page(full, tab="Organisation", node=SANDBOX, node_action="guardduty:DeleteDetector")
    policies = next(table.value for table in at.dataframe if "source" in table.value.columns)
    told = dict(zip(policies["policy"], policies["source"], strict=True))
    assert told["protect-trail"] == "inherited from Root"
    assert told["half"] == "inherited from Sandbox"
    answers = next(table.value for table in at.dataframe if "said" in table.value.columns)
    assert dict(zip(answers["node"], answers["said"], strict=True))["Sandbox"] == "✕ denies"
    assert "` s3:GetObject `" in text_of(open_page(full, tab="Organisation", node=SANDBOX, node_action="no:such"))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("Quotas", "Policies attached directly to a node"),
        ("Idle policies", "Attached, and without any effect"),
        ("Compare two", "Only here"),
        ("Wrong place", "No account is in the wrong place"),
    ],
)
def test_the_checks_of_the_organisation_open(open_page, full, view, said):
    assert said in text_of(open_page(full, tab="Organisation", organisation=view))


def test_boundaries_are_counted_and_listed(open_page, full):
    at = open_page(full, tab="Boundaries")
    assert tiles(at)["Identities with a boundary"] == "1 of 6"
    assert list(at.dataframe[0].value["boundary"]) == ["app-boundary"]
    for view in ("Ways out", "Makers without one", "By account", "Drift"):
        open_page(full, tab="Boundaries", boundaries=view)


@pytest.mark.parametrize(
    ("link", "views"),
    [
        ({"tab": "Organisation", "node": PROD, "node_action": "guardduty:DeleteDetector"},
         {"organisation-tree", "node-policies", "node-answers", "node-services", "node-exemptions"}),
        ({"tab": "Organisation", "organisation": "Quotas"}, {"attachment-quota", "character-quota"}),
        ({"tab": "Boundaries"}, {"boundaries"}),
        ({"tab": "Boundaries", "boundaries": "By account"}, {"boundary-coverage"}),
        ({"tab": "Boundaries", "boundaries": "Makers without one"}, {"boundary-makers"}),
        ({"tab": "Templates", "part": "Whom it fits"}, {"templates", "template-fit"}),
        ({"tab": "Templates", "part": "Requests"}, {"templates", "template-requests"}),
        ({"tab": "Drafts", "by": "scp", "at": SANDBOX, "for": "LOG-04"}, {"draft-cells"}),
    ],
)  # fmt: skip
def test_every_table_can_be_taken_along(open_page, full, link, views):
    buttons = {one.proto.id for one in open_page(full, **link).get("download_button")}
    for view in views:
        for form in ("csv", "xlsx", "json", "parquet"):
            assert any(one.endswith(f"export_{view}_{form}") for one in buttons), (view, form)


def test_drift_follows_the_map_of_the_team_without_a_new_build(open_page, full):
    path = full / "boundary_map.csv"
    assert "No team has said yet" in text_of(open_page(full, tab="Boundaries", boundaries="Drift"))
    try:
        path.write_text("ou,boundary\nRoot/Prod*,arn:aws:iam::aws:policy/ReadOnlyAccess\n,none\n")
        at = open_page(full, tab="Boundaries", boundaries="Drift")
        assert API.name in set(at.dataframe[0].value["name"])
        assert "put-role-permissions-boundary" in at.code[0].value
        path.write_text("ou,boundery\nRoot,none\n")
        assert "cannot be used as it stands" in "".join(
            one.value for one in open_page(full, tab="Boundaries", boundaries="Drift").warning
        )
    finally:
        path.unlink()


@pytest.mark.parametrize("part", ["Document", "Requests", "Whom it fits"])
def test_a_template_shows_its_parts(open_page, full, part):
    at = open_page(full, tab="Templates", template="security-auditor", part=part)
    assert "**Security auditor**" in text_of(at)
    if part == "Document":
        document = json.loads(at.code[0].value)
        assert document["Version"] == "2012-10-17"
    if part == "Requests":
        assert all(one.startswith("●") for one in at.dataframe[1].value["decided"])


def test_a_parameter_that_makes_no_policy_is_said(open_page, full):
    at = open_page(full, tab="Templates", template="developer-sandbox")
    at.text_input(key="parameter_developer-sandbox_regions").set_value(
        ", ".join(f"region-{n}" for n in range(400))[:399]
    )
    at.text_input(key="parameter_developer-sandbox_account_id").set_value("").run()
    assert "parameter `account_id` is missing" in text_of(at)


def test_a_draft_is_made_proven_kept_and_dropped(open_page, full):
    at = open_page(full, tab="Drafts", by="scp", at=SANDBOX, **{"for": "LOG-04"})
    assert tiles(at)["Cells closed"] != "0"
    assert tiles(at)["Calls broken"] == "not proven"
    assert "guardduty:UpdateDetector" in at.code[0].value
    next(button for button in at.button if button.label == "Keep").click().run()
    assert not at.exception
    assert [draft.scenarios for draft in kept_drafts(full)[0]] == [("LOG-04",)]
    at = open_page(full, tab="Drafts")
    assert "Kept drafts** (1)" in text_of(at)
    next(button for button in at.button if button.label == "Remove").click().run()
    assert kept_drafts(full)[0] == ()


def test_a_draft_that_cannot_be_is_refused_in_words(open_page, full):
    at = open_page(full, tab="Drafts", by="rcp", at=PROD, **{"for": "LOG-01"})
    assert [one.value for one in at.warning] == ["There is no such draft."]
    assert "RESOURCE_CONTROL_POLICY is not enabled" in at.text[0].value


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_without_an_organisation(open_page, tmp_path, tab):
    store = write_guarded_store(tmp_path, organization=False)
    text = text_of(open_page(store.folder, tab=tab))
    if tab == "Organisation":
        assert "holds no organisation" in text


def test_without_a_snapshot_nothing_is_judged(open_page, tmp_path):
    store = write_store(tmp_path, snapshot=False)
    assert "no guardrail to judge" in text_of(open_page(store.folder))


def test_hostile_names_stand_in_code_spans_only(open_page, full):
    for link in (
        {"at": LOGS},
        {"scenario": "LOG-04", "at": LOGS},
        {"tab": "Organisation", "node": LOGS},
        {"tab": "Boundaries", "boundaries": "Makers without one"},
    ):
        at = open_page(full, **link)
        for element in (*at.markdown, *at.caption):
            before, _, after = element.value.partition("<img")
            assert not after or "`" in before, element.value
    assert NAMES[LOGS][:8] in text_of(open_page(full, at=LOGS))


links = st.dictionaries(
    st.sampled_from(
        ["tab", "scenario", "at", "target", "severity", "category", "ou", "account", "layer", "set", "gaps", "node",
         "node_action", "organisation", "first", "second", "boundaries", "template", "part", "for", "by", "form"]
    ),
    st.one_of(
        st.text(max_size=20),
        st.sampled_from([*TABS, HOSTILE, PROD, ROOT, "LOG-01", "scp", "true", "Root", "Compare two"]),
    ),
    max_size=6,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(links)
def test_no_link_breaks_the_page(open_page, full, link):
    assert "Build 22 Nov 2026" in text_of(open_page(full, **link))
