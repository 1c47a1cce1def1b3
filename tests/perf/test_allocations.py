"""Allocations are counted exactly, by CPython's own allocator, and counting leaves nothing behind."""

from __future__ import annotations

import gc
import sys

import pytest

from polytape_perf.allocations import allocations

pytest.importorskip("llvmlite")


def test_each_object_counts_once_however_short_it_lives() -> None:
    def call(count: int) -> None:
        for _ in range(count):
            bytes(1_000)

    hundred, none = allocations(lambda: call(100)), allocations(lambda: call(0))
    assert hundred is not None and none is not None
    assert abs(hundred - none - 100) <= 2  # CPython may find the few objects of the call itself in its free lists


def test_two_counts_of_a_call_are_nearly_equal_and_no_memory_is_kept() -> None:
    def call() -> object:
        return {str(k): [k] * 3 for k in range(500)}

    first = allocations(call)
    gc.collect()  # later, a collection would free what other tests have left
    before = sys.getallocatedblocks()
    # CPython keeps some freed objects for reuse; how many there are depends on what ran before.
    assert allocations(call) == pytest.approx(first, rel=0.05)
    assert sys.getallocatedblocks() - before < 500  # a call makes 1,500 objects; some lists are kept for reuse


def test_an_error_of_the_call_passes_and_the_next_count_is_right() -> None:
    with pytest.raises(ZeroDivisionError):
        allocations(lambda: 1 / 0)
    assert allocations(lambda: None) == 0
