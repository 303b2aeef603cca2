"""Every policy document that bears on an identity, readable, with the statements that decide an action marked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.outputs import queries
from app_pages.shared import data, widgets
from app_pages.shared.text import counted, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

TAB = "Policies"
_BOX = "mark_box"
LAYERS = {
    "identity": "What grants",
    "boundary": "Permissions boundary",
    "trust": "Trust policy",
    "scp": "Service control policies, from the root down",
    "rcp": "Resource control policies, from the root down",
}


def show(principal_arn: str) -> None:
    """The documents by layer; those with a marked statement are open."""
    documents = data.read(queries.policy_documents, principal_arn=principal_arn)
    if not documents:
        widgets.nothing("No policy of it was collected.", "The snapshot does not hold it, or it has none.")
        return
    asked = _asked()[:100]
    marks = data.read(queries.marked_statements, principal_arn=principal_arn, mark=asked) if asked else {}
    _says(asked, marks)
    for layer, title in LAYERS.items():
        held = [document for document in documents if document.layer == layer]
        if held:
            st.markdown(f"**{title}**, {len(held):,}")
        for document in held:
            _document(document, principal_arn, marks.get(document.key, {}), alone=len(documents) == 1)


def mark(wanted: str) -> None:
    """Open this tab with the statements of an action marked, or one of the trust policy (`trust:0`); for a callback."""
    st.session_state["tab"] = TAB
    st.session_state[_BOX] = wanted
    st.query_params["mark"] = wanted


def _asked() -> str:
    """What the box or the URL asks to mark; empty for nothing. Not a bound widget: a callback sets it unseen."""
    st.session_state.setdefault(_BOX, st.query_params.get("mark", ""))
    asked = st.text_input(
        "Mark the statements that decide an action",
        key=_BOX,
        max_chars=100,
        placeholder="iam:PassRole",
        icon=":material/search:",
        width=420,
        on_change=_into_url,
    )
    return (asked or "").strip()


def _into_url() -> None:
    if wanted := st.session_state[_BOX]:
        st.query_params["mark"] = wanted
    else:
        st.query_params.pop("mark", None)


def _says(asked: str, marks: Mapping[str, Mapping[int, str]]) -> None:
    if not asked:
        return
    found = sum(map(len, marks.values()))
    if asked.startswith("trust:"):
        st.caption("The statement of the trust policy is marked." if found else "No such statement in a trust policy.")
    elif found:
        st.caption(f"{counted(found, 'statement')} decide {span(asked)}; they are marked below.")
    else:
        st.caption(
            f"No statement of these policies names {span(asked)}: it is not granted here, and nothing denies it."
        )


def _document(document: queries.PolicyText, principal_arn: str, marks: Mapping[int, str], *, alone: bool) -> None:
    through = ""
    if document.layer == "identity" and document.attached_to != principal_arn:
        through = f" through {span(plain(document.attached_to.rpartition('/')[2], 40))}"
    elif document.place:
        through = f" at {span(plain(document.place, 50))}"
    marked = f" · :red[◆ {counted(len(marks), 'marked statement')}]" if marks else ""
    label = f"{span(plain(document.name, 60))}{through} · {counted(document.statements, 'statement')}{marked}"
    with st.expander(label, expanded=bool(marks) or alone, key=f"policy_{document.key}", on_change="rerun") as expander:
        if expander.open:
            if document.arn:
                st.caption(f"{span(document.arn)}" + (" · managed by AWS" if document.aws_managed else ""))
            text(document.document, marks)


def text(document: str, marks: Mapping[int, str]) -> None:
    """The document as code; a marked statement stands in a box of its own, in its place."""
    parsed = json.loads(document)
    if not marks:
        st.code(json.dumps(parsed, indent=2), language="json", line_numbers=True)
        return
    for number, lines in pieces(parsed, set(marks)):
        if number is None:
            st.code(lines, language="json")
            continue
        with st.container(border=True, gap="xxsmall"):
            st.markdown(f":red[**◆ statement {number + 1}**] {marks[number]}")
            st.code(lines, language="json")


def pieces(document: Mapping[str, Any], marked: AbstractSet[int]) -> list[tuple[int | None, str]]:
    """The pretty-printed document cut at its marked statements: (number or None, lines), in order.

    The lines of all pieces in a row are the document.
    """
    statements: Sequence[Any] = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    rest = {name: value for name, value in document.items() if name != "Statement"}
    between = [json.dumps(rest | {"Statement": []}, indent=2).removesuffix("]\n}")]
    cut: list[tuple[int | None, str]] = []
    for number, statement in enumerate(listed):
        comma = "," if number < len(listed) - 1 else ""
        text = "\n".join("    " + line for line in json.dumps(statement, indent=2).splitlines()) + comma
        if number not in marked:
            between.append(text)
            continue
        if between:
            cut.append((None, "\n".join(between)))
            between = []
        cut.append((number, text))
    return [*cut, (None, "\n".join([*between, "  ]\n}"]))]
