"""One identity: what is known of it, its services, its policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, widgets
from app_pages.shared.text import counted, day, number, plain, span

if TYPE_CHECKING:
    from analytics.outputs.queries import Filters


def show(principal_arn: str, filters: Filters) -> None:
    """The panel of one row of the grid; says what to do while nothing is chosen."""
    if not principal_arn:
        st.markdown("**Select an identity**")
        st.caption("Click a row to see what it holds, what it used, and which policies grant it.")
        return
    known = data.read(queries.identity, principal_arn=principal_arn, window_days=filters.window_days)
    if known is None:
        st.markdown(f"**Not in this build:** {span(plain(principal_arn, 120))}")
        st.caption("The link may be of another store, or the identity is gone. Select a row of the table.")
        return
    st.markdown(f"#### {span(plain(known['name'], 60))}")
    st.caption(facts(known))
    st.code(known["principal_arn"], language=None, wrap_lines=True)
    st.markdown(totals(known, filters.window_days))
    for note in notes(known):
        st.caption(f":material/info: {note}")
    widgets.link("identity", "Open the identity", icon=":material/person:", arn=principal_arn)
    _services(principal_arn, filters)
    _policies(principal_arn)


def facts(known: dict[str, Any]) -> str:
    """Kind, place, owner, boundary, dates; names as code. What only a snapshot could tell is not told without it."""
    parts = [
        known["kind"],
        span(plain(known["account_name"] or known["account_id"] or "no account", 40)),
        _owner(known),
        f"last used {day(known['last_used'])}" if known["last_used"] else "never seen used",
    ]
    if known["in_snapshot"]:
        boundary = f"boundary {span(plain(known['boundary_name'], 40))}" if known["boundary_name"] else "no boundary"
        parts[3:3] = [boundary, f"created {day(known['created'])}"]
    return " · ".join(parts)


def _owner(known: dict[str, Any]) -> str:
    """Who answers for it, and where that is written: a tag, or the team's `owners.csv`."""
    if not known["owner"]:
        return "no owner known"
    basis = {"tag": " by its tag", "owners.csv": " by owners.csv"}.get(known["owner_basis"] or "", "")
    return f"owner {span(plain(known['owner'], 30))}{basis}"


def totals(known: dict[str, Any], window_days: int) -> str:
    """The four states in one line, with unit and window."""
    if known["granted"] is None:
        needless = "" if known["used"] or not known["calls"] else ": they need no permission of IAM"
        return (
            f"Grants not known. {counted(known['calls'] or 0, 'call')} in {window_days} days, of "
            f"{counted(known['used'] or 0, 'action')}{needless}."
        )
    granted = "action" if known["granted"] == 1 else "actions"
    return (
        f"**{number(known['granted'])}** {granted} granted: :blue[● {number(known['used'])} used] · "
        f"◐ {number(known['possible'])} possible · :orange[○ {number(known['unused'])} unused] · "
        f"? {number(known['unobserved'])} unobserved, in {window_days} days.  \n"
        f"High-risk weight: {number(known['granted_weight'])} granted, "
        f":orange[{number(known['unused_weight'])} unused], {number(known['unobserved_weight'])} unobserved."
    )


def notes(known: dict[str, Any]) -> list[str]:
    """What limits the numbers of this identity."""
    outside = known["used_not_granted"] or 0
    said = {
        "Known from logs only: the snapshot does not hold it.": not known["in_snapshot"],
        f"New: judged since {day(known['judged_from'])} only.": known["is_new"],
        "Some of its policies were not collected: the grants shown are a lower bound.": known["policies_not_collected"],
        "Its boundary was not collected: nothing is sure, all grants are maybe.": known["boundary_not_collected"],
        f"Used {counted(outside, 'action')} that no collected policy grants.": outside,
    }
    return [note for note, holds in said.items() if holds]


def _services(principal_arn: str, filters: Filters) -> None:
    rows = data.read(queries.identity_services, principal_arn=principal_arn, window_days=filters.window_days)
    if rows.empty:
        st.caption("It holds no action, and no call of it is in the logs.")
        return
    column = st.column_config
    widgets.table(
        rows,
        {
            "service": column.TextColumn("Service", width=95),
            "unused_weight": column.NumberColumn("Unused weight", format="%,.1f", width=100),
            "granted": column.NumberColumn("Granted", format="%,d", width=65),
            "used": column.NumberColumn("Used", format="%,d", width=50),
            "unused": column.NumberColumn("Unused", format="%,d", width=60),
            "unobserved": column.NumberColumn("Unobs.", format="%,d", width=60, help="Actions that cannot be judged"),
        },
        key="identity_services",
        alt="Services of the identity, heaviest unused weight first",
        height=min(320, 40 + 30 * len(rows)),
    )


def _policies(principal_arn: str) -> None:
    policies = data.read(queries.identity_policies, principal_arn=principal_arn)
    if policies.empty:
        return
    with st.expander(f"Policies ({len(policies)})", key="identity_policies", on_change="rerun") as expander:
        if not expander.open:
            return
        for policy in policies.to_dict("records"):
            inherited = policy["attached_to"] != principal_arn
            through = f" through {span(plain(policy['attached_to'].rpartition('/')[2], 40))}" if inherited else ""
            st.markdown(f"{policy['layer']} · {span(plain(policy['name'], 60))}{through}")
            st.code(json.dumps(json.loads(policy["document"]), indent=2), language="json", height=200)
