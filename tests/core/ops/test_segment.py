"""Segments and one-hot vectors."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError


def test_segments_without_rows_give_the_neutral_element(backend: str) -> None:
    with pt.device(backend):
        for dtype, low, high in (("int8", -128, 127), ("uint16", 0, 65535), ("float32", -np.inf, np.inf)):
            x, ids = pt.asarray([3, 5], dtype=dtype), pt.asarray([0, 0])
            assert pt.segment_max(x, ids, num_segments=2).tolist() == [5, low]
            assert pt.segment_min(x, ids, num_segments=2).tolist() == [3, high]
            assert pt.segment_sum(x, ids, num_segments=2).tolist() == [8, 0]
            assert pt.segment_prod(x, ids, num_segments=2).tolist() == [15, 1]


def test_ties_in_a_segment_share_the_gradient(backend: str) -> None:
    x = pt.asarray([2.0, 2.0, 1.0, 7.0], device=backend)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.segment_max(x, [0, 0, 0, 1], num_segments=3)[:2]
    assert tape.gradient(y, x).tolist() == [0.5, 0.5, 0.0, 1.0]


def test_the_gradient_of_a_product_is_exact_at_zeros(backend: str) -> None:
    x = pt.asarray([0.0, 2.0, 3.0, 0.0, 0.0], device=backend)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.segment_prod(x, [0, 1, 0, 1, 1], num_segments=2)
    assert tape.gradient(y, x).tolist() == [3.0, 0.0, 0.0, 0.0, 0.0]


def test_a_segment_that_does_not_exist_is_an_error_on_the_host() -> None:
    with pytest.raises(OutOfRangeError):
        pt.segment_sum(pt.ones(2), [0, 2], num_segments=2)
    with pytest.raises(OutOfRangeError):
        pt.segment_prod(pt.ones(2), [0, -3], num_segments=2)


def test_one_hot_of_a_class_that_does_not_exist_is_zero(backend: str) -> None:
    x = pt.asarray([1, -1, 3], device=backend)
    assert pt.one_hot(x, 3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert pt.one_hot(np.array([2**64 - 1, 1], "uint64"), 2, dtype="int32").tolist() == [[0, 0], [0, 1]]
