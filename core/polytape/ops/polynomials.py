"""Polynomials in one variable, as vectors of coefficients, the highest power first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import OutOfRangeError, ShapeError
from ..tensors.tensor import Tensor, TensorLike
from .arithmetic import multiply
from .cumulative import cumulative_prod, edge, flipped
from .manipulation import broadcast_to, concat, reshape
from .numerical import convolve
from .rearranging import atleast_1d, together
from .reduction import sum
from .statistics import floating, tensor

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
    "vander",
]


def _coefficients(name: str, *operands: TensorLike) -> list[Tensor]:
    """The operands as vectors with an element or more, on one device."""
    vectors = [atleast_1d(x) for x in together(*operands)]
    for x in vectors:
        if x.ndim != 1 or not x.shape[0]:
            raise ShapeError(
                f"{name} needs vectors of coefficients.",
                expected="rank 1, with an element or more",
                got=f"shape {x.shape}",
                fix="reshape it, or call it for each polynomial",
            )
    return vectors


def _padded(x: Tensor, length: int) -> Tensor:
    """``x`` with zeros before it."""
    return x if x.shape[0] == length else concat([edge(x, 0, 0, length - x.shape[0]), x], 0)


def polyadd(p: TensorLike, q: TensorLike, /) -> Tensor:
    """The sum of two polynomials.

    Args:
        p, q: numeric[n1], numeric[n2], promoted together.
    Returns:
        [max(n1, n2)].
    Raises:
        ShapeError: an operand has more than one axis, or no elements.
    Source:
        NumPy 2.4, ``numpy.polyadd``.
    """
    first, second = _coefficients("polyadd", p, q)
    length = max(first.shape[0], second.shape[0])
    return _padded(first, length) + _padded(second, length)


def polysub(p: TensorLike, q: TensorLike, /) -> Tensor:
    """The difference of two polynomials.

    Args:
        p, q: as for `polyadd`.
    Returns:
        [max(n1, n2)].
    Source:
        NumPy 2.4, ``numpy.polysub``.
    """
    first, second = _coefficients("polysub", p, q)
    length = max(first.shape[0], second.shape[0])
    return _padded(first, length) - _padded(second, length)


def polymul(p: TensorLike, q: TensorLike, /) -> Tensor:
    """The product of two polynomials.

    Args:
        p, q: as for `polyadd`.
    Returns:
        [n1 + n2 - 1].
    Source:
        NumPy 2.4, ``numpy.polymul``.
    """
    first, second = _coefficients("polymul", p, q)
    return convolve(first, second)


def polydiv(p: TensorLike, q: TensorLike, /) -> tuple[Tensor, Tensor]:
    """The quotient and the remainder of two polynomials.

    Args:
        p, q: numeric[n1], numeric[n2]; integers are cast to float32. The first coefficient of ``q`` is not 0.
    Returns:
        [max(n1 - n2 + 1, 1)] and [max(n2 - 1, 1)], or [n1] if ``p`` has the lower degree; zeros in front of the
        remainder are kept.
    Raises:
        ShapeError: an operand has more than one axis, or no elements.
    Source:
        NumPy 2.4, ``numpy.polydiv``.
    """
    rest, divisor = (floating(x) for x in _coefficients("polydiv", p, q))
    n1, n2 = rest.shape[0], divisor.shape[0]
    if n1 < n2:
        return multiply(rest[:1], 0) / divisor[0], rest
    quotient = []
    for _ in range(n1 - n2 + 1):
        factor = rest[:1] / divisor[:1]
        quotient.append(factor)
        rest = concat([rest[1:n2] - factor * divisor[1:], rest[n2:]], 0)
    return concat(quotient, 0), rest if n2 > 1 else multiply(quotient[0], 0)


def _order(name: str, m: int) -> int:
    if m < 0:
        raise OutOfRangeError(f"{name} has no such order.", expected="m of 0 or more", got=f"m={m}", fix="pass it")
    return m


def polyder(p: TensorLike, /, m: int = 1) -> Tensor:
    """The derivative of a polynomial.

    Args:
        p: numeric[n].
        m: how often to differentiate.
    Returns:
        [max(n - m, 0)], dtype of ``p``.
    Raises:
        ShapeError: ``p`` has more than one axis, or no elements. OutOfRangeError: ``m`` below 0.
    Source:
        NumPy 2.4, ``numpy.polyder``.
    """
    (x,) = _coefficients("polyder", p)
    n = x.shape[0]
    m = min(_order("polyder", m), n)
    return x[: n - m] * _like([math.perm(n - 1 - k, m) for k in range(n - m)], x)


def _like(factors: list[Any], x: Tensor) -> Tensor:
    """Numbers as a tensor beside ``x``, of its dtype."""
    from ..dispatch.convert import asarray  # for host data

    return asarray(np.array(factors, "float64" if factors else x.dtype), dtype=x.dtype, device=x.device)


def polyint(p: TensorLike, /, m: int = 1, *, k: float | Sequence[float] | None = None) -> Tensor:
    """The antiderivative of a polynomial.

    Args:
        p: numeric[n]; integers are cast to float32.
        m: how often to integrate.
        k: the constants, the first integral's first; one number is used for all, and None is 0.
    Returns:
        [n + m].
    Raises:
        ShapeError: ``p`` has more than one axis, or no elements. OutOfRangeError: ``m`` below 0, or other than ``m``
            constants.
    Source:
        NumPy 2.4, ``numpy.polyint``.
    """
    y = floating(_coefficients("polyint", p)[0])
    _order("polyint", m)
    constants = [0.0 if k is None else k] * m if k is None or isinstance(k, (int, float, complex)) else list(k)
    if len(constants) != m:
        raise OutOfRangeError(
            "polyint needs a constant for each integral.",
            expected=f"{m} constants",
            got=f"{len(constants)}",
            fix="pass one number for all",
        )
    for constant in constants:
        n = y.shape[0]
        y = concat([y * _like([1.0 / (n - j) for j in range(n)], y), edge(y, 0, constant)], 0)
    return y


def polyval(p: TensorLike, x: TensorLike, /) -> Tensor:
    """The polynomial with the coefficients ``p``, the highest power first, at ``x``.

    Args:
        p: numeric[n].
        x: numeric[...], promoted together with ``p``.
    Returns:
        Shape of ``x``, the promoted dtype.
    Raises:
        ShapeError: ``p`` is not of rank 1.
    Source:
        NumPy 2.4, ``numpy.polyval``.
    """
    p, x = tensor(p), tensor(x)
    if p.ndim != 1:
        raise ShapeError(
            "polyval needs a list of coefficients.", expected="rank 1", got=f"shape {p.shape}", fix="reshape it"
        )
    y = multiply(x, 0)
    for position in range(p.shape[0]):
        y = y * x + p[position]
    return y


def polyfit(x: TensorLike, y: TensorLike, deg: int, /, *, w: TensorLike | None = None) -> Tensor:
    """The polynomial of degree ``deg`` with the least sum of squared distances to samples.

    Args:
        x: floating[m], where the samples are; integers are cast to float32.
        y: floating[m], or floating[m, k] for k polynomials.
        deg: the degree.
        w: floating[m], factors of the distances.
    Returns:
        [deg + 1], or [deg + 1, k].
    Raises:
        ShapeError: shapes that do not fit. OutOfRangeError: ``deg`` below 0.
    Source:
        NumPy 2.4, ``numpy.polyfit``.
    """
    from .exponential import sqrt
    from .linalg.functions import lstsq  # these families are loaded only when they are used

    x, y = (floating(part) for part in together(x, y))
    weights = None if w is None else floating(together(x, w)[1])
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ShapeError(
            "polyfit needs a sample at each place.",
            expected="x of shape [m], y of shape [m] or [m, k]",
            got=f"shapes {x.shape} and {y.shape}",
            fix="pass one sample for each place",
        )
    if deg < 0:
        raise OutOfRangeError("there is no such degree.", expected="0 or more", got=f"deg={deg}", fix="pass it")
    powers = vander(x, deg + 1)
    if weights is not None:
        powers = powers * reshape(weights, (-1, 1))
        y = y * (weights if y.ndim == 1 else reshape(weights, (-1, 1)))
    scale = sqrt(sum(powers * powers, 0))  # columns of one size: the condition of the system is better
    rtol = x.shape[0] * float(np.finfo(x.dtype).eps) if x.dtype.itemsize > 2 else None
    solution = lstsq(powers / scale, y, rtol=rtol)
    return solution / (scale if y.ndim == 1 else reshape(scale, (-1, 1)))


def roots(p: TensorLike, /) -> Tensor:
    """The roots of a polynomial, as often as they are repeated: the eigenvalues of its companion matrix.

    The gradient is that of eigenvalues, and infinite or NaN at repeated roots.

    Args:
        p: numeric[n]; integers are cast to float32. Which of its coefficients are 0 is read on the host.
    Returns:
        complex[the degree].
    Raises:
        ShapeError: ``p`` has more than one axis, or no elements.
    Source:
        NumPy 2.4, ``numpy.roots``.
    """
    from .creation import eye, zeros
    from .linalg.norms import eigvals  # these families are loaded only when they are used

    x = floating(_coefficients("roots", p)[0])
    places = [place for place, value in enumerate(x.tolist()) if value != 0]
    first, last = (places[0], places[-1]) if places else (0, 0)
    inner, degree = x[first : last + 1], last - first
    kind = dtypes.complex128 if x.dtype.itemsize >= 8 and x.dtype != dtypes.complex64 else dtypes.complex64
    at_0 = x.shape[0] - 1 - last if places else 0
    none = zeros((at_0,), dtype=kind, device=x.device)
    if not degree:
        return none
    rows = [reshape(inner[1:] / inner[:1] * -1, (1, -1))]
    if degree > 1:
        rows.append(eye(degree - 1, degree, dtype=x.dtype, device=x.device))
    return concat([eigvals(concat(rows, 0)), none], 0)


def poly(x: TensorLike, /) -> Tensor:
    """The polynomial with given roots, or the characteristic polynomial of a matrix; its first coefficient is 1.

    Args:
        x: floating[n], the roots, or floating[n, n]; integers are cast to float32.
    Returns:
        [n + 1], dtype of ``x``.
    Raises:
        ShapeError: ``x`` is neither a vector nor a square matrix.
    Source:
        NumPy 2.4, ``numpy.poly``.
    """
    from .complex_parts import real
    from .creation import ones
    from .linalg.norms import eigvals  # these families are loaded only when they are used

    x = floating(x)
    if not (x.ndim == 1 or (x.ndim == 2 and x.shape[0] == x.shape[1])):
        raise ShapeError(
            "poly needs roots or a square matrix.",
            expected="shape [n] or [n, n]",
            got=f"shape {x.shape}",
            fix="reshape it",
        )
    values = eigvals(x) if x.ndim == 2 else x
    y = one = ones((1,), dtype=values.dtype, device=values.device)
    for place in range(values.shape[0]):
        y = convolve(y, concat([one, values[place : place + 1] * -1], 0))
    return real(y) if x.ndim == 2 and dtypes.category(x.dtype) < dtypes.COMPLEX else y


def vander(x: TensorLike, n: int | None = None, /, *, increasing: bool = False) -> Tensor:
    """The powers of each element from n - 1 down to 0, in a row each.

    Args:
        x: numeric[m].
        n: how many powers; default m.
        increasing: whether the powers increase instead.
    Returns:
        [m, n], dtype of ``x``; integers below 32 bits become int32 or uint32.
    Raises:
        ShapeError: ``x`` is not of rank 1.
    Source:
        NumPy 2.4, ``numpy.vander``.
    """
    x = tensor(x)
    if x.ndim != 1:
        raise ShapeError("vander needs a vector.", expected="rank 1", got=f"shape {x.shape}", fix="reshape(x, -1)")
    count = x.shape[0] if n is None else n
    repeated = broadcast_to(reshape(x, (-1, 1)), (x.shape[0], max(count - 1, 0)))
    powers = cumulative_prod(repeated, 1, include_initial=True)[:, :count]
    return powers if increasing else flipped(powers, 1)
