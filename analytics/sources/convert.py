"""Raw CloudTrail logs as Parquet: each file on its own, in parallel processes, every record accounted for.

INVARIANTS: records found = written + rejected, for each file and in total. The name of a Parquet file depends on the
path of its source alone, so that running again replaces and never doubles.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import orjson

from analytics.sources.cloudtrail import SourceError, discover
from analytics.sources.convert_file import ConvertedFile, Job, Outcome, convert_file, unreadable

REJECTS = "_rejects.jsonl"
"""In the output folder: one line per record, or whole file, that could not be converted."""
_SMALL_WORK = 8 * 1024 * 1024  # bytes of sources below which starting processes costs more than it saves


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """What became of every source file and every record of a run."""

    files: tuple[ConvertedFile, ...]
    rejects: str | None  # path of the rejects file, if it has any line

    @property
    def found(self) -> int:
        """Records found in all files."""
        return sum(file.found for file in self.files)

    @property
    def written(self) -> int:
        """Records written to Parquet."""
        return sum(file.written for file in self.files)

    @property
    def rejected(self) -> int:
        """Records that stand in the rejects file."""
        return sum(file.rejected for file in self.files)

    @property
    def unreadable(self) -> tuple[ConvertedFile, ...]:
        """Files of which nothing could be read."""
        return tuple(file for file in self.files if file.outcome is Outcome.UNREADABLE)

    @property
    def other_fields(self) -> Mapping[str, int]:
        """Top-level names that layout D has no room for, with the number of records that have them."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.other_fields)
        return dict(total.most_common())


Progress = Callable[[int, int], None]
"""Called with the number of files done and of all files."""


def convert(
    sources: Sequence[str | os.PathLike[str]],
    out: Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert files, folders and globs of raw logs to `out/date=YYYY-MM-DD/*.parquet`.

    Raises SourceError for a source that leads to no file; what is wrong inside files is in the report.
    """
    paths = [path for path in discover(sources) if not Path(path).resolve().is_relative_to(out.resolve())]
    if not paths:
        raise SourceError(f"every source lies in the output folder `{out}`; name another folder as output")
    out.mkdir(parents=True, exist_ok=True)
    jobs = _jobs(paths, out)
    done: dict[str, ConvertedFile] = {}
    for converted in _run(jobs, workers or os.cpu_count() or 1):
        done[converted.path] = converted
        if progress:
            progress(len(done), len(jobs))
    return ConvertReport(tuple(done[job.source] for job in jobs), _gather_rejects(out, jobs))


def _jobs(paths: Iterable[str], out: Path) -> list[Job]:
    earlier: dict[str, list[str]] = defaultdict(list)
    for path in out.glob("date=*/*.parquet"):
        earlier[path.name].append(str(path))
    names = {path: output_name(path) for path in paths}
    return [Job(path, str(out), name, tuple(sorted(earlier[name]))) for path, name in names.items()]


def output_name(source: str) -> str:
    """The name of the Parquet files of a source: its own name, made safe, and a digest of where it lies."""
    real = os.path.realpath(source)
    stem = re.sub(r"[^A-Za-z0-9.-]+", "-", Path(real).name.removesuffix(".gz").removesuffix(".json"))[:100].lstrip("-.")
    return f"{stem or 'events'}-{hashlib.sha256(os.fsencode(real)).hexdigest()[:12]}.parquet"


def _run(jobs: Sequence[Job], workers: int) -> Iterator[ConvertedFile]:
    small = sum(_size(job.source) for job in jobs) < _SMALL_WORK
    if small or workers == 1 or len(jobs) == 1:
        yield from map(convert_file, jobs)
        return
    # Spawned, not forked: the caller may hold threads and open databases.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
        running = {pool.submit(convert_file, job): job for job in jobs}
        try:
            for future in as_completed(tuple(running)):
                yield _result(future, running.pop(future))
        finally:
            pool.shutdown(cancel_futures=True)  # whoever stops early does not wait for the files that are left


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # convert_file says what is wrong with it
        return 0


def _result(future: Future[ConvertedFile], job: Job) -> ConvertedFile:
    try:
        return future.result()
    except BrokenProcessPool:
        reason = "was not converted: a process ended before its time, perhaps for want of memory; use fewer workers"
        return unreadable(job, reason)


def _gather_rejects(out: Path, jobs: Sequence[Job]) -> str | None:
    """Put the parts in the order of the sources, after the rejects of earlier runs from other sources."""
    target = out / REJECTS
    unfinished = out / f"{REJECTS}.unfinished"
    with unfinished.open("wb") as file:
        file.writelines(_earlier_rejects(target, {job.source for job in jobs}))
        for job in jobs:
            if job.rejects.exists():
                file.write(job.rejects.read_bytes())
    if unfinished.stat().st_size:
        unfinished.replace(target)
    else:
        unfinished.unlink()
        target.unlink(missing_ok=True)
    for job in jobs:
        job.rejects.unlink(missing_ok=True)
    return str(target) if target.exists() else None


def _earlier_rejects(target: Path, sources: set[str]) -> Iterator[bytes]:
    if target.exists():
        with target.open("rb") as file:
            for line in file:
                if orjson.loads(line)["file"] not in sources:
                    yield line
