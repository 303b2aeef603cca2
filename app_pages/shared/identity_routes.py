"""How an identity could gain more privilege: the way to an administrator, step by step, and every path it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, policy_reader, widgets
from app_pages.shared.text import counted, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping

TAB = "Escalation"


def show(known: Mapping[str, Any], risk: Mapping[str, Any] | None) -> None:
    """The drawn route above, the table of paths below."""
    arn = known["principal_arn"]
    if risk is None:
        widgets.nothing("Nothing is known of its paths.", "A snapshot that holds its policies would tell.")
        return
    _route(known, risk, data.read(queries.identity_route, principal_arn=arn))
    paths = data.read(queries.identity_paths, principal_arn=arn)
    if not paths:
        st.caption("It holds no escalation path: no set of actions in its reach leads to another identity.")
        return
    _paths(paths, arn)


def _route(known: Mapping[str, Any], risk: Mapping[str, Any], steps: list[dict[str, Any]]) -> None:
    if risk["administrator"]:
        sure = "It is an administrator" if risk["administrator"] == "surely" else "It may be an administrator"
        st.markdown(f":material/shield_person: **{sure}**: a path of its own leads to full privilege, without a step.")
        return
    if not steps:
        st.markdown("**No way to an administrator** is known, in any number of steps.")
        return
    st.markdown(f"**Administrator in {counted(len(steps), 'step')}**, the shortest way:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _node(known["principal_arn"], known["name"], known["account_name"] or known["account_id"], "from here")
        for number, step in enumerate(steps, start=1):
            with st.container(width=150, gap=None, horizontal_alignment="center"):
                st.markdown(f"{span(step['path_id'])}", text_alignment="center")
                st.markdown("⟶" if step["surely"] else "⇢", text_alignment="center")
                st.caption("surely" if step["surely"] else "maybe", text_alignment="center")
            last = "an administrator" if number == len(steps) else f"after step {number}"
            _node(step["to_arn"], step["to_name"], step["to_account"], last)


def _node(arn: str | None, name: str | None, account: str | None, note: str) -> None:
    with st.container(border=True, width=230, gap="xxsmall"):
        if arn is None:
            st.markdown(":material/person: not in the snapshot")
        else:
            widgets.identity_link(arn, name, icon=":material/person:", length=24)
        st.caption(f"{span(plain(account, 26)) if account else 'account not known'} · {note}")


def _paths(paths: list[dict[str, Any]], arn: str) -> None:
    rows = pd.DataFrame(paths)
    said = f"**Paths that it holds**, {len(paths):,}, the strongest first{_leading(paths)}"
    widgets.heading(said, "escalation", rows, narrowed_to=arn)
    left, right = st.columns([2.4, 1], gap="medium")
    column = st.column_config
    with left:
        chosen = widgets.table(
            rows.assign(
                certain=rows["surely"].map({True: "surely", False: "maybe"}),
                strength=rows["strength"].astype(float),
            ),
            {
                "path_id": column.TextColumn("Path", width=135),
                "title": column.TextColumn("What it does", width=370),
                "category": column.TextColumn("Category", width=110),
                "certain": column.TextColumn("Certain", width=65),
                "target": column.TextColumn("Leads to", width=95),
                "strength": column.ProgressColumn(
                    "Strength", min_value=0, max_value=1, format="%.2f", width=95,
                    help="Category × certainty × target; the strongest makes the factor control",
                ),
            },
            key="paths",
            alt="Escalation paths with category, certainty, target and strength; select one for its details",
            on_select="rerun",
            selection_mode="single-cell",
            height=min(420, 40 + 30 * len(paths)),
        )  # fmt: skip
    path = paths[widgets.chosen_row(chosen, len(paths)) or 0]
    with right, st.container(border=True):
        _path(path)


def _leading(paths: list[dict[str, Any]]) -> str:
    """How many lead nowhere: nothing that they reach is more than the identity has."""
    nowhere = sum(not path["strength"] for path in paths)
    return f"; {nowhere:,} of them lead nowhere" if nowhere else ""


def _path(path: Mapping[str, Any]) -> None:
    st.markdown(f"**{span(path['path_id'])}** {path['category']}")
    st.text(plain(path["title"], 200))
    if path["why"]:
        st.text(plain(path["why"], 400))
    st.caption("Needs " + ", ".join(span(action) for action in path["actions"]))
    if path["target_arn"]:
        st.caption("Leads to")
        widgets.identity_link(path["target_arn"], icon=":material/person:", length=60)
    for action in path["actions"]:
        st.button(
            f"Which statement grants {span(action)}", key=f"grants_{action}", type="tertiary",
            icon=":material/policy:", on_click=policy_reader.mark, args=(action,),
        )  # fmt: skip
