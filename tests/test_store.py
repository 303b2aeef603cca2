"""The store: a build is published whole, the pointer moves last, and nothing else is ever read."""

import os
from pathlib import Path

import duckdb
import pytest

from analytics.store import Store, StoreError

FIRST, SECOND, THIRD = "20260101T000000-aaaaaa", "20260102T000000-bbbbbb", "20260103T000000-cccccc"


def publish(store: Store, build_id: str, content: str = "") -> None:
    with store.new_build(build_id) as path:
        con = duckdb.connect(str(path))
        con.execute("create table build as select $content as content", {"content": content or build_id})
        con.close()


def content(store: Store, build_id: str | None = None) -> str:
    with store.connect(build_id) as con:
        return con.execute("select content from build").fetchall()[0][0]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_store_without_a_build_says_how_to_make_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert store.current() is None
    with pytest.raises(StoreError, match=r"`.*nowhere` holds no build yet; run `python -m analytics demo`"):
        store.connect()


def test_a_published_build_is_the_current_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    assert (store.current(), content(store)) == (FIRST, FIRST)
    assert names(tmp_path) == {"builds", f"{FIRST}.duckdb", "CURRENT"}


def test_the_pointer_moves_last(tmp_path: Path) -> None:
    """While a build is written, and until its file is in place, readers have the one before."""
    store = Store(tmp_path)
    publish(store, FIRST)
    with store.new_build(SECOND) as path:
        duckdb.connect(str(path)).close()
        assert store.current() == FIRST
        assert not store.path(SECOND).exists()
    assert store.current() == SECOND


def test_the_file_is_in_place_and_on_disk_before_the_pointer_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    happened: list[str] = []
    replace, fsync = Path.replace, os.fsync

    def replaced(self: Path, target: Path) -> Path:
        happened.append(f"{self.name} -> {target.name}")
        return replace(self, target)

    def synced(handle: int) -> None:
        inode = os.fstat(handle).st_ino
        happened.extend(f"sync {path.name}" for path in [tmp_path, *tmp_path.rglob("*")] if path.stat().st_ino == inode)
        fsync(handle)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(os, "fsync", synced)
    publish(store, FIRST)
    assert happened == [
        f"sync {FIRST}.partial",
        f"{FIRST}.partial -> {FIRST}.duckdb",
        "sync builds",
        "sync CURRENT.new",
        "CURRENT.new -> CURRENT",
        f"sync {tmp_path.name}",
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_build_before_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    before = names(tmp_path)
    con = duckdb.connect()

    def die_midway() -> None:
        with store.new_build(SECOND) as path:
            con.execute(f"attach '{path}' as build")
            con.execute("create table build.half as select range from range(100000)")
            raise error

    with pytest.raises(error):
        die_midway()
    con.close()  # as the builder does, with the database still attached
    assert (store.current(), content(store), names(tmp_path)) == (FIRST, FIRST, before)


def test_what_a_dead_build_left_is_no_obstacle_to_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.builds.mkdir()
    (store.builds / f"{FIRST}.partial").write_text("half")
    (store.builds / f"{FIRST}.partial.wal").write_text("half")
    publish(store, FIRST)
    assert content(store) == FIRST


def test_a_reader_keeps_its_build_while_the_next_is_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    with store.connect() as con:
        publish(store, SECOND)
        store.remove_old(1)
        assert con.execute("select content from build").fetchall() == [(FIRST,)]
    assert content(store) == SECOND


def test_old_builds_go_and_the_current_one_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for build_id in (SECOND, THIRD, FIRST):  # a clock that went back: the current build has the oldest name
        publish(store, build_id)
    store.remove_old(2)
    assert {path.stem for path in store.builds.iterdir()} == {FIRST, SECOND, THIRD}
    store.remove_old(1)
    assert {path.stem for path in store.builds.iterdir()} == {FIRST, THIRD}
    store.remove_old(0)  # never nothing
    assert {path.stem for path in store.builds.iterdir()} == {FIRST, THIRD}


def test_only_builds_and_their_leavings_are_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    publish(store, SECOND)
    kept = store.builds / "my-own-copy.duckdb"
    kept.write_text("mine")
    for left in (f"{THIRD}.partial", f"{THIRD}.partial.wal"):
        (store.builds / left).write_text("half")
    store.remove_old(1)
    assert {path.name for path in store.builds.iterdir()} == {f"{SECOND}.duckdb", kept.name}


@pytest.mark.parametrize("hostile", ["", "../../etc/passwd", "a/b", "20260101T000000-AAAAAA", f"{FIRST}\n", "x' or '1"])
def test_a_text_that_is_no_id_leads_to_no_file(tmp_path: Path, hostile: str) -> None:
    with pytest.raises(StoreError, match="is not the id of a build"):
        Store(tmp_path).path(hostile)


@pytest.mark.parametrize(
    ("pointer", "sentence"),
    [
        (b"../../secret", r"`.*CURRENT` holds '\.\./\.\./secret', which is not the id of a build; run `build` again"),
        (b"\x1b[31m", r"holds '\\x1b\[31m', which is not the id"),
        (b"\xff\xfe", r"`.*CURRENT` cannot be read"),
        (b"", r"holds '', which is not the id"),
        (FIRST.encode(), rf"names build `{FIRST}`, but its file is gone; run `build` again"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_named(tmp_path: Path, pointer: bytes, sentence: str) -> None:
    (tmp_path / "CURRENT").write_bytes(pointer)
    with pytest.raises(StoreError, match=sentence):
        Store(tmp_path).connect()


def test_a_build_that_is_no_database_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    store.path(FIRST).write_text("nonsense")
    with pytest.raises(StoreError, match=rf"`.*{FIRST}\.duckdb` cannot be opened .*; run `build` again"):
        store.connect()


def test_a_build_that_the_store_does_not_have_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    with pytest.raises(StoreError, match=rf"has no build `{SECOND}`"):
        store.connect(SECOND)


def test_a_published_build_cannot_be_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, FIRST)
    with store.connect() as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("create table x as select 1")
