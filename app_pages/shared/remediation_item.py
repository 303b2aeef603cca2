"""One remediation item: risk removed, calls broken, the evidence, and what to paste."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, widgets
from app_pages.shared.remediation_list import calls
from app_pages.shared.text import counted, number, plain, quoted, short_name, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN = 12  # of a long list
LONGEST = 1200  # characters of a sentence
BROKEN = (
    "Observed calls of the window that the change would deny: 0 only where that is proven, and “not proven” where this "
    "export could not tell."
)


def show(item_id: str) -> None:
    """The panel beside the list."""
    found = data.read(queries.item, item_id=item_id)
    if found is None:
        st.markdown(f"**No item of this build:** {span(plain(item_id, 60))}")
        st.caption("It may be done, or the link is of another store. Select a row of the list.")
        return
    st.text(plain(found["title"], 200))
    before, after, broken = st.columns([1.25, 0.9, 1.2], gap="xsmall")
    removed = "not known" if found["risk_removed"] is None else f"{found['risk_removed']:,.1f}"
    if found["target"] is None:
        before.metric("Risk removed", removed, help="Points of the score")
        after.metric("Score", f"{found['score_after']:.1f}", f"from {found['score_before']:.1f}", delta_color="off",
                     delta_arrow="off")  # fmt: skip
    else:
        before.metric("Risk removed", removed, help="Points of the score, over all identities under the target")
        changed = found["detail"].get("identities_changed")
        after.metric("Identities", "–" if changed is None else f"{changed:,}", help="Whose permissions shrink")
    broken.metric("Calls broken", calls(found["calls_broken"], found["blocked_reason"]), help=BROKEN)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if found["target"] is None:
            widgets.identity_link(found["principal_arn"], found["name"], icon=":material/person:")
        else:
            cell = {"scenario": found["detail"]["scenarios"][0]["id"], "at": found["target"]}
            widgets.link("guardrails", span(plain(found["name"], 40)), icon=":material/shield:", **cell)
        owner = f"owner {span(plain(found['owner'], 40))}" if found["owner"] else "no owner known"
        st.caption(f"{span(plain(found['account_name'] or found['account_id'] or '', 40))} · {owner}", width="content")
    if found["blocked_reason"]:
        st.warning("This cannot be done here.", icon=":material/block:")
        st.text(plain(found["blocked_reason"], 300))
    _facts("Evidence", found["evidence"])
    _facts("Detail", found["detail"])
    _to_paste(found)
    st.caption(f"Item {found['item_id']}: the same id in every build and export.")


def _facts(title: str, facts: Any) -> None:
    """Whatever a finding tells of itself, by name; lists are cut, never hidden."""
    if not facts:
        return
    st.markdown(f"**{title}**")
    rows = facts if isinstance(facts, dict) else {"": facts}
    for name, value in rows.items():
        label = name.replace("_", " ")
        if value is None or value in ([], {}):
            continue
        if name == "sentences" and isinstance(value, list):
            for sentence in value[:SHOWN]:
                st.text(quoted(sentence, LONGEST))
        elif isinstance(value, list) and all(isinstance(one, dict) for one in value):
            _table(f"{title} {label}", value)
        elif isinstance(value, list):
            told = ", ".join(
                span(plain(one if isinstance(one, str) else json.dumps(one), 120)) for one in value[:SHOWN]
            )
            more = f" … and {len(value) - SHOWN:,} more" if len(value) > SHOWN else ""
            st.caption(f"{label} ({len(value):,}): {told}{more}")
        else:
            told = value if isinstance(value, str) else number(value) if _is_number(value) else json.dumps(value)
            st.caption(f"{label}: {span(plain(told, 300))}")


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """All the rows of a finding, a column each for what they tell."""
    shown = pd.DataFrame([{field: _cell(value) for field, value in row.items()} for row in rows])
    column, last = st.column_config, len(shown.columns) - 1
    widgets.table(
        shown,
        {
            field: column.Column(str(field).replace("_", " ").capitalize(), width=None if at == last else 78)
            for at, field in enumerate(shown.columns)
        },
        key=f"item_{name}",
        alt=f"{name}, {counted(len(rows), 'row')}",
        height=min(220, 40 + 30 * len(rows)),
    )


def _cell(value: Any) -> Any:
    """A list in a line; an identity by its name, which tells it here better than the start of its ARN."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return short_name(value.rpartition("/")[2]) if isinstance(value, str) and ":iam::" in value else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _to_paste(found: Mapping[str, Any]) -> None:
    if found["commands"]:
        st.markdown("**Commands**")
        st.code("\n".join(found["commands"]), language="bash", wrap_lines=True)
    if found["policy"]:
        st.markdown("**Policy**")
        st.code(json.dumps(json.loads(found["policy"]), indent=2), language="json", height=260)
