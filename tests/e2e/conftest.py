"""One browser and one server for all flows; every page is watched for errors and for foreign requests."""

import os
from urllib.parse import urlsplit

import pytest

from tests.e2e import browser as browsers
from tests.store_builder import write_store

VIEWPORT = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def browser():
    """Chromium; without one the flows are skipped, unless E2E_REQUIRED=1 makes that a failure."""
    sync_api = pytest.importorskip("playwright.sync_api")
    playwright = sync_api.sync_playwright().start()
    try:
        launched = browsers.launch(playwright)
    except sync_api.Error as error:
        playwright.stop()
        reason = f"no usable browser; set E2E_BROWSER to one ({str(error).splitlines()[0]})"
        if os.environ.get("E2E_REQUIRED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    yield launched
    launched.close()
    playwright.stop()


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The small store, built twice so that there is a change to tell."""
    return write_store(tmp_path_factory.mktemp("e2e"), builds=2)


@pytest.fixture(scope="session")
def address(store, tmp_path_factory):
    """The app over the small store."""
    with browsers.app_server(store.folder, tmp_path_factory.mktemp("server") / "log") as server:
        yield server


@pytest.fixture
def page(browser, address):
    """A fresh tab at the app; errors of the page, and requests to any other host, fail the test."""
    context = browser.new_context(viewport=VIEWPORT, base_url=address, accept_downloads=True)
    tab = context.new_page()
    errors, hosts = [], set()
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield tab
    context.close()
    assert errors == []
    assert {host for host in hosts if host} <= {urlsplit(address).netloc}
