"""One node of the organisation: what applies here and from where, what it stops, and which level says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.engine.explain import UnknownActionError
from analytics.outputs import queries
from app_pages.shared import data, policy_reader, widgets
from app_pages.shared.text import counted, number, plain, span

if TYPE_CHECKING:
    import pandas as pd

SAYS = {"allows": "● allows", "denies": "✕ denies", "silent": "✕ does not allow", "depends": "△ depends"}


def show(tree: pd.DataFrame, node_id: str) -> None:
    """The panel beside the tree."""
    node = tree[tree["node_id"] == node_id].iloc[0]
    st.markdown(f"**{span(plain(node['name'], 50))}**")
    st.caption(f"{span(plain(node['path'], 90))} · {span(node_id)}")
    if node["is_management"]:
        st.caption(":material/info: The management account: SCPs and RCPs do not bind it.")
    levels, stopped, depends = st.columns(3, gap="small")
    levels.metric("Levels in force", number(node["levels"]), help="Of SCPs, from the root down to here")
    stopped.metric(
        "Actions stopped",
        number(node["stopped"]),
        help=f"Of {node['allowed'] + node['depends'] + node['stopped']:,} for an ordinary role",
    )
    depends.metric("Actions that depend", number(node["depends"]), help="On the resource or the request")
    _policies(node_id)
    _action(node_id)
    _services(node_id)
    _exemptions(node_id)


def _policies(node_id: str) -> None:
    rows = data.of_estate(queries.node_policies, node_id=node_id)
    if rows.empty:
        st.markdown("**No SCP or RCP applies here.**")
        return
    widgets.heading(
        f"**What applies here, and from where** ({len(rows):,})", "node-policies", rows, narrowed_to=node_id
    )
    column = st.column_config
    shown = rows.assign(
        kind=rows["layer"].str.upper(),
        source=[
            f"inherited from {plain(name, 40)}" if inherited else "attached here"
            for name, inherited in zip(rows["from_node"], rows["inherited"], strict=True)
        ],
        force=["in force" if one else "not in force" for one in rows["in_force"]],
    )
    chosen = widgets.table(
        shown,
        {
            "kind": column.TextColumn("Layer", width=50),
            "policy": column.TextColumn("Policy", width=210),
            "source": column.TextColumn("From", width=180),
            "force": column.TextColumn("Here", width=90),
            "statements": column.NumberColumn("Statements", format="%,d", width=80),
        },
        key="node_policies",
        alt="Policies that bear on the node; select one to read it",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(300, 40 + 30 * len(shown)),
    )
    position = widgets.chosen_row(chosen, len(rows))
    if position is None:
        st.caption("Click a policy to read it.")
        return
    st.caption(f"{span(plain(rows['policy'].iloc[position], 60))} · {span(plain(rows['arn'].iloc[position], 120))}")
    policy_reader.text(rows["document"].iloc[position], {})


def _action(node_id: str) -> None:
    """Level by level, what is said of one action."""
    asked = st.text_input(
        "What is said of one action here", key="node_action", bind="query-params", max_chars=100,
        placeholder="s3:PutBucketPolicy", icon=":material/search:", width=360,
    )  # fmt: skip
    if not asked or not asked.strip():
        return
    try:
        rows = data.of_estate(queries.node_answers, node_id=node_id, action=asked.strip())
    except UnknownActionError:
        st.caption(f"{span(plain(asked, 60))} is no action of the catalogue; write it as {span('s3:GetObject')}.")
        return
    if rows.empty:
        st.caption(f"Nothing limits {span(asked.strip())} here.")
        return
    widgets.heading("Level by level, from the root", "node-answers", rows, narrowed_to=f"{node_id} {asked.strip()}")
    column = st.column_config
    widgets.table(
        rows.assign(kind=rows["layer"].str.upper(), said=[SAYS.get(one, one) for one in rows["says"]]),
        {
            "kind": column.TextColumn("Layer", width=50),
            "node": column.TextColumn("Level", width=150),
            "said": column.TextColumn("Says", width=120),
            "statements": column.TextColumn("By", width=290),
        },
        key="node_answers",
        alt="Level by level, what the policies say of the action",
    )
    st.caption("SCPs are asked for an ordinary role of the account, RCPs for a caller from outside the organisation.")


def _services(node_id: str) -> None:
    rows = data.of_estate(queries.node_services, node_id=node_id)
    limited = rows[(rows["stopped"] > 0) | (rows["depends"] > 0)]
    if limited.empty:
        st.caption(
            f"SCPs stop nothing here: every action of {counted(len(rows), 'service')} is allowed to an ordinary role."
        )
        return
    said = f"**What SCPs limit**: {len(limited):,} of {counted(len(rows), 'service')}"
    widgets.heading(said, "node-services", rows, narrowed_to=node_id)
    choices = data.of_estate(queries.node_choices, node_id=node_id)
    if choices:
        taken = ", ".join(f"{span(key)} = {span(plain(value, 40))}" for key, value in choices)
        st.caption(f"For an ordinary role that chooses {taken}; other choices are refused.")
    column = st.column_config
    widgets.table(
        limited,
        {
            "service": column.TextColumn("Service", width=150),
            "actions": column.NumberColumn("Actions", format="%,d", width=70),
            "stopped": column.NumberColumn("Stopped", format="%,d", width=70),
            "depends": column.NumberColumn("Depends", format="%,d", width=70, help="On resource or request"),
            "allowed": column.NumberColumn("Allowed", format="%,d", width=70),
        },
        key="node_services",
        alt="Services limited at the node, counted in actions",
        height=min(280, 40 + 30 * len(limited)),
    )


def _exemptions(node_id: str) -> None:
    rows = data.of_estate(queries.node_exemptions, node_id=node_id)
    if rows.empty:
        return
    widgets.heading(f"**Whom the denies spare** ({len(rows):,})", "node-exemptions", rows, narrowed_to=node_id)
    column = st.column_config
    widgets.table(
        rows.assign(kind=rows["layer"].str.upper()),
        {
            "kind": column.TextColumn("Layer", width=50),
            "policy": column.TextColumn("Policy", width=190),
            "node_name": column.TextColumn("At", width=90),
            "sid": column.TextColumn("Sid", width=150),
            "key": column.TextColumn("By", width=120),
            "values": column.TextColumn("Values", width=260),
        },
        key="node_exemptions",
        alt="Conditions by which a deny spares callers",
        height=min(260, 40 + 30 * len(rows)),
    )
