"""What `convert` could not turn into events, as part of the health of a build that reads its output.

The rejects lie beside the events in a file that no reader of Parquet opens; a build that did not look there would show
fewer events than the logs hold, and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from analytics.sources.cloudtrail import SourceFile
from analytics.sources.convert import REJECTS


def rejects_beside(files: Iterable[str]) -> list[SourceFile]:
    """The rejects files of the conversions that these files came from: never read as events, only counted."""
    folders = {folder for file in files for folder in _output_folders(Path(file))}
    return [_counted(folder / REJECTS) for folder in sorted(folders) if (folder / REJECTS).is_file()]


def _output_folders(file: Path) -> tuple[Path, ...]:
    """Where the conversion that wrote this file would have put its rejects: above the folder of the day."""
    folder = file.parent
    return (folder, folder.parent) if folder.name.startswith("date=") else (folder,)


def _counted(path: Path) -> SourceFile:
    records = whole_files = 0
    try:
        with path.open("rb") as lines:
            for line in lines:
                of_a_record = orjson.loads(line)["position"] is not None
                records, whole_files = records + of_a_record, whole_files + (not of_a_record)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        return SourceFile(str(path), problem=f"cannot be read as the rejects of `convert` ({error}); convert again")
    return SourceFile(
        str(path),
        rejected=records,
        problem=f"lists {_count(records, 'record')} and {_count(whole_files, 'whole file')} that `convert` could not "
        "use, each with the reason; they are left out of every figure",
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
