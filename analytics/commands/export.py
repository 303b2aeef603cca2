"""`export`: any view as a file, with where its rows come from; for Security Hub as well."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.commands.common import STDOUT, StoreOption, fail, opened, store_folder, write_whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries import Build, Filters

ASFF = "asff"
FORMATS = ("csv", "xlsx", "json", "parquet", "md", ASFF)


def export(
    view: Annotated[str, typer.Argument(help="remediation, identities, heatmap, trust … (`export list` names all).")],
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; `-` for stdout.")] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)} [default: by the file's ending].")
    ] = None,
    store: StoreOption = None,
    window: Annotated[int | None, typer.Option(help="Days of use to tell [default: the build's window].")] = None,
    account: Annotated[str | None, typer.Option(help="Only identities of this account.")] = None,
    ou: Annotated[str | None, typer.Option(help="Only below this OU path, such as Root/Prod.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only identities of this kind: role, user, sso role …")] = None,
    search: Annotated[str, typer.Option(help="Only what holds this text, as in the search field of the pages.")] = "",
    product_arn: Annotated[
        str | None, typer.Option("--product-arn", help="asff: the Security Hub product that imports the findings.")
    ] = None,
) -> None:
    """Save all rows of a view as a file: csv, xlsx, json, parquet, md, or Security Hub findings (asff)."""
    if view == "list":
        _list_views()
        return
    if out is None:
        fail("`--out` is missing; give the file to write, or `-` for stdout")
    chosen = _format(file_format, out)
    from analytics.outputs.queries import Filters, build_info

    with opened(store) as con:
        build = build_info(con)
        filters = Filters(_window(con, window, build), ou_path=ou, account_id=account, kind=kind, search=search)
        rows, data = _made(con, view, chosen, build, filters, product_arn, store_folder(store))
    write_whole(out, data)
    if out != STDOUT:
        typer.echo(f"`{out}` is written: {rows:,} rows of view {view}.", err=True)


def _made(
    con: DuckDBPyConnection,
    view: str,
    chosen: str,
    build: Build,
    filters: Filters,
    product_arn: str | None,
    folder: Path,
) -> tuple[int, bytes]:
    """How many rows there are, and the file."""
    from analytics.outputs.export import Format, provenance
    from analytics.outputs.export import export as exported
    from analytics.outputs.export_asff import asff
    from analytics.outputs.views import view_rows

    origin = provenance(view, build, filters)
    if chosen != ASFF:
        rows = view_rows(con, view, filters, folder)
        return len(rows), exported(rows, Format(chosen), origin)
    if view != "remediation":
        fail(f"`--format asff` is for view `remediation`, not for `{view}`: only its rows are findings")
    if product_arn is None:
        fail(
            "`--format asff` needs `--product-arn`, such as "
            "`arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default`: Region and account that import"
        )
    rows = view_rows(con, view, filters)
    return len(rows), asff(rows, origin, product_arn=product_arn, made_at=build.created_at)


def _format(given: str | None, out: Path) -> str:
    """The format that is asked for, else the one that the file's name ends with."""
    chosen = given or out.suffix.removeprefix(".").lower()
    if chosen not in FORMATS:
        where = "`--format`" if given else f"`{out}` ends with none of the formats; `--format`"
        fail(f"{where} must be one of {', '.join(FORMATS)}")
    return chosen


def _window(con: DuckDBPyConnection, given: int | None, build: Build) -> int:
    from analytics.outputs.queries import build_windows

    windows = build_windows(con)
    if given is not None and given not in windows:
        fail(f"`--window {given}` is not a window of this build; its windows are {', '.join(map(str, windows))} days")
    return given or build.window_days


def _list_views() -> None:
    from analytics.outputs.views import VIEWS

    width = max(map(len, VIEWS))
    for name, view in VIEWS.items():
        typer.echo(f"{name:<{width}}  {view.about}")
