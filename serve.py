"""Headroom as a server: the app, behind the document that starts it. Run by `streamlit run serve.py`."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from app_pages.shared.front import Front

app = st.App("app.py", middleware=[Middleware(Front)])
