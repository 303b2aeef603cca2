"""Who can become an identity, and who did: every party with its conditions, and what the logs show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, policy_reader, widgets
from app_pages.shared.text import counted, day, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping

TAB = "Who can become it"
# Trust classes of data/reference/risk.toml, in words.
CLASSES = {
    "anyone": "anyone on the internet",
    "unknown_account": "an unknown account outside the organisation",
    "oidc_any_subject": "a web identity of any subject",
    "unknown_account_external_id": "an unknown account, with an ExternalId",
    "user_old_key_no_mfa": "an old access key, and no MFA",
    "anyone_conditional": "anyone who meets a condition",
    "vendor": "a known vendor, without an ExternalId",
    "console_no_mfa": "a console password, and no MFA",
    "user_old_key": "an old access key",
    "vendor_external_id": "a known vendor, with an ExternalId",
    "user_key": "an access key",
    "organization": "another account of the organisation",
    "console_mfa": "a console password with MFA",
    "federated": "a federated workforce",
    "oidc_pinned": "a web identity of pinned subjects",
    "compute_service": "an AWS service that runs code",
    "service": "an AWS service",
    "same_account": "its own account",
    "nobody": "nobody",
}


def show(known: Mapping[str, Any]) -> None:
    """Parties above, callers seen in the window below; a party opens its conditions and its statement."""
    arn = known["principal_arn"]
    ways = data.read(queries.identity_trust, principal_arn=arn)
    if not ways:
        widgets.nothing(
            "Nothing is known of who can become it.",
            "Only its AWS service becomes a service-linked role, and nobody can change that."
            if known["kind"] == "service-linked role"
            else "Trust is read from the snapshot, which does not hold this identity: it is known from logs alone.",
        )
    else:
        left, right = st.columns([2.6, 1], gap="medium")
        with left:
            position = _ways(ways, arn)
        with right, st.container(border=True):
            _way(ways[position])
    _callers(arn)


def _ways(ways: list[dict[str, Any]], arn: str) -> int:
    """The table of parties; the position of the chosen one."""
    rows = pd.DataFrame(ways)
    said = f"**Who can become it**, {counted(len(ways), 'way')}, the strongest first"
    widgets.heading(said, "trust", rows, narrowed_to=arn)
    shown = rows.assign(
        who=[plain(way["party_name"] or way["party"], 70) for way in ways],
        trust=[CLASSES.get(way["trust_class"], way["trust_class"].replace("_", " ")) for way in ways],
        under=["; ".join(way["conditions"]) or "no condition" for way in ways],
        exposure=rows["exposure"].astype(float),
        seen=[seen(way) for way in ways],
    )
    column = st.column_config
    chosen = widgets.table(
        shown,
        {
            "who": column.TextColumn("Party", width=205),
            "trust": column.TextColumn("What it is", width=285),
            "exposure": column.NumberColumn("Exposure", format="%.0f of 25", width=76, help="Before the multiplier"),
            "under": column.TextColumn("Under", width=165),
            "seen": column.TextColumn("Use", width=180, help="In the window of the build, unless a date is told"),
        },
        key="trust_ways",
        alt="Parties that can become the identity, with class, conditions and use; select one for its details",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(360, 40 + 30 * len(ways)),
    )
    return widgets.chosen_row(chosen, len(ways)) or 0


def seen(way: Mapping[str, Any]) -> str:
    """Nobody counts the uses of one key or password, but IAM tells the last one."""
    if way["seen_calls"] is None:
        return "could not be seen" if way["seen_last"] is None else f"used, last {day(way['seen_last'])}"
    if not way["seen_calls"]:
        return "not in the window"
    return f"{counted(way['seen_calls'], 'time')}, last {day(way['seen_last'])}"


def _way(way: Mapping[str, Any]) -> None:
    st.code(plain(way["party"], 400), language=None, wrap_lines=True)
    kind = way["kind"].replace("_", " ")
    st.caption(f"{kind.upper() if kind in ('oidc', 'saml') else kind.capitalize()}: {seen(way)}")
    if way["seen_calls"] is None and way["seen_last"] is not None:
        st.caption("IAM tells when it was last used; the uses of one key or password are not counted.")
    if not way["surely"]:
        st.caption("Maybe: whether its conditions hold cannot be told from the policy alone.")
    for condition in way["conditions"]:
        st.text(f"only if {plain(condition, 200)}")
    for note in way["notes"]:
        st.text(f"note: {plain(note, 240)}")
    if way["seen_accounts"]:
        st.caption("Seen from accounts " + ", ".join(span(plain(account, 20)) for account in way["seen_accounts"][:6]))
    if way["seen_networks"]:
        st.caption("From networks " + ", ".join(span(plain(network, 45)) for network in way["seen_networks"][:6]))
    if way["statement_index"] is not None:
        sid = f", Sid {span(plain(way['sid'], 40))}" if way["sid"] else ""
        st.caption(f"Trust policy, statement {way['statement_index'] + 1}{sid}")
        st.button(
            "Read the statement", key="trust_statement", type="tertiary", icon=":material/policy:",
            on_click=policy_reader.mark, args=(f"trust:{way['statement_index']}",),
        )  # fmt: skip


def _callers(arn: str) -> None:
    rows = data.read(queries.identity_assumed, principal_arn=arn)
    widgets.heading("**Who did**, in the window of the build", "assumed", rows, narrowed_to=arn)
    if rows.empty:
        st.caption("No call that assumes it is in the logs of the window: AssumeRole and its kin, by anyone.")
        return
    column = st.column_config
    chosen = widgets.table(
        rows.assign(account=rows["caller_account_name"].fillna(rows["caller_account_id"])),
        {
            "caller": column.TextColumn("Caller", width=480),
            "account": column.TextColumn("Account", width=120),
            "network": column.TextColumn("Network", width=120),
            "via_service": column.TextColumn("Through", width=110),
            "calls": column.NumberColumn("Calls", format="%,d", width=70),
            "denied": column.NumberColumn("Denied", format="%,d", width=65),
            "first_time": column.DatetimeColumn("First", format="D MMM YYYY HH:mm", width=130, help="UTC"),
            "last_time": column.DatetimeColumn("Last", format="D MMM YYYY HH:mm", width=130, help="UTC"),
        },
        key="trust_callers",
        alt="Callers that assumed the role; select one to open it",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(320, 40 + 30 * len(rows)),
    )
    position = widgets.chosen_row(chosen, len(rows))
    if position is not None:
        caller = rows["caller"].iloc[position]
        with st.container(horizontal=True):
            widgets.identity_link(str(caller), icon=":material/person:", length=80)
