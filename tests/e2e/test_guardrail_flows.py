"""From the matrix to the statement, the people and the draft; the link that comes back, the file that leaves."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest

from analytics.outputs import queries
from analytics.outputs.coverage_look import STATES, look_of
from tests.e2e.browser import app_server, settled
from tests.guardrail_store import write_guarded_store
from tests.store_builder import LOGS, PROD, SANDBOX

pytestmark = pytest.mark.e2e

ROW, GROUP, NAMES = 18, 24, 292 + 60 + 62  # of the grid, in CSS pixels
LINKS = {
    "Matrix": "/guardrails",
    "Organisation": f"/guardrails?tab=Organisation&node={SANDBOX}",
    "Boundaries": "/guardrails?tab=Boundaries",
    "Templates": "/guardrails?tab=Templates",
    "Drafts": f"/guardrails?tab=Drafts&for=LOG-04&at={SANDBOX}&by=scp",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_guarded_store(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def address(store, tmp_path_factory):
    with app_server(store.folder, tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def matrix(store):
    with store.connect() as con:
        return queries.guardrail_matrix(con, choice=queries.MatrixChoice())


def open_matrix(page, query=""):
    page.goto(f"/guardrails{query}")
    settled(page)
    page.locator(".matrix[data-ready]").wait_for()
    return page.locator(".matrix .scroll")


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def position(page, matrix, scenario):
    """The row's middle: rows, and a heading above each category, stand at the foot of the picture."""
    ids = [one.id for one in matrix.scenarios]
    categories = [one.category for one in matrix.scenarios]
    row = ids.index(scenario)
    below = len(ids) - row - 1, len(set(categories[row + 1 :]) - {categories[row]})
    height = page.locator(".matrix .cells").evaluate("canvas => canvas.clientHeight")
    return height - 1 - below[0] * ROW - below[1] * GROUP - ROW / 2


def test_a_cell_opens_by_mouse_and_the_link_opens_it_again(page, matrix):
    grid = open_matrix(page)
    at = [one.id for one in matrix.targets].index(PROD)
    width = min(30, page.locator(".matrix .cells").evaluate("canvas => canvas.clientWidth"))
    grid.click(position={"x": NAMES + at * width + width / 2, "y": position(page, matrix, "LOG-01")})
    page.wait_for_url("**scenario=**")
    settled(page)
    chosen = query_of(page)
    assert chosen == {"scenario": "LOG-01", "at": PROD}
    for _time in ("opened", "loaded again"):
        page.get_by_text("ProtectTrail").first.wait_for()
        page.goto(page.url)
        settled(page)
    assert query_of(page) == chosen


def test_a_node_of_the_tree_opens_its_cell_of_the_scenario_that_is_open(page, matrix):
    open_matrix(page, "?scenario=LOG-01")
    tree = page.locator(".st-key-guardrail_tree canvas").first
    row = [one.id for one in matrix.targets].index(PROD)
    tree.wait_for()
    page.wait_for_timeout(300)  # the canvas has no sign of its own that it is drawn
    tree.click(position={"x": 60, "y": 36 + 30 * row + 15}, force=True)
    page.wait_for_url(f"**at={PROD}**")
    assert query_of(page) == {"scenario": "LOG-01", "at": PROD}
    page.get_by_text("ProtectTrail").first.wait_for()


def test_a_cell_opens_by_keyboard_down_to_the_marked_statement(page):
    grid = open_matrix(page)
    status = page.locator(".matrix .status")
    grid.focus()
    for key, part in (("ArrowDown", "LOG-01"), ("ArrowRight", "payments-prod")):
        for _step in range(60):
            if part in status.inner_text():
                break
            page.keyboard.press(key)
    assert "covered · held by one layer only" in status.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**at={PROD}**")
    settled(page)
    page.get_by_text("protect-trail").first.click()
    settled(page)
    page.get_by_text("decides this cell").wait_for()
    page.locator("pre", has_text="cloudtrail:StopLogging").first.wait_for()


def test_a_heading_is_no_row(page, matrix):
    grid = open_matrix(page)
    second = next(one for one in matrix.scenarios if one.category != matrix.scenarios[0].category)
    grid.click(position={"x": 40, "y": position(page, matrix, second.id) - ROW / 2 - GROUP / 2})
    page.wait_for_timeout(300)
    assert query_of(page) == {}


def test_filters_stay_in_the_url(page):
    open_matrix(page)
    page.get_by_text("Only with gaps").click()
    page.wait_for_url("**gaps=true**")
    settled(page)
    assert "LOG-01" not in page.locator(".matrix .scroll").get_attribute("aria-label")
    page.get_by_role("radio", name="SCP").click()
    page.wait_for_url("**layer=SCP**")
    settled(page)
    link = page.url
    page.goto(link)
    settled(page)
    assert query_of(page) == {"gaps": "true", "layer": "SCP"}


def test_filters_that_are_folded_away_hold_and_are_told(page):
    open_matrix(page)
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Severity", exact=True).click()
    page.get_by_role("option", name="critical").click()
    page.wait_for_url("**severity=critical**")
    settled(page)
    page.get_by_label("Account", exact=True).click()
    page.get_by_role("option", name="payments-prod").click()
    page.wait_for_url("**account=**")
    settled(page)
    page.keyboard.press("Escape")
    page.get_by_text("Only with gaps").click()
    page.wait_for_url("**gaps=true**")
    settled(page)
    link = query_of(page)
    assert link == {"severity": "critical", "account": f"{PROD} payments-prod", "gaps": "true"}
    page.goto(page.url)
    page.get_by_text(f"{PROD} payments-prod").wait_for()
    page.get_by_text("Only with gaps").click()
    page.wait_for_url(lambda url: "gaps" not in url)
    settled(page)
    assert query_of(page) == {name: value for name, value in link.items() if name != "gaps"}


def test_the_layers_of_one_target_have_their_words(page):
    grid = open_matrix(page, "?target=Root")
    grid.focus()
    page.keyboard.press("ArrowRight")
    assert "SCP · " in page.locator(".matrix .status").inner_text()
    page.get_by_text("in its best layer").wait_for()


def download(page, name):
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as file:
        page.get_by_role("button", name=name, exact=True).click()
    return file.value.path().read_bytes()


def test_the_matrix_is_the_same_on_the_page_and_in_the_files(page, matrix):
    open_matrix(page)
    words = [[look_of(STATES[one]).word for one in row] for row in matrix.states]
    rows = list(csv.reader(io.StringIO(download(page, "CSV").decode("utf-8-sig"), newline="")))
    assert [row[4 : 4 + len(matrix.targets)] for row in rows[1:]] == words
    open_matrix(page)
    picture = ET.fromstring(download(page, "SVG picture for slides"))
    told = [one.text for one in picture.findall(".//{http://www.w3.org/2000/svg}g/{http://www.w3.org/2000/svg}title")]
    assert told[len(STATES) :] == [word for row in words for word in row]
    open_matrix(page)
    book = openpyxl.load_workbook(io.BytesIO(download(page, "XLSX, one sheet per layer")))
    assert [cell.value[2:] for cell in book["Best layer"][2][4:]] == words[0]
    open_matrix(page)
    document = json.loads(download(page, "JSON"))
    assert len(document["rows"]) > 5 * matrix.states.size


def test_a_gap_leads_to_its_draft(page):
    open_matrix(page, f"?scenario=LOG-04&at={SANDBOX}")
    page.get_by_role("button", name="Draft an SCP").click()
    page.wait_for_url("**tab=Drafts**")
    settled(page)
    page.get_by_text("Cells closed").wait_for()
    page.locator("pre", has_text="guardduty:UpdateDetector").first.wait_for()
    page.get_by_role("radio", name="Terraform").click()
    page.locator("pre", has_text="aws_organizations_policy").first.wait_for()
    link = query_of(page)
    assert (link["for"], link["at"], link["by"]) == ("LOG-04", SANDBOX, "scp")


@pytest.mark.parametrize("tab", list(LINKS))
def test_every_tab_opens_by_its_link_with_hostile_names_as_text(page, tab):
    page.goto(LINKS[tab])
    settled(page)
    assert page.get_by_role("tab", name=tab).get_attribute("aria-selected") == "true"
    assert page.locator("img[src='x'], img[src*='evil.example']").count() == 0
    hosts = page.locator("a[href]").evaluate_all("links => links.map(link => link.hostname)")
    assert set(hosts) == {"127.0.0.1"}


def test_a_hostile_account_opens_as_text(page):
    open_matrix(page, f"?at={LOGS}")
    page.get_by_text("evil.example").first.wait_for()
    assert page.locator("img[src='x'], img[src*='evil.example']").count() == 0
