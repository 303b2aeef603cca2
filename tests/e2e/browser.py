"""A browser that is on this machine, a server on a free port, and waiting for a page to settle."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
USUAL_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SETTLED = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


def find_browser():
    """`E2E_BROWSER`, else the first one on the PATH or in the usual places; None leaves it to playwright's own."""
    if named := os.environ.get("E2E_BROWSER"):
        return named
    on_path = (shutil.which(name) for name in NAMES)
    return next((path for path in (*on_path, *USUAL_PLACES) if path and os.access(path, os.X_OK)), None)


def launch(playwright, profile=None, **page_options):
    """A headless Chromium; with a folder as profile, a context of pages that keeps its caches there."""
    path = find_browser()
    options = {"executable_path": path} if path else {}
    options["args"] = ["--no-sandbox", "--disable-dev-shm-usage"]
    if profile:
        return playwright.chromium.launch_persistent_context(profile, **options, **page_options)
    return playwright.chromium.launch(**options)


@contextmanager
def app_server(store, log):
    """The app over a store, on a free port; its address. The log's text is in the error when it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "serve.py", "--server.port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | {"HEADROOM_STORE": str(store)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_until_healthy(address, process, log):
    """Return when the server answers; fail with its log when it has ended or does not answer for a minute."""
    for _attempt in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    msg = f"the app did not start:\n{log.read_text()}"
    raise RuntimeError(msg)


def settled(page):
    """Wait for the run to end; an exception on the page is a failure."""
    page.wait_for_function(SETTLED)
    assert page.locator("[data-testid=stException]").all_inner_texts() == []
