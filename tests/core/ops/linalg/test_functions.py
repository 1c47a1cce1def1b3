"""Functions of matrices against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import polytape as pt
from polytape.errors import ShapeError

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("scale", [0.0, 1e-3, 1.0, 30.0])
def test_expm_is_scipy_s(scale: float) -> None:
    host = RNG.normal(size=(3, 4, 4)) * scale
    expected = scipy.linalg.expm(host)
    np.testing.assert_allclose(pt.linalg.expm(host).numpy(), expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_expm_of_a_nilpotent_matrix_is_a_finite_sum() -> None:
    np.testing.assert_allclose(pt.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy(), [[1.0, 1.0], [0.0, 1.0]], atol=1e-7)


def test_block_diag_is_scipy_s_and_differentiable() -> None:
    blocks = [RNG.normal(size=shape) for shape in ((2, 3), (1, 1), (0, 2), (2, 1))]
    np.testing.assert_array_equal(pt.linalg.block_diag(*blocks).numpy(), scipy.linalg.block_diag(*blocks))
    pt.check_gradients(pt.linalg.block_diag, blocks[:2])
    with pytest.raises(ShapeError, match="block_diag takes matrices"):
        pt.linalg.block_diag([1.0, 2.0])


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 7])
def test_matrix_powers_are_numpy_s(n: int) -> None:
    host = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
    expected = np.linalg.matrix_power(host, n)
    np.testing.assert_allclose(pt.linalg.matrix_power(host, n).numpy(), expected, rtol=1e-9)


def test_lstsq_finds_the_solution_of_smallest_norm() -> None:
    for shape in ((6, 3), (3, 6)):
        x, b = RNG.normal(size=shape), RNG.normal(size=(shape[0], 2))
        np.testing.assert_allclose(pt.linalg.lstsq(x, b).numpy(), np.linalg.lstsq(x, b)[0], rtol=1e-9, atol=1e-12)
    x = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])  # of rank 1
    np.testing.assert_allclose(pt.linalg.lstsq(x, [1.0, 2.0, 3.0]).numpy(), [0.5, 0.5], rtol=1e-12)


def test_the_standard_s_shared_names_are_in_the_namespace() -> None:
    for name in (
        "cross",
        "diagonal",
        "matmul",
        "matrix_transpose",
        "multi_dot",
        "outer",
        "tensordot",
        "trace",
        "vecdot",
    ):
        assert getattr(pt.linalg, name) is getattr(pt, name)


def test_tensor_equations_are_numpy_s_and_have_gradients() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3))
    x, y = pt.asarray(a), pt.asarray(b)
    np.testing.assert_allclose(pt.linalg.tensorsolve(x, y).numpy(), np.linalg.tensorsolve(a, b), rtol=1e-12)
    moved = a.transpose(0, 2, 1)
    solved = pt.linalg.tensorsolve(pt.asarray(moved), y, axes=(1,))
    np.testing.assert_allclose(solved.numpy(), np.linalg.tensorsolve(moved, b, axes=(1,)), rtol=1e-12)
    inverse = pt.linalg.tensorinv(x)
    np.testing.assert_allclose(inverse.numpy(), np.linalg.tensorinv(a), rtol=1e-12)
    assert inverse.shape == (6, 2, 3)
    pt.check_gradients(pt.linalg.tensorsolve, [x, y], order=2)
    pt.check_gradients(pt.linalg.tensorinv, [x], order=2)


def test_tensor_equations_need_as_many_unknowns() -> None:
    with pytest.raises(ShapeError, match="tensorinv needs as many equations as unknowns"):
        pt.linalg.tensorinv(pt.ones((2, 3, 5)))
    with pytest.raises(ShapeError, match="tensorsolve needs as many equations as unknowns"):
        pt.linalg.tensorsolve(pt.ones((2, 3, 5)), pt.ones((2, 3)))
