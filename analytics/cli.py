"""`python -m analytics`: one command a line of docs/ARCHITECTURE.md, stable for scripts and pipelines."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from analytics.commands import check, draft, export, make, matrix, read
from analytics.commands.common import fail

app = typer.Typer(
    help="Headroom: how much more AWS access every identity has than it uses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    make.demo,
    make.convert,
    make.build,
    read.health,
    read.identities,
    read.show,
    read.explain,
    read.simulate,
    export.export,
    check.check,
    matrix.matrix,
    draft.draft,
):
    app.command()(command)


def main() -> NoReturn:
    """Run a command; an input error becomes one sentence and exit status 2."""
    try:
        app(standalone_mode=True)
    except (ValueError, OSError, RuntimeError) as error:
        if not _is_ours(error):
            raise
        fail(_sentence(error))
    sys.exit(0)


def _is_ours(error: Exception) -> bool:
    """Errors that are sentences for people; anything else is a fault and shows its trace."""
    return type(error).__module__.startswith("analytics.") or isinstance(error, OSError)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"`{error.filename}`: {error.strerror}; check the path, its permissions and the space on the disk"
    return str(error)
