"""Rows of the ops that extend tensors along their axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ...ops import padding
from ..case import Case
from ..makers import anything, floats
from ..samples import error, sample

__all__ = ["CASES"]


def _pad(x: Any, *, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if x.ndim == 0:
        return x
    return np.pad(x, pad_width, mode, **({"constant_values": constant_values} if mode == "constant" else {}))  # type: ignore[call-overload]


_MODES = ("edge", "reflect", "symmetric", "wrap")

CASES = [
    Case(
        padding.pad,
        anything(2, 3),
        pad_width=((1, 2), (0, 3)),
        reference=_pad,
        more=[
            sample(anything(2, 3), pad_width=1, constant_values=1),
            sample(anything(2, 3), pad_width=(2, 0)),
            sample(anything(2, 3), pad_width=((2, 0),)),
            sample(anything(2, 3), pad_width=((1,), (2,))),
            sample(anything(), pad_width=3),
            sample(anything(), pad_width=()),
            sample(anything(), pad_width=3, mode="edge"),
            sample(anything(0, 2), pad_width=((1, 1), (0, 0))),
            sample(floats(4), pad_width=(2, 1), constant_values=-2.5),
            sample(floats(4), pad_width=(2, 1), constant_values=-0.0, signs=True),
            *(sample(anything(2, 3), pad_width=((1, 4), (5, 7)), mode=mode) for mode in _MODES),
            *(sample(anything(1, 4), pad_width=3, mode=mode) for mode in _MODES),
            *(sample(anything(0, 2), pad_width=((0, 0), (1, 1)), mode=mode) for mode in _MODES),
            sample(anything(2, 3), pad_width=0, mode="wrap"),
        ],
        large=[sample(anything(300, 20), pad_width=((2, 1), (0, 3)), mode=mode) for mode in _MODES],
        errors=[
            error(ShapeError, "the widths do not match", floats(2, 3), pad_width=((1, 1), (1, 1), (1, 1))),
            error(ShapeError, "the widths do not match", floats(2, 3), pad_width=(1, 2, 3)),
            error(ShapeError, "a size is negative", floats(2, 3), pad_width=(1, -2)),
            error(ShapeError, "a size is negative", floats(1), pad_width=(-1, 1)),
            error(ShapeError, "is not a valid shape", floats(2, 3), pad_width="ab"),
            error(ShapeError, "there is no mode", floats(2, 3), pad_width=1, mode="mean"),
            error(ShapeError, "an empty axis", floats(0, 3), pad_width=1, mode="edge"),
        ],
    ),
]
