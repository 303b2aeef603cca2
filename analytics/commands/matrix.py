"""`matrix`: what each layer of policy does about each risk scenario; also with a draft in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from analytics.commands.common import CsvOption, JsonOption, StoreOption, show_document, store_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def matrix(
    target: Annotated[
        str | None, typer.Option(help="Id of a root, OU or account, or ARN of a role or user [default: all nodes].")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Id of a scenario, as LOG-01.")] = None,
    layer: Annotated[str | None, typer.Option(help="scp, rcp, boundary, identity or best.")] = None,
    gaps: Annotated[bool, typer.Option("--gaps", help="Only cells that are open or unknown.")] = False,
    extended: Annotated[bool, typer.Option("--extended", help="All scenarios, not only the core ones.")] = False,
    draft: Annotated[
        str | None, typer.Option("--with", help="A kept draft, or a file of one: its cells before and with it.")
    ] = None,
    store: StoreOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """What SCPs, RCPs, boundaries and identity policies do about each risk scenario, at every node and account."""
    from analytics.outputs.matrix import Wanted, matrix_document, matrix_with, shown

    wanted = Wanted(target, scenario, layer, gaps, extended)
    folder = store_folder(store)

    def document(con: DuckDBPyConnection) -> dict[str, Any]:
        found = matrix_with(con, folder, wanted, draft) if draft else matrix_document(con, folder, wanted)
        return found if json or csv else shown(found)

    show_document(store, document, "cells", json=json, csv=csv)
