"""Shape rules against the shapes of NumPy's results, on random operands."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from polytape.errors import ShapeError
from polytape.ops import indexing, keys, shape_rules

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def assert_agrees(rule: Any, numpy: Any) -> None:
    """Assert that the rule returns the shape of NumPy's result, or that both raise an error."""
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
def test_broadcasting_agrees_with_numpy(shapes: list[Any]) -> None:
    assert_agrees(lambda: shape_rules.broadcast(*shapes), lambda: np.broadcast(*map(np.empty, shapes), np.empty(())))


@given(SHAPES, SHAPES)
def test_broadcast_to_agrees_with_numpy(shape: Any, target: Any) -> None:
    assert_agrees(
        lambda: shape_rules.broadcast_to_shape(shape, shape=target), lambda: np.broadcast_to(np.empty(shape), target)
    )


@given(SHAPES, st.one_of(st.none(), st.integers(-5, 4), st.lists(st.integers(-4, 3), max_size=3)), st.booleans())
def test_reductions_agree_with_numpy(shape: Any, axis: Any, keepdims: bool) -> None:
    axes = tuple(axis) if isinstance(axis, list) else axis
    if shape == () and axes not in (None, ()):
        # NumPy accepts axis 0 for rank 0, the array API standard does not.
        with pytest.raises(ShapeError, match="there is no axis"):
            shape_rules.reduced(shape, axis=axes, keepdims=keepdims)
        return
    assert_agrees(
        lambda: shape_rules.reduced(shape, axis=axes, keepdims=keepdims),
        lambda: np.sum(np.zeros(shape), axis=axes, keepdims=keepdims),
    )


@given(SHAPES, st.lists(st.integers(-1, 6), max_size=4))
def test_reshaping_agrees_with_numpy(shape: Any, sizes: list[int]) -> None:
    assert_agrees(lambda: shape_rules.reshaped(shape, shape=tuple(sizes)), lambda: np.empty(shape).reshape(sizes))


@given(SHAPES, SHAPES)
def test_matrix_products_agree_with_numpy(left: Any, right: Any) -> None:
    assert_agrees(lambda: shape_rules.contracted(left, right), lambda: np.matmul(np.zeros(left), np.zeros(right)))


@given(st.lists(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3), min_size=1, max_size=3), st.data())
def test_joining_agrees_with_numpy(shapes: list[Any], data: Any) -> None:
    axis = data.draw(st.one_of(st.none(), st.integers(-3, 2)))
    assert_agrees(
        lambda: shape_rules.joined(*shapes, axis=axis), lambda: np.concatenate(list(map(np.empty, shapes)), axis=axis)
    )


@given(SHAPES, st.data())
def test_permuting_agrees_with_numpy(shape: Any, data: Any) -> None:
    axes = data.draw(st.permutations(range(len(shape))))
    signed_axes = tuple(axis - len(shape) if data.draw(st.booleans()) else axis for axis in axes)
    assert_agrees(
        lambda: shape_rules.permuted(shape, axes=signed_axes), lambda: np.transpose(np.empty(shape), signed_axes)
    )


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
def test_indexing_agrees_with_numpy(shape: Any, data: Any) -> None:
    key = data.draw(_keys(shape))
    if 0 in shape and any(isinstance(part, np.ndarray) for part in key):
        return  # the kernel, not the rule, checks the values of index arrays
    template, arrays = keys.split_key(key)
    assert_agrees(
        lambda: indexing._indexed(shape, *(a.shape for a in arrays), key=template), lambda: np.empty(shape)[key]
    )
