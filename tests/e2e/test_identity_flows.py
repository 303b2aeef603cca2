"""From the list of identities to the evidence of one, and from the remediation list to the file that leaves."""

import csv
import io
import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.e2e.browser import app_server, settled
from tests.store_builder import API, DEPLOY, DORMANT

pytestmark = pytest.mark.e2e


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def open_identity(page, person, query=""):
    page.goto(f"/identity?arn={quote(person.arn)}{query}")
    settled(page)


def test_a_mark_of_the_picture_opens_its_identity(page):
    page.goto("/identities?q=dormant-admin")
    settled(page)
    page.locator(".scatterlayer .point").first.click(force=True)
    page.wait_for_url("**/identity?**")
    settled(page)
    assert query_of(page)["arn"] == DORMANT.arn
    page.get_by_text("critical").first.wait_for()


def test_a_row_of_the_table_opens_its_identity(page):
    page.goto("/identities?q=deploy-pipeline")
    settled(page)
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.wait_for()
    page.wait_for_timeout(300)  # the canvas has no sign of its own that it is drawn
    table.click(position={"x": 120, "y": 52}, force=True)
    page.wait_for_url("**/identity?**")
    settled(page)
    assert query_of(page)["arn"] == DEPLOY.arn


def test_the_first_visitor_of_a_fresh_server_may_follow_a_link_to_an_identity(browser, tmp_path, store):
    with app_server(store.folder, tmp_path / "server.log") as fresh:
        page = browser.new_page(base_url=fresh)
        open_identity(page, API, "&tab=Policies&mark=kms%3ADecrypt")
        page.get_by_text("◆ statement 2").wait_for()
        page.reload()
        settled(page)
        page.get_by_text("◆ statement 2").wait_for()
        page.close()


def test_evidence_opens_its_rows_and_the_link_keeps_them(page):
    open_identity(page, DEPLOY)
    page.get_by_text("What would lower it").wait_for()
    settled(page)
    page.get_by_role("button", name="Open").first.click()
    page.wait_for_url("**tab=Escalation**")
    settled(page)
    page.get_by_role("button", name="Which statement grants iam:PutRolePolicy").click()
    page.wait_for_url("**tab=Policies**")
    settled(page)
    page.get_by_text("◆ statement 1").first.wait_for()
    assert query_of(page) == {"arn": DEPLOY.arn, "tab": "Policies", "mark": "iam:PutRolePolicy"}


def test_the_page_of_an_identity_is_not_in_the_navigation(page):
    page.goto("/")
    settled(page)
    names = page.locator("[data-testid=stTopNavLink]").all_inner_texts()
    assert any("Remediation" in name for name in names)
    assert not any(name.strip().endswith(("Identity", "Weights")) for name in names)


def test_the_remediation_list_is_the_same_on_the_page_and_in_the_files(page):
    page.goto("/remediation?q=deploy-pipeline")
    settled(page)
    removed = page.locator("[data-testid=stMetricValue]").first.inner_text().strip()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_bytes().decode("utf-8-sig"), newline="")))
    assert f"{float(rows[0]['risk_removed']):.1f}" == removed
    assert {row["principal_arn"] for row in rows} == {DEPLOY.arn}
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    document = json.loads(download.value.path().read_bytes())
    assert [row["item_id"] for row in document["rows"]] == [row["item_id"] for row in rows]


def test_an_item_opens_by_its_link(page):
    page.goto("/remediation?q=deploy-pipeline")
    settled(page)
    item_id = page.get_by_text("Item ").last.inner_text().split()[1].rstrip(":")
    page.goto(f"/remediation?item={item_id}")
    settled(page)
    page.get_by_text(f"Item {item_id}").wait_for()
    page.get_by_text("Commands", exact=True).wait_for()
