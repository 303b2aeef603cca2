"""Headroom: how much more AWS access every identity has than it uses. Started by `serve.py`."""

from __future__ import annotations

import streamlit as st

from analytics.store import FORMAT, StoreError
from app_pages.shared import data, navigation, palette, server

OTHER_FORMAT = "The build in use was made by another version of Headroom: build it again with this one."

st.set_page_config(page_title="Headroom", page_icon="static/favicon.png", layout="wide")
st.logo(f"static/headroom-{'dark' if palette.dark() else 'light'}.svg", size="large")
page = navigation.start()


def no_build(why: str) -> None:
    """What to do where there is nothing to show yet."""
    with st.container(border=True, width=720):
        st.subheader("There is no build to show yet", anchor=False)
        st.text(why)
        st.markdown("Make the sample organisation, or read your own data, and reload this page:")
        st.code(
            "python -m analytics demo\npython -m analytics build --events s3-export/ --snapshot snapshot/",
            language="bash",
        )


try:
    build = data.start()
    missing = "The store is empty." if build is None else "" if build.format == FORMAT else OTHER_FORMAT
except StoreError as error:
    missing = str(error)
if missing:
    no_build(missing)
else:
    page.run()
    server.tune()
