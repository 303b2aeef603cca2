"""Which statements grant an action, as they stand in their policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.outputs import grants
from app_pages.shared import data
from app_pages.shared.text import counted, plain, span

if TYPE_CHECKING:
    from analytics.outputs.grants import Granting

SHOWN = 4
NAMES = {"scp": "SCP", "rcp": "RCP"}


def show(principal_arn: str, action: dict[str, Any]) -> None:
    """The granting statements of one row of `cell_actions`."""
    st.markdown(f"**Granted by** · {span(action['action'])}")
    if action["reach"] == "none":
        st.caption(
            "No collected policy grants it, though it was used: a resource policy may allow it, or the policy changed "
            "after the call."
        )
        return
    found = data.read(grants.granting_statements, principal_arn=principal_arn, action=action["action"])
    identity = [statement for statement in found if statement.ref.layer == "identity"]
    limits = [statement for statement in found if statement.ref.layer != "identity"]
    for statement in identity[:SHOWN]:
        _statement(principal_arn, statement)
    if len(identity) > SHOWN:
        st.caption(f"… and {counted(len(identity) - SHOWN, 'more statement')} of its policies.")
    if limits:
        told = [f"{NAMES.get(one.ref.layer, one.ref.layer)} {span(plain(one.ref.policy, 30))}" for one in limits]
        names = ", ".join(dict.fromkeys(told))
        st.caption(f"Let through by: {names}.")


def _statement(principal_arn: str, statement: Granting) -> None:
    ref = statement.ref
    sid = f", Sid {span(plain(ref.sid, 40))}" if ref.sid else ""
    through = (
        f", through {span(plain(ref.attached_to.rpartition('/')[2], 40))}" if ref.attached_to != principal_arn else ""
    )
    st.caption(f"{span(plain(ref.policy, 60))}, statement {ref.index + 1}{sid}{through}")
    st.code(json.dumps(statement.statement, indent=2), language="json", height=140)
