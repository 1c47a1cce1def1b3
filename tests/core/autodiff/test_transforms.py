from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import polytape as pt


def test_jvp_returns_the_value_and_the_derivative_along_the_direction() -> None:
    y, t = pt.jvp(lambda x, w: pt.tanh(x @ w), ([1.0, 2.0], pt.ones((2, 2))), ([1.0, 0.0], pt.zeros((2, 2))))
    assert y.shape == (2,)
    np.testing.assert_allclose(t.numpy(), 1 - np.tanh(3.0) ** 2, rtol=1e-5)


def test_a_result_that_does_not_depend_on_the_arguments_has_a_tangent_of_zeros() -> None:
    _, t = pt.jvp(lambda x: {"a": pt.ones((2,)), "b": x, "c": pt.asarray([1, 2])}, (1.0,), (2.0,))
    assert t["a"].tolist() == [0.0, 0.0]
    assert float(t["b"]) == 2.0
    assert t["c"] is None


def test_structures_of_arguments_and_none_for_no_change() -> None:
    primals = ({"a": pt.asarray(2.0), "b": [pt.asarray(3.0), pt.asarray(5.0)]}, pt.asarray([0, 1]))
    _, t = pt.jvp(lambda d, i: d["a"] * d["b"][0] * d["b"][1], primals, ({"a": 1.0, "b": [None, 1.0]}, None))
    assert float(t) == 15.0 + 6.0


def test_tangents_of_another_structure_shape_or_for_integers_are_rejected() -> None:
    with pytest.raises(pt.PolytapeError, match="the tangents do not have the structure of the primals"):
        pt.jvp(lambda x: x, (1.0,), (1.0, 2.0))
    with pytest.raises(pt.PolytapeError, match=r"the tangent float32\[2\] does not fit float32\[\]"):
        pt.jvp(lambda x: x, (1.0,), ([1.0, 2.0],))
    with pytest.raises(pt.PolytapeError, match=r"a tangent for int32\[\], which has no derivative"):
        pt.jvp(lambda x, n: x, (1.0, pt.asarray(2)), (1.0, 1.0))
    with pytest.raises(pt.PolytapeError, match=r"pass \(x,\) for one argument"):
        pt.jvp(lambda x: x, pt.asarray(1.0), pt.asarray(1.0))


def test_python_control_flow_sees_the_values() -> None:
    _, t = pt.jvp(lambda x: x * 2 if x > 0 else x * 3, (-1.0,), (1.0,))
    assert float(t) == 3.0


def test_forward_over_forward_gives_higher_derivatives() -> None:
    def derivative(f: Any) -> Any:
        return lambda x: pt.jvp(f, (x,), (1.0,))[1]

    f = lambda x: x**5  # noqa: E731  # the nesting is easier to read
    values = []
    for _ in range(4):
        values.append(float(f(pt.asarray(2.0))))
        f = derivative(f)
    assert values == [32.0, 80.0, 160.0, 240.0]


def test_reverse_over_forward_and_forward_over_reverse_agree() -> None:
    f = lambda x: pt.sum(pt.sin(x) * x * x)  # noqa: E731  # as above
    x = pt.asarray([0.3, -1.2], dtype="float64")
    v = pt.asarray([1.0, 2.0], dtype="float64")
    reverse = pt.gradients_function(lambda x: pt.jvp(f, (x,), (v,))[1])(x)[0]
    (forward,) = pt.hvp(f, (x,), (v,))
    np.testing.assert_allclose(reverse.numpy(), forward.numpy(), rtol=1e-12)


def test_two_perturbations_are_not_confused() -> None:
    # J. Siskind, B. Pearlmutter (2008): d/dx (x * d/dy (x + y)) at x = y = 1 is 1, and 2 if they are.
    inner = lambda x: pt.jvp(lambda y: x + y, (1.0,), (1.0,))[1]  # noqa: E731  # as above
    _, t = pt.jvp(lambda x: x * inner(x), (1.0,), (1.0,))
    assert float(t) == 1.0


def test_a_tangent_is_differentiable_in_the_tangent() -> None:
    (g,) = pt.gradients_function(lambda t: pt.jvp(lambda x: x**3, (2.0,), (t,))[1])(1.0)
    assert float(g) == 12.0


def test_linearize_runs_the_function_once() -> None:
    calls = []

    def f(x: pt.Tensor) -> pt.Tensor:
        calls.append(1)
        return x * x

    y, push = pt.linearize(f, 3.0)
    assert (float(y), float(push(1.0)), float(push(2.0))) == (9.0, 6.0, 12.0)
    assert len(calls) == 1


def test_a_value_does_not_keep_the_records_alive() -> None:
    held = pt.exp(pt.ones((4,)))
    counts = [sys.getrefcount(held.array)]
    y, push = pt.linearize(lambda x: pt.sum(x * held), pt.ones((4,)))
    counts.append(sys.getrefcount(held.array))
    del push
    counts.append(sys.getrefcount(held.array))
    assert counts[0] == counts[2] < counts[1]
    assert float(y) == pytest.approx(4 * np.e, rel=1e-6)


def test_complex_tangents_follow_the_real_derivative() -> None:
    z, t = 0.3 + 0.7j, 1.0 - 2.0j
    _, pushed = pt.jvp(lambda z: pt.exp(z) * pt.conj(z) + pt.abs(z), (np.complex128(z),), (np.complex128(t),))
    step = 1e-6
    f = lambda z: np.exp(z) * np.conj(z) + np.abs(z)  # noqa: E731  # as above
    np.testing.assert_allclose(pushed.numpy(), (f(z + step * t) - f(z - step * t)) / (2 * step), rtol=1e-8)


def test_a_cast_changes_the_dtype_of_the_tangent() -> None:
    _, t = pt.jvp(lambda x: pt.astype(x, "float64") * 2, (pt.asarray(1.0),), (1.0,))
    assert t.dtype == pt.float64
    (g,) = pt.gradients_function(lambda x: pt.astype(x, "float64") * 2)(pt.asarray(1.0))
    assert g.dtype == pt.float32


def test_variables_are_constants_or_independent_arguments() -> None:
    w = pt.Variable(3.0)
    _, t = pt.jvp(lambda x: x * w, (2.0,), (1.0,))
    assert float(t) == 3.0
    _, t = pt.jvp(lambda v: v * w, (w,), (1.0,))
    assert float(t) == 3.0
    _, t = pt.jvp(lambda a, b: a * b, (w, w), (1.0, None))
    assert float(t) == 3.0


def test_inside_a_traced_function() -> None:
    f = pt.function(lambda x, v: pt.jvp(lambda x: pt.sum(pt.tanh(x) * x), (x,), (v,)))
    x, v = pt.asarray([0.5, 1.5]), pt.asarray([1.0, -1.0])
    y, t = f(x, v)
    expected_y, expected_t = pt.jvp(lambda x: pt.sum(pt.tanh(x) * x), (x,), (v,))
    np.testing.assert_allclose([float(y), float(t)], [float(expected_y), float(expected_t)], rtol=1e-6)


def test_hvp_is_the_hessian_times_the_vector() -> None:
    f = lambda d: pt.sum(d["x"] ** 3) * d["s"]  # noqa: E731  # as above
    primal = {"x": pt.asarray([1.0, 2.0]), "s": pt.asarray(2.0)}
    (product,) = pt.hvp(f, (primal,), ({"x": [1.0, 0.0], "s": 1.0},))
    np.testing.assert_allclose(product["x"].numpy(), [12.0 + 3.0, 12.0])
    np.testing.assert_allclose(float(product["s"]), 3.0)


def test_hvp_of_a_linear_function_is_zero_and_of_a_vector_an_error() -> None:
    (product,) = pt.hvp(lambda x: pt.sum(x), ([1.0, 2.0],), ([1.0, 1.0],))
    assert product.tolist() == [0.0, 0.0]
    with pytest.raises(pt.PolytapeError, match=r"hvp of a function that returns float32\[2\]"):
        pt.hvp(lambda x: x, ([1.0, 2.0],), ([1.0, 1.0],))
