"""`draft`: from gaps of the matrix to policies that close them, with what they do before anybody attaches them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.commands.common import JsonOption, StoreOption, fail, opened, store_folder, write_whole

if TYPE_CHECKING:
    from analytics.outputs.drafts import Made
    from analytics.outputs.drafts_print import DraftFormat

FORMATS = "json, cli or terraform"


def draft(
    scenario: Annotated[list[str], typer.Option("--scenario", help="Id of a scenario, as LOG-01; may be repeated.")],
    target: Annotated[str, typer.Option(help="Id of a root, OU or account; for a boundary also an ARN.")],
    layer: Annotated[str, typer.Option(help="scp, rcp or boundary.")] = "scp",
    exempt: Annotated[
        list[str] | None, typer.Option("--exempt", help="ARN of a role or user to leave out; may be repeated.")
    ] = None,
    found: Annotated[
        bool, typer.Option("--found/--no-found", help="Leave out roles that are known as usual exemptions by name.")
    ] = True,
    name: Annotated[str | None, typer.Option(help="Keep the draft in the store under this name.")] = None,
    form: Annotated[str | None, typer.Option("--format", help=f"Print it as {FORMATS}.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write what is printed to this file.")] = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Draft the policy that closes gaps of the guardrail matrix, and show the matrix and scores before and after."""
    from analytics.outputs.drafts import Asked, made_document
    from analytics.outputs.drafts_print import printed
    from analytics.outputs.drafts_store import keep_draft
    from analytics.outputs.matrix import drafter
    from analytics.outputs.printing import as_json

    if json and (form or out):
        fail("`--json` prints the whole document; leave out `--format` and `--out`")
    chosen = _format(form)
    asked = Asked(tuple(scenario), target, layer, tuple(exempt or ()), found, name)
    folder = store_folder(store)
    with opened(store) as con:
        made = drafter(con, folder).make(asked)
        if name is not None:
            path = keep_draft(folder, made.draft)
            typer.echo(f"Kept as `{name}` in {path}; every build tells what it would do.", err=True)
        if json:
            as_json(made_document(con, made))
            return
    write_whole(out, printed(made.draft, chosen).encode())
    _tell(made)


def _format(form: str | None) -> DraftFormat:
    from analytics.outputs.drafts_print import DraftFormat

    chosen = form or DraftFormat.JSON.value
    if chosen not in set(DraftFormat):
        fail(f"`--format` must be {FORMATS}, not `{chosen}`")
    return DraftFormat(chosen)


def _tell(made: Made) -> None:
    """The notes and the effect, beside the policy and not in it."""
    from analytics.outputs.drafts import effect_lines
    from analytics.outputs.printing import printable

    for line in (*made.draft.notes, *effect_lines(made.effect)):
        typer.echo(printable(line), err=True)
