"""The matrix as files: wide CSV, coloured workbook, picture; and its cells and gaps through the usual exports."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from analytics.outputs import queries
from analytics.outputs.coverage_files import matrix_table, matrix_workbook
from analytics.outputs.coverage_look import LAYER_NAMES
from analytics.outputs.coverage_svg import matrix_svg
from analytics.outputs.export import MIME, Format, export, file_name, provenance
from analytics.outputs.queries import Filters
from app_pages.shared import data

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.outputs.export import Provenance
    from analytics.outputs.queries import Build, Matrix, MatrixChoice

LONG = (Format.JSON, Format.PARQUET)
LISTED = (Format.CSV, Format.XLSX)


def show(build: Build, found: Matrix, choice: MatrixChoice) -> None:
    """One button with everything that can be taken along."""
    filters = Filters(build.window_days, ou_path=choice.ou_path, account_id=choice.account_id)
    origin = replace(provenance("guardrails", build, filters), filters=choice.sentence)
    with st.popover("Export", icon=":material/download:", key="export_guardrails"):
        st.caption("The matrix as it is shown, with its build and choices")
        _button("CSV", "csv", partial(_csv, found, origin), origin, MIME[Format.CSV])
        _button(
            "XLSX, one sheet per layer",
            "xlsx",
            partial(_workbook, data.source(), choice, origin),
            origin,
            MIME[Format.XLSX],
        )
        _button("SVG picture for slides", "svg", partial(_picture, found, choice, origin), origin, "image/svg+xml")
        st.caption("Every layer of every cell in this OU and account, with the deciding statements")
        cells = provenance("guardrails", build, filters)
        for form in LONG:
            _button(form.upper(), form, partial(_rows, data.source(), filters, form, cells), cells, MIME[form])
        st.caption("The gap list: open cells of accounts, with owners")
        gaps = provenance("gaps", build, filters)
        for form in LISTED:
            _button(
                f"Gaps as {form.upper()}", form, partial(_gaps, data.source(), filters, form, gaps), gaps, MIME[form]
            )


def _button(label: str, ending: str, make: Callable[[], bytes], origin: Provenance, mime: str) -> None:
    st.download_button(
        label, make, file_name=file_name(origin, ending), mime=mime, on_click="ignore", width="stretch",
        key=f"export_{origin.view}_{ending}",
    )  # fmt: skip


def _csv(found: Matrix, origin: Provenance) -> bytes:
    return export(matrix_table(found), Format.CSV, origin)


def _workbook(source: Callable, choice: MatrixChoice, origin: Provenance) -> bytes:
    if choice.target is not None:
        return matrix_workbook({"Layers": queries.guardrail_matrix(source().cursor(), choice=choice)}, origin)
    sheets = {
        name: queries.guardrail_matrix(source().cursor(), choice=replace(choice, layer=layer, only_open=False))
        for layer, name in LAYER_NAMES.items()
    }
    return matrix_workbook(sheets, origin)


def _picture(found: Matrix, choice: MatrixChoice, origin: Provenance) -> bytes:
    layer = "layers of one target" if choice.target else LAYER_NAMES.get(choice.layer, choice.layer)
    return matrix_svg(found, f"Guardrail coverage: {layer}", origin).encode()


def _rows(source: Callable, filters: Filters, form: Format, origin: Provenance) -> bytes:
    return export(queries.guardrail_rows(source().cursor(), filters=filters), form, origin)


def _gaps(source: Callable, filters: Filters, form: Format, origin: Provenance) -> bytes:
    return export(queries.guardrail_gap_list(source().cursor(), filters=filters), form, origin)
