"""Clusters compiled to loops: the bits of the kernels one by one, for special values, broadcasting and every layout."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Cluster

pytest.importorskip("numba")

from polytape_numba import bodies, compiling

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3e38, -3e38, 88.0, -104.0, 1e-30]


def slow(*values: Any) -> Any:
    """Values of a parameter that another test covers in less time (`test_tiles` runs random programs in Python)."""
    return pytest.param(*values, marks=pytest.mark.slow)


def tensor(*shape: int, dtype: str = "float32", seed: int = 0) -> pt.Tensor:
    return pt.asarray((np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype), device="numba")


def special(size: int, dtype: str, seed: int) -> pt.Tensor:
    """Special values and others, in an order of their own for each seed."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(size) * 4
    values[: size // 2] = rng.choice(SPECIAL, size // 2)
    with np.errstate(over="ignore"):
        return pt.asarray(rng.permutation(values).astype(dtype), device="numba")


def bits(x: Any) -> Any:
    """The bits; those of a NaN say nothing."""
    host = x.numpy()
    if host.dtype.kind != "f":
        return host
    return np.where(np.isnan(host), 0, host.view(f"u{host.dtype.itemsize}")), np.isnan(host)


def clusters_of(f: Any, *tensors: Any) -> list[str]:
    return [equation.op.name for equation in f.graph(*tensors).equations if equation.op.name.startswith("fused")]


def assert_same_bits(body: Any, *tensors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results of a program are those of its ops one by one, and it is one cluster that numba compiles."""
    compiled: list[bool] = []
    planned = compiling.planned
    monkeypatch.setattr(compiling, "planned", lambda cluster: compiled.append(planned(cluster)) or compiled[-1])
    f = pt.function(body)
    assert len(clusters_of(f, *tensors)) == 1, f.graph(*tensors)
    assert compiled and all(compiled), f.graph(*tensors)
    with np.errstate(all="ignore"):
        expected, got = body(*tensors), f(*tensors)
    for x, y in zip(*[value if isinstance(value, tuple) else (value,) for value in (expected, got)], strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype
        np.testing.assert_equal(bits(y), bits(x))


def body(x: Any, y: Any, z: Any) -> Any:
    a = pt.tanh(x * 2.0 + y)
    b = pt.where(a > z, a - z, pt.exp(-a))
    return pt.sqrt(pt.abs(b)), a


@pytest.mark.parametrize(
    "shapes",
    [
        [(150_001,), (150_001,), ()],
        slow([(300, 501), (501,), (300, 1)]),
        slow([(3000, 7), (7,), (3000, 1)]),
        [(3, 40, 7, 101), (40, 1, 101), (3, 1, 7, 1)],
        slow([(3, 10_001), (10_001,), (1,)]),  # a row is longer than a tile
    ],
    ids=str,
)
def test_every_way_of_broadcasting_gives_the_same_bits(
    shapes: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = [tensor(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    assert_same_bits(body, *tensors, monkeypatch=monkeypatch)


def test_operands_in_any_memory_layout() -> None:
    def difference(x: Any, y: Any) -> Any:
        return pt.abs(x - y) * 0.5

    f, x = pt.function(difference), tensor(400, 402)
    read_only = np.random.default_rng(2).standard_normal((400, 402)).astype("float32")
    read_only.flags.writeable = False
    others = [
        x, x[::-1], pt.permute_dims(tensor(402, 400, seed=1), (1, 0)), tensor(400, 804)[:, ::2],
        pt.asarray(read_only, device="numba", copy=False),
    ]  # fmt: skip
    for operands in [(x, other) for other in others] + [(other, other) for other in others]:
        expected = difference(*operands)
        got = f(*operands)
        np.testing.assert_equal(bits(got), bits(expected))
        assert got.array.strides == expected.array.strides


@pytest.mark.parametrize("dtype", ["float32", slow("float64")])
def test_all_bodies_keep_the_bits_of_special_values(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def every(x: Any, y: Any) -> Any:
        numbers = [
            x + y, x - y, x * y, x / y, -x, abs(x), pt.square(x), pt.sqrt(x), x**2.0, x**3.0, x**-1.0, pt.reciprocal(x),
            pt.maximum(x, y), pt.minimum(x, y), pt.maximum(x, 0.0), pt.minimum(-0.0, y), pt.maximum(-0.0, x),
            pt.minimum(x, 0.0), pt.maximum(x, float("nan")), x + float("inf"), x * -0.0, x * float("nan"),
            pt.nn.relu(x),
        ]  # fmt: skip
        truths = [
            x < y, x <= y, x > y, x >= y, x == y, x != y, pt.isnan(x), pt.isinf(x), pt.isfinite(x),
        ]  # fmt: skip
        p, q = x < 0.0, y > 0.5
        truths += [
            p & q,
            p | q,
            p ^ q,
            ~p,
            pt.logical_not(q),
            pt.logical_and(p, q),
            pt.logical_or(p, q),
            p != q,
            p == q,
        ]
        return (*numbers, *truths, pt.where(p, x, y))

    tensors = [special(20_000, dtype, seed) for seed in (1, 2)]
    assert_same_bits(every, *tensors, monkeypatch=monkeypatch)


@pytest.mark.parametrize("dtype", ["float32", slow("float64")])
def test_functions_are_computed_by_the_loops_of_their_kernels(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def every(x: Any) -> Any:
        y = x * 1.0
        functions = [
            pt.exp, pt.expm1, pt.log, pt.tanh, pt.sin, pt.cos, pt.sinh, pt.floor, pt.ceil, pt.trunc, pt.round, pt.sign,
            pt.nn.sigmoid, pt.nn.softplus, pt.nn.silu,
        ]  # fmt: skip
        return (y + x, *[f(y) for f in functions], pt.nn.sigmoid(pt.nn.silu(pt.exp(y) + x) * 2.0) + x)

    assert_same_bits(every, special(20_000, dtype, 3), monkeypatch=monkeypatch)


def test_a_training_step_with_its_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    def gradients(x: Any, y: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            z = pt.nn.sigmoid(pt.nn.relu(x) * y - pt.tanh(x))
        return z, tape.gradient(z, x)

    assert_same_bits(gradients, special(30_000, "float32", 1), special(30_000, "float32", 2), monkeypatch=monkeypatch)


def softmax(x: Any) -> Any:
    y = pt.exp(x - pt.max(x, axis=-1, keepdims=True))
    return y / pt.sum(y, axis=-1, keepdims=True)


def layer_norm(x: Any) -> Any:
    distance = x - pt.mean(x, axis=-1, keepdims=True)
    variance = pt.mean(pt.square(distance), axis=-1, keepdims=True)
    return distance / pt.sqrt(variance + 1e-5), variance


def reductions(x: Any) -> Any:
    y = pt.tanh(x) - 0.25
    totals = [f(y) for f in (pt.sum, pt.mean, pt.max, pt.min)]
    return (*totals, pt.sum(y, axis=-1), pt.max(y, axis=(0, 1), keepdims=True), pt.min(y, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("program", "shape", "dtype"),
    [
        (softmax, (60, 300), "float32"),
        slow(softmax, (700, 30), "float64"),
        slow(softmax, (3, 5, 2500), "float32"),
        slow(layer_norm, (7, 3001), "float32"),
        slow(layer_norm, (1, 16_384), "float64"),
        slow(reductions, (33, 512), "float32"),
        slow(reductions, (6, 5120), "float64"),
    ],
)
def test_reductions_have_the_bits_of_their_kernels(
    program: Any, shape: tuple[int, ...], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same_bits(program, tensor(*shape, dtype=dtype), monkeypatch=monkeypatch)


@pytest.mark.parametrize("size", [slow(16_384), 40_001])
def test_the_sum_of_a_vector_has_the_bits_of_its_kernel(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def loss(x: Any, y: Any) -> Any:
        error = pt.square(x - y)
        return pt.mean(error), pt.sum(error, axis=0), pt.max(error, keepdims=True)

    assert_same_bits(loss, tensor(size), tensor(size, seed=1), monkeypatch=monkeypatch)


def test_special_values_pass_through_reductions(monkeypatch: pytest.MonkeyPatch) -> None:
    f = pt.function(lambda x: (pt.max(-x, axis=-1), pt.min(-x, axis=-1), pt.sum(-x, axis=-1), pt.max(-x)))
    x = np.ones((40, 512), "float32")
    rows = [[np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [np.nan, np.inf], [0.0] * 512, [-0.0] * 512]
    rows += [[0.0, -0.0] * 256, [-np.nan], [1e-45]]
    for i, row in enumerate(rows):
        x[i, -len(row) :] = row
    for tensors in ([pt.asarray(x, device="numba")], [pt.asarray(x[5:8].repeat(20, 0), device="numba")]):
        assert len(clusters_of(f, *tensors)) == 1
        with np.errstate(all="ignore"):
            expected = [f(-tensors[0]) for f in (
                lambda x: pt.max(x, axis=-1), lambda x: pt.min(x, axis=-1), lambda x: pt.sum(x, axis=-1), pt.max
            )]  # fmt: skip
            got = f(*tensors)
        for y, z in zip(got, expected, strict=True):
            np.testing.assert_equal(bits(y), bits(z))


def test_reductions_of_operands_in_another_order_have_the_bits_of_their_kernels() -> None:
    f = pt.function(layer_norm)
    x = tensor(300, 300)
    f(x)
    for operand in (pt.permute_dims(x, (1, 0)), x[::-1], tensor(300, 600)[:, ::2]):
        for y, z in zip(f(operand), layer_norm(operand), strict=True):
            np.testing.assert_equal(bits(y), bits(z))


@pytest.mark.parametrize("shape", [slow((16_384,)), slow((1, 16_384)), (2, 9000)])
def test_few_rows_are_computed_as_by_the_ops(shape: tuple[int, ...]) -> None:
    def program(x: Any) -> Any:
        means = pt.mean(x, axis=-1, keepdims=True)
        return softmax(x), pt.nn.sigmoid(x - means), pt.nn.sigmoid(means) * x, pt.maximum(means * 0.0, -0.0) * x

    x = tensor(*shape, dtype="float64")
    f = pt.function(program)
    assert clusters_of(f, x)
    for y, z in zip(f(x), program(x), strict=True):
        np.testing.assert_equal(bits(y), bits(z))


def test_short_rows_of_float32_are_left_to_blas() -> None:
    assert clusters_of(pt.function(softmax), tensor(1000, 100)) == ["fused[subtract, exp]"]


def test_results_own_their_memory() -> None:
    x = tensor(100_000)
    f = pt.function(lambda x: (x * 2.0, x + 0.0, pt.exp(x * 2.0)))
    results = [*f(x), *f(x)]
    for index, y in enumerate(results):
        assert y.array.base is None and y.array.flags.owndata
        assert not any(np.shares_memory(y.array, other.array) for other in (x, *results[index + 1 :]))


def test_small_clusters_stay_and_others_run_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    f = pt.function(lambda x: pt.exp(x * 2.0))
    assert clusters_of(f, tensor(compiling.SMALLEST - 1)) == []
    assert clusters_of(f, tensor(compiling.SMALLEST)) == ["fused[multiply, exp]"]
    whole = pt.function(lambda x: pt.square(x) + 1)  # integers
    assert clusters_of(whole, tensor(20_000, dtype="int32")) == []
    assert clusters_of(whole, tensor(70_000, dtype="int32")) == ["fused[square, add]"]


def test_a_kernel_of_another_distribution_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(compiling, "planned", lambda cluster: seen.append(cluster))
    pt.function(lambda x: pt.maximum(pt.nn.relu(x) + 1.0, x)).graph(tensor(20_000))
    cluster: Cluster = seen[0]
    for index in (0, 2):
        step = cluster.steps[index]
        dtypes = [np.dtype("float32")] * len(step.operands)
        sizes = [20_000] * len(dtypes)
        assert bodies.body_of(step, dtypes, sizes) is not None
        assert bodies.body_of(step._replace(kernel=lambda *operands: operands[0]), dtypes, sizes) is None
        assert bodies.universal_of(step._replace(kernel=lambda *operands: operands[0])) is None


def test_the_steps_run_one_by_one_where_a_loop_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = compiling.loops()
    monkeypatch.setattr(sys.modules[loops.compiled_cluster.__module__], "address_in", lambda *_: None)
    assert_same_bits(lambda x: pt.exp(x * 3.0) + 0.5, tensor(20_000), monkeypatch=monkeypatch)


def test_addresses_are_those_of_the_first_loop_that_fits() -> None:
    from polytape_numba.loops.inner import address_in

    real, double = np.dtype("float32"), np.dtype("float64")
    found = address_in(np.exp, (real, real))
    assert found is not None and found[0] not in (0, (address_in(np.exp, (double, double)) or (0, 0))[0])
    assert address_in(np.exp, (real, double)) is None
    assert address_in(np.add, (real, real)) is None  # it has three


PROGRAM = """
import sys
import numpy as np, polytape as pt
x = pt.asarray(np.linspace(-3, 3, 20_000, dtype="float32"), device="numba")
f = pt.function(lambda x: pt.tanh(x * 0.25) + x)
assert f(x).numpy().tobytes() == (pt.tanh(x * 0.25) + x).numpy().tobytes()
"""


@pytest.mark.slow
def test_a_second_process_loads_the_loop_from_the_cache(tmp_path: Any) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        ).stderr
        for _ in range(2)
    ]
    assert "is compiling" in outputs[0]
    assert outputs[1] == ""
    assert any("cluster_" in path.name for path in tmp_path.rglob("*"))
