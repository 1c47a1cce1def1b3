"""The source of loops, run by Python on small arrays in tiles of a few elements: random programs, every bit."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

import polytape as pt

pytest.importorskip("numba")

from polytape_numba import compiling, tiles
from polytape_numba.loops import clusters

LOOP = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)


def call(loop: int, data: int, operands: Any, count: Any, steps: Any) -> None:
    LOOP(int(loop))(operands.ctypes.data, count.ctypes.data, steps.ctypes.data, int(data) or None)


NAMES = {
    "bool_": np.bool_, "call": call, "empty": np.empty, "float32": np.float32, "float64": np.float64, "full": np.full,
    "inf": math.inf, "intp": np.intp, "nan": math.nan, "row_max": np.max, "row_min": np.min, "sqrt": np.sqrt,
    "block_sum": clusters.block_sum, "row_sum": clusters.row_sum,
}  # fmt: skip


class Interpreted:
    """Takes the place of the compiled loops."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def compiled_cluster(self, source: str, functions: Any, inputs: Any, outputs: Any) -> Any:
        self.sources.append(source)
        addresses = [clusters._address(*function) for function in functions]
        namespace = dict(NAMES)
        exec(source, namespace)
        return namespace["cluster"], np.array(addresses, np.intp).reshape(-1)


SHAPES: list[tuple[int, ...]] = [(4, 9), (9,), (4, 1), (), (2, 4, 9), (2, 1, 9), (1, 1)]
UNARY: list[Any] = [
    pt.exp, pt.tanh, pt.abs, pt.negative, pt.square, pt.nn.sigmoid, pt.nn.relu, lambda x: 0.5 - x, lambda x: x * -0.0,
    lambda x: pt.maximum(x, 0.0), lambda x: pt.sqrt(pt.abs(x)),
    lambda x: pt.sum(x, axis=-1, keepdims=True) if x.ndim else x,
    lambda x: x - pt.max(x, axis=-1, keepdims=True) if x.ndim else x,
    lambda x: x / pt.mean(pt.square(x), axis=-1, keepdims=True) if x.ndim else x, pt.min,
    lambda x: pt.max(x) if x.ndim else x, lambda x: pt.exp(pt.mean(x, axis=-1, keepdims=True)) if x.ndim else x,
]  # fmt: skip
BINARY: list[Any] = [
    pt.add, pt.multiply, pt.subtract, pt.divide, pt.maximum, pt.minimum, lambda x, y: pt.where(x < y, x, y),
    lambda x, y: pt.where((x > y) ^ (x == y), y, x * 2.0),
]  # fmt: skip
EXTREMES = (12, 14, 15)  # of UNARY
STEP = st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 99), st.integers(0, 99))
VALUES = np.array([0.5, -0.0, 0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, 3.0, -0.25, 7.0, 1e-300])


def both_zeros(x: Any) -> bool:
    """Whether there are zeros of both signs."""
    host = x.numpy()
    return len({*np.signbit(host[host == 0.0]).tolist()}) == 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, len(SHAPES) - 1), min_size=1, max_size=3),
    st.lists(STEP, min_size=2, max_size=10),
    st.sampled_from([1, 5, 9, 13, 2048]),
    st.booleans(),
    st.integers(0, 9),
)
def test_random_programs_give_the_bits_of_their_ops(
    shapes: list[int], steps: list[Any], tile: int, special: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    hosts = [rng.standard_normal(SHAPES[k]) if not special else rng.choice(VALUES, SHAPES[k]) for k in shapes]
    tensors = [pt.asarray(np.asarray(host), device="numba") for host in hosts]

    def body(*operands: Any) -> Any:
        values = list(operands)
        for choice, left, right in steps:
            a, b = values[-1 - left % len(values)], values[right % len(values)]
            values.append(UNARY[choice](a) if choice < len(UNARY) else BINARY[choice - len(UNARY)](a, b))
        return values[len(operands) :]

    interpreted = Interpreted()
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(compiling, "SMALLEST", 1)
        patch.setattr(compiling, "loops", lambda: interpreted)
        patch.setattr(tiles, "TILE", tile)
        patch.setattr(tiles, "BLOCK", 512)
        results, expected = pt.function(body)(*tensors), body(*tensors)
    # NumPy's maximum of 0.0 and -0.0 is either, by their places; so is what follows from it.
    assume(not any(choice in EXTREMES for choice, *_ in steps) or not any(map(both_zeros, [*tensors, *expected])))
    for x, y in zip(results, expected, strict=True):
        assert x.shape == y.shape and x.dtype == y.dtype
        got, wanted = x.numpy(), y.numpy()
        assert (np.isnan(got) == np.isnan(wanted)).all()
        numbers = ~np.isnan(wanted)
        assert got[numbers].tobytes() == wanted[numbers].tobytes(), interpreted.sources


def test_a_tile_has_whole_rows_or_a_part_of_one() -> None:
    interpreted = Interpreted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "SMALLEST", 1)
        patch.setattr(compiling, "loops", lambda: interpreted)
        for columns in (3, 5000):
            x = pt.asarray(np.arange(2.0 * columns).reshape(2, columns), device="numba")
            f = pt.function(lambda x, y: (x * 2.0 + y) * y)
            np.testing.assert_array_equal(f(x, x[0]).numpy(), ((x * 2.0 + x[0]) * x[0]).numpy())
    assert "range(0, 2, 682)" in interpreted.sources[0] and "range(0, 5000, 2048)" in interpreted.sources[1]
