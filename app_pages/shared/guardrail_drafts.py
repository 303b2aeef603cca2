"""The drafts tab: from gaps to a policy that closes them, with what it does; and the drafts that were kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from analytics.findings.drafts.compose import DraftError
from analytics.outputs import queries
from analytics.outputs.drafts import Asked, kept_effects
from analytics.outputs.drafts_print import DraftFormat, printed
from analytics.outputs.drafts_store import drop_draft, keep_draft, kept_drafts
from app_pages.shared import data, guardrail_choice, guardrail_effect, widgets
from app_pages.shared.text import counted, plain, quoted, span

if TYPE_CHECKING:
    from analytics.findings.drafts.compose import Draft
    from analytics.outputs.drafts import Made

LAYERS = {"SCP": "scp", "RCP": "rcp", "Boundary": "boundary"}
FORMATS = {
    "JSON": (DraftFormat.JSON, "json"),
    "AWS CLI": (DraftFormat.CLI, "bash"),
    "Terraform": (DraftFormat.TERRAFORM, "hcl"),
}


def show() -> None:
    """What to draft on the left with the kept ones below; the draft on the right."""
    left, right = st.columns([1, 1.9], gap="medium")
    with left:
        asked = _asked()
        _kept()
    with right, st.container(border=True):
        if not asked.scenarios:
            st.markdown("**Choose what to close**")
            st.caption(
                "Choose one scenario or several, a target and a layer. The draft has the usual exemptions, leaves out "
                "what attached policies deny already, fits the quotas, and is proven on the matrix before it is shown."
            )
            return
        try:
            made = data.draft(asked)
        except DraftError as error:
            st.warning("There is no such draft.", icon=":material/block:")
            st.text(quoted(error, 600))
            return
        _made(made)


def _asked() -> Asked:
    """The choices, kept in the URL by name."""
    titles = {one.id: one.title for one in data.shared(queries.guardrail_scenarios)}
    targets = data.shared(queries.guardrail_targets)
    labels = guardrail_choice.target_labels(targets)
    named = {one: label for label, one in labels.items()}
    st.session_state.setdefault(
        "draft_for", [one for one in st.query_params.get("for", "").split(",") if one in titles]
    )
    wanted = named.get(st.query_params.get("at", ""))
    st.session_state.setdefault("draft_at", wanted or next(iter(labels), None))
    by = {layer: name for name, layer in LAYERS.items()}.get(st.query_params.get("by", ""), "SCP")
    st.session_state.setdefault("draft_by", by)
    chosen = st.multiselect(
        "Scenarios to close", list(titles), key="draft_for", on_change=_into_url,
        format_func=lambda one: f"{one} {titles[one]}",
        max_selections=12, placeholder="Choose scenarios",
    )  # fmt: skip
    label = st.selectbox("At", list(labels), key="draft_at", on_change=_into_url, filter_mode="contains")
    layer = st.segmented_control("Layer", list(LAYERS), key="draft_by", required=True, on_change=_into_url)
    propose = st.checkbox(
        "Leave out roles known as usual exemptions by name", value=True, key="draft_propose",
        help="Such as break-glass roles; those that the settings name are left out in any case",
    )  # fmt: skip
    return Asked(tuple(chosen), labels.get(label or "", ""), LAYERS[layer or "SCP"], propose=propose)


def _into_url() -> None:
    labels = guardrail_choice.target_labels(data.shared(queries.guardrail_targets))
    at = labels.get(st.session_state["draft_at"] or "", "")
    layer = LAYERS.get(st.session_state["draft_by"] or "", "scp")
    for name, value in (("for", ",".join(st.session_state["draft_for"])), ("at", at), ("by", layer)):
        st.query_params[name] = value


def open_draft(scenarios: str, target: str, layer: str) -> None:
    """Show the draft for a cell; for a callback."""
    st.session_state["tab"] = "Drafts"
    for name in ("draft_for", "draft_at", "draft_by"):
        st.session_state.pop(name, None)
    for name, value in (("for", scenarios), ("at", target), ("by", layer)):
        st.query_params[name] = value


def _made(made: Made) -> None:
    draft = made.draft
    layer = "Boundary" if draft.layer == "boundary" else draft.layer.upper()
    st.markdown(f"**{layer} at** {span(plain(draft.target_name, 50))}")
    guardrail_effect.figures(made.effect)
    _keep(draft)
    for note in draft.notes:
        st.text(quoted(note, 400))
    if draft.exemptions:
        named = ", ".join(span(plain(one.arn, 90)) for one in draft.exemptions)
        st.caption(f"Leaves out {counted(len(draft.exemptions), 'pattern')} of principals: {named}")
    chosen = widgets.segments("Written as", list(FORMATS), "form", hide_label=True)
    form, language = FORMATS[chosen]
    st.code(printed(draft, form), language=language, height=320)
    guardrail_effect.changes(made.effect)


def _keep(draft: Draft) -> None:
    """Keep the draft in the store under a name; every build tells what it would do."""
    with st.form("keep_draft", border=False), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input("Keep it as", value=draft.name, max_chars=64, width=340)
        if not st.form_submit_button("Keep", icon=":material/save:"):
            return
    try:
        keep_draft(data.folder(), _named(draft, name))
    except (DraftError, OSError) as error:
        st.warning("It could not be kept.", icon=":material/error:")
        st.text(quoted(error, 300))
        return
    st.success("Kept. Every build tells what it would do; see the list.", icon=":material/check:")


def _named(draft: Draft, name: str) -> Draft:
    return replace(draft, name=name.strip())


def _kept() -> None:
    """The drafts of the store as they are now, with what the build said of them."""
    drafts, unusable = kept_drafts(data.folder())
    st.markdown(f"**Kept drafts** ({len(drafts):,})")
    if not drafts and not unusable:
        st.caption("None yet. A kept draft is evaluated on each new build.")
    said = {row["name"]: row for row in data.read(kept_effects)}
    for draft in drafts:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"{span(draft.name)} · {draft.layer} at {span(plain(draft.target_name, 40))}")
            st.caption(f"For {', '.join(span(one) for one in draft.scenarios)}")
            st.caption(guardrail_effect.evaluated(said.get(draft.name)))
            with st.container(horizontal=True, gap="small"):
                st.button(
                    "Open",
                    key=f"open_draft_{draft.name}",
                    on_click=open_draft,
                    args=(",".join(draft.scenarios), draft.target, draft.layer),
                )
                st.button(
                    "Remove", key=f"drop_draft_{draft.name}", on_click=drop_draft, args=(data.folder(), draft.name)
                )
    for one in unusable:
        st.caption(f":material/error: {span(plain(one.path.name, 60))} cannot be used: {span(plain(one.reason, 200))}")
