"""Random draws as ops of a generator's state. Users call `polytape.random`."""

from __future__ import annotations

from typing import Any

from ..tensors.tensor import Tensor
from . import dtype_rules, shape_rules
from .declaration import op, primitive

__all__: list[str] = []

Shape = tuple[int, ...]
_DRAWN = "a random draw is not a differentiable function of its state"


@op(
    dtype=dtype_rules.given_floating,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.uniform",
)
def random_uniform(state: Tensor, *, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Uniform numbers in [0, 1), starting at the counter.

    Args:
        state: uint64[2] on the host: key and counter of Philox4x32-10. Word i is word ``i % 4`` of the block at
            ``counter + i // 4``; float32 uses the upper 24 bits of a word, float64 53 bits of two words.
        shape, dtype, device: of the result.
    Raises:
        DTypeError: ``dtype`` is not real floating.
    Source:
        J. Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3, SC11.
    """
    return primitive()


@op(
    dtype=dtype_rules.given_floating,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.normal",
)
def random_normal(state: Tensor, *, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Standard normal numbers, starting at the counter.

    Args:
        state: uint64[2] on the host, as for `random_uniform`.
        shape, dtype, device: of the result.
    Returns:
        ``shape``, ``dtype``; backends agree to 4 ulp.
    Raises:
        DTypeError: ``dtype`` is not real floating.
    Source:
        G. Box, M. Muller (1958), Annals of Mathematical Statistics 29 (2), pp. 610-611.
    """
    return primitive()


@op(
    dtype=dtype_rules.given_integer,
    shape=shape_rules.given_shape,
    host=("state",),
    no_gradient=_DRAWN,
    internal="polytape.random.integers",
)
def random_integers(state: Tensor, *, low: int, high: int, shape: Shape, dtype: Any, device: Any = None) -> Tensor:
    """Integers from ``low`` to ``high - 1``, starting at the counter.

    Args:
        state: uint64[2] on the host, as for `random_uniform`; each integer uses two words.
        low, high: the range; the bias is below (high - low) / 2**64.
        shape, dtype, device: of the result.
    Raises:
        DTypeError: ``dtype`` is not an integer dtype.
    Source:
        D. Lemire (2019), ACM TOMACS 29 (1), 3: multiply and shift, without the rejection step.
    """
    return primitive()
