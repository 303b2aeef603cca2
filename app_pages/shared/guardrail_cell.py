"""One cell with its evidence: each layer and the statements that decide it, what is missing, who can act, the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_look import BEST, LAYER_NAMES, OPEN, look_of
from app_pages.shared import data, guardrail_drafts, policy_reader, widgets
from app_pages.shared.text import counted, number, plain, quoted, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analytics.outputs.queries import LayerCell, Scenario, Target

SHOWN = 6
DRAFTED = {"scp": "Draft an SCP", "rcp": "Draft an RCP", "boundary": "Draft a boundary"}
AGGREGATED = ("boundary", "identity")


def show(scenario: Scenario, target: Target) -> None:
    """The cell under the head of its scenario."""
    cells = data.read(queries.guardrail_cell, scenario=scenario.id, target=target.id)
    st.caption(f"at {span(plain(target.name, 40))} · {span(plain(target.path, 60))}")
    if not cells:
        st.markdown("**The matrix has no such cell.**")
        return
    best = cells.get(BEST)
    if best is not None:
        _verdict(best)
    st.caption(scenario.why)
    for layer, cell in cells.items():
        if layer != BEST:
            _layer(cell)
    if target.is_management:
        st.caption(":material/info: The management account: SCPs and RCPs do not bind it.")
    if best is not None:
        _today(scenario, target, best)
        _draft(scenario, target, cells)


def _verdict(best: LayerCell) -> None:
    look = look_of(best.state)
    tone = {"gap": "red", "partial": "orange", "conditional": "yellow", "covered": "blue"}.get(best.state, "gray")
    by = LAYER_NAMES.get(best.best_layer_of or "", "several layers together")
    stopped_by = f" by {by}" if best.state not in (*OPEN, "unknown", "not_applicable") else ""
    alone = " :gray-badge[◥ one layer only]" if best.single_layer else ""
    st.markdown(f":{tone}-badge[{look.mark} {look.word}]{stopped_by}{alone}")
    st.caption(f"{look.meaning.capitalize()}.")


def _layer(cell: LayerCell) -> None:
    look = look_of(cell.state)
    share = ""
    if cell.principals is not None and cell.layer in AGGREGATED:
        share = f" · stops {number(cell.stopped)} of {counted(cell.principals, 'identity', 'identities')}"
    st.markdown(f"{look.mark} **{LAYER_NAMES.get(cell.layer, cell.layer)}** {look.word}{share}")
    if cell.note:
        st.text(quoted(cell.note, 240))
    if cell.state == "partial" and cell.missing_actions:
        _names("Not stopped", cell.missing_actions)
    if cell.exemptions:
        _names("Spares", cell.exemptions)
    for at, statement in enumerate(cell.statements[:SHOWN]):
        _statement(cell.layer, at, statement)
    if len(cell.statements) > SHOWN:
        st.caption(f"… and {counted(len(cell.statements) - SHOWN, 'more statement')}; the export has all.")


def _names(what: str, names: tuple[str, ...]) -> None:
    more = f" … and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    st.caption(f"{what} ({len(names):,}): {', '.join(span(plain(one, 90)) for one in names[:SHOWN])}{more}")


def _statement(layer: str, at: int, statement: Mapping[str, Any]) -> None:
    """The policy of a deciding statement, read when it is opened, with the statement marked."""
    policy, sid, index = str(statement.get("policy") or ""), statement.get("sid"), statement.get("index")
    which = (
        f"Sid {span(plain(sid, 40))}" if sid else f"statement {index + 1}" if isinstance(index, int) else "the policy"
    )
    label = f"{span(plain(policy, 44))} · {which}"
    with st.expander(label, key=f"why_{layer}_{at}", on_change="rerun", icon=":material/policy:") as expander:
        if not expander.open:
            return
        attached_to = statement.get("attached_to")
        arn = statement.get("policy_arn")
        found = data.read(queries.guardrail_policy, policy=policy, policy_arn=arn, attached_to=attached_to)
        if found is None:
            st.caption("The build does not hold the document of this policy.")
            return
        st.caption(
            f"{span(plain(arn or policy, 120))}"
            + (f" · attached to {span(plain(attached_to, 90))}" if attached_to else "")
        )
        policy_reader.text(found.document, {index: "decides this cell"} if isinstance(index, int) else {})


def _today(scenario: Scenario, target: Target, best: LayerCell) -> None:
    """Who could act through the gap by their reach, and who did; opened, the rows."""
    if best.state not in (*OPEN, "conditional"):
        return
    st.markdown("**What it means today**")
    if best.can_act is None:
        st.caption("Not known: those it is about were not collected.")
        return
    did = number(best.did_act) if best.did_act is not None else "–"
    st.markdown(f"{counted(best.can_act, 'identity', 'identities')} can act · {did} did in the window")
    if not (best.can_act or best.did_act):
        st.caption("No identity here holds any of the actions that are left open. The next one might.")
        return
    with st.expander("Who", key="who_can_act", on_change="rerun", icon=":material/group:") as expander:
        if expander.open:
            rows = data.read(queries.guardrail_actors, target=target.id, actions=best.open_actions)
            _actors(rows, f"{scenario.id} {target.id}")


def _actors(rows: pd.DataFrame, narrowed_to: str) -> None:
    widgets.heading("By what they hold", "guardrail-actors", rows, narrowed_to=narrowed_to)
    column = st.column_config

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["guardrail_actors"], len(rows))
        if position is not None:
            st.session_state["guardrail_open_identity"] = rows["principal_arn"].iloc[position]

    widgets.table(
        rows,
        {
            "name": column.TextColumn("Identity", width=150),
            "can": column.TextColumn("Can", width=60, help="surely; maybe: under a condition or on some resources"),
            "calls_seen": column.NumberColumn("Calls", format="%,d", width=50, help="In the window, not denied"),
            "account_name": column.TextColumn("Account", width=110),
            "owner": column.TextColumn("Owner", width=110),
            "used": column.TextColumn("Used", width=160),
        },
        key="guardrail_actors",
        alt="Identities that can act through the gap; select one to open it",
        on_select=opened,
        selection_mode="single-cell",
        height=min(330, 40 + 30 * len(rows)),
    )
    st.caption("Click an identity to open it.")
    if arn := st.session_state.pop("guardrail_open_identity", None):
        widgets.open_identity(arn)


def _draft(scenario: Scenario, target: Target, cells: Mapping[str, LayerCell]) -> None:
    """The button leads to the drafts, where the policy is made and shown; none for a layer that cannot act here."""
    drafted = [one for one in (scenario.best_layer, *scenario.other_layers) if one in DRAFTED]
    layers = [one for one in drafted if one not in cells or cells[one].state != "not_applicable"]
    if not drafted:
        st.caption(f"Best closed by a {scenario.best_layer} policy, which Headroom does not draft.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for layer in layers:
            st.button(
                DRAFTED[layer],
                icon=":material/edit_document:",
                key=f"draft_{layer}",
                on_click=guardrail_drafts.open_draft,
                args=(scenario.id, target.id, layer),
            )
