from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt

X = pt.asarray([0.3, -1.2, 2.0], dtype="float64")
W = pt.asarray([[1.0, 0.5, -1.0], [2.0, 0.1, 0.2]], dtype="float64")


def network(x: pt.Tensor) -> pt.Tensor:
    return pt.tanh(W @ x) * pt.sum(x * x)


def differences(f: Any, x: pt.Tensor, step: float = 1e-6) -> Any:
    base, columns = x.numpy(), []
    for index in np.ndindex(*base.shape):
        moved = np.zeros_like(base)
        moved[index] = step
        columns.append((f(pt.asarray(base + moved)).numpy() - f(pt.asarray(base - moved)).numpy()) / (2 * step))
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *base.shape)


def by_rows(f: Any, x: pt.Tensor) -> Any:
    """The Jacobian by one backward pass per output."""
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = pt.reshape(f(x), (-1,))
        elements = [y[k] for k in range(y.shape[0])]
    return np.stack([tape.gradient(element, x).numpy() for element in elements])


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_jacobian_agrees_with_finite_differences(mode: str) -> None:
    np.testing.assert_allclose(pt.jacobian(network, mode=mode)(X).numpy(), differences(network, X), rtol=1e-7)


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
def test_a_jacobian_agrees_with_one_pass_per_row(chunk_size: int | None) -> None:
    f = lambda x: pt.stack([pt.sort(x), pt.cumulative_sum(x), x[::-1] * x[0]])  # noqa: E731  # it is used twice
    got = pt.jacobian(f, chunk_size=chunk_size)(pt.identity(X)).numpy()
    assert got.shape == (3, 3, 3)
    np.testing.assert_allclose(got.reshape(9, 3), by_rows(f, pt.identity(X)), rtol=1e-12)


def test_a_jacobian_of_a_thousand_outputs_runs_each_rule_once() -> None:
    counts = []

    @pt.custom_gradient
    def counted(x: pt.Tensor) -> Any:
        def grad(g: pt.Tensor) -> pt.Tensor:
            counts.append(g.shape)
            return g * 2.0

        return x * 2.0, grad

    matrix = pt.jacobian(lambda x: pt.tile(counted(x), (500,)))([1.0, 2.0])
    assert matrix.shape == (1000, 2)
    assert counts == [(2,)]
    np.testing.assert_array_equal(matrix.numpy(), np.tile(2.0 * np.eye(2), (500, 1)))


def test_structures_of_results_and_arguments() -> None:
    f = lambda d, k: {"p": d["a"] * d["b"] * k, "q": [pt.sum(d["b"])]}  # noqa: E731  # as above
    argument = {"a": pt.asarray(2.0), "b": pt.asarray([1.0, 3.0])}
    j = pt.jacobian(f)(argument, 2.0)
    assert j["p"]["a"].tolist() == [2.0, 6.0]
    assert j["p"]["b"].tolist() == [[4.0, 0.0], [0.0, 4.0]]
    assert float(j["q"][0]["a"]) == 0.0
    j = pt.jacobian(f, ["d", "k"])(argument, 2.0)
    assert j["p"][1].tolist() == [2.0, 6.0]
    j = pt.jacobian(f, 1)(argument, 2.0)
    assert j["p"].tolist() == [2.0, 6.0]


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_complex_jacobians(mode: str) -> None:
    z = pt.asarray([1 + 2j, 0.5 - 1j], dtype="complex128")
    holomorphic = pt.jacobian(lambda z: z * z + z[::-1], holomorphic=True, mode=mode)(z)
    np.testing.assert_allclose(holomorphic.numpy(), np.array([[2 + 4j, 1], [1, 1 - 2j]]), atol=1e-14)
    real = pt.jacobian(lambda z: pt.real(z) ** 2 + 3 * pt.imag(z), mode=mode)(z)
    np.testing.assert_allclose(real.numpy(), np.diag([2 + 3j, 1 + 3j]), atol=1e-14)
    x = pt.asarray([0.5, 1.0], dtype="float64")
    phases = pt.jacobian(lambda x: pt.exp(x * 1j), mode=mode)(x)
    np.testing.assert_allclose(phases.numpy(), np.diag(1j * np.exp(1j * x.numpy())), atol=1e-14)
    with pytest.raises(pt.PolytapeError, match="holomorphic=True"):
        pt.jacobian(lambda z: z * z, mode=mode)(z)


def test_a_jacobian_of_a_jacobian_and_its_gradient() -> None:
    f = lambda x: pt.sum(x**3)  # noqa: E731  # as above
    second = pt.jacobian(pt.jacobian(f))(X)
    np.testing.assert_allclose(second.numpy(), np.diag(6 * X.numpy()))
    third = pt.jacobian(pt.hessian(f))(X).numpy()
    expected = np.zeros((3, 3, 3))
    expected[range(3), range(3), range(3)] = 6.0
    np.testing.assert_allclose(third, expected)
    (g,) = pt.gradients_function(lambda x: pt.sum(pt.jacobian(network)(x) ** 2))(X)
    step = 1e-6
    numeric = [
        (np.sum(pt.jacobian(network)(X + d).numpy() ** 2) - np.sum(pt.jacobian(network)(X - d).numpy() ** 2)) / 2 / step
        for d in step * np.eye(3)
    ]
    np.testing.assert_allclose(g.numpy(), numeric, rtol=1e-6)


def test_hessians() -> None:
    f = lambda x: pt.sum(pt.sin(x) * x[::-1])  # noqa: E731  # as above
    gradient = lambda x: pt.gradients_function(f)(x)[0]  # noqa: E731  # as above
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(pt.hessian(f, mode=mode)(X).numpy(), differences(gradient, X), rtol=1e-6, atol=1e-8)
    h = pt.hessian(lambda d: d["a"] ** 2 * pt.sum(d["b"]))({"a": pt.asarray(2.0), "b": pt.asarray([1.0, 3.0])})
    assert float(h["a"]["a"]) == 8.0
    assert h["a"]["b"].tolist() == [4.0, 4.0]
    assert h["b"]["b"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    h = pt.hessian(lambda a, b: a**2 * pt.sum(b), (0, "b"))(2.0, [1.0, 3.0])
    assert h[1][0].tolist() == [4.0, 4.0]
    with pytest.raises(pt.PolytapeError, match="hessian of a function that returns"):
        pt.hessian(lambda x: x)(X)


def test_batch_jacobian_has_one_jacobian_per_example() -> None:
    x = pt.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    got = pt.batch_jacobian(lambda x: pt.tanh(x @ pt.matrix_transpose(W)))(x).numpy()
    full = pt.jacobian(lambda x: pt.tanh(x @ pt.matrix_transpose(W)))(x).numpy()
    np.testing.assert_allclose(got, full[range(4), :, range(4), :], rtol=1e-12)
    assert pt.batch_jacobian(lambda x: pt.ones((4, 2)))(x).shape == (4, 2, 3)
    with pytest.raises(pt.PolytapeError, match="the same size along their first axis"):
        pt.batch_jacobian(lambda x: pt.sum(x, axis=0))(x)


def test_tapes_have_the_methods_of_tensorflow_2() -> None:
    w, unused = pt.Variable([[1.0, 2.0], [0.5, 1.0]]), pt.Variable(3.0)
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape(persistent=True) as tape:
        y = w @ x
        z = w * 2.0
    jacobians = tape.jacobian({"y": y}, [w, unused])
    assert jacobians["y"][0].tolist() == [[[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]]
    assert jacobians["y"][1] is None
    assert tape.jacobian(y, unused, unconnected_gradients="zero").tolist() == [0.0, 0.0]
    one_by_one = tape.jacobian(y, w, experimental_use_pfor=False)
    np.testing.assert_array_equal(one_by_one.numpy(), jacobians["y"][0].numpy())
    assert tape.batch_jacobian(z, w).tolist() == [[[2.0, 0.0], [0.0, 2.0]]] * 2
    assert tape.batch_jacobian(z, pt.Variable([1.0, 2.0])) is None


def test_a_tape_that_is_not_persistent_gives_one_jacobian_and_is_freed() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.jacobian(y, x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert y.node is not None
    assert y.node.parents == ()
    with pytest.raises(pt.PolytapeError, match="already been used"):
        tape.jacobian(y, x)
    with pytest.raises(pt.PolytapeError, match="already been used"):
        tape.gradient(y, x)


def test_a_jacobian_of_a_traced_function_and_inside_one() -> None:
    f = pt.function(network)
    expected = pt.jacobian(network)(X).numpy()
    np.testing.assert_allclose(pt.jacobian(f)(X).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(pt.jacobian(f, mode="forward")(X).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(pt.function(pt.jacobian(network))(X).numpy(), expected, rtol=1e-12)


def test_results_and_arguments_without_elements_or_axes() -> None:
    assert pt.jacobian(lambda x: x * 2)(pt.zeros((0,))).shape == (0, 0)
    assert pt.jacobian(lambda x: x[:0])(pt.ones((3,))).shape == (0, 3)
    assert float(pt.jacobian(lambda x: x * 2)(1.0)) == 2.0
