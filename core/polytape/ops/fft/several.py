"""Fourier transforms along several axes, one after the other, and the frequencies and orders of their points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import dtypes
from ...device import Device
from ...dispatch.convert import asarray
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import shape_rules
from ..creation import arange_
from ..joining import roll
from ..manipulation import concat
from .transforms import fft, ifft, irfft, rfft

__all__ = [
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "ifft2",
    "ifftn",
    "ifftshift",
    "irfft2",
    "irfftn",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Axes = Sequence[int] | None


def _planned(x: Tensor, s: Sequence[int] | None, axes: Axes) -> tuple[list[int], list[int | None]]:
    """The axes, and the number of points along each.

    Raises:
        ShapeError: axes that do not exist, or another number of sizes.
    """
    if axes is None:
        places = list(range(x.ndim)) if s is None else list(range(x.ndim - len(s), x.ndim))
    else:
        places = [axis % x.ndim if -x.ndim <= axis < x.ndim else axis for axis in shape_rules.axes_of(tuple(axes))]
    shape_rules.normalise(tuple(places), x.ndim)
    sizes: list[int | None] = [None] * len(places) if s is None else list(s)
    if len(sizes) != len(places):
        raise ShapeError(
            "the sizes and the axes differ.",
            expected=f"{len(places)} sizes",
            got=f"s={tuple(sizes)}",
            fix="give a size for each axis",
        )
    return places, [None if n == -1 else n for n in sizes]


def _check_axes(places: list[int]) -> None:
    """Raise an error if there is no last axis, of which a real transform halves the points."""
    if not places:
        raise ShapeError(
            "a transform of real numbers needs an axis.", expected="at least one axis", got="none", fix="name an axis"
        )


def _along_each(
    transform: Callable[..., Tensor], x: Tensor, places: list[int], sizes: list[int | None], norm: str
) -> Tensor:
    for axis, n in zip(reversed(places), reversed(sizes), strict=True):
        x = transform(x, n=n, axis=axis, norm=norm)
    return x


def fftn(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = None, norm: str = "backward") -> Tensor:
    """The Fourier transform along several axes.

    Args:
        x: floating[...].
        s: points along each axis; default: all.
        axes: default: all, or as many of the last as ``s`` has sizes.
        norm: as for `polytape.fft.fft`.
    Raises:
        ShapeError: axes that do not exist, or another number of sizes.
    Source:
        Array API standard 2025.12, ``fft.fftn``.
    """
    x = asarray(x)
    return _along_each(fft, x, *_planned(x, s, axes), norm)


def ifftn(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = None, norm: str = "backward") -> Tensor:
    """The inverse of `fftn`.

    Args:
        x: floating[...].
        s, axes, norm: as for `fftn`.
    Raises:
        ShapeError: axes that do not exist, or another number of sizes.
    Source:
        Array API standard 2025.12, ``fft.ifftn``.
    """
    x = asarray(x)
    return _along_each(ifft, x, *_planned(x, s, axes), norm)


def rfftn(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = None, norm: str = "backward") -> Tensor:
    """The Fourier transform of real numbers along several axes; the last of them has half of the points.

    Args:
        x: real floating[...].
        s, axes, norm: as for `fftn`.
    Raises:
        ShapeError: axes that do not exist, or another number of sizes.
    Source:
        Array API standard 2025.12, ``fft.rfftn``.
    """
    x = asarray(x)
    places, sizes = _planned(x, s, axes)
    _check_axes(places)
    half = rfft(x, n=sizes[-1], axis=places[-1], norm=norm)
    return _along_each(fft, half, places[:-1], sizes[:-1], norm)


def irfftn(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = None, norm: str = "backward") -> Tensor:
    """The inverse of `rfftn`.

    Args:
        x: floating[...].
        s: points of the result along each axis; default: twice the last one's points less 1.
        axes, norm: as for `fftn`.
    Raises:
        ShapeError: axes that do not exist, or another number of sizes.
    Source:
        Array API standard 2025.12, ``fft.irfftn``.
    """
    x = asarray(x)
    places, sizes = _planned(x, s, axes)
    _check_axes(places)
    half = _along_each(ifft, x, places[:-1], sizes[:-1], norm)
    return irfft(half, n=sizes[-1], axis=places[-1], norm=norm)


def fft2(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = (-2, -1), norm: str = "backward") -> Tensor:
    """`fftn` along the last two axes.

    Source:
        NumPy, ``fft.fft2``.
    """
    return fftn(x, s=s, axes=axes, norm=norm)


def ifft2(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = (-2, -1), norm: str = "backward") -> Tensor:
    """`ifftn` along the last two axes.

    Source:
        NumPy, ``fft.ifft2``.
    """
    return ifftn(x, s=s, axes=axes, norm=norm)


def rfft2(x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = (-2, -1), norm: str = "backward") -> Tensor:
    """`rfftn` along the last two axes.

    Source:
        NumPy, ``fft.rfft2``.
    """
    return rfftn(x, s=s, axes=axes, norm=norm)


def irfft2(
    x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Axes = (-2, -1), norm: str = "backward"
) -> Tensor:
    """`irfftn` along the last two axes.

    Source:
        NumPy, ``fft.irfft2``.
    """
    return irfftn(x, s=s, axes=axes, norm=norm)


def _frequencies(numbers: Tensor, n: int, d: float, dtype: Any) -> Tensor:
    from ..manipulation import astype

    result = dtypes.defaults.floating if dtype is None else dtypes.lookup(dtype)
    if dtypes.category(result) != dtypes.FLOATING:
        raise DTypeError(
            "frequencies are real floating.", expected="a real floating dtype", got=str(result), fix="leave it out"
        )
    return astype(numbers, result) * (1.0 / (n * d))


def _points(n: int) -> int:
    (points,) = shape_rules.as_shape(n)
    if points < 1:
        raise ShapeError("there are no frequencies.", expected="n >= 1", got=f"n = {n}", fix="pass the points' number")
    return points


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """The frequencies of the points of `polytape.fft.fft`, in cycles per unit of the distance of samples.

    Args:
        n: points.
        d: the distance between samples.
        dtype: floating; default float32.
        device: default: where new tensors go.
    Returns:
        [n], ``dtype``: 0, 1, ..., then the negative ones from the lowest on, each divided by ``n d``.
    Source:
        Array API standard 2025.12, ``fft.fftfreq``.
    """
    points = _points(n)
    first = arange_(0, (points + 1) // 2, 1, dtype=dtypes.int64, device=device)
    second = arange_(-(points // 2), 0, 1, dtype=dtypes.int64, device=device)
    return _frequencies(concat([first, second]), points, d, dtype)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Device | str | None = None) -> Tensor:
    """The frequencies of the points of `polytape.fft.rfft`, in cycles per unit of the distance of samples.

    Args:
        n, d, dtype, device: as for `fftfreq`.
    Returns:
        [n // 2 + 1], ``dtype``.
    Source:
        Array API standard 2025.12, ``fft.rfftfreq``.
    """
    points = _points(n)
    return _frequencies(arange_(0, points // 2 + 1, 1, dtype=dtypes.int64, device=device), points, d, dtype)


def _shifted(x: Tensor, axes: int | Sequence[int] | None, *, back: bool) -> Tensor:
    places = tuple(range(x.ndim)) if axes is None else tuple(shape_rules.axes_of(axes))
    for axis in places:
        shape_rules.normalise(axis, x.ndim)
    distances = tuple(-(x.shape[axis] // 2) if back else x.shape[axis] // 2 for axis in places)
    return roll(x, distances, axis=places) if places else x


def fftshift(x: TensorLike, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The points of a transform with frequency 0 in the middle.

    Args:
        x: any dtype[...].
        axes: default: all.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        Array API standard 2025.12, ``fft.fftshift``.
    """
    return _shifted(asarray(x), axes, back=False)


def ifftshift(x: TensorLike, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`.

    Args:
        x: any dtype[...].
        axes: default: all.
    Raises:
        ShapeError: an axis that does not exist.
    Source:
        Array API standard 2025.12, ``fft.ifftshift``.
    """
    return _shifted(asarray(x), axes, back=True)
