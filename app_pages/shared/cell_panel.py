"""The panel beside the grid: the cell, the row or the service that is open, down to the action and its statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.queries import RowKind
from app_pages.shared import action_table, data, identity_panel, widgets
from app_pages.shared.text import counted, number, plain, span

if TYPE_CHECKING:
    import pandas as pd

    from analytics.outputs.queries import Filters, Grid

ALL = "All"


def show(filters: Filters, grid: Grid, row: str, service: str) -> None:
    """What is open, by the names in the URL; names that the build does not know are said, never trusted."""
    if service and service not in data.read(queries.services):
        st.markdown(f"**No service of this build:** {span(plain(service))}")
        st.caption("Nobody holds or used it. Select a cell of the grid.")
    elif not (row or service):
        _nothing_open(filters)
    elif grid.by is not RowKind.IDENTITY and row:
        _group(filters, grid, row, service)
    elif row and service:
        _cell(filters, row, service)
    elif row:
        identity_panel.show(row, filters)
    else:
        _service(filters, service)


def _nothing_open(filters: Filters) -> None:
    st.markdown("**Select a cell**")
    st.caption(
        "Click a cell to see its actions: what was used, what was not, what could not be judged, and which statement "
        "grants it. Click a name to open the identity or the service."
    )
    st.caption("By keyboard: Tab to the grid, arrow keys to move, Enter to open, s to sort the rows by a service.")
    idle = data.read(queries.idle_services, filters=filters)
    if idle.empty:
        return
    st.markdown("**Held, and nobody here was seen to use it**, with unused weight")
    labels = {f"{row.service} {row.unused_weight:,.0f}": row.service for row in idle.itertuples()}

    def opened() -> None:
        if service := labels.get(st.session_state["idle_services"]):
            st.query_params["service"] = service

    # Pills, not a table: the code that draws tables is large, and the grid would wait for it.
    st.pills("Services", list(labels), key="idle_services", on_change=opened, label_visibility="collapsed")
    st.caption(
        f"No call in {filters.window_days} days by anyone in these filters: candidates for a control policy. What is "
        "unobserved could have been used without a trace."
    )


def _cell(filters: Filters, principal_arn: str, service: str) -> None:
    known = data.read(queries.identity, principal_arn=principal_arn, window_days=filters.window_days)
    if known is None:
        st.markdown(f"**Not in this build:** {span(plain(principal_arn, 120))}")
        st.caption("The link may be of another store, or the identity is gone. Select a cell of the grid.")
        return
    st.markdown(f"#### {span(plain(known['name'], 44))} · {span(service)}")
    st.caption(identity_panel.facts(known))
    widgets.link("identity", "Open the identity", icon=":material/person:", arn=principal_arn)
    actions = data.read(
        queries.cell_actions, principal_arn=principal_arn, service=service, window_days=filters.window_days
    )
    if actions.empty:
        st.markdown("**Nothing is granted here**, and nothing was used.")
        st.caption(f"No collected policy lets this identity call {span(service)}, and it did not in the window.")
        return
    services = data.read(queries.identity_services, principal_arn=principal_arn, window_days=filters.window_days)
    total = services[services["service"] == service].iloc[0]
    st.caption(
        f"{counted(len(actions), 'action')} in {filters.window_days} days. High-risk weight: "
        f"{number(total['unused_weight'])} unused, {number(total['unobserved_weight'])} unobserved."
    )
    action_table.show(principal_arn, service, filters.window_days)


def _service(filters: Filters, service: str) -> None:
    st.markdown(f"#### {span(service)}")
    st.caption(f"Who holds it, heaviest unused weight first; {filters.window_days} days.")
    rows = data.read(queries.service_holders, service=service, filters=filters)
    if rows.empty:
        st.caption("Nobody in these filters holds or used it.")
        return
    _holders(rows, service)
    st.button("Sort the rows by this service", icon=":material/sort:", on_click=_sort_by, args=(service,))


def _sort_by(service: str) -> None:
    st.session_state["sort"] = service


def _group(filters: Filters, grid: Grid, row: str, service: str) -> None:
    st.markdown(f"#### {span(plain(row, 44))}" + (f" · {span(service)}" if service else ""))
    if grid.by is RowKind.ACCOUNT:
        inside = replace(filters, account_id=row)
    else:
        inside = replace(filters, ou_path=row, ou_alone=True)
    rows = data.read(queries.service_holders, service=service or None, filters=inside)
    if rows.empty:
        st.caption("No identity of it holds or used anything here. Select another cell of the grid.")
        return
    st.caption(f"Its identities, heaviest unused weight first; {filters.window_days} days.")
    _holders(rows, service)


def _holders(rows: pd.DataFrame, service: str) -> None:
    column = st.column_config

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["cell_holders"], len(rows))
        if position is not None:
            st.session_state["by"] = "Identities"
            st.query_params["row"] = rows["principal_arn"].iloc[position]

    widgets.table(
        rows,
        {
            "name": column.TextColumn("Identity", width=170),
            "account_name": column.TextColumn("Account", width=100),
            "unused_weight": column.NumberColumn("Unused weight", format="%,.1f", width=95),
            "granted": column.NumberColumn("Granted", format="%,d", width=65),
            "used": column.NumberColumn("Used", format="%,d", width=50),
            "unused": column.NumberColumn("Unused", format="%,d", width=60),
            "unobserved": column.NumberColumn("Unobs.", format="%,d", width=60),
        },
        key="cell_holders",
        alt="Identities that hold the service, heaviest unused weight first; select one to open it",
        on_select=opened,
        selection_mode="single-cell",
        height=min(560, 40 + 30 * len(rows)),
    )
    st.caption("Click an identity to open its cell." if service else "Click an identity to open it.")
