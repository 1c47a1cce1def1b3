"""Masks of steps: which steps of a batch of sequences are padding."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...ops.logic import not_equal, where
from ...ops.nn.geometry import tensors
from ...ops.rearranging import expand_dims
from ...ops.reduction import any as any_of
from ...tensors.tensor import Tensor
from ..modules import Module

__all__ = ["Masking", "masked_call"]


class Masking(Module):
    """Marks the steps of sequences whose features all equal one value as padding, and makes them 0.

    In a `Sequential`, the mask reaches the layers that follow: `LSTM`, `GRU`, `SimpleRNN` and `Bidirectional` skip
    these steps, `MultiHeadAttention` does not see them, and other layers pass the mask on while their results have the
    axes batch and time, and one more. Elsewhere, pass ``mask=layer.compute_mask(x)``.

    Args:
        value: of the padding.

    The input is floating[batch, time, features, ...], the result has the same shape.

    Raises:
        ShapeError: at the call, for an input with fewer axes.
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        (x,) = tensors(x)
        seen = self.compute_mask(x)
        return where(expand_dims(seen, axis=tuple(range(2, x.ndim))), x, 0.0)

    def compute_mask(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The mask of the result, bool[batch, time]: False where all features equal the value."""
        if x.ndim < 3:
            raise ShapeError(
                "Masking needs features.",
                expected="x[batch, time, features, ...]",
                got=f"shape {x.shape}",
                fix="insert the axis, or compare the indices: mask = x != 0",
            )
        return any_of(not_equal(x, self.value), axis=tuple(range(2, x.ndim)))


def masked_call(layer: Any, x: Any, mask: Tensor | None) -> tuple[Any, Tensor | None]:
    """The result of a layer of a `Sequential`, and the mask for the next one."""
    if getattr(layer, "returns_mask", False):
        pair: tuple[Any, Tensor | None] = layer(x, mask=mask, return_mask=True)
        return pair
    name = getattr(layer, "mask_argument", "")
    y = layer(x, **{name: mask}) if mask is not None and name else layer(x)
    if hasattr(layer, "compute_mask"):
        return y, layer.compute_mask(x, mask)
    kept = mask is not None and isinstance(y, Tensor) and y.ndim > 2 and y.shape[:2] == mask.shape
    return y, mask if kept else None
