"""Matrix products and transposes."""

from __future__ import annotations

from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import dtype_rules, shape_rules
from .arithmetic import conjugate, multiply
from .declaration import op, primitive
from .manipulation import permute_dims, reshape
from .reduction import sum

__all__ = ["matmul", "matrix_transpose", "matvec", "vecmat"]

Shape = tuple[int, ...]


def matrix_transpose(x: Tensor, /) -> Tensor:
    """``x`` with its last two axes swapped.

    Args:
        x: any dtype[..., m, n].
    Returns:
        any dtype[..., n, m].
    Raises:
        ShapeError: fewer than two axes.
    Source:
        Array API standard 2025.12, ``matrix_transpose``.
    """
    rank = x.ndim
    return permute_dims(x, (*range(rank - 2), rank - 1, rank - 2))


@op(dtype=dtype_rules.same_numeric, shape=shape_rules.contracted, promotes=("x1", "x2"))
def matmul(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Matrix product; leading axes broadcast.

    Args:
        x1: numeric[..., m, k], or [k] for a row vector.
        x2: numeric[..., k, n], or [k] for a column vector.
    Returns:
        [..., m, n], without m for a row vector and without n for a column vector.
    """
    return primitive()


def _as_matrices(g: Tensor, shape1: Shape, shape2: Shape) -> Tensor:
    """The cotangent with an axis of size 1 inserted for a row or column vector, which the product does not have."""
    shape = g.shape
    if len(shape2) == 1:
        shape = (*shape, 1)
    if len(shape1) == 1:
        shape = (*shape[:-1], 1, shape[-1])
    return g if shape == g.shape else reshape(g, shape)


@matmul.gradient("x1")
def _matmul_left(g: Tensor, x2: Tensor, x1_shape: Shape) -> Tensor:
    x2 = conjugate(x2)
    if len(x1_shape) == 2 and x2.ndim == 2:
        return matmul(g, permute_dims(x2, (1, 0)))
    from ..autodiff.cotangent import unbroadcast  # loaded with the first tape

    columns = x2 if x2.ndim > 1 else reshape(x2, (*x2.shape, 1))
    rows = (1, *x1_shape) if len(x1_shape) == 1 else x1_shape
    gradient = matmul(_as_matrices(g, x1_shape, x2.shape), matrix_transpose(columns))
    gradient = unbroadcast(gradient, rows, gradient.shape)
    return gradient if rows == x1_shape else reshape(gradient, x1_shape)


@matmul.gradient("x2")
def _matmul_right(g: Tensor, x1: Tensor, x2_shape: Shape) -> Tensor:
    x1 = conjugate(x1)
    if x1.ndim == 2 and len(x2_shape) == 2:
        return matmul(permute_dims(x1, (1, 0)), g)
    from ..autodiff.cotangent import unbroadcast

    rows = x1 if x1.ndim > 1 else reshape(x1, (1, *x1.shape))
    columns = (*x2_shape, 1) if len(x2_shape) == 1 else x2_shape
    gradient = matmul(matrix_transpose(rows), _as_matrices(g, x1.shape, x2_shape))
    gradient = unbroadcast(gradient, columns, gradient.shape)
    return gradient if columns == x2_shape else reshape(gradient, x2_shape)


def matvec(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Products of matrices and column vectors; leading axes broadcast.

    Args:
        x1: numeric[..., m, n].
        x2: numeric[..., n].
    Returns:
        [..., m], the promoted dtype.
    Raises:
        ShapeError: sizes that do not fit, or operands with too few axes.
    Source:
        NumPy 2.4, ``numpy.matvec``.
    """
    x1, x2 = _operands("matvec", x1, x2, matrix=0)
    product = matmul(x1, reshape(x2, (*x2.shape, 1)))
    return reshape(product, product.shape[:-1])


def vecmat(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Products of the conjugates of row vectors and matrices; leading axes broadcast.

    Args:
        x1: numeric[..., m].
        x2: numeric[..., m, n].
    Returns:
        [..., n], the promoted dtype.
    Raises:
        ShapeError: sizes that do not fit, or operands with too few axes.
    Source:
        NumPy 2.4, ``numpy.vecmat``.
    """
    x1, x2 = _operands("vecmat", x1, x2, matrix=1)
    product = matmul(reshape(conjugate(x1), (*x1.shape[:-1], 1, x1.shape[-1])), x2)
    return reshape(product, (*product.shape[:-2], product.shape[-1]))


def _operands(name: str, x1: TensorLike, x2: TensorLike, *, matrix: int) -> list[Tensor]:
    """The operands as tensors, of which one has a matrix and the other a vector in its last axes."""
    from .rearranging import together  # this family is loaded only when it is used

    operands = together(x1, x2)
    if operands[matrix].ndim < 2 or operands[1 - matrix].ndim < 1:
        raise ShapeError(
            f"{name} multiplies a matrix and a vector.",
            expected=f"two axes or more in operand {matrix + 1}, one or more in the other",
            got=f"shapes {operands[0].shape} and {operands[1].shape}",
            fix="use polytape.matmul for two matrices",
        )
    return operands


def _same_shapes(x1: Shape, x2: Shape) -> Shape:
    if x1 != x2:
        raise ShapeError(
            "the shapes differ.", expected="operands of the same shape", got=f"{x1} and {x2}", fix="broadcast one first"
        )
    return ()


@op(
    dtype=dtype_rules.same_real_number,
    shape=_same_shapes,
    promotes=("x1", "x2"),
    internal="the gradient of products",
)
def vdot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Sum of ``x1 * x2`` over all elements.

    Args:
        x1, x2: real[...], of the same shape, promoted together.
    Returns:
        Shape (), the promoted dtype.
    Raises:
        ShapeError: different shapes. DTypeError: bool or complex operands.
    Source:
        NumPy, ``vdot``.
    """
    return sum(multiply(x1, x2))


vdot.gradient(x1=lambda g, x2: g * x2, x2=lambda g, x1: g * x1)


def _contracted(g: Tensor, x: Tensor) -> Tensor:
    """The gradient of a number that is multiplied by all elements of ``x``."""
    return vdot(g, x) if g.dtype.kind != "c" and x.dtype.kind != "c" else sum(multiply(g, conjugate(x)))


multiply.contraction(x1=lambda g, x2: _contracted(g, x2), x2=lambda g, x1: _contracted(g, x1))
