"""Rows of the ops that rearrange, join, copy or cast elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ...ops import manipulation
from ..case import Case
from ..makers import ANYTHING, anything, booleans, exactly, floats, integers, reals
from ..samples import error, sample

__all__ = ["CASES"]


def _concat(*arrays: Any, axis: int | None = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _same(x: Any) -> Any:
    return x


CASES = [
    Case(
        manipulation.reshape,
        anything(2, 6),
        shape=(3, 4),
        reference=lambda x, shape: x.reshape(shape),
        more=[
            sample(anything(), shape=(1, 1)),
            sample(anything(1), shape=()),
            sample(anything(2, 6), shape=(-1, 2)),
            sample(anything(2, 6), shape=-1),
            sample(anything(2, 6), shape=[12]),
            sample(anything(0, 3), shape=(3, 0, 2)),
            sample(anything(2, 1, 3, 1, 2), shape=(2, 2, 3)),
        ],
        errors=[
            error(ShapeError, "the number of elements would change", floats(2, 3), shape=(4, 2)),
            error(ShapeError, "the number of elements would change", floats(2, 3), shape=(-1, 4)),
            error(ShapeError, "the number of elements would change", floats(2, 3), shape=(-1, -1)),
            error(ShapeError, "a size is negative", floats(2, 3), shape=(-2, 3)),
            error(ShapeError, "a size is negative", floats(2, 3), shape=-2),
            error(ShapeError, "is not a valid shape", floats(2, 3), shape="ab"),
        ],
    ),
    Case(
        manipulation.permute_dims,
        anything(2, 3, 4),
        axes=(2, 0, 1),
        more=[
            sample(anything(), axes=()),
            sample(anything(3), axes=(0,)),
            sample(anything(2, 3), axes=(1, 0)),
            sample(anything(2, 3), axes=(-1, 0)),
            sample(anything(0, 3), axes=(1, 0)),
        ],
        errors=[
            error(ShapeError, "is not a permutation", floats(2, 3), axes=(0, 0)),
            error(ShapeError, "is not a permutation", floats(2, 3), axes=(0,)),
            error(ShapeError, "is not a permutation", floats(2, 3), axes=(0, 2)),
        ],
    ),
    Case(
        manipulation.broadcast_to,
        anything(1, 3),
        shape=(2, 3),
        more=[
            sample(anything(), shape=(2, 3)),
            sample(anything(3), shape=(2, 4, 3)),
            sample(anything(1), shape=(0,)),
            sample(anything(2, 1, 3), shape=(2, 5, 3)),
            sample(anything(70), shape=(70, 70)),  # too large for some kernels to copy
            sample(anything(2, 3), shape=(2, 3)),
        ],
        errors=[
            error(ShapeError, "does not broadcast to that shape", floats(2, 3), shape=(3,)),
            error(ShapeError, "broadcast", floats(2, 3), shape=(2, 4)),
        ],
    ),
    Case(
        manipulation.concat,
        anything(2, 3),
        anything(1, 3),
        reference=_concat,
        more=[
            sample(anything(2), anything(3), anything(0)),
            sample(anything(2, 3), anything(2, 1), axis=-1),
            sample(anything(2, 3), anything(), anything(1), axis=None),
            sample(anything(2, 3)),
            sample(anything(2, 0, 3), anything(2, 2, 3), axis=1),
        ],
        errors=[
            error(ShapeError, "the shapes differ outside the joined axis", floats(2, 3), floats(2, 4)),
            error(ShapeError, "the shapes differ outside the joined axis", floats(2, 3), floats(3)),
            error(ShapeError, "there is no axis 2", floats(2, 3), floats(2, 3), axis=2),
            error(ShapeError, "nothing to join"),
        ],
    ),
    Case(
        manipulation.astype_,
        reals(2, 3),
        dtype="float32",
        reference=lambda x, dtype: x,
        result=lambda dtype, attributes: attributes["dtype"],
        more=[
            *(sample(exactly([0.0, 1.0, 2.75, 100.5]), dtype=name, smooth=False) for name in ANYTHING),
            *(sample(integers(4, high=100, dtype="int16"), dtype=name) for name in ANYTHING),
            sample(floats(2, 3), dtype="float64"),
            sample(anything(2, 3), dtype="complex128"),
            sample(booleans(2, 3), dtype="int32"),
            sample(floats(), dtype="complex128"),
        ],
        gradient="a cast to another precision is not smooth; tests/core/ops/test_manipulation.py checks the gradient",
        errors=[error(DTypeError, "is not a tensor dtype", floats(2), dtype="float31", named=False)],
    ),
    Case(manipulation.stop_gradient, anything(2, 3), reference=_same, more=[sample(anything()), sample(anything(0))]),
    Case(manipulation.identity, anything(2, 3), reference=_same, more=[sample(anything()), sample(anything(0))]),
]
