"""The templates tab: boundaries for common kinds of work, with parameters, document, proof and whom each fits."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from analytics.findings.boundaries.templates import MOST_CHARACTERS, TemplateError, render, template
from analytics.findings.organization.quota import characters
from analytics.iam.policy import to_json
from analytics.outputs import queries
from analytics.outputs.queries import Filters
from app_pages.shared import data, guardrail_effect, widgets
from app_pages.shared.text import counted, number, plain, short_name, span

if TYPE_CHECKING:
    import pandas as pd

    from analytics.findings.boundaries.templates import Parameter, Template
    from analytics.outputs.queries import Build

PARTS = ("Document", "Requests", "Whom it fits")


def show(build: Build) -> None:
    """The gallery, and one template."""
    gallery = data.read(_gallery)
    fit = data.of_estate_and_reads(queries.template_fit)
    takers = queries.template_takers(fit)
    asked = st.query_params.get("template", "")
    chosen = asked if asked in set(gallery["template"]) else gallery["template"].iloc[0]
    left, right = st.columns([1.15, 1.6], gap="medium")
    with left:
        _pick(gallery.merge(takers.drop(columns="title"), on="template"))
    with right, st.container(border=True):
        _template(build, template(chosen), fit[fit["template"] == chosen])


def _gallery(_con: object) -> pd.DataFrame:
    return queries.boundary_templates()


def _pick(rows: pd.DataFrame) -> None:
    widgets.heading(counted(len(rows), "template"), "templates", rows)
    column = st.column_config

    def opened() -> None:
        position = widgets.chosen_row(st.session_state["template_gallery"], len(rows))
        if position is not None:
            st.query_params["template"] = rows["template"].iloc[position]

    widgets.table(
        rows.assign(proof=["● all hold" if one else "✕ broken" for one in rows["proven"]]),
        {
            "title": column.TextColumn("Template", width=185),
            "audience": column.TextColumn("For", width=85),
            "proof": column.TextColumn("Requests", width=75, help="Whether every request of it is decided as promised"),
            "best_for": column.NumberColumn("Best for", format="%,d", width=65, help="Identities"),
            "weight_removed": column.NumberColumn("Weight removed", format="%,.0f", width=105, help="Unused"),
        },
        key="template_gallery",
        alt="Boundary templates; select one to open it",
        on_select=opened,
        selection_mode="single-cell",
        height=40 + 30 * len(rows),
    )  # fmt: skip
    st.caption("Click a template to open it. “Best for” suggests; nothing is attached.")


def _template(build: Build, one: Template, fit: pd.DataFrame) -> None:
    st.markdown(f"**{one.title}** · {span(one.id)}")
    st.caption(one.about)
    part = widgets.segments("Part", PARTS, "part", hide_label=True)
    if part == PARTS[0]:
        _document(one)
    elif part == PARTS[1]:
        _requests(one)
    else:
        _fit(build, one, fit)


def _document(one: Template) -> None:
    """Parameters as fields; the document follows them."""
    values = {}
    with st.grid(2, gap="small"):
        for parameter in one.parameters:
            values[parameter.name] = _field(one, parameter)
    try:
        document = render(one, {name: value for name, value in values.items() if value})
    except TemplateError as error:
        st.warning("These parameters make no policy.", icon=":material/error:")
        st.text(plain(error, 400))
        return
    st.caption(f"{characters(document):,} of {MOST_CHARACTERS:,} characters, white space not counted.")
    st.code(json.dumps(to_json(document), indent=2), language="json", height=430)


def _field(one: Template, parameter: Parameter) -> str | tuple[str, ...]:
    usual = one.example.get(parameter.name, parameter.default)
    shown = ", ".join(usual) if isinstance(usual, tuple) else usual or ""
    shown = "" if "<" in shown else shown  # made of other parameters: left empty, it follows them
    text = st.text_input(
        parameter.name.replace("_", " ").capitalize() + (", one or more" if parameter.is_list else ""),
        value=shown, key=f"parameter_{one.id}_{parameter.name}", max_chars=400, help=span(parameter.about),
    )  # fmt: skip
    if parameter.is_list:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text.strip()


def _requests(one: Template) -> None:
    rows = data.read(_proof, template_id=one.id)
    column = st.column_config
    holds = int(rows["holds"].sum())
    said = f"{holds:,} of {counted(len(rows), 'request')} decided as promised, for its example."
    widgets.heading(said, "template-requests", rows, narrowed_to=one.id)
    widgets.table(
        rows.assign(
            decided=[
                f"{'●' if holds else '✕'} {decision}"
                for holds, decision in zip(rows["holds"], rows["decision"], strict=True)
            ]
        ),
        {
            "promised": column.TextColumn("Promised", width=75),
            "decided": column.TextColumn("Decided", width=145),
            "action": column.TextColumn("Action", width=215),
            "resource": column.TextColumn("Resource", width=155),
            "context": column.TextColumn("With", width=112),
        },
        key="template_requests",
        alt="Requests of the template with the decision on each",
        height=min(560, 40 + 30 * len(rows)),
    )


def _proof(_con: object, *, template_id: str) -> pd.DataFrame:
    return queries.template_proof(template_id)


def _fit(build: Build, one: Template, fit: pd.DataFrame) -> None:
    best = fit[fit["best"]]
    surely, perhaps = (int((fit["fits"] == word).sum()) for word in ("surely", "perhaps"))
    st.caption(
        f"Fits {counted(surely, 'identity', 'identities')} surely, {number(perhaps)} perhaps; best for {len(best):,}. "
        "Cuts are actions held now; calls are those of the window."
    )
    widgets.downloads(
        "template-fit", partial(_fit_of, estate=data.estate(), template_id=one.id), build=build,
        filters=Filters(build.window_days), rows=len(fit),
    )  # fmt: skip
    order = {"surely": 0, "perhaps": 1, "no": 2}
    rows = fit.assign(order=fit["fits"].map(order)).sort_values(
        ["best", "order", "weight_left"], ascending=[False, True, True], ignore_index=True
    )
    column = st.column_config
    widgets.table(
        rows.assign(
            broken=rows["calls_broken"].map(guardrail_effect.broken),
            name=rows["name"].map(short_name),
            suggested=rows["best"].map({True: "★"}),
        ),
        {
            "suggested": column.TextColumn("", width=30, help="The best template for this identity"),
            "name": column.TextColumn("Identity", width=185),
            "account_name": column.TextColumn("Account", width=110),
            "fits": column.TextColumn("Fits", width=60),
            "actions_cut": column.NumberColumn("Cuts", format="%,d", width=60, help="Actions that it takes away"),
            "weight_left": column.NumberColumn("Weight left", format="%,.0f", width=80, help="Unused, high-risk"),
            "broken": column.TextColumn("Calls broken", width=90, help="Of the window"),
        },
        key="template_fit",
        alt="Identities by how the template fits them",
        height=420,
    )  # fmt: skip


def _fit_of(con: object, *, estate: object, template_id: str) -> pd.DataFrame:
    rows = queries.template_fit(con, estate)  # type: ignore[arg-type]
    return rows[rows["template"] == template_id]
