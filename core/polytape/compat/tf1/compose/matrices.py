"""Compositions of ops on matrices, the last two axes."""

from __future__ import annotations

from typing import Any, NamedTuple

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import axes

__all__ = [
    "SignAndLogarithm",
    "adjoint_of",
    "least_squares",
    "lengths",
    "logarithm",
    "product",
    "solved",
    "trace_of",
    "triangular",
    "turned",
]


class SignAndLogarithm(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Tensor
    log_abs_determinant: Tensor


def logarithm(x: Tensor) -> Tensor:
    """`tf.linalg.logm`: the principal logarithm of complex matrices, by their eigenvalues.

    Raises:
        InvalidArgumentError: the matrices are not complex, as TensorFlow wants them.
    """
    if x.dtype.kind != "c":
        raise invalid(f"logm of {x.dtype}.", "complex matrices", str(x.dtype), "tf.cast(x, tf.complex64)")
    values, vectors = pt.linalg.eig(x)
    result: Tensor = (vectors * pt.expand_dims(pt.log(values), -2)) @ pt.linalg.inv(vectors)
    return pt.astype(result, x.dtype)


def adjoint_of(x: Tensor, wanted: bool) -> Tensor:
    """The conjugate transpose of the matrices if ``wanted``, otherwise the matrices."""
    return pt.conj(pt.matrix_transpose(x)) if wanted else x


def turned(x: Tensor, conjugate: bool) -> Tensor:
    """The transposed matrices, conjugated if asked.

    Raises:
        ValueError: ``x`` has fewer than two axes.
    """
    if x.ndim < 2:
        raise ValueError(f"Argument 'a' should be a (batch) matrix, with rank >= 2.  Found: {x.shape}")
    return adjoint_of(x, True) if conjugate else pt.matrix_transpose(x)


def product(a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool, adjoint_a: bool, adjoint_b: bool) -> Tensor:
    """`tf.matmul`.

    Raises:
        ValueError: an operand shall be both transposed and adjoint.
    """
    for name, transpose, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if transpose and adjoint:
            raise ValueError(f"Only one of transpose_{name} and adjoint_{name} can be True.")
    if a.ndim < 2 or b.ndim < 2:
        raise invalid(
            f"matmul of {a.shape} and {b.shape}.",
            expected="operands with at least two axes",
            got=f"{a.ndim} and {b.ndim} axes",
            fix="tf.expand_dims(vector, 0) or tf.tensordot(a, b, 1)",
        )
    a = pt.matrix_transpose(a) if transpose_a else adjoint_of(a, adjoint_a)
    b = pt.matrix_transpose(b) if transpose_b else adjoint_of(b, adjoint_b)
    return pt.matmul(a, b)


def solved(matrix: Tensor, right: Tensor, adjoint: bool) -> Tensor:
    """The solutions x of ``matrix @ x = right``, or of its adjoint."""
    return pt.linalg.solve(adjoint_of(matrix, adjoint), right)


def triangular(matrix: Tensor, right: Tensor, lower: bool, adjoint: bool) -> Tensor:
    """The solutions of triangular systems; the other triangle is not read."""
    return pt.linalg.solve_triangular(adjoint_of(matrix, adjoint), right, upper=lower is bool(adjoint))


def least_squares(matrix: Tensor, right: Tensor, penalty: float) -> Tensor:
    """`tf.matrix_solve_ls`: the least squares solution by the normal equations, of least norm if there are several."""
    rows, columns = matrix.shape[-2:]
    turned_matrix = adjoint_of(matrix, True)
    if rows >= columns:
        gram = turned_matrix @ matrix + penalty * pt.eye(columns, dtype=matrix.dtype)
        return pt.linalg.solve(gram, turned_matrix @ right)
    gram = matrix @ turned_matrix + penalty * pt.eye(rows, dtype=matrix.dtype)
    result: Tensor = turned_matrix @ pt.linalg.solve(gram, right)
    return result


def trace_of(x: Tensor) -> Tensor:
    """The sums of the diagonals in the operand's dtype."""
    return pt.trace(x, dtype=x.dtype)


def lengths(fft_length: Any) -> Any:
    """The lengths of a Fourier transform, one per axis, or None."""
    found = axes(fft_length)
    return (found,) if isinstance(found, int) else found
