"""Shape rules against the shapes that NumPy gives, on random operands."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape.errors import ShapeError
from polytape.ops import indexing, shape_rules

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def same(rule: Any, numpy: Any) -> None:
    """Both give the same shape, or both refuse."""
    try:
        expected = numpy().shape
    except (ValueError, IndexError):
        with pytest.raises(ShapeError) as caught:
            rule()
        assert caught.value.summary
        assert caught.value.expected
        assert caught.value.fix
        return
    assert rule() == expected


@given(st.lists(SHAPES, min_size=1, max_size=3))
def test_broadcasting_is_numpy_s(shapes: list[Any]) -> None:
    same(lambda: shape_rules.broadcast(*shapes), lambda: np.broadcast(*map(np.empty, shapes), np.empty(())))


@given(SHAPES, SHAPES)
def test_broadcast_to_is_numpy_s(shape: Any, wanted: Any) -> None:
    same(lambda: shape_rules.broadcast_to_shape(shape, shape=wanted), lambda: np.broadcast_to(np.empty(shape), wanted))


@given(SHAPES, st.one_of(st.none(), st.integers(-5, 4), st.lists(st.integers(-4, 3), max_size=3)), st.booleans())
def test_reductions_are_numpy_s(shape: Any, axis: Any, keepdims: bool) -> None:
    axes = tuple(axis) if isinstance(axis, list) else axis
    if shape == () and axes not in (None, ()):
        with pytest.raises(ShapeError, match="there is no axis"):  # NumPy takes axis 0 of rank 0, the standard does not
            shape_rules.reduced(shape, axis=axes, keepdims=keepdims)
        return
    same(
        lambda: shape_rules.reduced(shape, axis=axes, keepdims=keepdims),
        lambda: np.sum(np.zeros(shape), axis=axes, keepdims=keepdims),
    )


@given(SHAPES, st.lists(st.integers(-1, 6), max_size=4))
def test_reshaping_is_numpy_s(shape: Any, wanted: list[int]) -> None:
    same(lambda: shape_rules.reshaped(shape, shape=tuple(wanted)), lambda: np.empty(shape).reshape(wanted))


@given(SHAPES, SHAPES)
def test_matrix_products_are_numpy_s(left: Any, right: Any) -> None:
    same(lambda: shape_rules.contracted(left, right), lambda: np.matmul(np.zeros(left), np.zeros(right)))


@given(st.lists(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), min_size=1, max_size=3), st.data())
def test_joining_is_numpy_s(shapes: list[Any], data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), st.integers(-3, 2)))
    same(lambda: shape_rules.joined(*shapes, axis=axis), lambda: np.concatenate(list(map(np.empty, shapes)), axis=axis))


@given(SHAPES, st.data())
def test_permuting_is_numpy_s(shape: Any, data: Any) -> None:
    axes = data.draw(st.permutations(range(len(shape))))
    turned = tuple(axis - len(shape) if data.draw(st.booleans()) else axis for axis in axes)
    same(lambda: shape_rules.permuted(shape, axes=turned), lambda: np.transpose(np.empty(shape), turned))


def _keys(shape: tuple[int, ...]) -> Any:
    """NumPy keys of ints, slices, newaxis, an ellipsis and integer arrays, some of them too long or out of range."""
    part = st.one_of(
        st.integers(-4, 3),
        st.slices(4),
        st.none(),
        hnp.arrays("int64", hnp.broadcastable_shapes((2, 3), min_dims=0, max_dims=2), elements=st.integers(0, 0)),
    )
    return st.lists(st.one_of(part, st.just(Ellipsis)), max_size=len(shape) + 2).map(tuple)


@settings(max_examples=400)
@given(SHAPES, st.data())
def test_indexing_is_numpy_s(shape: Any, data: Any) -> None:
    key = data.draw(_keys(shape))
    if 0 in shape and any(isinstance(part, np.ndarray) for part in key):
        return  # values of index arrays are the kernel's to check
    template, arrays = indexing.split_key(key)
    same(lambda: indexing._indexed(shape, *(a.shape for a in arrays), key=template), lambda: np.empty(shape)[key])
