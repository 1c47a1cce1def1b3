"""Reductions by compiled loops against NumPy in float64: axes, special values, sums of many rows, ties of top_k."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

import polytape as pt
from polytape_numba.kernels.reduction import form

pytest.importorskip("numba")

SHAPES = st.lists(st.sampled_from([1, 2, 5, 17, 40]), min_size=1, max_size=4).map(tuple)
NUMBERS = st.floats(-8, 8, width=32)
SPECIAL = st.sampled_from([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e18])
OPS: dict[str, tuple[Any, Any]] = {
    "sum": (pt.sum, np.sum), "mean": (pt.mean, np.mean), "max": (pt.max, np.max), "min": (pt.min, np.min),
    "var": (pt.var, np.var), "std": (pt.std, np.std),
    "norm": (pt.linalg.vector_norm, lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims))),
}  # fmt: skip


@st.composite
def calls(draw: Any) -> tuple[Any, Any, bool]:
    """An array, which may be strided and have special values, the axes to reduce, and keepdims."""
    shape = draw(SHAPES)
    x = draw(hnp.arrays("f4", shape, elements=NUMBERS, fill=NUMBERS))
    for _ in range(draw(st.integers(0, 2))):
        x.reshape(-1)[draw(st.integers(0, x.size - 1))] = draw(SPECIAL)
    rank = len(shape)
    axis = draw(st.none() | st.integers(-rank, rank - 1) | st.sets(st.integers(0, rank - 1), min_size=1).map(tuple))
    if draw(st.booleans()):
        x = x.T.copy().T
    return x, axis, draw(st.booleans())


@pytest.mark.parametrize("name", OPS)
@settings(max_examples=60, deadline=None)
@given(call=calls())
def test_reductions_agree_with_float64(name: str, call: tuple[Any, Any, bool]) -> None:
    (op, reference), (x, axis, keepdims) = OPS[name], call
    with np.errstate(all="ignore"):
        expected = reference(x.astype("f8"), axis=axis, keepdims=keepdims).astype("f4")
        with pt.device("numba:cpu"):
            found = op(pt.asarray(x), axis=axis, keepdims=keepdims).numpy()
    assert found.shape == expected.shape and found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    if name in ("max", "min"):
        np.testing.assert_array_equal(found, expected)
        return
    finite = np.abs(x[np.isfinite(x)].astype("f8"))
    scale = float(finite.max(initial=1.0)) * (x.size if name == "sum" else 1)
    # Rows are added one by one where the reduced axes are not the last ones: up to an eps/2 for every number added
    # (N. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2).
    bound = 2e-6 + x.size // max(found.size, 1) * 2.0**-24
    np.testing.assert_allclose(found, expected, rtol=bound, atol=scale * bound)


@given(shape=SHAPES, axes=st.sets(st.integers(-5, 5), min_size=1).map(tuple), keepdims=st.booleans())
def test_the_form_of_neighbouring_axes(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> None:
    rank = len(shape)
    places = sorted(k % rank for k in axes if -rank <= k < rank)
    neighbours = len(places) == len(axes) and places == list(range(places[0], places[0] + len(places)))
    found = form(shape, axes, keepdims)
    assert (found is not None) == neighbours
    if found is not None:
        assert np.zeros(found[0]).sum(1).reshape(found[1]).shape == np.zeros(shape).sum(axes, keepdims=keepdims).shape


@pytest.mark.parametrize("axis", [0, 1, None])
def test_sums_of_many_equal_numbers_keep_their_digits(axis: int | None) -> None:
    x = np.full((30_000, 40), 0.1, "f4")
    with pt.device("numba:cpu"):
        for found in (pt.sum(pt.asarray(x), axis=axis), pt.mean(pt.asarray(x), axis=axis)):
            count = x.size if axis is None else x.shape[axis]
            expected = 0.1 * (1 if found.numpy().max() < 0.2 else count)
            np.testing.assert_allclose(found.numpy(), expected, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_that_leave_the_range_in_another_order_are_taken_in_order(dtype: str) -> None:
    large = float(np.finfo("float64").max) ** 0.9 if dtype == "float64" else 1e30
    x = np.array([large, 1 / large] * 500 + [2.0], dtype)
    with pt.device("numba:cpu"):
        np.testing.assert_allclose(pt.prod(pt.asarray(x)).numpy(), 2.0, rtol=1e-3 if dtype == "float32" else 1e-12)
        x[7] = 0.0
        assert pt.prod(pt.asarray(x)).numpy() == 0.0
        x[8] = np.nan
        assert np.isnan(pt.prod(pt.asarray(x)).numpy())


@settings(max_examples=80, deadline=None)
@given(
    x=hnp.arrays("f4", st.tuples(st.integers(1, 3), st.integers(4, 30)), elements=SPECIAL | st.sampled_from([1, 2, 3])),
    k=st.integers(0, 4),
    largest=st.booleans(),
)
def test_top_k_takes_the_first_of_equal_elements_and_nan_as_the_largest(x: Any, k: int, largest: bool) -> None:
    results = []
    for backend in ("numba", "numpy"):
        with pt.device(f"{backend}:cpu"):
            results.append([part.numpy() for part in pt.top_k(pt.asarray(x), k, largest=largest)])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_array_equal(results[0][0], results[1][0])


@pytest.mark.parametrize("axis", [1, -1])
def test_batch_norm_of_many_rows_agrees_with_float64(axis: int) -> None:
    rng = np.random.default_rng(0)
    x, g = rng.normal(3.0, 2.0, (2, 20_000, 5)), rng.standard_normal((2, 20_000, 5))
    if axis == 1:
        x, g = x.transpose(0, 2, 1).copy(), g.transpose(0, 2, 1).copy()
    w = rng.uniform(0.5, 2.0, 5)
    results: list[list[Any]] = []
    for dtype, backend in (("f4", "numba"), ("f8", "numpy")):
        with pt.device(f"{backend}:cpu"):
            sources = [pt.asarray(value.astype(dtype)) for value in (x, w, w)]
            zero, one = pt.asarray(np.zeros(5, dtype)), pt.asarray(np.ones(5, dtype))
            with pt.GradientTape() as tape:
                tape.watch(sources)
                y = pt.nn.batch_norm(sources[0], zero, one, *sources[1:], axis=axis, training=True)
            back = tape.gradient(y.y, sources, output_gradients=pt.asarray(g.astype(dtype)))
            results.append([part.numpy() for part in (*y, *back)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
