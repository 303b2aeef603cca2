"""What the server's process needs once, for short answers (figures: docs/PERFORMANCE.md)."""

from __future__ import annotations

import gc
import socket

import streamlit as st


@st.cache_resource(show_spinner=False)
def tune() -> bool:
    """Call at the end of the first run, when everything is imported."""
    send_at_once()
    freeze_garbage_collection()
    return True


def send_at_once() -> None:
    """Turn off Nagle's algorithm on the server's sockets.

    Streamlit opens its listening socket without naming TCP, and asyncio sets `TCP_NODELAY` only where it is named: the
    last small messages of a run then wait 40 ms for an acknowledgement. Connections inherit from the listening socket.
    """
    for candidate in gc.get_objects():
        if isinstance(candidate, socket.socket) and candidate.fileno() >= 0 and _is_tcp(candidate):
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def freeze_garbage_collection() -> None:
    """Keep what start-up made out of the full collection that Streamlit runs after every rerun."""
    gc.collect()
    gc.freeze()


def _is_tcp(candidate: socket.socket) -> bool:
    return candidate.family in (socket.AF_INET, socket.AF_INET6) and candidate.type == socket.SOCK_STREAM
