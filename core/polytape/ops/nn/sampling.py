"""Images sampled at given positions, as spatial transformers do."""

from __future__ import annotations

import itertools

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import shape_rules
from ..arithmetic import abs
from ..creation import arange_, zeros
from ..logic import greater, greater_equal, less, logical_and, where
from ..manipulation import astype, broadcast_to, concat, permute_dims, reshape
from ..movement import take
from ..products import matmul, matrix_transpose
from ..rounding import floor, remainder, round
from .geometry import PerAxis, per_axis, spatial_axes, tensors, widened
from .images import CUBIC, far_weight, near_weight

__all__ = ["affine_grid", "grid_sample"]

# Positions and weights of the elements that contribute along one axis.
Taps = list[tuple[Tensor, Tensor | None]]


def affine_grid(theta: TensorLike, size: PerAxis, *, align_corners: bool = False) -> Tensor:
    """The positions of the elements of an image after an affine map, as `grid_sample` takes them.

    Args:
        theta: real floating[batch, k, k + 1]: the matrix and the translation, the last axis of the image first.
        size: the sizes of the k axes of the image, an int or one per axis.
        align_corners: whether -1 and 1 are the centres of the first and last elements, or their outer edges.
    Returns:
        The dtype of ``theta``, [batch, *size, k].
    Raises:
        ShapeError: ``theta`` or ``size`` has another shape. DTypeError: ``theta`` is not real floating.
    Source:
        M. Jaderberg et al. (2015), Spatial Transformer Networks, NeurIPS 28.
    """
    (theta,) = tensors(theta)
    _require_floating(theta, "theta")
    if theta.ndim != 3 or theta.shape[2] != theta.shape[1] + 1:
        raise ShapeError(
            "theta is not a batch of affine maps.",
            expected="theta[batch, k, k + 1]",
            got=f"shape {theta.shape}",
            fix="append the translation to the matrix as its last column",
        )
    count = theta.shape[1]
    sizes = per_axis("size", size, count, least=0)
    wide = widened(theta)
    columns = []
    for axis in range(count - 1, -1, -1):
        n = sizes[axis]
        steps = arange_(0, n, 1, dtype=wide.dtype, device=theta.device) * 2.0
        if align_corners:
            line = steps / float(n - 1) - 1.0 if n > 1 else steps
        else:
            line = (steps + 1.0) / float(n) - 1.0 if n else steps
        line = reshape(line, (n, *(1,) * (count - axis)))
        columns.append(broadcast_to(line, (*sizes, 1)))
    columns.append(zeros((*sizes, 1), dtype=wide.dtype, device=theta.device) + 1.0)
    points = reshape(concat(columns, -1), (shape_rules.count(sizes), count + 1))
    grid = matmul(points, matrix_transpose(wide))
    return astype(reshape(grid, (theta.shape[0], *sizes, count)), theta.dtype)


def _require_floating(x: Tensor, name: str) -> None:
    if dtypes.category(x.dtype) != dtypes.FLOATING:
        raise DTypeError(
            f"{name} must be real floating.",
            expected="a real floating dtype",
            got=str(x.dtype),
            fix="cast it with polytape.astype",
        )


def _checked(x: Tensor, grid: Tensor, mode: str, padding_mode: str, data_format: str) -> tuple[int, ...]:
    """The axes that `grid_sample` samples along; its errors."""
    _require_floating(x, "x")
    _require_floating(grid, "grid")
    axes = spatial_axes(x.ndim, data_format)
    sizes = tuple(x.shape[axis] for axis in axes)
    if grid.ndim < 2 or grid.shape[0] != x.shape[0] or grid.shape[-1] != len(axes) or 0 in sizes:
        raise ShapeError(
            "the grid does not fit.",
            expected=f"grid[{x.shape[0]}, ..., {len(axes)}], and an image with elements",
            got=f"a grid of shape {grid.shape}, and sizes {sizes}",
            fix="pass a position per axis, the last axis first",
        )
    for name, value, known in (
        ("mode", mode, ("bilinear", "nearest", "bicubic")),
        ("padding_mode", padding_mode, ("zeros", "border", "reflection")),
    ):
        if value not in known:
            text = f"there is no {name} {value!r}."
            raise ShapeError(text, expected=", ".join(known), got=repr(value), fix="name one of these")
    return axes


def grid_sample(
    x: TensorLike,
    grid: TensorLike,
    *,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
    data_format: str = "channels_last",
) -> Tensor:
    """``x`` at the positions that ``grid`` gives, interpolated; differentiable by both.

    Args:
        x: real floating[batch, *sizes, channels]; [batch, channels, *sizes] for ``data_format="channels_first"``.
        grid: real floating[batch, *points, k]: positions from -1 to 1 along the k axes of ``sizes``, the last axis
            first.
        mode: ``"bilinear"`` (linear along each axis), ``"nearest"`` or ``"bicubic"``.
        padding_mode: what is outside: ``"zeros"``, ``"border"`` for the nearest element, or ``"reflection"``.
        align_corners: whether -1 and 1 are the centres of the first and last elements, or their outer edges.
        data_format: ``"channels_last"`` or ``"channels_first"``.
    Returns:
        The dtype of ``x``, [batch, *points, channels] or [batch, channels, *points].
    Raises:
        ShapeError: a grid that does not fit ``x``, an image without elements, or another ``mode`` or
            ``padding_mode``. DTypeError: operands that are not real floating.
    Source:
        PyTorch 2.13, ``torch.nn.functional.grid_sample``.
    """
    x, grid = tensors(x, grid)
    axes = _checked(x, grid, mode, padding_mode, data_format)
    rank, sizes = x.ndim, [x.shape[axis] for axis in axes]
    wide = widened(x)
    if data_format == "channels_first":
        wide = permute_dims(wide, (0, *range(2, rank), 1))
    points = astype(grid, wide.dtype)
    taps = [_taps(points[..., len(axes) - 1 - k], n, mode, padding_mode, align_corners) for k, n in enumerate(sizes)]
    y = astype(_combined(wide, taps, tuple(sizes)), x.dtype)
    return y if data_format == "channels_last" else permute_dims(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))


def _taps(at: Tensor, n: int, mode: str, padding_mode: str, align_corners: bool) -> Taps:
    """The positions along an axis of ``n`` elements, whole numbers in floating point, and the weights."""
    at = (at + 1.0) * ((n - 1) / 2.0) if align_corners else ((at + 1.0) * float(n) - 1.0) * 0.5
    if mode != "bicubic":
        at = _moved_inside(at, n, padding_mode, align_corners)
    if mode == "nearest":
        return [(round(at), None)]
    first = floor(at)
    t = at - first
    if mode == "bilinear":
        return [(first, 1.0 - t), (first + 1.0, t)]
    weights = far_weight(t + 1.0, CUBIC), near_weight(t, CUBIC), near_weight(1.0 - t, CUBIC), far_weight(2.0 - t, CUBIC)
    elements = [_moved_inside(first + offset, n, padding_mode, align_corners) for offset in (-1.0, 0.0, 1.0, 2.0)]
    return list(zip(elements, weights, strict=True))


def _moved_inside(at: Tensor, n: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Positions moved into the image, except for ``zeros``."""
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, float(n - 1)) if align_corners else (-0.5, float(n))
        if span:
            distance = remainder(abs(at - low), 2.0 * span)
            at = where(greater(distance, span), 2.0 * span - distance, distance) + low
    # Also NaN becomes 0, as in PyTorch. The gradient is 0 outside and at the ends.
    return where(greater(at, 0), where(less(at, n - 1), at, float(n - 1)), 0.0)


def _combined(x: Tensor, taps: list[Taps], sizes: tuple[int, ...]) -> Tensor:
    """The weighted sum of the elements of ``x``, channels last, at all combinations of the taps of each axis."""
    batch, channels = x.shape[0], x.shape[-1]
    points = taps[0][0][0].shape
    rows = reshape(x, (batch * shape_rules.count(sizes), channels))
    images = reshape(arange_(0, batch, 1, dtype=dtypes.int64, device=x.device), (batch, *(1,) * (len(points) - 1)))
    total: Tensor | None = None
    for combination in itertools.product(*taps):
        row, inside, weight = images, None, None
        for (position, factor), n in zip(combination, sizes, strict=True):
            fits = logical_and(greater_equal(position, 0), less(position, n))
            # A position outside must not be cast, since the cast of a large number or of NaN is unspecified.
            row = row * n + astype(where(fits, position, 0), dtypes.int64)
            inside = fits if inside is None else logical_and(inside, fits)
            if factor is not None:
                weight = factor if weight is None else weight * factor
        assert inside is not None
        part = take(rows, row, axis=0)
        if weight is not None:
            part = part * reshape(weight, (*points, 1))
        part = where(reshape(inside, (*points, 1)), part, 0)
        total = part if total is None else total + part
    assert total is not None
    return total
