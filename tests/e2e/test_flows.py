"""What a security lead does with the app, from the first page to the file in the inbox."""

import csv
import http.client
import io
from urllib.parse import parse_qs, quote, urlsplit

import openpyxl
import pytest

from tests.e2e.browser import app_server, settled
from tests.store_builder import API, DEPLOY, DORMANT, HOSTILE

pytestmark = pytest.mark.e2e

WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
ROW, WIDEST, FIRST_COLUMN = (
    18,
    30,
    342,
)  # of the grid, in CSS pixels: names, accounts and amounts stand before the cells


def open_grid(page, query=""):
    page.goto(f"/heatmap{query}")
    settled(page)
    page.locator(".matrix[data-ready]").wait_for()
    return page.locator(".matrix .scroll")


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def panel(page):
    return page.locator("[data-testid=stMain]").inner_text()


def move_to(grid, page, name, service):
    """Arrow keys until the status line names the cell."""
    status = page.locator(".matrix .status")
    grid.focus()
    for key, part in (("ArrowDown", name), ("ArrowRight", service)):
        for _step in range(60):
            if part in status.inner_text().split(" · ")[:2]:
                break
            page.keyboard.press(key)
    assert status.inner_text().startswith(f"{name} · {service}")


@pytest.mark.parametrize("path", ["/", "/identities", "/heatmap", "/remediation", "/health"])
def test_every_page_opens_with_its_build_and_its_filters(page, path):
    page.goto(path)
    settled(page)
    page.get_by_text("Build 22 Nov 2026 13:00 UTC").wait_for()
    if path != "/health":  # which speaks of the whole build
        page.get_by_label("Search", exact=True).wait_for()


def test_a_cell_opens_by_mouse_and_the_link_opens_it_again(page):
    grid = open_grid(page)
    rows = int(page.locator(".matrix").get_attribute("data-ready"))
    head = page.locator(".matrix .names").evaluate("canvas => canvas.clientHeight") - rows * ROW - 1
    grid.click(position={"x": FIRST_COLUMN + WIDEST + 10, "y": head + ROW + 9})  # second row, second column
    page.wait_for_url("**service=**")
    settled(page)
    chosen = query_of(page)
    assert chosen == {"row": DEPLOY.arn, "service": "iam"}
    for _time in ("opened", "loaded again"):
        page.get_by_text("statement 1, Sid").wait_for()
        assert f"{DEPLOY.name} · iam" in " ".join(panel(page).split())
        page.goto(page.url)
        settled(page)
    assert query_of(page) == chosen


def test_a_cell_opens_by_keyboard_down_to_the_granting_statement(page):
    grid = open_grid(page)
    move_to(grid, page, API.name, "kms")
    page.keyboard.press("Enter")
    page.wait_for_url("**service=kms**")
    settled(page)
    page.get_by_text("kms:Decrypt", exact=True).wait_for()
    text = " ".join(panel(page).split())
    assert "● used 1" in text
    assert "Let through by: boundary app-boundary" in text
    page.locator("pre", has_text="aws:MultiFactorAuthPresent").wait_for()


def test_headers_open_the_identity_and_the_service(page):
    grid = open_grid(page)
    move_to(grid, page, DORMANT.name, "s3")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url("**row=**")
    settled(page)
    assert "service" not in query_of(page)
    page.get_by_text("22,321 actions granted").wait_for()


def test_s_on_a_service_sorts_the_rows_by_it(page):
    grid = open_grid(page)
    move_to(grid, page, DORMANT.name, "athena")
    page.keyboard.press("s")
    page.wait_for_url("**sort=athena**")
    settled(page)


def test_filters_stay_in_the_url_and_from_page_to_page(page):
    open_grid(page)
    page.get_by_label("Search", exact=True).fill("payments-api")
    page.wait_for_url("**q=payments-api**")
    settled(page)
    page.get_by_text("1–1 of 1 identities").wait_for()
    page.get_by_role("link", name="Identities").first.click()
    page.wait_for_url("**/identities**")
    settled(page)
    assert query_of(page)["q"] == "payments-api"
    page.get_by_text("1–1 of 1 identities").wait_for()


def test_an_export_holds_all_rows_and_no_formula(page):
    open_grid(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    hostile = [row for row in rows if "HYPERLINK" in row["name"]]
    assert hostile[0]["name"] == f"'{HOSTILE}"
    assert hostile[0]["owner"] == "'=1+1"
    assert len({row["service"] for row in rows if row["name"] == DORMANT.name}) > 400
    assert {row["source_window"] for row in rows} == {"2026-08-25 to 2026-11-22 (90 days)"}


def test_an_xlsx_of_the_filtered_identities_opens(page):
    page.goto("/identities?kind=user")
    settled(page)
    page.get_by_role("button", name="Export 1 row").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="XLSX", exact=True).click()
    book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
    assert [row[1].value for row in book["identities"].iter_rows(min_row=2)] == ["new-analyst"]
    assert {what.value: value.value for what, value in book["Source"].iter_rows(min_row=2)}["filters"] == "kind = user"


def test_hostile_names_are_text_everywhere(page):
    for path in (
        "/",
        f"/identity?arn=arn:aws:iam::444455556666:role/{quote(HOSTILE)}",
        f"/heatmap?row=arn:aws:iam::444455556666:role/{quote(HOSTILE)}&service=sqs",
    ):
        page.goto(path)
        settled(page)
        page.get_by_text("HYPERLINK").first.wait_for()
        if not path.startswith("/identity?"):  # which has no filters
            page.get_by_label("Account", exact=True).click()
            page.get_by_role("option", name="evil.example").wait_for()
        assert page.locator("img[src='x'], img[src*='evil.example']").count() == 0
        hosts = page.locator("a[href]").evaluate_all("links => links.map(link => link.hostname)")
        assert set(hosts) == {"127.0.0.1"}


def test_a_link_with_names_that_do_not_exist_says_so(page):
    page.goto("/heatmap?row=arn:aws:iam::1:role/none&service=s3&sort=none&by=none&account=none&page=99")
    settled(page)
    page.get_by_text("Not in this build").wait_for()


def test_the_first_visitor_of_a_fresh_server_may_follow_a_deep_link(browser, tmp_path, store):
    """Streamlit would run a page without app.py if the pages lay in a folder that it takes for its own."""
    with app_server(store.folder, tmp_path / "server.log") as fresh:
        page = browser.new_page(base_url=fresh)
        page.goto("/heatmap?by=Accounts")
        settled(page)
        page.get_by_role("link", name="Privilege vs usage").wait_for()
        page.get_by_text("1–2 of 2 accounts").wait_for()
        page.close()


def test_a_page_elsewhere_cannot_reach_the_app_by_another_name(address):
    """DNS rebinding: the browser of a user is led to 127.0.0.1 under a name of the attacker's."""
    server = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    server.putrequest("GET", "/_stcore/stream", skip_host=True)
    for name, value in (WEBSOCKET | {"Host": "evil.example", "Origin": "http://evil.example"}).items():
        server.putheader(name, value)
    server.endheaders()
    assert server.getresponse().status == 403


def test_a_page_knows_its_server_and_asks_nobody_for_it(page):
    """The document of `serve.py` names the server; Streamlit's own would ask at every level of the address."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/heatmap")
    page.locator(".matrix[data-ready]").wait_for()
    assert [url for url in asked if "/heatmap/_stcore" in url] == []
