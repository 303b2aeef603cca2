"""Where builds live: `work.duckdb` for the ingester alone, immutable `builds/<id>.duckdb`, and `CURRENT`.

INVARIANT: CURRENT names a build whose file is complete and on disk. It is replaced last, by one rename, so a build
that dies midway leaves the previous one in use and no reader ever sees half of one.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 5  # of the tables of a build; the app refuses a build of another format
_BUILD_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6}")


class StoreError(RuntimeError):
    """A store that holds no usable build; the message says which command makes one."""


class Store:
    """One folder of builds."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @property
    def work(self) -> Path:
        """The ingester's own database; no one else opens it."""
        return self.folder / "work.duckdb"

    @property
    def builds(self) -> Path:
        """The folder of published builds."""
        return self.folder / "builds"

    def path(self, build_id: str) -> Path:
        """The file of a build; StoreError for a text that is not a build's id."""
        if not _BUILD_ID.fullmatch(build_id):
            raise StoreError(f"{build_id[:60]!a} is not the id of a build; CURRENT in `{self.folder}` holds one")
        return self.builds / f"{build_id}.duckdb"

    def current(self) -> str | None:
        """The id of the build in use, or None before the first one."""
        pointer = self.folder / "CURRENT"
        try:
            build_id = pointer.read_text("ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"`{pointer}` cannot be read ({error}); run `build` again") from error
        if not _BUILD_ID.fullmatch(build_id):
            raise StoreError(f"`{pointer}` holds {build_id[:60]!a}, which is not the id of a build; run `build` again")
        if not self.path(build_id).exists():
            raise StoreError(f"`{pointer}` names build `{build_id}`, but its file is gone; run `build` again")
        return build_id

    def connect(self, build_id: str | None = None) -> duckdb.DuckDBPyConnection:
        """A read-only connection to a build, by default the current one."""
        chosen = build_id or self.current()
        if chosen is None:
            raise StoreError(
                f"store `{self.folder}` holds no build yet; run `python -m analytics demo` for the sample "
                "or `python -m analytics build --events …` for your own data"
            )
        path = self.path(chosen)
        if not path.exists():
            raise StoreError(f"store `{self.folder}` has no build `{chosen}`; its builds are in `{self.builds}`")
        try:
            return duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            reason = str(error).split("\n", maxsplit=1)[0]
            raise StoreError(f"build `{path}` cannot be opened ({reason}); run `build` again") from error

    @contextmanager
    def new_build(self, build_id: str) -> Iterator[Path]:
        """A path to write a build to; published when the block ends without an error, else removed."""
        final = self.path(build_id)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_suffix(".partial")
        _remove(partial)
        try:
            yield partial
            _sync(partial)
            partial.replace(final)
            _sync(final.parent)
            self._point_to(build_id)
        except BaseException:
            _remove(partial)
            raise

    def _point_to(self, build_id: str) -> None:
        pointer = self.folder / "CURRENT"
        fresh = pointer.with_name("CURRENT.new")
        fresh.write_text(f"{build_id}\n", "ascii")
        _sync(fresh)
        fresh.replace(pointer)
        _sync(self.folder)

    def remove_old(self, keep: int) -> None:
        """Remove all but the newest `keep` builds, never the current one, and what dead builds left behind.

        Only for the process that builds: another one's unfinished file would look like a dead one's.
        """
        current = self.current()
        builds = (file for file in self.builds.glob("*.duckdb") if _BUILD_ID.fullmatch(file.stem))
        for file in sorted(builds, reverse=True)[max(keep, 1) :]:
            if file.stem != current:
                file.unlink(missing_ok=True)
        for left in [*self.builds.glob("*.partial"), *self.builds.glob("*.wal")]:
            left.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    Path(f"{partial}.wal").unlink(missing_ok=True)
