"""The sample organisation, made once for all tests of a process, and its build."""

import atexit
import functools
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from analytics.build import build_store
from analytics.demo import make_sample
from analytics.settings import Settings
from analytics.store import Store

SEED, UNTIL = 7, date(2026, 11, 20)


@dataclass(frozen=True)
class Sample:
    folder: Path

    @property
    def events(self) -> str:
        return str(self.folder / "events" / "*" / "*.parquet")

    def truths(self, kind: str, *, clean: bool) -> list[dict]:
        found = json.loads((self.folder / "truths.json").read_text("utf-8"))["truths"]
        lines = [line for line in found if line["kind"] == kind and line["clean"] is clean]
        assert lines, f"no line of kind {kind}"
        return lines

    def read(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text("utf-8"))


@functools.cache
def sample() -> Sample:
    folder = Path(tempfile.mkdtemp(prefix="headroom-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_sample(folder, seed=SEED, until=UNTIL)
    return Sample(folder)


@functools.cache
def built() -> Store:
    store = Store(sample().folder / "store")
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    build_store([str(sample().folder / "events")], sample().folder / "snapshot", store, settings=Settings(), now=now)
    return store
