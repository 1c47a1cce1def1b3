"""Reductions within clusters: block by block, with the bits of the kernels on whole arrays."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape_numpy import compiling, reducing


def tensor(*shape: int, dtype: str = "float32", seed: int = 0) -> pt.Tensor:
    return pt.asarray((np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype), device="numpy")


def softmax(x: Any) -> Any:
    y = pt.exp(x - pt.max(x, axis=-1, keepdims=True))
    return y / pt.sum(y, axis=-1, keepdims=True)


def layer_norm(x: Any) -> Any:
    distance = x - pt.mean(x, axis=-1, keepdims=True)
    return distance / pt.sqrt(pt.mean(pt.square(distance), axis=-1, keepdims=True) + 1e-5)


def ends(x: Any) -> Any:
    y = pt.tanh(x)
    return pt.min(y * 2.0, axis=-1), y, pt.sum(pt.square(y), axis=-1)


def loss(x: Any) -> Any:
    y = x * 2.0 - 1.0
    return pt.mean(pt.square(y)), pt.sum(y), y


def is_one(f: Any, *tensors: Any) -> bool:
    """Whether all of a function is one cluster. In float32, that depends on what BLAS does, and on its threads."""
    (equation, *others) = f.graph(*tensors).equations
    return "fused" in equation.op.name and not others


def same_bits(body: Any, f: Any, *tensors: Any) -> bool:
    expected, got = body(*tensors), f(*tensors)
    pairs = zip(*[value if isinstance(value, tuple) else (value,) for value in (expected, got)], strict=True)
    return all((x.shape, x.dtype, x.numpy().tobytes()) == (y.shape, y.dtype, y.numpy().tobytes()) for x, y in pairs)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters and blocks of a sixteenth of the size."""
    for name in ("SMALLEST", "SMALLEST_ROWS", "SMALLEST_TOTAL", "BLOCK_NBYTES", "ROWS_NBYTES"):
        monkeypatch.setattr(compiling, name, getattr(compiling, name) // 16)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(4003, 30), (1501, 100), (3, 101, 512), (301, 1021), (67, 3000), (41, 5000)], ids=str
)
def test_reductions_of_rows_give_the_bits_of_their_kernels(shape: tuple[int, ...], dtype: str) -> None:
    x = tensor(*shape, dtype=dtype)
    for body in (softmax, layer_norm, ends):
        f = pt.function(body)
        assert same_bits(body, f, x), (body, f.graph(x))
        if dtype == "float64" and body is layer_norm and shape[-1] < 3000:  # not for blocks of too few rows
            assert is_one(f, x)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(100_000,), (123_457,), (256, 512), (64, 5, 512)], ids=str)
def test_sums_of_all_elements_give_the_bits_of_their_kernels(shape: tuple[int, ...], dtype: str) -> None:
    x = tensor(*shape, dtype=dtype)
    f = pt.function(loss)
    assert same_bits(loss, f, x)
    assert dtype == "float32" or is_one(f, x)

    def of_axes(x: Any) -> Any:
        return pt.sum(pt.square(x), axis=tuple(range(x.ndim)), keepdims=True)

    f = pt.function(of_axes)
    assert is_one(f, x)
    assert same_bits(of_axes, f, x)


@pytest.mark.usefixtures("small")
def test_operands_that_broadcast_and_any_memory_layout() -> None:
    def body(x: Any, row: Any, column: Any) -> Any:
        y = pt.exp(pt.tanh((x - column) * row))
        return y / pt.sum(y, axis=-1, keepdims=True) - column, pt.mean(y)

    f = pt.function(body)
    for dtype in ("float32", "float64"):
        row, column = tensor(256, seed=1, dtype=dtype), tensor(512, 1, seed=2, dtype=dtype)
        x, turned, wide = (tensor(*shape, dtype=dtype) for shape in ((512, 256), (256, 512), (512, 512)))
        for operand in (x, pt.permute_dims(turned, (1, 0)), x[::-1], wide[:, ::2]):
            assert same_bits(body, f, operand, row, column)


@pytest.mark.usefixtures("small")
def test_zeros_and_nan_among_extremes() -> None:
    host = np.copysign(np.zeros((2048, 64), "float32"), np.random.default_rng(0).standard_normal((2048, 64)))
    host[5, 7] = np.nan

    def body(x: Any) -> Any:
        y = x * 0.5
        return pt.max(-y, axis=-1), pt.min(y, axis=-1, keepdims=True)

    f, x = pt.function(body), pt.asarray(host.astype("float32"), device="numpy")
    assert is_one(f, x)
    assert same_bits(body, f, x)


@pytest.mark.usefixtures("small")
def test_a_library_that_adds_blocks_in_another_order_gets_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    x = tensor(512, 256, dtype="float64")
    part = reducing.Rows.part

    def other_order(self: reducing.Rows, block: Any) -> Any:
        return part(self, np.concatenate([block[:-1], block[-1:, ::-1]]))  # one row of each block

    assert is_one(pt.function(softmax), x)
    monkeypatch.setattr(reducing.Rows, "part", other_order)
    f = pt.function(softmax)
    assert [equation.op.name for equation in f.graph(x).equations] == ["max", "fused[subtract, exp]", "sum", "divide"]
    assert same_bits(softmax, f, x)


def test_a_softmax_needs_no_array_but_its_result() -> None:
    x = tensor(1024, 1024, dtype="float64")
    f = pt.function(softmax)
    assert is_one(f, x)

    def peak() -> int:
        tracemalloc.start()
        f(x)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak() < x.nbytes + 4 * compiling.ROWS_NBYTES


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 100_000), st.integers(128, 5000))
def test_pairwise_blocks_are_those_of_numpy(count: int, most: int) -> None:
    edges = reducing.pairwise_edges(count, most)
    assert edges[0] == 0 and edges[-1] == count
    assert all(0 < stop - start <= most for start, stop in itertools.pairwise(edges))
    x = np.resize(reducing._sensitive("f", "sum"), count)
    parts = [np.add.reduce(x[start:stop]) for start, stop in itertools.pairwise(edges)]
    assert reducing._pairwise_sum(iter(parts), count, most) == np.add.reduce(x)
