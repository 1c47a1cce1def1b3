"""What losses become: their weighted mean or sum, or the losses themselves.

Declares no ops and has no public names.
"""

from __future__ import annotations

from ... import dtypes
from ...errors import SettingError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from .. import shape_rules
from ..arithmetic import divide, maximum, multiply
from ..logic import not_equal
from ..manipulation import astype, broadcast_to
from ..reduction import mean, sum
from .geometry import tensors

__all__: list[str] = []


def reduced(losses: Tensor, reduction: str, weights: TensorLike | None = None) -> Tensor:
    """The losses, times weights, reduced.

    Args:
        losses: floating[...].
        reduction: ``"sum"``; ``"mean"``, the sum divided by the number of losses, or with weights, by the number of
            losses whose weight is not 0 (0 if there are none); or ``"none"``.
        weights: real or bool[...], broadcast to the losses, and cast to their dtype.
    Raises:
        SettingError: another reduction. ShapeError: weights that do not broadcast to the losses.
    """
    if reduction not in ("mean", "sum", "none"):
        raise SettingError(
            f"a loss cannot be reduced by {reduction!r}.",
            expected="'mean', 'sum' or 'none'",
            got=repr(reduction),
            fix="pass reduction='none', and reduce the losses as you need",
        )
    if weights is None:
        return mean(losses) if reduction == "mean" else sum(losses) if reduction == "sum" else losses
    weights = _fitting(losses, weights)
    weighted = multiply(losses, weights)
    if reduction == "none":
        return weighted
    half = losses.dtype.itemsize == 2
    total = sum(astype(weighted, dtypes.float32) if half else weighted)
    if reduction == "mean":
        counted = broadcast_to(not_equal(weights, 0), losses.shape)
        total = divide(total, maximum(sum(astype(counted, total.dtype)), 1))
    return astype(total, losses.dtype) if half else total


def _fitting(losses: Tensor, weights: TensorLike) -> Tensor:
    _, given = tensors(losses, weights)
    if shape_rules.broadcast(given.shape, losses.shape) != losses.shape:
        raise ShapeError(
            "the weights do not fit the losses.",
            expected=f"weights that broadcast to {losses.shape}",
            got=f"shape {given.shape}",
            fix="pass one weight per loss, or insert axes of size 1",
        )
    return astype(given, losses.dtype)
