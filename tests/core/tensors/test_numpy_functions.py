"""NumPy's functions on tensors: they return arrays, unless an open tape would lose a gradient by it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import PolytapeWarning, TapeError
from polytape.settings import change_settings

DIFFERENTIABLE: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "multiply": lambda x: np.multiply(x, x),
    "add of a number": lambda x: np.add(1.0, x),
    "sum": np.sum,
    "add.reduce": np.add.reduce,
    "mean with axis": lambda x: np.mean(x, axis=0),
    "concatenate": lambda x: np.concatenate([x, np.ones(2)]),
    "stack in a dict": lambda x: np.stack(arrays=[x, x]),
    "dot": lambda x: np.dot(x, x),
    "linalg.norm": np.linalg.norm,
    "clip": lambda x: np.clip(x, 0.0, 1.0),
    "where": lambda x: np.where([True, False], x, 0.0),
    "several results": np.modf,
    "unique": np.unique,
}


@pytest.mark.parametrize("call", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
def test_a_function_that_would_lose_the_gradient_is_an_error(call: Callable[[Any], Any], backend: str) -> None:
    x = pt.asarray([1.0, 2.0], device=backend)
    with pt.GradientTape() as tape:
        tape.watch(x)
        for followed in (x, x * 2.0):
            with pytest.raises(TapeError, match=r"float32\[2\] would lose the gradient(.|\n)*or pass x.numpy\(\)"):
                call(followed)
            assert np.all(call(followed.numpy()) is not None)


@pytest.mark.parametrize("call", DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)
def test_without_a_tape_that_follows_the_tensor_it_returns_an_array(call: Callable[[Any], Any]) -> None:
    x, other = pt.asarray([1.0, 2.0]), pt.asarray([3.0])
    expected = call(np.asarray([1.0, 2.0], "float32"))
    results = [call(x)]
    with pt.GradientTape() as tape:
        tape.watch(other)
        results += [call(x), call(pt.stop_gradient(x))]
    with pt.GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            results.append(call(x))
    results.append(call(x))  # the tape is closed
    for result in results:
        assert type(result) is type(expected)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        (np.exp, "use polytape.exp;"),
        (np.absolute, "use polytape.abs;"),
        (lambda x: np.concatenate([x]), "use polytape.concat;"),
        (lambda x: np.dot(x, x), "use polytape.matmul;"),
        (lambda x: np.vdot(x, x), "use polytape.matmul;"),
        (np.spacing, "use polytape's functions;"),
    ],
)
def test_the_error_names_polytape_s_function(call: Callable[[Any], Any], fix: str) -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TapeError) as caught:
            call(x)
    assert fix in caught.value.fix
    for name in {"exp", "abs", "concat", "matmul"} & set(fix.replace(";", ".").split(".")):
        assert hasattr(pt, name)


def test_a_variable_that_a_tape_would_watch_is_followed() -> None:
    w, fixed = pt.Variable([1.0, 2.0]), pt.Variable([1.0, 2.0], trainable=False)
    with pt.GradientTape():
        with pytest.raises(TapeError, match=r"numpy\.exp"):
            np.exp(w)
        assert np.exp(fixed).dtype == "float32"
    with pt.GradientTape(watch_accessed_variables=False):
        assert np.exp(w).dtype == "float32"


def test_functions_without_a_gradient_work_under_a_tape() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        assert np.argmax(x) == 1 and np.shape(x) == (2,) and np.ndim(x) == 1 and np.size(x) == 2
        assert np.isfinite(x).all() and np.allclose(x, x) and np.array_equal(x, [1.0, 2.0])
        assert np.zeros_like(x).tolist() == [0.0, 0.0] and np.copy(x).tolist() == [1.0, 2.0]
        np.testing.assert_allclose(x, [1.0, 2.0])
        assert np.asarray(x).tolist() == [1.0, 2.0] and np.array(x).tolist() == [1.0, 2.0]


def test_numpy_s_operators_and_scalars_are_recorded() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = np.asarray([3.0, 4.0], "float32") * x + np.float32(2.0) * x
    assert type(y) is pt.Tensor and tape.gradient(y, x).tolist() == [5.0, 6.0]


def test_under_the_compatible_names_it_is_a_warning() -> None:
    x = pt.asarray([1.0, 2.0])
    old = change_settings(print_style="tf1")
    try:
        with pt.GradientTape() as tape:
            tape.watch(x)
            for call in (np.exp, np.sum):
                with pytest.warns(PolytapeWarning, match="would lose the gradient") as caught:
                    assert isinstance(call(x), np.ndarray | np.generic)
                assert caught[0].filename == __file__
    finally:
        change_settings(print_style=old.print_style)


def test_like_makes_arrays() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError):
            np.asarray([1.0], like=pt.asarray([1.0]))
