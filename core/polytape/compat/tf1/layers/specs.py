"""InputSpec: what a layer asks of its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .... import dtypes
from ..shapes import TensorShape

__all__ = ["InputSpec", "check_input"]


class InputSpec:
    """What a layer asks of an input; None means anything.

    Args:
        dtype: of the input.
        shape: with None for axes of any size.
        ndim, max_ndim, min_ndim: the number of axes.
        axes: sizes by axis.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype, self.shape = dtype, shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = dict(axes or {})

    def __repr__(self) -> str:
        given = {name: value for name, value in vars(self).items() if value not in (None, {})}
        return f"InputSpec({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def check_input(spec: InputSpec, x: Any, number: int, layer: str) -> None:
    """Check an input.

    Raises:
        ValueError: it is not as the layer asks.
    """
    shape = TensorShape(x.shape).as_list()
    start = f"Input {number} of layer {layer} is incompatible with the layer: "
    full = f". Full shape received: {shape}"
    rank = len(shape)
    if spec.ndim is not None and rank != spec.ndim:
        raise ValueError(f"{start}expected ndim={spec.ndim}, found ndim={rank}{full}")
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise ValueError(f"{start}expected max_ndim={spec.max_ndim}, found ndim={rank}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise ValueError(f"{start}: expected min_ndim={spec.min_ndim}, found ndim={rank}{full}")
    if spec.dtype is not None and dtypes.lookup(spec.dtype) != x.dtype:
        raise ValueError(f"{start}expected dtype={spec.dtype}, found dtype={x.dtype}")
    for axis, size in spec.axes.items():
        if size is not None and shape[axis] not in (size, None):
            raise ValueError(f"{start}expected axis {axis} of input shape to have value {size} but received input with "
                             f"shape {shape}")  # fmt: skip
    for wanted, size in zip(spec.shape or (), shape, strict=False):
        if wanted is not None and size is not None and wanted != size:
            raise ValueError(f"{start}expected shape={spec.shape}, found shape={shape}")
