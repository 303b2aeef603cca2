"""A build runs without the collector of reference cycles, and leaves it as it was."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from analytics.sources.collector import uncollected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    yield
    gc.enable()


@uncollected()
def run_a_step_that_fails() -> None:
    assert not gc.isenabled()
    msg = "a step"
    raise ValueError(msg)


def test_the_collector_is_back_after_steps_that_fail() -> None:
    gc.enable()
    with pytest.raises(ValueError, match="a step"):
        run_a_step_that_fails()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
