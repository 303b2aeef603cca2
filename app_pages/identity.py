"""One identity: how risky, why, what would lower it, and all the evidence. Its own address: `/identity?arn=…`."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import (
    data,
    identity_access,
    identity_head,
    identity_life,
    identity_routes,
    identity_trust,
    identity_why,
    policy_reader,
    shell,
)
from app_pages.shared.text import plain, short_name, span

arn = st.query_params.get("arn", "")
window_days = data.read(queries.build_info).window_days if data.current_build() else 0
known = data.read(queries.identity, principal_arn=arn, window_days=window_days) if arn else None
title = span(plain(short_name(known["name"]), 60)) if known else "Identity"
build = shell.header(title, "One identity: how risky, why, and what would lower it.")
if known is None:
    identity_head.unknown(arn)
    st.stop()

risk = data.read(queries.identity_risk, principal_arn=arn)
identity_head.show(known, risk, window_days)
names = [identity_why.TAB, identity_access.TAB, identity_trust.TAB, identity_routes.TAB, identity_life.TAB]
why, access, trust, routes, life, policies = st.tabs([*names, policy_reader.TAB], key="tab", bind="query-params")
with why:
    if why.open:
        identity_why.show(known, risk)
with access:
    if access.open:
        identity_access.show(arn, window_days)
with trust:
    if trust.open:
        identity_trust.show(known)
with routes:
    if routes.open:
        identity_routes.show(known, risk)
with life:
    if life.open:
        identity_life.show(known, window_days)
with policies:
    if policies.open:
        policy_reader.show(arn)
