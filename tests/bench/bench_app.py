"""How fast the app is: reruns on the server, the grid in Chromium, a click to its detail; warm, median of several.

    python tests/bench/bench_app.py --store data/local                  # the store as it is
    python tests/bench/bench_app.py --store data/local --identities 30000

With `--identities` the store's identities are repeated into a temporary one. "Rerun" is a whole run of a page, asked
for over the app's own websocket without a browser. "Visible" is from the address to the drawn grid, or to the text of
an identity, in a fresh tab; the page itself looks for it at every frame, for Playwright's own waiting looks only every
half second. A return visit is by a browser with a profile on the disk that has been here before, a first visit by one
with empty caches. "Detail" is from the click on a cell to the end of the run that shows its actions.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))  # so that the file also runs by its path

import websockets  # noqa: E402 the path comes first
from playwright.sync_api import BrowserContext, sync_playwright  # noqa: E402 as above
from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: E402 as above
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: E402 as above

from analytics.store import Store  # noqa: E402 as above
from tests.bench.large_store import write_large_store  # noqa: E402 as above
from tests.e2e.browser import SETTLED, app_server, launch  # noqa: E402 as above

PAGES = {"overview": "", **{name: name for name in ("identities", "heatmap", "remediation", "health")}}
FIRST = "select principal_arn from risk order by rank limit 1"
TABS = ("Why this score", "Access", "Who can become it", "Escalation", "Timeline", "Policies")
RUNS = 15
# When what a selector finds is on the page, also within components; 0 until then.
THERE = """(selector) => {
  const roots = [document]
  for (const root of roots) {
    if (root.querySelector(selector)?.checkVisibility()) return performance.now()
    for (const host of root.querySelectorAll("[data-testid^=stBidi], [data-testid^=stBidi] *"))
      if (host.shadowRoot) roots.push(host.shadowRoot)
  }
  return 0
}"""
GRID, IDENTITY = ".matrix[data-ready]", ".st-key-why_score"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=PROJECT / "data" / "local")
    parser.add_argument("--identities", type=int, help="repeat the store's identities up to so many")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(asked.store)
        if asked.identities:
            store = write_large_store(store, Path(folder) / "large", identities=asked.identities)
        with store.connect() as con:
            (counts,) = con.execute(
                "select (select count(*) from principals), (select count(*) from gap_service)"
            ).fetchall()
            ((first,),) = con.execute(FIRST).fetchall()
        print(f"{counts[0]:,} principals, {counts[1]:,} rows of gap_service, {RUNS} runs each, median (largest)")
        with app_server(store.folder, Path(folder) / "server.log") as address:
            asyncio.run(reruns(address, quote(first)))
            in_browser(address, quote(first), Path(folder) / "profile")


async def reruns(address: str, first: str) -> None:
    """Whole runs of every page, and of every tab of the riskiest identity, in one session, over the websocket."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    async with websockets.connect(url, subprotocols=["streamlit"], max_size=None, origin=address) as socket:
        for name, path in PAGES.items():
            times = [await run(socket, path) for _run in range(RUNS + 1)]
            report(f"rerun of {name} on the server", times[1:], first=times[0])
        for tab in TABS:
            times = [await run(socket, "identity", f"arn={first}&tab={quote(tab)}") for _run in range(RUNS + 1)]
            report(f"rerun of identity, {tab}", times[1:], first=times[0])
        for page in range(2, 2 + RUNS):
            await run(socket, "heatmap", f"page={page}")
        times = [await run(socket, "heatmap", f"page={page}") for page in range(2, 2 + RUNS)]
        report("rerun of heatmap, another page of rows each time", times)


async def run(socket: websockets.ClientConnection, page: str, query: str = "") -> float:
    """Seconds from asking for a run to its end."""
    message = BackMsg()
    message.rerun_script.page_name, message.rerun_script.query_string = page, query
    start = time.perf_counter()
    await socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(socket.recv(), 60))
        if answer.WhichOneof("type") == "script_finished":
            if answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return time.perf_counter() - start
            if answer.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                msg = f"page `{page}` did not run"
                raise RuntimeError(msg)


def in_browser(address: str, first: str, profile: Path) -> None:
    """An identity, the grid and its detail in Chromium."""
    pages = {"identity": (f"{address}/identity?arn={first}", IDENTITY), "heatmap": (f"{address}/heatmap", GRID)}
    size = {"width": 1440, "height": 900}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (link, sign) in pages.items():
            times = []
            for _visit in range(RUNS // 3):
                stranger = browser.new_context(viewport=size)
                times.append(visible(stranger, link, sign))
                stranger.close()
            report(f"{name} visible, first visit", times)
        browser.close()
        known = launch(playwright, profile=profile, viewport=size)
        for name, (link, sign) in pages.items():
            times = [visible(known, link, sign) for _visit in range(RUNS + 3)]
            report(f"{name} visible, return visit", times[3:])
        report("click on a cell to its detail", details(known, f"{address}/heatmap")[1:])
        known.close()


def visible(context: BrowserContext, link: str, sign: str) -> float:
    """Seconds from the address to the sign that the page is there, in a fresh tab, by the browser's own clock."""
    page = context.new_page()
    page.goto(link, wait_until="commit")
    there: float = page.wait_for_function(THERE, arg=sign).json_value()
    page.wait_for_function(SETTLED)
    page.close()
    return there / 1000


def details(context: BrowserContext, link: str) -> list[float]:
    """Seconds from a click on a cell to the end of the run that shows its actions, for one row after the other."""
    page = context.new_page()
    page.goto(link)
    grid = page.locator(".matrix .scroll")
    grid.wait_for()
    page.wait_for_function(SETTLED)
    head = page.locator(".matrix .names").evaluate("canvas => canvas.clientHeight") - 40 * 18 - 1
    times = []
    for row in range(RUNS + 1):
        before = page.url
        start = time.perf_counter()
        grid.click(position={"x": 350, "y": head + row * 18 + 9})
        page.wait_for_function("before => location.href !== before", arg=before)
        page.wait_for_function("() => document.body.innerText.includes('Granted by ·')")
        page.wait_for_function(SETTLED)
        times.append(time.perf_counter() - start)
    return times


def report(what: str, times: list[float], first: float | None = None) -> None:
    """One line: median and largest in milliseconds, and the first one where it was not warm."""
    cold = "" if first is None else f"   first {1000 * first:,.0f} ms"
    print(f"{what:52s} {1000 * statistics.median(times):7,.0f} ms ({1000 * max(times):,.0f}){cold}", flush=True)


if __name__ == "__main__":
    main()
