"""Clusters run block by block: the bits of the kernels one by one, in every layout, dtype and shape."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.backend import Cluster, Value
from polytape.graph import Executable
from polytape.testing import CASES
from polytape_numpy import compiling


def graph_names(f: Any, *tensors: Any) -> list[str]:
    return [equation.op.name for equation in f.graph(*tensors).equations]


def assert_same_bits(body: Any, *tensors: Any) -> None:
    f = pt.function(body)
    assert any("fused" in name for name in graph_names(f, *tensors)), f.graph(*tensors)
    with np.errstate(all="ignore"):
        expected, got = body(*tensors), f(*tensors)
    for x, y in zip(*[value if isinstance(value, tuple) else (value,) for value in (expected, got)], strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype
        assert x.numpy().tobytes() == y.numpy().tobytes()


def tensor(*shape: int, dtype: str = "float32", seed: int = 0) -> pt.Tensor:
    return pt.asarray((np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype), device="numpy")


def test_small_clusters_stay_as_they_are() -> None:
    f = pt.function(lambda x: pt.exp(x * 2.0))
    assert graph_names(f, tensor(1000)) == ["multiply", "exp"]
    assert graph_names(f, tensor(compiling.SMALLEST)) == ["fused[multiply, exp]"]


def body(x: Any, y: Any, z: Any) -> Any:
    a = pt.tanh(x * 2.0 + y)
    b = pt.where(a > z, a - z, pt.exp(-a))
    return pt.sqrt(pt.abs(b)), a


@pytest.mark.parametrize(
    "shapes",
    [
        [(300, 501), (300, 501), (300, 501)],
        [(300, 501), (501,), (300, 1)],
        [(3, 100, 7, 101), (100, 1, 101), (3, 1, 7, 1)],
        [(2, 70_001), (70_001,), (1,)],  # a row is longer than a block
        [(1, 150_001), (1, 1), ()],
        [(150_001,), (150_001,), (1,)],
        [(1, 400, 1, 401), (400, 1, 1), (401,)],
    ],
    ids=str,
)
def test_every_way_of_broadcasting_gives_the_same_bits(shapes: list[tuple[int, ...]]) -> None:
    assert_same_bits(body, *[tensor(*shape, seed=seed) for seed, shape in enumerate(shapes)])


def test_operands_in_any_memory_layout() -> None:
    x = tensor(400, 402)
    assert_same_bits(body, pt.permute_dims(tensor(402, 400), (1, 0)), x[::-1], x[:, ::-1])
    assert_same_bits(body, tensor(400, 804)[:, ::2], x, x[:1])


def test_zeros_keep_their_sign_beside_a_bound() -> None:
    x = pt.asarray(np.tile(np.array([0.0, -0.0, 1.0, -1.0], "float32"), 40_000), device="numpy")
    assert_same_bits(lambda x, y: pt.maximum(x, 0.0) * pt.minimum(-x, y), x, pt.zeros(1, device="numpy"))


def test_results_lie_in_memory_as_those_of_the_ops() -> None:
    def program(x: Any, y: Any) -> Any:
        return pt.exp(x * 0.5) + y

    f, x = pt.function(program), tensor(300, 400)
    for operand in (x, pt.permute_dims(tensor(400, 300), (1, 0)), x[::-1], tensor(300, 800)[:, ::2], x[:, ::-1]):
        for other in (x[0], x[:, :1], x):
            expected = program(operand, other).array.strides
            assert f(operand, other).array.strides == expected, (operand.array.strides, other.array.strides)


def test_a_cluster_writes_over_an_operand_that_is_not_used_again() -> None:
    def program(x: Any, row: Any) -> Any:
        a = pt.exp(x * 0.5)
        b = pt.tanh((a - pt.sum(a, axis=0)) * row)
        return pt.sqrt(pt.abs(b * pt.max(b, axis=0)))

    for x in (tensor(300, 401), pt.permute_dims(tensor(401, 300), (1, 0)), tensor(300, 802)[:, ::2]):
        row = tensor(401, seed=1)
        before = x.numpy().tobytes(), row.numpy().tobytes()
        assert_same_bits(program, x, row)
        assert (x.numpy().tobytes(), row.numpy().tobytes()) == before
    f = pt.function(program)
    graph = f.graph(x, row)
    sources = Executable(graph).source
    assert sum("fused" in equation.op.name for equation in graph.equations) == 3
    assert sources.count("out=") == 2 * 2  # in both functions of the source

    def peak() -> int:
        tracemalloc.start()
        f(x, row)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # The array that all three clusters share, and blocks.
    assert peak() < 1.1 * x.nbytes + 4 * compiling.BLOCK_NBYTES


def test_results_share_no_memory_with_operands_or_each_other() -> None:
    x = tensor(100_000)
    f = pt.function(lambda x: (x * 2.0, x + 0.0, pt.exp(x * 2.0)))
    results = [y.array for y in f(x)]
    arrays = [x.array, *results]
    for index, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[index + 1 :])
    again = [y.array for y in f(x)]
    assert not any(np.shares_memory(a, b) for a, b in zip(results, again, strict=True))


ELEMENTWISE = {
    case.op.name: case
    for case in CASES
    if case.op.elementwise and not case.op.outputs and not case.samples[0].attributes
}


LONG = ("betainc", "gammainc", "gammaincc")  # bodies of several hundred steps


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in ELEMENTWISE]
)
def test_every_elementwise_kernel_gives_an_element_the_same_bits_in_a_block(name: str) -> None:
    op, sample = ELEMENTWISE[name].op, ELEMENTWISE[name].samples[0]

    def twice(*operands: Any) -> Any:
        y = op(*operands)
        return y, y != y

    for dtype in ("float32", "float64", "int32"):
        if dtype not in sample.dtypes():
            continue
        hosts = [maker.at((150_001,)).make(np.random.default_rng(0), np.dtype(dtype)) for maker in sample.operands]
        operands = [pt.asarray(host, device="numpy") for host in hosts]
        f = pt.function(twice)
        if any("fused" in name for name in graph_names(f, *operands)):  # not for a kernel with a predicate
            assert_same_bits(twice, *operands)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(2, 6), min_size=1, max_size=4),
    st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=3),
    st.integers(1, 40),
)
def test_blocks_cover_every_element_once(shape: list[int], patterns: list[list[bool]], most: int) -> None:
    padded = [tuple(n if full else 1 for n, full in zip(shape, pattern, strict=False)) for pattern in patterns]
    inputs = tuple(Value(shape, np.dtype("float32")) for shape in (*padded, tuple(shape)))
    layout = compiling.Layout(*Cluster(tuple(shape), None, inputs, (), ()).merged())
    assert math.prod(layout.shape) == math.prod(shape)
    count = np.zeros(layout.shape, int)
    for block in layout.blocks(most):
        assert count[block].size <= 2 * most or count[block].size <= min(layout.shape, default=1)
        count[block] += 1
    assert (count == 1).all()
