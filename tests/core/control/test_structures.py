"""Carried values: structures of tensors, their types, and the stacking of results."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.control.structures import Values, stacked, value_of
from polytape.errors import DTypeError

Pair = namedtuple("Pair", ["a", "b"])


def test_numbers_and_arrays_go_to_the_device_of_a_tensor_beside_them() -> None:
    with pt.device("sim"):
        x = pt.asarray([1.0])
    values = Values("carry", {"n": 1, "x": x, "y": np.zeros(2), "none": None})
    assert {tensor.device for tensor in values.tensors} == {x.device}
    assert values.labels == ["carry_n", "carry_x", "carry_y"]
    assert Values("carry", 0.0, [x]).tensors[0].device == x.device
    assert Values("carry", 0.0).tensors[0].device != x.device


@pytest.mark.parametrize("structure", [1.0, [1.0, 2.0], Pair(1.0, [2.0]), {"a": (None, 1.0)}, (), None])
def test_a_structure_is_filled_with_new_handles(structure: Any) -> None:
    values = Values("carry", structure)
    filled = values.filled(values.tensors)
    assert type(filled) is (pt.Tensor if isinstance(structure, float) else type(structure))
    assert values.like("f", Values("carry", filled)).tensors != [] or not values.tensors
    for x, handle in zip(values.tensors, Values("carry", filled).tensors, strict=True):
        assert x is not handle and x.array is handle.array


def test_a_variable_is_carried_by_its_value() -> None:
    v = pt.Variable([1.0, 2.0])
    (x,) = Values("carry", v).tensors
    v.assign([3.0, 4.0])
    assert type(x) is pt.Tensor and x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("leaf", ["text", object(), {1}])
def test_other_leaves_are_an_error_that_names_them(leaf: Any) -> None:
    with pytest.raises(DTypeError, match=r"carry_1 is .*, which is no tensor"):
        Values("carry", [1.0, leaf])


@pytest.mark.parametrize("count", [0, 1, 64, 65, 4097])
def test_any_number_of_rows_is_stacked_in_order(count: int, backend: str) -> None:
    with pt.device(backend):
        rows = [pt.asarray([float(k), 1.0]) for k in range(count)]
        result = stacked(rows, value_of(pt.asarray([0.0, 1.0])))
        assert result.device == pt.zeros(()).device
        np.testing.assert_array_equal(result.numpy(), np.asarray([[k, 1.0] for k in range(count)]).reshape(count, 2))
