"""Linear algebra: reconstructions, properties, gradients by functions without free signs, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import polytape as pt
from polytape.errors import DTypeError, LinAlgError, ShapeError

RNG = np.random.default_rng(3)
FULL = ["float32", "float64", "complex64", "complex128"]


def random(*shape: int, dtype: str = "float64") -> Any:
    x = RNG.uniform(-1.0, 1.0, shape)
    return (x + 1j * RNG.uniform(-1.0, 1.0, shape) if dtype[0] == "c" else x).astype(dtype)


def near(x: Any, y: Any, dtype: str) -> None:
    tolerance = 2e-5 if dtype in ("float32", "complex64") else 1e-12
    np.testing.assert_allclose(
        np.asarray(x), np.asarray(y), rtol=0, atol=tolerance * max(1.0, np.abs(y).max(initial=0))
    )


@pytest.mark.parametrize("dtype", FULL)
def test_factors_multiply_to_the_matrix(dtype: str, backend: str) -> None:
    with pt.device(backend):
        for shape in ((4, 4), (2, 5, 3), (3, 5)):
            host = random(*shape, dtype=dtype)
            x = pt.asarray(host)
            q, r = pt.linalg.qr(x)
            near((q @ r).numpy(), host, dtype)
            near(
                (pt.conj(q.mT) @ q).numpy(),
                np.broadcast_to(np.eye(q.shape[-1]), (*shape[:-2], *[q.shape[-1]] * 2)),
                dtype,
            )
            u, s, vh = pt.linalg.svd(x, full_matrices=False)
            near(((u * s[..., None, :]) @ vh).numpy(), host, dtype)
        square = random(3, 4, 4, dtype=dtype)
        x = pt.asarray(square)
        values, vectors = pt.linalg.eig(x)
        near((x.astype(vectors.dtype) @ vectors).numpy(), (vectors * values[..., None, :]).numpy(), dtype)
        hermitian = pt.asarray(square + square.conj().swapaxes(-1, -2))
        real, basis = pt.linalg.eigh(hermitian)
        near(((basis * real[..., None, :]) @ pt.conj(basis.mT)).numpy(), hermitian.numpy(), dtype)
        positive = pt.asarray(square @ square.conj().swapaxes(-1, -2) + np.eye(4, dtype=dtype))
        lower = pt.linalg.cholesky(positive)
        near((lower @ pt.conj(lower.mT)).numpy(), positive.numpy(), dtype)
        near(pt.linalg.cholesky(positive, upper=True).numpy(), pt.conj(lower.mT).numpy(), dtype)
        near(pt.linalg.cho_solve(lower, x).numpy(), np.linalg.solve(positive.numpy(), square), dtype)
        vector = pt.linalg.cho_solve(lower, x[0, 0])
        near(vector.numpy(), np.linalg.solve(positive.numpy(), square[0, 0][:, None])[..., 0], dtype)


@pytest.mark.parametrize("size", [1, 5, 49, 100, 160])
def test_triangular_systems_of_every_size(size: int, backend: str) -> None:
    host = random(size, size) + np.eye(size) * 4
    with pt.device(backend):
        x, b = pt.asarray(host), pt.asarray(random(size, 3))
        for upper in (False, True):
            for unit in (False, True):
                matrix = host / size if unit else host
                got = pt.linalg.solve_triangular(pt.asarray(matrix), b, upper=upper, unit_diagonal=unit).numpy()
                expected = scipy.linalg.solve_triangular(matrix, b.numpy(), lower=not upper, unit_diagonal=unit)
                np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
        packed, order = pt.ops.linalg.factorizations.lu_factor(x)
        lower = np.tril(packed.numpy(), -1) + np.eye(size)
        np.testing.assert_allclose(lower @ np.triu(packed.numpy()), host[order.numpy()], atol=1e-12)


def hermitian(x: Any) -> Any:
    return x + pt.conj(x.mT)


def positive(x: Any) -> Any:
    return x @ pt.conj(x.mT) + pt.eye(x.shape[-1], dtype=x.dtype)


GRADIENTS: list[tuple[str, Callable[[Any], Any], tuple[int, ...]]] = [
    ("cholesky", lambda x: pt.linalg.cholesky(positive(x)), (3, 3)),
    ("cholesky upper", lambda x: pt.linalg.cholesky(positive(x), upper=True), (2, 3, 3)),
    ("eigh values", lambda x: pt.linalg.eigvalsh(hermitian(x)), (3, 3)),
    ("eigh vectors", lambda x: pt.square(pt.linalg.eigh(hermitian(x)).eigenvectors), (3, 3)),
    ("svd values", pt.linalg.svdvals, (4, 3)),
    ("svd vectors tall", lambda x: pt.square(pt.linalg.svd(x, full_matrices=False).U), (4, 3)),
    ("svd vectors wide", lambda x: pt.square(pt.linalg.svd(x, full_matrices=False).Vh), (3, 4)),
    ("eig values", lambda x: pt.abs(pt.linalg.eigvals(x)), (3, 3)),
    ("eig vectors", lambda x: pt.abs(pt.linalg.eig(x).eigenvectors), (3, 3)),
    ("nuclear norm", lambda x: pt.linalg.matrix_norm(x, ord="nuc"), (3, 4)),
    ("spectral norm", lambda x: pt.linalg.matrix_norm(x, ord=2), (3, 4)),
    ("norm 3", lambda x: pt.linalg.vector_norm(x, ord=3, axis=0), (3, 4)),
    ("matrix power", lambda x: pt.linalg.matrix_power(x, 3), (3, 3)),
    ("inverse power", lambda x: pt.linalg.matrix_power(x + 3.0 * pt.eye(3, dtype="float64"), -2), (3, 3)),
    ("expm", pt.linalg.expm, (3, 3)),
    ("lstsq", lambda x: pt.linalg.lstsq(x, pt.ones((4,), dtype="float64")), (4, 3)),
    ("condition", pt.linalg.cond, (3, 3)),
]


@pytest.mark.parametrize(("name", "f", "shape"), GRADIENTS, ids=[name for name, _, _ in GRADIENTS])
def test_gradients_agree_with_finite_differences(name: str, f: Any, shape: Any) -> None:
    host = np.random.default_rng(len(name)).uniform(-1.0, 1.0, shape)
    host[..., range(min(shape[-2:])), range(min(shape[-2:]))] += np.arange(min(shape[-2:])) * 1.5
    pt.check_gradients(f, pt.asarray(host), order=2)


@pytest.mark.parametrize("f", [pt.linalg.eigh, pt.linalg.svd, pt.linalg.cholesky], ids=["eigh", "svd", "cholesky"])
def test_complex_gradients_of_functions_without_phases(f: Any) -> None:
    make = {pt.linalg.eigh: hermitian, pt.linalg.svd: lambda x: x, pt.linalg.cholesky: positive}[f]

    def parts(re: Any, im: Any) -> Any:
        y = f(make(pt.ops.complex_parts.complex_(re, im)))
        return [pt.abs(x) for x in (y if isinstance(y, tuple) else (y,))]

    pt.check_gradients(parts, [pt.asarray(random(3, 3) + np.diag([0.0, 1.5, 3.0])), pt.asarray(random(3, 3))], order=2)


def test_the_gradient_of_a_determinant_is_exact_for_a_singular_matrix() -> None:
    x = pt.asarray([[1.0, 2.0], [2.0, 4.0]], dtype="float64")
    (gradient,) = pt.gradients_function(pt.linalg.det)(x)
    np.testing.assert_allclose(gradient.numpy(), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)


def test_norms_and_ranks_are_numpy_s() -> None:
    host = random(2, 4, 3)
    x = pt.asarray(host)
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        expected = np.linalg.norm(host, order, axis=(-2, -1))
        np.testing.assert_allclose(pt.linalg.matrix_norm(x, ord=order).numpy(), expected, rtol=1e-12)
        assert pt.linalg.norm(x, order, axis=(-2, -1), keepdims=True).shape == (2, 1, 1)
    for order in (0, 1, 2, 2.5, np.inf, -np.inf, -1):
        expected = np.linalg.norm(host, order, axis=1)
        np.testing.assert_allclose(pt.linalg.vector_norm(x, axis=1, ord=order).numpy(), expected, rtol=1e-12)
    assert pt.linalg.matrix_rank(pt.asarray([[1.0, 2.0], [2.0, 4.0]])).item() == 1
    assert pt.linalg.vector_norm(pt.asarray([3e30, 4e30])).item() == np.float32(5e30)
    np.testing.assert_allclose(pt.linalg.expm(x[:, :3]).numpy(), scipy.linalg.expm(host[:, :3]), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: pt.linalg.cholesky([[1.0, 2.0], [2.0, 1.0]]), "cholesky failed"),
        (lambda: pt.linalg.inv([[1.0, 2.0], [2.0, 4.0]]), "inv failed: singular matrix"),
        (lambda: pt.linalg.solve([[0.0, 0.0], [0.0, 0.0]], [1.0, 2.0]), "solve failed"),
    ],
)
def test_a_matrix_without_factors_is_an_error_that_names_the_op(call: Any, name: str) -> None:
    with pytest.raises(LinAlgError, match=rf"{name}(.|\n)*fix: "):
        call()


def test_half_precision_and_the_gradient_of_free_vectors_are_rejected() -> None:
    with pytest.raises(DTypeError, match="half precision"):
        pt.linalg.inv(pt.eye(2, dtype="float16"))
    x = pt.asarray(random(4, 2))
    for f in (lambda x: pt.linalg.svd(x).U, lambda x: pt.linalg.qr(x, mode="complete").Q):
        with pytest.raises(ShapeError, match="has no gradient"):
            pt.gradients_function(f)(x)


def test_the_vector_and_the_pair_of_scipy_are_accepted_or_explained() -> None:
    factor = pt.asarray([[2.0, 0.0], [1.0, 3.0]])
    b = pt.asarray([1.0, 2.0])
    solution = pt.linalg.cho_solve(factor, b)
    np.testing.assert_allclose((factor @ factor.T @ solution).numpy(), [1.0, 2.0], rtol=1e-6)
    np.testing.assert_array_equal(pt.linalg.cho_solve(factor.T, b, upper=True).numpy(), solution.numpy())
    pt.check_gradients(pt.linalg.cho_solve, [factor, b], order=2)
    with pytest.raises(DTypeError, match=r"takes the factor alone(.|\n)*upper=True"):
        pt.linalg.cho_solve((factor, True), b)
    with pytest.raises(ShapeError, match=r"x2 is a vector(.|\n)*x2\[:, None\]"):
        pt.linalg.solve_triangular(factor, b)
