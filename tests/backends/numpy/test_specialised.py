"""Expressions of kernels: they give the kernels' bits, for each shape, axis, dtype and layout."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Value
from polytape.graph import Executable

SHAPES = [(), (1,), (3,), (256,), (257,), (4096,), (4097,), (0,), (4, 5), (5, 1), (3, 300), (70, 80), (2, 3, 4)]


def kernel_of(op: str) -> Any:
    return next(kernel for kernel in pt.get_backend("numpy").all_kernels() if kernel.op == op)


def layouts(x: Any) -> list[Any]:
    """The same numbers in C order, in another order, and with gaps."""
    spread = np.zeros((*x.shape, 2), x.dtype)
    spread[..., 0] = x
    return [x, np.asarray(x, order="F"), spread[..., 0]]


def value(expression: Any, *arrays: Any) -> Any:
    names = [f"x{k}" for k in range(len(arrays))]
    text = expression.text.format(*names, **{name: name for name in expression.values})
    return eval(text, {**expression.values, **dict(zip(names, arrays, strict=True))})


@pytest.mark.parametrize("op", ["sum", "mean"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_reduction_gives_the_bits_of_its_kernel(op: str, dtype: str) -> None:
    kernel, rng, found = kernel_of(op), np.random.default_rng(0), 0
    for shape, keepdims in itertools.product(SHAPES, (False, True)):
        numbers = rng.normal(size=shape).astype(dtype)
        for axis in (None, -1, 0, len(shape) - 1, (), (0, -1)):
            if axis not in (None, ()) and (len(shape) < 1 or (axis == (0, -1) and len(shape) < 2)):
                continue
            attributes: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
            attributes |= {"dtype": numbers.dtype} if op == "sum" else {}
            expression = kernel.specialise((Value(shape, numbers.dtype),), attributes)
            if expression is None:
                continue
            for x in layouts(numbers):
                got, expected = value(expression, x), kernel.fn(x, **attributes)
                assert np.array_equal(got, expected), (shape, attributes)
                assert (np.shape(got), got.dtype) == (expected.shape, expected.dtype), (shape, attributes)
            found += 1
    assert found > 50


@pytest.mark.parametrize("op", ["vdot", "matmul"])
def test_a_product_gives_the_bits_of_its_kernel(op: str) -> None:
    kernel, rng = kernel_of(op), np.random.default_rng(0)
    for shapes in [((300,), (300,)), ((4, 5), (5, 3)), ((4, 5), (5,)), ((5,), (5, 3)), ((2, 4, 5), (5, 3))]:
        x, y = (rng.normal(size=shape).astype("f4") for shape in shapes)
        expression = kernel.specialise(tuple([Value(a.shape, a.dtype) for a in (x, y)]), {})
        if expression is not None:
            for a, b in itertools.product(layouts(x), layouts(y)):
                assert np.array_equal(value(expression, a, b), kernel.fn(a, b))


@pytest.mark.parametrize("dtype", ["float16", "int32", "bool"])
def test_other_dtypes_have_no_expression(dtype: str) -> None:
    assert kernel_of("sum").specialise((Value((300,), np.dtype(dtype)),), {"dtype": np.dtype("int64")}) is None


def test_a_kernel_that_is_compared_with_a_reference_is_called() -> None:
    def own(x: Any, *, axis: Any = None, dtype: Any, keepdims: bool = False) -> Any:
        return np.sum(x, axis, dtype, None, keepdims)

    f = pt.function(lambda x: pt.sum(x))
    with pt.kernel("sum", backend="numpy", priority=10)(own):
        assert "reduce" not in Executable(f.graph(pt.ones(300))).source
    assert "reduce" in Executable(f.graph(pt.ones(300))).source
