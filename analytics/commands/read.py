"""Commands that read a build: health, identities, show, explain; and `simulate`, which reads no build."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analytics.commands.common import CsvOption, JsonOption, StoreOption, show_document


def health(store: StoreOption = None, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Can the data be trusted: files, rows, rejects, unresolved events, accounts collected."""
    from analytics.outputs import documents

    show_document(store, documents.health, "files", json=json, csv=csv)


def identities(store: StoreOption = None, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Every identity by rank: its score and band, with what it is granted and what it used."""
    from analytics.outputs import documents

    show_document(store, documents.identities, "identities", json=json, csv=csv, columns=documents.LISTED)


def show(
    arn: Annotated[str, typer.Argument(help="The identity's ARN.")],
    store: StoreOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """One identity: its score with the reasons, and every action with its state and the statement that grants it."""
    from analytics.outputs import documents

    asked = partial(documents.show, arn=arn)
    show_document(store, asked, "actions", json=json, csv=csv, before=documents.REASONS)


def explain(
    arn: Annotated[str, typer.Argument(help="The identity's ARN.")],
    action: Annotated[str, typer.Argument(help="As in a policy: s3:GetObject.")],
    resource: Annotated[str | None, typer.Argument(help="An ARN; without it the answer is for every resource.")] = None,
    store: StoreOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Why an identity may or may not do something, layer by layer, with the statements that decide."""
    from analytics.outputs import documents

    show_document(store, lambda con: documents.explain(con, arn, action, resource), "layers", json=json, csv=csv)


def simulate(
    file: Annotated[Path | None, typer.Argument(help="Decision cases as JSON lines [default: stdin].")] = None,
) -> None:
    """Decide cases of policy evaluation: JSON lines in, one decision a line out, in the same order."""
    from analytics.engine.simulate import simulate as decide_cases

    failed = False
    with file.open("rb") if file else nullcontext(sys.stdin.buffer) as lines:
        for answer in decide_cases(line for line in lines if line.strip()):
            failed |= answer.failed
            sys.stdout.buffer.write(answer.line + b"\n")
    sys.stdout.buffer.flush()
    if failed:
        raise SystemExit(2)
