"""What an identity may do against what it did: by service, down to the action and the statement that grants it."""

from __future__ import annotations

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import action_table, data, widgets
from app_pages.shared.text import counted, number, plain, span

TAB = "Access"


def show(principal_arn: str, window_days: int) -> None:
    """Services to the left; the actions of the chosen one to the right."""
    rows = data.read(queries.identity_services, principal_arn=principal_arn, window_days=window_days)
    if rows.empty:
        widgets.nothing(
            "Nothing is known of its access.",
            "No collected policy grants it an action, and no call of it in the window needed one.",
        )
        return
    left, right = st.columns([1, 1.2], gap="medium")
    with left:
        said = f"**Effective against used**, {counted(len(rows), 'service')}, {window_days} days"
        widgets.heading(said, "access", rows, narrowed_to=principal_arn)
        column = st.column_config
        widgets.table(
            rows,
            {
                "service": column.TextColumn("Service", width=105),
                "unused_weight": column.NumberColumn(
                    "Weight", format="%,.1f", width=62, help="Unused weight of high-risk actions"
                ),
                "granted": column.NumberColumn("Granted", format="%,d", width=62, help="Actions"),
                "used": column.NumberColumn("Used", format="%,d", width=52, help="Actions"),
                "possible": column.NumberColumn("Poss.", format="%,d", width=50, help="Actions, possible use"),
                "unused": column.NumberColumn("Unused", format="%,d", width=58, help="Actions"),
                "unobserved": column.NumberColumn("Unobs.", format="%,d", width=58, help="Actions, unobserved"),
                "last_used": column.DatetimeColumn("Last used", format="D MMM YYYY", width=90, help="UTC"),
            },
            key="access_services",
            alt="Services of the identity, heaviest unused weight first; select one to see its actions",
            on_select=lambda: _open(rows["service"].tolist()),
            selection_mode="single-cell",
            height=min(560, 40 + 30 * len(rows)),
        )
        st.caption("Click a service to see its actions.")
    service = st.query_params.get("service", "")
    known = set(rows["service"])
    chosen = service if service in known else rows["service"].iloc[0]
    with right:
        if service and service not in known:
            st.caption(f"It holds nothing of {span(plain(service))} and did not use it.")
        total = rows[rows["service"] == chosen].iloc[0]
        unused, unobserved = (number(total[name], digits=1) for name in ("unused_weight", "unobserved_weight"))
        st.markdown(f"**{span(chosen)}**, unused weight {unused}, {unobserved} unobserved")
        action_table.show(principal_arn, chosen, window_days, height=330)


def _open(services: list[str]) -> None:
    position = widgets.chosen_row(st.session_state["access_services"], len(services))
    if position is not None:
        st.query_params["service"] = services[position]
