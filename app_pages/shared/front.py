"""The document that a browser loads first: Streamlit's own, told in advance where its server is.

Streamlit's document asks for its server at every level of the address, one after the other, before it opens its
connection, and learns of our font with the first page. The server is where the document came from, always.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

INDEX = Path(st.__file__).parent / "static" / "index.html"
FONT = "inter-latin-wght-normal.woff2"
# Who may frame the app and send it messages: no origin. Streamlit passes over an empty list.
_HOST = {"allowedOrigins": ["https://headroom.invalid"], "useExternalAuthToken": False}
# Names from AWS stand in the text as code; Streamlit sets those at three quarters of the size, too small to read.
_NAMES = ":is([data-testid=stMarkdownContainer],[data-testid=stCaptionContainer]) :not(pre)>code"
_STYLE = f"<style>{_NAMES}{{font-size:0.82em!important}}</style>"
_KEPT = {b"content-type", b"cache-control"}  # of the answer's headers; length and tag are of the other document
_ASKS_FOR_NEWER = {b"if-none-match", b"if-modified-since", b"range"}


@cache
def document() -> bytes:
    """The document, read once: neither Streamlit nor this file changes under a running server."""
    where = f"{{BACKEND_BASE_URL:new URL('.',location).href,HOST_CONFIG:{json.dumps(_HOST)}}}"
    font = f'<link rel="preload" href="./app/static/{FONT}" as="font" type="font/woff2" crossorigin />'
    head = f"<head><script>window.__streamlit={where}</script>{font}{_STYLE}"
    return INDEX.read_text("utf-8").replace("<head>", head, 1).encode()


class Front:
    """Answers with `document()` wherever Streamlit would answer with its own; everything else passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_page(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in _ASKS_FOR_NEWER]
        await self.app(scope | {"headers": headers}, receive, _Replaced(send))


class _Replaced:
    """Sends an answer on; one that is a document gets our text."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.ours = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if name in _KEPT]
            self.ours = message["status"] == 200 and dict(kept).get(b"content-type", b"").startswith(b"text/html")
            if self.ours:
                length = str(len(document())).encode()
                message = {**message, "headers": [*kept, (b"content-length", length)]}
        elif self.ours:
            if message.get("more_body"):
                return
            message = {**message, "body": document()}
        await self.send(message)


def _is_page(path: str) -> bool:
    """`/` and `/heatmap`, but no file and nothing of the server's own."""
    return "." not in path and not path.startswith("/_stcore/")
