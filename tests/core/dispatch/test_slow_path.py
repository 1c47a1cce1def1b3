"""The slow path: operands of every accepted type, conversion of host data, and promotion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.dispatch.slow_path import MEMO
from polytape.errors import DTypeError
from polytape.registry import tables

NAMES = ("bool", "int8", "int32", "int64", "uint8", "uint32", "uint64", "float16", "float32", "float64", "complex64")


def expected_dtype(a: str, b: str) -> str | None:
    """The dtype according to the standard and polytape's own rule; None if there is no common dtype."""
    x, y = np.dtype(a), np.dtype(b)
    rank = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
    if rank[x.kind] != rank[y.kind] and max(rank[x.kind], rank[y.kind]) < 3:
        return a if rank[x.kind] > rank[y.kind] else b
    if {x.kind, y.kind} == {"i", "u"} and "uint64" in (a, b):
        return None
    if min(rank[x.kind], rank[y.kind]) < 2 and max(rank[x.kind], rank[y.kind]) == 3:
        return a if x.kind == "c" else b
    return str(np.promote_types(x, y))


@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("b", NAMES)
def test_two_tensors_promote_according_to_the_standard(a: str, b: str) -> None:
    x, y = pt.asarray([1], dtype=a), pt.asarray([1], dtype=b)
    dtype = expected_dtype(a, b)
    if dtype is None:
        with pytest.raises(DTypeError, match="have no common integer dtype"):
            pt.where([True], x, y)
        return
    assert pt.where([True], x, y).dtype == dtype and pt.concat([y, x]).dtype == dtype
    if dtype != "bool":
        assert (x * y).dtype == (y * x).dtype == dtype


def test_the_condition_of_where_is_not_promoted() -> None:
    assert pt.where(pt.asarray([True, False]), 1.5, 2).tolist() == [1.5, 2.0]
    assert pt.where([True, False], pt.asarray([1, 2]), 0).dtype == "int32"


def test_an_op_on_host_data_runs_on_the_default_device() -> None:
    assert pt.add([1.0], 2).device == pt.zeros((1,)).device
    assert pt.add(np.ones(2), [1.0, 2.0]).dtype == "float64"


def test_many_fill_values_do_not_grow_the_memo_without_bound() -> None:
    op = tables.ops()["full"]
    for value in range(MEMO + 50):
        pt.full((1,), value + 0.5)
    assert len(op.memo) <= MEMO
    assert pt.full((1,), float("nan")).shape == (1,) and pt.full((2,), 0.5).tolist() == [0.5, 0.5]


def test_attributes_that_determine_the_dtype_are_part_of_the_key() -> None:
    x = pt.asarray([1, 2])
    for _ in range(2):
        result_dtypes = [str(pt.sum(x, dtype=dtype).dtype) for dtype in (None, "float32", "int64")]
        assert result_dtypes == ["int32", "float32", "int64"]
        assert str(pt.sum(x).dtype) == "int32" and pt.sum(x, dtype=pt.int64).dtype == "int64"
        assert pt.full((1,), 1).dtype == "int32" and pt.full((1,), True).dtype == "bool"
        assert pt.full((1,), 1.0).dtype == "float32" and pt.full((1,), 1j).dtype == "complex64"


BAD = {"none": None, "object": object(), "text": "a", "dict": {1: 2}, "set": {1.0}, "function": len}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_the_error_for_an_invalid_operand_names_it(bad: Any) -> None:
    with pytest.raises(DTypeError, match="as condition"):
        pt.where(bad, 1.0, 2.0)
    with pytest.raises(DTypeError, match="as arrays"):
        pt.concat([pt.zeros((1,)), bad])


def test_ops_give_the_same_result_on_lists_and_on_tensors() -> None:
    for op, operands in ((pt.add, ([1, 2], [3.5, 4])), (pt.matmul, ([[1.0]], [[2.0]])), (pt.max, ([1, 5, 2],))):
        call: Any = op
        assert call(*operands).tolist() == call(*map(pt.asarray, operands)).tolist()
