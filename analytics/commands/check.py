"""`check`: hold a build to the baseline rules, for pipelines: exit status 1 and the failing rows where one fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.commands.common import JsonOption, StoreOption, fail, opened, store_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from analytics.findings.checks import Outcome, Severity

FORMATS = ("table", "json", "sarif", "junit")


def check(
    store: StoreOption = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 1 when a rule this severe fails: critical, high, medium, low.")
    ] = "high",
    rule: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A headroom.toml with `check_exemptions` [default: the store's].")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="The file to write [default: stdout].")] = None,
    json: JsonOption = False,
) -> None:
    """Hold the build to baseline rules; exit 1 with the failing rows when one at or above --fail-on fails."""
    from analytics.findings.checks import Severity
    from analytics.outputs.checks import check as checked
    from analytics.outputs.checks import check_document, failing
    from analytics.settings import read_settings, read_settings_file

    chosen = "json" if json else file_format
    if chosen not in FORMATS:
        fail(f"`--format` must be one of {', '.join(FORMATS)}, not `{chosen}`")
    if fail_on not in list(Severity):
        fail(f"`--fail-on` must be one of {', '.join(Severity)}, not `{fail_on}`")
    exemptions = (read_settings_file(settings) if settings else read_settings(store_folder(store))).check_exemptions
    with opened(store) as con:
        outcomes = checked(con, rules=rule or (), exemptions=exemptions)
        document = check_document(con, outcomes)
    write_whole(out, _made(chosen, outcomes, document, Severity(fail_on)))
    broken = failing(outcomes, Severity(fail_on))
    if broken:
        typer.echo(f"headroom: {', '.join(one.rule.id for one in broken)} failed.", err=True)
        raise SystemExit(1)


def _made(file_format: str, outcomes: Sequence[Outcome], document: Mapping[str, Any], fail_on: Severity) -> bytes:
    from analytics.outputs import check_formats

    if file_format == "json":
        import orjson

        return orjson.dumps(document) + b"\n"
    if file_format == "sarif":
        return check_formats.sarif(outcomes, document["build"])
    if file_format == "junit":
        return check_formats.junit(outcomes, document["build"], fail_on)
    return check_formats.table(outcomes, document["build"])
