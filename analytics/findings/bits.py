"""Many sets of actions at once: one row of 64-bit words per set, counted service by service with numpy.

An integer per principal is the fastest way to combine sets; a matrix is the fastest way to count them
(docs/PERFORMANCE.md). Both have action number n as bit n, lowest word first.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def to_blob(mask: int) -> bytes:
    """A set as it is stored: little-endian bytes, compressed."""
    return zlib.compress(mask.to_bytes((mask.bit_length() + 7) // 8, "little"), 6)


def from_blob(blob: bytes) -> int:
    """The set that `to_blob` stored."""
    return int.from_bytes(zlib.decompress(blob), "little")


def pack(masks: Sequence[int], actions: int) -> NDArray[np.uint64]:
    """Sets over a catalogue of `actions` as a matrix of shape (sets, words)."""
    size = (actions + 63) // 64 * 8
    return np.frombuffer(b"".join(mask.to_bytes(size, "little") for mask in masks), np.uint64).reshape(len(masks), -1)


def holds(words: NDArray[np.uint64], row: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether set `row[i]` holds action `number[i]`, for every i."""
    shifted = words[row, number >> 6] >> (number & 63).astype(np.uint64)
    return np.asarray(shifted & np.uint64(1), np.bool_)


def counts(words: NDArray[np.uint64], ranges: Iterable[range]) -> NDArray[np.int32]:
    """How many actions of each range every set holds, of shape (sets, ranges): popcounts summed up to each boundary."""
    chosen = list(ranges)
    below = np.zeros((len(words), words.shape[1] + 1), np.int32)
    np.cumsum(np.bitwise_count(words), axis=1, dtype=np.int32, out=below[:, 1:])

    def up_to(boundary: NDArray[np.int64]) -> NDArray[np.int32]:
        word = np.minimum(boundary >> 6, words.shape[1] - 1)
        kept = (np.uint64(1) << (boundary & 63).astype(np.uint64)) - np.uint64(1)
        part = np.bitwise_count(words[:, word] & kept[None, :]).astype(np.int32)
        whole = boundary >> 6
        return np.where(whole[None, :] == words.shape[1], below[:, -1:], below[:, word] + part)

    low = np.array([span.start for span in chosen], np.int64)
    high = np.array([span.stop for span in chosen], np.int64)
    return up_to(high) - up_to(low)
