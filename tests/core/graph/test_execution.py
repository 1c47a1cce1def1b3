"""The generated code: the names it binds, the arrays it frees, and the note it adds when an op fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError
from polytape.graph import Executable


def test_the_code_calls_kernels_on_native_arrays_and_deletes_unused_ones() -> None:
    graph = pt.function(lambda x: pt.max(pt.exp(x * 2.0), axis=0)).graph(pt.zeros((3, 2)))
    assert Executable(graph).source.splitlines() == [
        "def run(x0):",
        "    _a = k0(x0, n0_1)",
        "    _b = k1(_a, _a)",
        "    del _a",
        "    _c = k2(_b, axis=p2_axis)",
        "    del _b",
        "    return (_c, )",
        "def call(x0):",
        "    x0 = x0.array",
        "    _a = k0(x0, n0_1)",
        "    _b = k1(_a, _a)",
        "    del _a",
        "    _c = k2(_b, axis=p2_axis)",
        "    del _b",
        "    return (Tensor(_c, o0, None), )",
    ]


def views_of_temporaries(x: pt.Tensor) -> list[pt.Tensor]:
    """Temporaries that go out of use before a view of them does, and others that may be overwritten."""
    y = x * 2.0
    row = y[0]
    flat = pt.reshape(y + 0.0, (-1,))
    z = pt.exp(y - 1.0) + 1.0
    return [row, flat * z[0, 0], pt.where(z > 2.0, z, y), pt.sum(z) * 2.0 + pt.sum(y) * 3.0]


def test_a_temporary_is_overwritten_only_if_no_other_array_shares_its_memory() -> None:
    x = pt.asarray(np.linspace(-1.0, 1.0, 12).reshape(3, 4))
    before = x.numpy().copy()
    for traced, eager in zip(pt.function(views_of_temporaries)(x), views_of_temporaries(x), strict=True):
        np.testing.assert_array_equal(traced.numpy(), eager.numpy())
    np.testing.assert_array_equal(x.numpy(), before)


def test_results_of_shape_0_are_native_arrays() -> None:
    f = pt.function(lambda x: pt.sum(x) * 2.0)
    assert type(f(pt.ones(3)).array) is np.ndarray


def test_a_function_without_results_runs() -> None:
    w = pt.Variable(1.0)
    assert pt.function(lambda: None)() is None
    assert pt.function(lambda: (w.assign(2.0), None)[1])() is None
    assert float(w) == 2.0


def test_an_error_in_a_derivative_names_the_equation() -> None:
    broken = False

    def fn(x: Any) -> Any:
        if broken:
            raise FloatingPointError("the kernel is broken")
        return np.cos(x)

    with pt.kernel("cos", backend="numpy", priority=10)(fn):
        f = pt.function(lambda x: pt.sin(x))
        x = pt.asarray([1.0])
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        broken = True
        with pytest.raises(FloatingPointError) as caught:
            tape.gradient(y, x)
    assert "in graph <lambda>_backward: a: float32[1] = cos(r0)  # test_execution.py:" in caught.value.__notes__[0]


def test_an_argument_may_have_a_name_that_the_generated_code_uses() -> None:
    f = pt.function(lambda k0, Tensor, c0, run: k0 + Tensor * c0 - run)
    x = pt.ones(1)
    assert f(x, x * 2.0, x * 3.0, x).tolist() == [6.0]


@pytest.mark.parametrize("backend", ["numpy", "numba"])  # others raise where a result is read
def test_an_index_that_does_not_exist_is_the_error_of_eager_code(backend: str) -> None:
    """A kernel's IndexError says nothing about the op; in regions and under a tape too."""
    with pt.device(backend):
        x, wrong = pt.asarray([[1.0, 2.0], [3.0, 4.0]]), pt.asarray([0, 5])

        def scatter(x: Any, k: Any) -> Any:
            y = x * 1.0
            y[k] = 0.0
            return y

        programs: list[Callable[..., Any]] = [
            lambda x, k: x[k], lambda x, k: pt.take(x, k, axis=0) * 2.0, scatter,
            lambda x, k: pt.map(lambda i: pt.take(x, i, axis=0), k),
        ]  # fmt: skip
        for program in programs:
            with pytest.raises(OutOfRangeError) as eager:
                program(x, wrong).numpy()
            traced = pt.function(program)
            for tapes in (0, 1):
                with contextlib.ExitStack() as stack:
                    for _ in range(tapes):
                        stack.enter_context(pt.GradientTape()).watch(x)
                    with pytest.raises(OutOfRangeError) as caught:
                        traced(x, wrong).numpy()
                assert str(caught.value).split("(")[1:] == str(eager.value).split("(")[1:]
                assert any("in graph" in note and "test_execution.py" in note for note in caught.value.__notes__)
