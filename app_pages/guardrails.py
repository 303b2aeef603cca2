"""Guardrails: which risk is stopped where, by which layer of policies, and what to do about each gap."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import (
    data,
    guardrail_boundaries,
    guardrail_drafts,
    guardrail_matrix,
    guardrail_organization,
    guardrail_templates,
    shell,
    widgets,
)

build = shell.header("Guardrails", "Which risk is stopped where, by which layer of policies; and what each gap means.")
if not build.has_snapshot:
    widgets.nothing("There is no guardrail to judge.", "Policies are known from a snapshot only; this build has none.")
    st.stop()

names = ("Matrix", "Organisation", "Boundaries", "Templates", "Drafts")
matrix, organization, boundaries, templates, drafts = st.tabs(names, key="tab", bind="query-params")
with matrix:
    if matrix.open:
        guardrail_matrix.show(build)
with organization:
    if organization.open:
        if data.read(queries.has_organization):
            guardrail_organization.show(build)
        else:
            widgets.nothing(
                "The snapshot holds no organisation.",
                "Collect it from the management account or a delegated administrator, and build again.",
            )
with boundaries:
    if boundaries.open:
        guardrail_boundaries.show(build)
with templates:
    if templates.open:
        guardrail_templates.show(build)
with drafts:
    if drafts.open:
        guardrail_drafts.show()
