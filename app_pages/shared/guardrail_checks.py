"""Checks of the organisation: quotas, policies that do nothing, two nodes compared, accounts in the wrong place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, widgets
from app_pages.shared.text import counted, plain, span

if TYPE_CHECKING:
    import pandas as pd

    from analytics.outputs.queries import Build, NodeComparison

TALL = 420


def quotas(_build: Build, _tree: pd.DataFrame) -> None:
    """How much of the quotas is used: attachments of nodes, characters of policies."""
    settings = data.settings()
    nodes = data.of_estate(queries.attachment_quota, settings=settings)
    policies = data.of_estate(queries.character_quota, settings=settings)
    left, right = st.columns(2, gap="medium")
    column = st.column_config
    with left:
        widgets.heading("**Policies attached directly to a node**, the fullest first", "attachment-quota", nodes)
        widgets.table(
            nodes.assign(kind=nodes["layer"].str.upper(), used=nodes["attached"] / nodes["limit"]),
            {
                "path": column.TextColumn("Node", width=250),
                "kind": column.TextColumn("Layer", width=50),
                "attached": column.NumberColumn("Attached", format="%,d", width=70),
                "limit": column.NumberColumn("Quota", format="%,d", width=60),
                "used": column.ProgressColumn("Used", format="percent", min_value=0, max_value=1, width=110),
            },
            key="attachment_quota",
            alt="Attachments of each node against the quota",
            height=min(TALL, 40 + 30 * len(nodes)),
        )
    with right:
        widgets.heading("**Characters of a policy**, the longest first", "character-quota", policies)
        widgets.table(
            policies.assign(kind=policies["layer"].str.upper(), used=policies["characters"] / policies["limit"]),
            {
                "name": column.TextColumn("Policy", width=230),
                "kind": column.TextColumn("Layer", width=50),
                "characters": column.NumberColumn("Characters", format="%,d", width=80),
                "limit": column.NumberColumn("Quota", format="%,d", width=60),
                "used": column.ProgressColumn("Used", format="percent", min_value=0, max_value=1, width=110),
                "nodes": column.NumberColumn("Nodes", format="%,d", width=55, help="That it is attached to"),
            },
            key="character_quota",
            alt="Characters of each policy against the quota",
            height=min(TALL, 40 + 30 * len(policies)),
        )
    st.caption("Sizes without white space, as the console saves them. Quotas are keys of headroom.toml.")


def idle(_build: Build, _tree: pd.DataFrame) -> None:
    """Policies whose removal changes nothing, and those that nobody ran into."""
    without = data.of_estate(queries.policies_without_effect)
    column = st.column_config
    widgets.heading("**Attached, and without any effect**", "idle-policies", without)
    if without.empty:
        st.caption(
            ":material/task_alt: Every attached policy changes something: none is a duplicate or shadowed from above."
        )
    else:
        st.caption("All of them may go together: what they say is said elsewhere, or binds nobody.")
        widgets.table(
            without.assign(kind=without["layer"].str.upper()),
            {
                "name": column.TextColumn("Policy", width=240),
                "kind": column.TextColumn("Layer", width=50),
                "path": column.TextColumn("Attached to", width=220),
                "reason": column.TextColumn("Why", width=240),
                "because": column.TextColumn("Said by", width=300),
            },
            key="idle_policies",
            alt="Policies without effect",
            height=min(TALL, 40 + 30 * len(without)),
        )
    hits = data.of_estate_and_reads(queries.policies_never_hit)
    if hits.empty:
        st.caption("No policy in force denies anything.")
        return
    widgets.heading("**Refused calls that each policy could have caused**, fewest first", "policy-hits", hits)
    shown = hits.assign(
        kind=hits["layer"].str.upper(),
        sure=["yes, all" if sure else "not proven" for sure in hits["proven"]],
    )
    widgets.table(
        shown,
        {
            "name": column.TextColumn("Policy", width=240),
            "kind": column.TextColumn("Layer", width=50),
            "path": column.TextColumn("Attached to", width=220),
            "accounts": column.NumberColumn("Accounts", format="%,d", width=70),
            "denies": column.NumberColumn("Actions denied", format="%,d", width=100),
            "could_have_refused": column.NumberColumn("Calls refused", format="%,d", width=90, help="At most"),
            "sure": column.TextColumn("Would it show?", width=100, help="Every call that it refuses"),
            "unseen_actions": column.NumberColumn("Unseen actions", format="%,d", width=100),
        },
        key="policy_hits",
        alt="Policies by refused calls",
        height=min(TALL, 40 + 30 * len(shown)),
    )  # fmt: skip


def compare(_build: Build, tree: pd.DataFrame) -> None:
    """Two nodes side by side."""
    labels = {
        plain(f"{path} · {node}" if kind == "account" else path, 120): node
        for path, node, kind in zip(tree["path"], tree["node_id"], tree["kind"], strict=True)
    }
    if len(labels) < 2:
        widgets.nothing("There is one node only.", "Two are needed to compare.")
        return
    places = st.columns(2, gap="medium")
    ous = [label for label, node in labels.items() if node in set(tree.loc[tree["kind"] == "ou", "node_id"])]
    usual = [*ous[:2], *labels][:2]
    sides = []
    for place, key, preset in zip(places, ("first", "second"), usual, strict=True):
        chosen = place.selectbox(
            key.capitalize(), list(labels), index=list(labels).index(preset), key=key, bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        sides.append(labels.get(chosen or "", labels[preset]))
    first, second = sides
    found = data.of_estate(queries.node_comparison, first=first, second=second)
    _policies_of_two(places, found)
    rows = data.of_estate(queries.node_differences, first=first, second=second)
    if rows.empty:
        st.caption(":material/task_alt: No action is treated differently at the two.")
        return
    said = f"**{counted(len(rows), 'action')} treated differently**, the heaviest first"
    widgets.heading(said, "node-differences", rows, narrowed_to=f"{first} {second}")
    column = st.column_config
    widgets.table(
        rows.assign(kind=rows["layer"].str.upper()),
        {
            "kind": column.TextColumn("Layer", width=50),
            "action": column.TextColumn("Action", width=320),
            "weight": column.NumberColumn("Weight", format="%.2g", width=70, help="data/reference/risk.toml"),
            "first": column.TextColumn("First", width=110),
            "second": column.TextColumn("Second", width=110),
        },
        key="node_differences",
        alt="Actions that the two nodes treat differently",
        height=min(TALL, 40 + 30 * len(rows)),
    )


def _policies_of_two(places: list, found: NodeComparison) -> None:
    for place, only in zip(places, (found.only_first, found.only_second), strict=True):
        with place.container(border=True):
            st.markdown(f"**Only here** ({len(only):,})")
            for layer, name, _arn in only:
                st.caption(f"{layer.upper()} {span(plain(name, 70))}")
            if not only:
                st.caption("Nothing that the other does not have.")
    common = ", ".join(f"{layer.upper()} {span(plain(name, 50))}" for layer, name, _arn in found.in_common)
    st.caption(f"In common ({len(found.in_common):,}): {common or 'nothing'}")


def places(_build: Build, _tree: pd.DataFrame) -> None:
    """Accounts whose environment tag and OU disagree."""
    rows = data.of_estate_and_reads(queries.accounts_in_the_wrong_place, settings=data.settings())
    if rows.empty:
        widgets.nothing(
            "No account is in the wrong place.",
            "Every environment tag agrees with the account's OU, or one is missing.",
            icon=":material/task_alt:",
        )  # fmt: skip
        return
    said = f"**{counted(len(rows), 'account')} in the wrong place**: the environment tag and the OU disagree"
    widgets.heading(said, "wrong-place", rows)
    for row in rows.to_dict("records"):
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"{span(plain(row['name'] or row['account_id'], 60))} · {span(row['account_id'])}")
            st.caption(f"Stands in {span(plain(row['ou_path'], 80))}: {row['kind']}.")
            st.caption(
                f"Its tag says {span(plain(row['environment_tag'], 40))}. "
                f"Belongs in: {span(plain(row['belongs'] or '–', 200))}."
            )
            if row["missing"]:
                st.caption(f"Misses what its like are under: {span(plain(row['missing'], 400))}.")
