"""How fast the page Guardrails is with many accounts: reruns on the server, the matrix in Chromium, a click.

    python tests/bench/bench_guardrails_page.py --store data/local                   # the store as it is
    python tests/bench/bench_guardrails_page.py --store data/local --accounts 400

With `--accounts` the accounts of the store's matrix are repeated, in OUs of eight, into a temporary store; all 55
scenarios are shown. "Visible" is from the address to the drawn matrix, in a fresh tab of a browser whose cache is warm.
The heatmap of the same store stands beside it for comparison: the two are visited in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))  # so that the file also runs by its path

import duckdb  # noqa: E402 the path comes first
import websockets  # noqa: E402 as above
from playwright.sync_api import sync_playwright  # noqa: E402 as above

from analytics.store import Store  # noqa: E402 as above
from tests.bench.bench_app import GRID, RUNS, report, run, visible  # noqa: E402 as above
from tests.bench.large_store import BUILD_ID  # noqa: E402 as above
from tests.e2e.browser import SETTLED, app_server, launch  # noqa: E402 as above

EVERY = "set=Core+and+extended"
ACROSS, WIDEST = 8, 31  # cells clicked in a row of the matrix, and a step to another cell however wide they are
REPEATED = (
    """create temp table many as
    with known as (select account_id, row_number() over (order by account_id) - 1 as place from accounts
        where account_id in (select target from coverage where target_kind = 'account') and not is_management)
    select account_id as old_id, (900000000000 + number)::varchar as new_id, 'unit-' || (number // 8) as ou, number
    from range($accounts) numbers(number) join known on place = number % (select count(*) from known)""",
    "create temp table root as select node_id, path from nodes where kind = 'root'",
    """insert into nodes by name select distinct 'ou-' || ou as node_id, 'ou' as kind, ou as name,
        (select node_id from root) as parent_id, (select path from root) || '/' || ou as path from many""",
    """insert into nodes by name select new_id as node_id, 'account' as kind, 'account-' || number as name,
        'ou-' || ou as parent_id, (select path from root) || '/' || ou || '/account-' || number as path from many""",
    """insert into accounts by name select accounts.* exclude (account_id, name), new_id as account_id,
        'account-' || number as name from accounts join many on account_id = old_id""",
    """insert into coverage by name select coverage.* exclude (target, target_name, target_path), new_id as target,
        'account-' || number as target_name,
        (select path from root) || '/' || ou || '/account-' || number as target_path
    from coverage join many on target = old_id""",
    """insert into coverage by name select coverage.* exclude (target, target_name, target_path), 'ou-' || ou as target,
        ou as target_name, (select path from root) || '/' || ou as target_path
    from coverage join (select node_id from nodes where kind = 'ou' and node_id not in (select 'ou-' || ou from many)
        order by path limit 1) on target = node_id cross join (select distinct ou from many)""",
)


def write_wide_store(source: Store, folder: Path, accounts: int) -> Store:
    """A store with one build, the current one of another store with so many more accounts."""
    store = Store(folder)
    with store.new_build(BUILD_ID) as path:
        shutil.copyfile(source.path(source.current() or ""), path)
        with duckdb.connect(str(path)) as con:
            for statement in REPEATED:
                con.execute(statement, {"accounts": accounts} if "$accounts" in statement else None)
            con.execute("update build set id = $id", {"id": BUILD_ID})
    return store


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=PROJECT / "data" / "local")
    parser.add_argument("--accounts", type=int, help="repeat the store's accounts up to so many")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(asked.store)
        if asked.accounts:
            store = write_wide_store(store, Path(folder) / "wide", asked.accounts)
        with store.connect() as con:
            cells = con.execute(
                "select count(distinct scenario), count(distinct target) from coverage where layer = 'best'"
            ).fetchall()[0]
        print(f"{cells[0]} scenarios by {cells[1]:,} targets, {RUNS} runs each, median (largest)")
        with app_server(store.folder, Path(folder) / "server.log") as address:
            asyncio.run(reruns(address))
            in_browser(address, Path(folder) / "profile")


async def reruns(address: str) -> None:
    """Whole runs of the page in one session."""
    url = address.replace("http", "ws") + "/_stcore/stream"
    async with websockets.connect(url, subprotocols=["streamlit"], max_size=None, origin=address) as socket:
        times = [await run(socket, "guardrails", EVERY) for _run in range(RUNS + 1)]
        report("rerun of guardrails on the server", times[1:], first=times[0])


def in_browser(address: str, profile: Path) -> None:
    """The matrix and a click on it, in a browser that has been here before; the heatmap for comparison."""
    with sync_playwright() as playwright:
        context = launch(playwright, profile=profile, viewport={"width": 1440, "height": 900})
        pages = {"guardrails": f"guardrails?{EVERY}", "heatmap": "heatmap"}
        visits = [
            {name: visible(context, f"{address}/{page}", GRID) for name, page in pages.items()}
            for _load in range(RUNS + 3)
        ]
        for name in pages:
            times = [visit[name] for visit in visits]
            report(f"{name} visible, return visit", times[3:], first=times[0])
        page = context.new_page()
        page.goto(f"{address}/guardrails?{EVERY}")
        grid = page.locator(".matrix .scroll")
        grid.wait_for()
        page.wait_for_function(SETTLED)
        width, height = page.locator(".matrix .names").evaluate("names => [names.clientWidth, names.clientHeight]")
        detail = []
        for click in range(RUNS + 1):
            before = page.url
            row, column = divmod(click, ACROSS)
            start = time.perf_counter()
            grid.click(position={"x": width + WIDEST * column + 6, "y": height - 10 - 18 * row})
            page.wait_for_function("before => location.href !== before", arg=before)
            page.wait_for_function(SETTLED)
            detail.append(time.perf_counter() - start)
        report("click on a cell to its detail", detail[1:], first=detail[0])
        context.close()


if __name__ == "__main__":
    main()
