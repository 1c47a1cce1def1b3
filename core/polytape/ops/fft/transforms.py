"""Discrete Fourier transforms along one axis. `polytape.ops.fft.several` has those along several.

Without a kernel, a transform is made of matrix products: of mixed radix for sizes with small factors (J. Cooley,
J. Tukey 1965, Mathematics of Computation 19, pp. 297-301), and a convolution for large primes (L. Bluestein 1970, IEEE
Transactions on Audio and Electroacoustics 18 (4), pp. 451-455).
"""

from __future__ import annotations

import math

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..complex_parts import complex_, conj, is_complex, real
from ..creation import arange_, zeros
from ..declaration import converted, op, states
from ..manipulation import astype_, concat, reshape
from ..products import matmul, matrix_transpose
from ..rearranging import flip, moveaxis
from ..rounding import remainder
from ..trigonometric import cos, sin

__all__ = ["fft", "hfft", "ifft", "ihfft", "irfft", "rfft"]

Shape = tuple[int, ...]

_SMALL = 32  # up to this size, or for a prime up to _PRIME, one matrix product
_PRIME = 256


def _complex_of(x: DType) -> DType:
    found = {"float32": dtypes.complex64, "float64": dtypes.complex128}.get(x.name, x)
    if dtypes.category(found) != dtypes.COMPLEX:
        raise DTypeError(
            "is not defined in half precision.",
            expected="float32, float64, complex64 or complex128",
            fix="cast it first, for example to 'float32'",
        )
    return found


@states(takes="floating", returns="the complex dtype of the same precision", rejects="not floating")
def _spectrum(x: DType) -> DType:
    return _complex_of(dtype_rules.same_floating(x))


@states(takes="real floating", returns="the complex dtype of the same precision", rejects="not real floating")
def _half_spectrum(x: DType) -> DType:
    return _complex_of(dtype_rules.same_real_floating(x))


@states(takes="floating", returns="the real dtype of the same precision", rejects="not floating")
def _signal(x: DType) -> DType:
    return dtype_rules.real_part(_complex_of(dtype_rules.same_floating(x)))


def size_of(x: Shape, n: int | None, axis: int, *, default: int | None = None) -> int:
    """The number of points of a transform.

    Raises:
        ShapeError: an axis that does not exist, or fewer than one point.
    """
    shape_rules.along_axis(x, axis=axis)
    points = (x[axis] if default is None else default) if n is None else n
    if points < 1:
        raise ShapeError(
            "there are no points to transform.",
            expected="n of 1 or more",
            got=f"n={points}",
            fix="check the size first",
        )
    return points


def _check_norm(norm: str) -> None:
    if norm not in ("backward", "ortho", "forward"):
        raise ShapeError(
            f"there is no norm {norm!r}.", expected="backward, ortho or forward", got=repr(norm), fix="name one of them"
        )


_FACTS = {
    "takes": "[...]",
    "rejects": "an axis that does not exist, fewer than one point, or another ``norm``",
    "axis": "the axis to transform.",
    "norm": '``"backward"``: the inverse divides by n; ``"ortho"``: both by its root; ``"forward"``: this one does.',
}


@states(returns="{x} with n points along the axis", n="points; default: all; {x} is cut, or filled with 0.", **_FACTS)
def _transformed(x: Shape, *, n: int | None, axis: int, norm: str) -> Shape:
    _check_norm(norm)
    points = size_of(x, n, axis)
    return _with_size(x, axis, points)


@states(
    returns="{x} with n // 2 + 1 points along the axis",
    n="points; default: all; {x} is cut, or filled with 0.",
    **_FACTS,
)
def _halved(x: Shape, *, n: int | None, axis: int, norm: str) -> Shape:
    _check_norm(norm)
    return _with_size(x, axis, size_of(x, n, axis) // 2 + 1)


@states(
    returns="{x} with n points along the axis", n="points of the result; default: 2 (m - 1) for m points.", **_FACTS
)
def _doubled(x: Shape, *, n: int | None, axis: int, norm: str) -> Shape:
    _check_norm(norm)
    shape_rules.along_axis(x, axis=axis)
    return _with_size(x, axis, size_of(x, n, axis, default=2 * (x[axis] - 1)))


def _with_size(x: Shape, axis: int, size: int) -> Shape:
    place = axis % len(x)
    return (*x[:place], size, *x[place + 1 :])


def resized(x: Tensor, n: int, axis: int) -> Tensor:
    """``x`` cut to n elements along an axis, or filled up with zeros."""
    place, size = axis % x.ndim, x.shape[axis]
    if size > n:
        return x[(*(slice(None),) * place, slice(n))]
    if size < n:
        return concat([x, zeros(_with_size(x.shape, axis, n - size), dtype=x.dtype, device=x.device)], axis=place)
    return x


def _factor(n: int, norm: str, *, inverse: bool) -> float:
    if norm == "ortho":
        return 1.0 / math.sqrt(n)
    return 1.0 / n if inverse == (norm == "backward") else 1.0


_TRANSPOSED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


@op(dtype=_spectrum, shape=_transformed, floating=True)
def fft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The discrete Fourier transform along an axis: ``y[k] = sum over j of x[j] exp(-2 pi i j k / n)``.

    Source:
        Array API standard 2025.12, ``fft.fft``.
    """
    x = converted(x)
    points = size_of(x.shape, n, axis)
    y = moveaxis(_transform(moveaxis(resized(_as_complex(x), points, axis), axis, -1)), -1, axis)
    return _scaled(y, _factor(points, norm, inverse=False))


@op(dtype=_spectrum, shape=_transformed, floating=True)
def ifft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `fft`.

    Source:
        Array API standard 2025.12, ``fft.ifft``.
    """
    x = converted(x)
    points = size_of(x.shape, n, axis)
    y = conj(moveaxis(_transform(moveaxis(resized(conj(_as_complex(x)), points, axis), axis, -1)), -1, axis))
    return _scaled(y, _factor(points, norm, inverse=True))


@fft.gradient("x")
def _fft_back(g: Tensor, x: Tensor, axis: int, norm: str) -> Tensor:
    return _like(resized(ifft(g, axis=axis, norm=_TRANSPOSED[norm]), x.shape[axis], axis), x)


@ifft.gradient("x")
def _ifft_back(g: Tensor, x: Tensor, axis: int, norm: str) -> Tensor:
    return _like(resized(fft(g, axis=axis, norm=_TRANSPOSED[norm]), x.shape[axis], axis), x)


def _like(g: Tensor, x: Tensor) -> Tensor:
    """The gradient of a real operand is real."""
    return g if is_complex(x) else real(g)


@op(dtype=_half_spectrum, shape=_halved, floating=True)
def rfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The first half of the Fourier transform of real numbers; the other half is its conjugate.

    Source:
        Array API standard 2025.12, ``fft.rfft``.
    """
    y = fft(x, n=n, axis=axis, norm=norm)
    return resized(y, y.shape[axis] // 2 + 1, axis)


@rfft.gradient("x")
def _rfft_back(g: Tensor, x: Tensor, n: int | None, axis: int, norm: str) -> Tensor:
    points = size_of(x.shape, n, axis)
    full = ifft(resized(g, points, axis), axis=axis, norm=_TRANSPOSED[norm])
    return resized(real(full), x.shape[axis], axis)


@op(dtype=_signal, shape=_doubled, floating=True)
def irfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `rfft`; the imaginary parts of the first and, for even n, of the last point are ignored.

    Source:
        Array API standard 2025.12, ``fft.irfft``.
    """
    x = _as_complex(converted(x))
    points = size_of(x.shape, n, axis, default=2 * (x.shape[axis] - 1))
    half = moveaxis(resized(x, points // 2 + 1, axis), axis, -1)
    ends = [0] if points % 2 or points == 1 else [0, points // 2]
    real_ends = [_real_only(half[..., k : k + 1]) for k in ends]
    inner = half[..., 1 : (points + 1) // 2]
    full = concat([real_ends[0], inner, *real_ends[1:], flip(conj(inner), axis=-1)], axis=-1)
    return moveaxis(real(ifft(full, norm=norm)), -1, axis)


def _real_only(x: Tensor) -> Tensor:
    return complex_(real(x), real(x) * 0.0)


@irfft.gradient("x")
def _irfft_back(g: Tensor, x: Tensor, axis: int, norm: str) -> Tensor:
    points = g.shape[axis]
    spectrum = rfft(g, axis=axis, norm=_TRANSPOSED[norm])
    # All points but the first, and for even n the last, stand for two: themselves and their conjugates.
    place = axis % g.ndim
    position = reshape(
        arange_(0, points // 2 + 1, 1, dtype=dtypes.int64, device=g.device),
        (points // 2 + 1, *(1,) * (g.ndim - 1 - place)),
    )
    single = (position == 0) | (position * 2 == points)
    weighted = spectrum * (2.0 - astype_(single, g.dtype))
    return _like(resized(weighted, x.shape[axis], axis), x)


def hfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The Fourier transform of numbers whose other half is their conjugate, which is real.

    Args:
        x: floating[...]: the first half.
        n, axis, norm: as for `irfft` and `fft`.
    Source:
        Array API standard 2025.12, ``fft.hfft``.
    """
    _check_norm(norm)
    return irfft(conj(x), n=n, axis=axis, norm=_TRANSPOSED[norm])


def ihfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `hfft`.

    Args:
        x: real floating[...].
        n, axis, norm: as for `rfft` and `ifft`.
    Source:
        Array API standard 2025.12, ``fft.ihfft``.
    """
    _check_norm(norm)
    return conj(rfft(x, n=n, axis=axis, norm=_TRANSPOSED[norm]))


def _as_complex(x: Tensor) -> Tensor:
    return x if is_complex(x) else complex_(x, x * 0.0)


def _scaled(x: Tensor, factor: float) -> Tensor:
    return x if factor == 1.0 else x * factor


def _roots(numbers: Tensor, n: int, dtype: DType) -> Tensor:
    """``exp(-2 pi i j / n)`` for integers ``j``, which are reduced exactly first."""
    part = dtype_rules.real_part(dtype)
    angle = astype_(remainder(numbers, n), part) * (-2.0 * math.pi / n)
    return complex_(cos(angle), sin(angle))


def _column(n: int, x: Tensor) -> Tensor:
    return reshape(_range(n, x), (n, 1))


def _range(n: int, x: Tensor) -> Tensor:
    return arange_(0, n, 1, dtype=dtypes.int64, device=x.device)


def _transform(x: Tensor) -> Tensor:
    """The transform along the last axis."""
    n = x.shape[-1]
    factor = next((p for p in range(min(_SMALL, n - 1), 1, -1) if n % p == 0), 1)
    if n <= _SMALL or (factor == 1 and n <= _PRIME):
        matrix = _roots(_column(n, x) * _range(n, x), n, x.dtype)
        flat = matmul(reshape(x, (-1, n)) if x.size else reshape(x, (0, n)), matrix)
        return reshape(flat, x.shape)
    if factor == 1:
        return _bluestein(x)
    rest = n // factor
    # Element j1 + factor * j2: transforms of size `rest` over j2, then of size `factor` over j1.
    parts = _transform(matrix_transpose(reshape(x, (*x.shape[:-1], rest, factor))))
    parts = parts * _roots(_column(factor, x) * _range(rest, x), n, x.dtype)
    matrix = _roots(_column(factor, x) * _range(factor, x), factor, x.dtype)
    return reshape(matmul(matrix, parts), x.shape)


def _bluestein(x: Tensor) -> Tensor:
    """The transform of a large prime size: a convolution with a chirp, whose size is a power of 2."""
    n = x.shape[-1]
    size = 1 << (2 * n - 1).bit_length()
    numbers = _range(n, x)
    chirp = _roots(remainder(numbers * numbers, 2 * n), 2 * n, x.dtype)
    other = conj(chirp)
    padding = zeros(size - 2 * n + 1, dtype=x.dtype, device=x.device)
    kernel = _transform(concat([other, padding, flip(other[1:])]))
    spectrum = _transform(resized(x * chirp, size, -1)) * kernel
    y = conj(_transform(conj(spectrum))) * (1.0 / size)
    return y[..., :n] * chirp
