"""TensorFlow 1.7's names for creating tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import random
from ...dispatch.convert import asarray
from ...dtypes import FLOATING as _FLOATING, category, float32, lookup
from ...ops import creation, manipulation
from ...tensors.tensor import Tensor
from ..mode import need_eager

__all__ = [
    "constant",
    "convert_to_tensor",
    "ones",
    "random_normal",
    "random_uniform",
    "set_random_seed",
    "zeros",
]

Shape = int | Sequence[int]
_seeded: dict[int, random.Generator] = {}


def constant(value: Any, dtype: Any = None, shape: Shape | None = None, name: str = "Const") -> Tensor:
    """A tensor of ``value``'s elements, reshaped to ``shape``; a single element fills it."""
    need_eager("constant")
    tensor = asarray(value, dtype)
    if shape is None:
        return tensor
    extents = _shape(shape)
    return manipulation.broadcast_to(tensor, extents) if tensor.size == 1 else manipulation.reshape(tensor, extents)


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None) -> Tensor:
    """``value`` as a tensor; a tensor is returned unchanged unless its dtype differs from ``dtype``."""
    need_eager("convert_to_tensor")
    return asarray(value, dtype)


def zeros(shape: Shape, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of zeros."""
    need_eager("zeros")
    return creation.zeros(_shape(shape), dtype=dtype)


def ones(shape: Shape, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of ones."""
    need_eager("ones")
    return creation.ones(_shape(shape), dtype=dtype)


def random_normal(
    shape: Shape,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Normal random numbers; calls with the same ``seed`` continue the same stream."""
    need_eager("random_normal")
    return random.normal(_shape(shape), mean, stddev, dtype=dtype, generator=_generator(seed))


def random_uniform(
    shape: Shape,
    minval: float = 0,
    maxval: float | None = None,
    dtype: Any = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Uniform random numbers from ``minval`` to ``maxval`` (exclusive); integers for an integer dtype."""
    need_eager("random_uniform")
    generator = _generator(seed)
    if category(lookup(dtype)) == _FLOATING:
        high = 1.0 if maxval is None else maxval
        return random.uniform(_shape(shape), minval, high, dtype=dtype, generator=generator)
    if maxval is None:
        raise ValueError("Must specify maxval for integer dtype")  # TensorFlow's message
    return random.integers(int(minval), int(maxval), _shape(shape), dtype=dtype, generator=generator)


def set_random_seed(seed: int) -> None:
    """Restart the process's default generator with the stream of ``seed``."""
    random.seed(seed)


def _shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple([int(extent) for extent in shape])


def _generator(seed: int | None) -> random.Generator | None:
    if seed is None:
        return None
    if seed not in _seeded:
        _seeded[seed] = random.Generator(seed)
    return _seeded[seed]
