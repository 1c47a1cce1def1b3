"""Polynomials, compared with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import OutOfRangeError, ShapeError

P, Q = np.array([2.0, -3.0, 0.5, 1.0]), np.array([1.5, 1.0, -2.0])


def close(got: Any, expected: Any, tolerance: float = 1e-10) -> None:
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got.numpy(), expected, rtol=tolerance, atol=1e-13)


def host(values: Any) -> pt.Tensor:
    return pt.asarray(values, device="numpy")  # float64, which not every backend has


@pytest.mark.parametrize("name", ["polyadd", "polysub", "polymul", "polydiv"])
def test_arithmetic_is_numpy_s_and_has_gradients(name: str) -> None:
    ours, theirs = getattr(pt, name), getattr(np, name)
    for p, q in ((P, Q), (Q, P), (P, Q[:1]), (P[:1], Q[:1])):
        got, expected = ours(host(p), host(q)), theirs(p, q)
        if name == "polydiv":
            close(got[0], expected[0])
            got, expected = got[1], np.pad(expected[1], (got[1].shape[0] - expected[1].shape[0], 0))
        close(got, expected)
        pt.check_gradients(ours, [host(p), host(q)], order=2)


def test_values_and_powers_are_numpy_s() -> None:
    x = np.linspace(-2, 2, 6).reshape(2, 3)
    close(pt.polyval(host(P), host(x)), np.polyval(P, x))
    for n, increasing in ((None, False), (3, True), (0, False)):
        close(pt.vander(host(P), n, increasing=increasing), np.vander(P, n, increasing=increasing))
    assert pt.vander(pt.asarray([1, 2, 3])).tolist() == np.vander([1, 2, 3]).tolist()
    pt.check_gradients(pt.polyval, [host(P), host(x)], order=2)
    pt.check_gradients(pt.vander, host(P), order=2)
    for function in (lambda p: pt.polyval(p, 1.0), pt.vander):
        with pytest.raises(ShapeError):
            function(host(x))


def test_derivatives_and_antiderivatives_are_numpy_s() -> None:
    for m in range(5):
        close(pt.polyder(host(P), m), np.polyder(P, m))
        close(pt.polyint(host(P), m), np.polyint(P, m))
    close(pt.polyint(host(P), 2, k=[3.0, 4.0]), np.polyint(P, 2, [3.0, 4.0]))
    assert pt.polyder(pt.asarray([3, 2, 1])).tolist() == [6, 2]
    assert pt.polyder(pt.asarray([3, 2, 1])).dtype == pt.int32
    for function in (pt.polyder, pt.polyint):
        pt.check_gradients(function, host(P), order=2)
        with pytest.raises(OutOfRangeError, match="no such order"):
            function(host(P), -1)
    with pytest.raises(OutOfRangeError, match="a constant for each"):
        pt.polyint(host(P), 2, k=[1.0])


def test_a_fit_is_numpy_s_and_has_gradients() -> None:
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=12) * 3, rng.normal(size=(12, 2)), rng.uniform(0.5, 2, 12)
    for samples in (y, y[:, 0]):
        close(pt.polyfit(host(x), host(samples), 3), np.polyfit(x, samples, 3))
        close(pt.polyfit(host(x), host(samples), 2, w=host(w)), np.polyfit(x, samples, 2, w=w))
    pt.check_gradients(lambda x, y, w: pt.polyfit(x, y, 2, w=w), [host(x), host(y), host(w)])
    with pytest.raises(ShapeError, match="a sample at each place"):
        pt.polyfit(host(x), host(y[:3]), 2)
    with pytest.raises(OutOfRangeError, match="no such degree"):
        pt.polyfit(host(x), host(y), -1)


@pytest.mark.parametrize("p", [P, Q, [0, 0, 2, 1, 0, 0], [0.0], [3.0], [1, 0, 0], [1, 0, 1]])
def test_roots_are_numpy_s(p: Any) -> None:
    got, expected = pt.roots(host(p)), np.roots(p)
    assert got.shape == expected.shape
    np.testing.assert_allclose(np.sort_complex(got.numpy()), np.sort_complex(expected), rtol=1e-6, atol=1e-7)


def test_roots_have_gradients() -> None:
    def parts(p: pt.Tensor) -> list[pt.Tensor]:
        y = pt.roots(p)
        return [pt.real(y), pt.imag(y)]

    for part in (0, 1):
        pt.check_gradients(lambda p, part=part: parts(p)[part], host(P))


def test_polynomials_of_roots_and_matrices_are_numpy_s() -> None:
    matrix = np.random.default_rng(1).normal(size=(3, 3))
    for x in (P, Q + 1j, matrix, matrix * 1j):
        close(pt.poly(host(x)), np.poly(x).astype(x.dtype))
    pt.check_gradients(pt.poly, host(P), order=2)
    pt.check_gradients(pt.poly, host(matrix))
    with pytest.raises(ShapeError, match="roots or a square matrix"):
        pt.poly(host(matrix[:2]))


@pytest.mark.parametrize("function", [pt.polyder, pt.polyint, pt.roots, lambda p: pt.polymul(p, P)])
def test_matrices_and_empty_vectors_are_rejected(function: Callable[..., Any]) -> None:
    for p in (np.ones((2, 2)), np.ones(0)):
        with pytest.raises(ShapeError, match="needs vectors of coefficients"):
            function(host(p))
