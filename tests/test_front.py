"""The document that starts the app: Streamlit's own, told where its server is."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from app_pages.shared import front

STREAMLITS_OWN = [
    {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-cache"), (b"etag", b'"1"')],
    },
    {"type": "http.response.body", "body": b"<html>", "more_body": True},
    {"type": "http.response.body", "body": b"</html>", "more_body": False},
]


def answer(path: str, sent: list[dict], method: str = "GET") -> tuple[list[dict], dict]:
    """What reaches the browser when Streamlit sends `sent`, and the request that reached Streamlit."""
    reached, asked = [], {}

    async def streamlit(scope, _receive, send):
        asked.update(scope)
        for message in sent:
            await send(message)

    async def send(message):
        reached.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"if-none-match", b'"1"'), (b"host", b"h")]}
    with ThreadPoolExecutor(1) as own_thread:  # where no browser of another test keeps a loop running
        own_thread.submit(asyncio.run, front.Front(streamlit)(scope, None, send)).result()
    return reached, asked


def test_the_document_is_streamlits_with_the_place_of_the_server_and_our_font():
    own, ours = front.INDEX.read_text("utf-8"), front.document().decode()
    scripts = re.compile(r'<script type="module"[^>]*>')
    assert scripts.findall(own) == scripts.findall(ours) != []
    assert ours.index("window.__streamlit=") < ours.index('<script type="module"')
    assert f"/{front.FONT}" in ours


@pytest.mark.parametrize("path", ["/", "/heatmap", "/identity"])
def test_a_page_gets_the_document_whole_and_once(path: str):
    (start, body), asked = answer(path, STREAMLITS_OWN)
    assert body == {"type": "http.response.body", "body": front.document(), "more_body": False}
    assert dict(start["headers"]) == {
        b"content-type": b"text/html; charset=utf-8",
        b"cache-control": b"no-cache",
        b"content-length": str(len(front.document())).encode(),
    }
    assert asked["headers"] == [(b"host", b"h")]  # an old copy must not be called unchanged


@pytest.mark.parametrize(
    ("path", "kind", "status", "method"),
    [
        ("/heatmap", b"application/json", 200, "GET"),
        ("/heatmap", b"text/html", 404, "GET"),
        ("/heatmap", b"text/html", 200, "HEAD"),
        ("/static/js/index.js", b"text/html", 200, "GET"),
        ("/_stcore/health", b"text/html", 200, "GET"),
    ],
)
def test_everything_else_passes_as_it_is(path: str, kind: bytes, status: int, method: str):
    start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]}
    sent = [start, {"type": "http.response.body", "body": b"x"}]
    assert answer(path, sent, method)[0] == sent
