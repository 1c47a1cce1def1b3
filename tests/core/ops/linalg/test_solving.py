"""Triangular systems, factors by elimination, and derivatives of the determinant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg

import polytape as pt
from polytape.errors import LinAlgError, ShapeError

RNG = np.random.default_rng(11)


def complex_normal(*shape: int) -> Any:
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("n", [8, 40, 100])
def test_substitution_is_accurate_in_each_row(n: int, upper: bool, backend: str) -> None:
    # The rows differ by 16 orders of magnitude; solving with row exchanges leaves a residual of 1 in the small ones.
    for scale in (1.0, 10.0 ** RNG.uniform(-8, 8, (n, 1))):
        host = np.tril(RNG.normal(size=(n, n))) * scale
        x, b = host.T[::-1, ::-1].T if upper else host, RNG.normal(size=(n, 2))
        with pt.device(backend):
            y = pt.linalg.solve_triangular(pt.asarray(x), pt.asarray(b), upper=upper).numpy()
        assert np.max(np.abs(x @ y - b) / (np.abs(x) @ np.abs(y) + np.abs(b))) < 1e-14


def test_the_other_triangle_is_not_read(backend: str) -> None:
    x = np.triu(RNG.normal(size=(50, 50))) + 8 * np.eye(50)
    spoiled = np.where(np.tri(50, k=-1, dtype=bool), np.nan, x)
    b = RNG.normal(size=(3, 50, 2))
    with pt.device(backend):
        y = pt.linalg.solve_triangular(pt.asarray(spoiled), pt.asarray(b), upper=True).numpy()
        z = pt.linalg.solve_triangular(pt.asarray(spoiled.T.copy()), pt.asarray(b)).numpy()
    np.testing.assert_allclose(y, np.linalg.solve(x, b), rtol=1e-12)
    np.testing.assert_allclose(z, np.linalg.solve(x.T, b), rtol=1e-12)


def test_a_zero_on_the_diagonal_of_a_triangle_is_an_error() -> None:
    for upper in (False, True):
        with pytest.raises(LinAlgError, match="solve_triangular failed: singular matrix"):
            pt.linalg.solve_triangular(np.diag([1.0, 0.0, 2.0]), np.ones((3, 1)), upper=upper)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (3, 4, 4), (70, 70), (2, 0, 0)])
def test_lu_multiplies_to_the_matrix_and_picks_lapack_s_pivots(shape: tuple[int, ...], backend: str) -> None:
    for host in (RNG.normal(size=shape), complex_normal(*shape).astype("complex64")):
        with pt.device(backend):
            p, lower, upper = [y.numpy() for y in pt.linalg.lu(pt.asarray(host))]
        tolerance = 1e-4 if host.dtype == "complex64" else 1e-12
        np.testing.assert_allclose(p @ lower @ upper, host, atol=tolerance)
        assert p.dtype == lower.dtype == upper.dtype == host.dtype
        assert not np.triu(lower, 1).any() and not np.tril(upper, -1).any()
        if host.size and host.dtype == "float64":
            np.testing.assert_array_equal(p, scipy.linalg.lu(host)[0])


def test_a_singular_matrix_has_factors() -> None:
    host = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [0.0, 3.0, 1.0]])
    p, lower, upper = pt.linalg.lu(host)
    np.testing.assert_array_equal((p @ lower @ upper).numpy(), host)
    assert pt.linalg.det(host).item() == 0
    sign, logarithm = pt.linalg.slogdet(host)
    assert sign.item() == 0 and logarithm.item() == -np.inf


def test_lu_solve_serves_several_sides(backend: str) -> None:
    host = RNG.normal(size=(2, 4, 4))
    with pt.device(backend):
        factors = pt.linalg.lu_factor(pt.asarray(host))
        for side in (RNG.normal(size=4), RNG.normal(size=(4, 3)), RNG.normal(size=(5, 1, 4, 3))):
            y = pt.linalg.lu_solve(factors, pt.asarray(side)).numpy()
            np.testing.assert_allclose(y, np.linalg.solve(host, side), rtol=1e-10)
        with pytest.raises(ShapeError, match="the sizes do not fit"):
            pt.linalg.lu_solve(factors, pt.ones(3))


def test_gradients_of_lu_agree_with_finite_differences() -> None:
    host = RNG.normal(size=(3, 3))
    pt.check_gradients(lambda x: list(pt.linalg.lu(x))[1:], host, order=2)
    pt.check_gradients(lambda x, b: pt.linalg.lu_solve(pt.linalg.lu_factor(x), b), [host, RNG.normal(size=3)], order=2)

    def parts(re: Any, im: Any) -> Any:
        _, lower, upper = pt.linalg.lu(re + 1j * im)
        return [pt.real(lower), pt.imag(lower), pt.real(upper), pt.imag(upper)]

    pt.check_gradients(parts, [host, RNG.normal(size=(3, 3))], order=2)


MATRICES = {
    "equal singular values": np.eye(3),
    "zero": np.zeros((2, 2)),
    "zero of size 3": np.zeros((3, 3)),
    "rank 1": np.diag([2.0, 0.0, 0.0]),
    "ones": np.ones((3, 3)),
    "one element": np.eye(1),
    "regular": RNG.normal(size=(4, 4)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_first_and_second_derivatives_of_det_are_exact_for_every_matrix(name: str) -> None:
    pt.check_gradients(pt.linalg.det, MATRICES[name], order=2)


def test_complex_derivatives_of_determinants() -> None:
    def parts(re: Any, im: Any) -> Any:
        x = re + 1j * im
        sign, logarithm = pt.linalg.slogdet(x)
        return [pt.real(pt.linalg.det(x)), pt.imag(pt.linalg.det(x)), pt.real(sign), pt.imag(sign), logarithm]

    pt.check_gradients(parts, [RNG.normal(size=(2, 3, 3)), RNG.normal(size=(2, 3, 3))], order=2)


def test_nan_is_named_as_the_cause_where_a_factorization_does_not_converge() -> None:
    with pytest.raises(LinAlgError, match=r"svd failed: SVD did not converge(.|\n)*expected: finite numbers"):
        pt.linalg.svd(np.full((2, 2), np.nan))
