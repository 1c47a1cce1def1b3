"""Arithmetic on results of shape () in generated code: the bits of the kernels, and arrays where others read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import RegistrationError
from polytape.graph import Executable
from polytape.graph.scalars import Scalars
from polytape.testing.cases import arithmetic
from polytape.testing.checks import check_graph_equals_eager

VALUES = [0.0, -0.0, 1.0, -1.5, math.inf, -math.inf, math.nan, 3e38, -3e38, 1e-45, 2.0**24 + 1, 1 / 3]
OPS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a * 0.1,
    lambda a, b: 2.5 - b, lambda a, b: pt.exp(a), lambda a, b: pt.maximum(a, b), lambda a, b: -b,
]  # fmt: skip


def bits(x: Any) -> Any:
    """The bits of the numbers; those of NaN are the same: NumPy's loops and scalars differ in the sign of inf - inf."""
    kind, array = type(x.numpy()), np.array(x.numpy())
    if array.dtype.kind != "i":
        array[array != array] = np.nan
    return kind, array.dtype, array.shape, array.tobytes()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16", "complex64", "int32"])
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(VALUES), st.sampled_from(VALUES),
    st.lists(st.tuples(st.integers(0, len(OPS) - 1), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8),
)  # fmt: skip
def test_programs_on_numbers_give_the_bits_of_eager_ones(
    dtype: str, first: float, second: float, steps: list[tuple[int, int, int]]
) -> None:
    floating = dtype != "int32"
    x, y = (pt.asarray(np.float32(v if floating else 3), dtype=dtype) for v in (first, second))
    w = pt.Variable(x)
    ops = [OPS[index] for index in (0, 1, 2)] if not floating else OPS
    if dtype == "complex64":
        ops = [op for op in OPS if op is not OPS[7]]

    def body(x: Any, y: Any) -> Any:
        values = [pt.sum(x), pt.sum(pt.reshape(y, (1,))), w.read_value()]
        for op, left, right in steps:
            values.append(ops[op % len(ops)](values[left % len(values)], values[right % len(values)]))
        w.assign(pt.astype(values[-1], dtype))
        return values[-1], values[-2], pt.stack([pt.astype(values[-1], dtype), pt.astype(values[0], dtype)])

    expected = [bits(result) for result in (*body(x, y), w)]
    w.assign(x)
    assert [bits(result) for result in (*pt.function(body)(x, y), w)] == expected


def test_a_result_is_converted_to_an_array_only_where_a_kernel_or_the_caller_reads_it() -> None:
    w = pt.Variable(2.0)

    def body(x: Any) -> Any:
        total = pt.sum(x)
        step = total * 0.5
        w.assign(w - step)
        return pt.exp(step * 3.0)

    source = Executable(pt.function(body).graph(pt.ones(300))).source.split("def call")[0]
    assert source.splitlines() == [
        "def run(x0, v0):",
        "    _a = e0_reduce(x0, e0_axis, None, None, e0_keepdims)",
        "    _b = _a * n1_1",
        "    _c = l2_0(v0[()] - _b)",
        "    _d = l3_0(_b * n3_1)",
        "    _e = k4(_d)",
        "    if type(_e) is not t4_0: _e = l4_0(_e)",
        "    del _d",
        "    return (_e, _c, )",
    ]


def test_a_backend_whose_kernels_have_no_operator_runs_its_kernels() -> None:
    pytest.importorskip("polytape_sim")
    with pt.device("sim"):
        graph = pt.function(lambda x: pt.sum(x) * 2.0 + 1.0).graph(pt.ones(3))
    assert Scalars(graph).operators == {}


def test_a_kernel_that_another_author_adds_is_called() -> None:
    seen = []

    def multiply(x1: Any, x2: Any) -> Any:
        seen.append(1)
        return np.multiply(x1, x2)

    f = pt.function(lambda x: pt.sum(x) * 2.0)
    x = pt.ones(3)
    assert float(f(x)) == 6.0
    with pt.kernel("multiply", backend="numpy", priority=10)(multiply):
        assert float(f(x)) == 6.0
    assert seen == [1]


@pytest.mark.parametrize(("op", "operator"), [("add", "+ evil() +"), ("exp", "+"), ("sum", "*")])
def test_an_operator_is_one_of_a_few_and_for_two_operands(op: str, operator: str) -> None:
    with pytest.raises(RegistrationError, match="declares an operator that graphs cannot write"):
        pt.register_backend(
            pt.Backend(name="odd", extends="numpy", kernels=[pt.Kernel(op, getattr(np, op), operator=operator)])
        )


def test_the_kit_finds_an_operator_that_gives_other_values_than_its_kernel() -> None:
    case = next(case for case in arithmetic.CASES if case.op.name == "add")
    kernel = pt.Kernel("add", np.add, out=True, operator="*", priority=5)
    backend = pt.Backend(name="odd", extends="numpy", kernels=[kernel])
    with pt.register_backend(backend), pytest.raises(AssertionError, match="of float32 on odd: traced"):
        check_graph_equals_eager(case, "odd")
