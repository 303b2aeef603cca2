"""The organisation tab: the tree with what is attached to each node, and beside it the node that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, guardrail_checks, guardrail_node, widgets
from app_pages.shared.text import counted, plain

if TYPE_CHECKING:
    import pandas as pd

    from analytics.outputs.queries import Build

VIEWS = {
    "Tree": None,
    "Quotas": guardrail_checks.quotas,
    "Idle policies": guardrail_checks.idle,
    "Compare two": guardrail_checks.compare,
    "Wrong place": guardrail_checks.places,
}
KINDS = {"root": "root", "ou": "OU", "account": "account"}
INDENT = "\u2003"  # wide enough to be seen in a table


def show(build: Build) -> None:
    """One of the views."""
    chosen = widgets.segments("View", list(VIEWS), "organisation", hide_label=True)
    tree = data.of_estate(queries.organization_tree)
    if view := VIEWS[chosen]:
        view(build, tree)
        return
    asked = st.query_params.get("node", "")
    known = asked in set(tree["node_id"])
    left, right = st.columns([1.15, 1.6], gap="medium")
    with left:
        _tree(tree)
    with right, st.container(border=True):
        if asked and not known:
            st.markdown("**No node of this build.**")
            st.caption("The link may be of another store. Select a row of the tree.")
        else:
            guardrail_node.show(tree, asked or tree["node_id"].iloc[0])


def _tree(tree: pd.DataFrame) -> None:
    widgets.heading(counted(len(tree), "node"), "organisation-tree", tree)
    column = st.column_config
    depth = dict[str, int]()
    for node, parent in zip(tree["node_id"], tree["parent_id"], strict=True):
        depth[node] = depth[parent] + 1 if parent in depth else 0
    shown = tree.assign(
        node=[
            f"{INDENT * depth[node]}{plain(name, 60)}" for node, name in zip(tree["node_id"], tree["name"], strict=True)
        ],
        what=[
            "management" if management else KINDS.get(kind, kind)
            for kind, management in zip(tree["kind"], tree["is_management"], strict=True)
        ],
    )

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["organisation_tree"], len(tree))
        if position is not None:
            st.query_params["node"] = tree["node_id"].iloc[position]

    widgets.table(
        shown,
        {
            "node": column.TextColumn("Node", width=212),
            "what": column.TextColumn("Kind", width=88),
            "scps": column.NumberColumn("SCPs", format="%,d", width=50, help="Attached to the node itself"),
            "rcps": column.NumberColumn("RCPs", format="%,d", width=50, help="Attached to the node itself"),
            "stopped": column.NumberColumn("Stopped", format="%,d", width=65, help="Actions, for an ordinary role"),
            "depends": column.NumberColumn("Depends", format="%,d", width=62, help="Actions, on the request"),
        },
        key="organisation_tree",
        alt="Nodes of the organisation with the policies attached to each; select one to open it",
        on_select=opened,
        selection_mode="single-cell",
        height=min(700, 40 + 30 * len(shown)),
    )  # fmt: skip
    st.caption("Click a node to see what applies there, and from where.")
