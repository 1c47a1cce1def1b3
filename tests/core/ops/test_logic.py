"""``where`` and the comparisons, beyond their rows."""

from __future__ import annotations

import numpy as np

import polytape as pt


def test_operators_compare_elementwise(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1, 2, 3])
    assert (x == 2).tolist() == (x == 2).tolist() == [False, True, False]
    assert (x != np.asarray([1, 0, 3])).tolist() == [False, True, False]
    assert (x < 2).tolist() == (x < 2).tolist() == [True, False, False]
    assert (x <= 2).tolist() == (x <= 2).tolist() == [True, True, False]
    assert (x > 2).tolist() == [False, False, True]
    assert (x >= 2).tolist() == [False, True, True]
    assert ((x > 1) & (x < 3)).tolist() == [False, True, False]
    assert ((x < 2) | (x > 2)).tolist() == [True, False, True]
    assert (x == 2).dtype == pt.bool


def test_comparison_with_an_unsupported_object_falls_back_to_python() -> None:
    x = pt.ones(2)
    assert (x == "one") is False
    assert (x != "one") is True
    assert (x == None) is False  # noqa: E711  # the operator is under test


def test_where_accepts_numbers_on_either_side_and_keeps_the_dtype_of_the_tensor(backend: str) -> None:
    with pt.device(backend):
        mask, x = pt.asarray([True, False]), pt.asarray([1.0, 2.0], dtype="float16")
    for y in (pt.where(mask, x, 0), pt.where(mask, 0.0, x)):
        assert y.dtype == pt.float16
    assert pt.where(mask, 1, 2).dtype == pt.int32
    assert pt.where(mask, 1, 2.0).dtype == pt.float32


def test_no_gradient_flows_through_the_unselected_branch(backend: str) -> None:
    with pt.device(backend), np.errstate(all="ignore"):
        x = pt.asarray([0.0, 4.0], dtype="float64")
        gradients = pt.gradients_function(lambda x: pt.where(x > 0, pt.sqrt(pt.where(x > 0, x, 1.0)), 0.0))(x)
    assert gradients[0].tolist() == [0.0, 0.25]
