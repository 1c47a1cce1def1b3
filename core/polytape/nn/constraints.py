"""Constraints: functions from a weight to one that fulfils a condition, see `polytape.nn.Module.apply_constraints`.

The norms are those of the vectors along ``axis``: for a weight [*window, channels in, channels out], all axes but the
last, so that each output has one.
"""

from __future__ import annotations

from typing import Final

from ..errors import SettingError
from ..ops.arithmetic import maximum, minimum, square
from ..ops.elementwise import clip
from ..ops.exponential import sqrt
from ..ops.reduction import sum
from ..tensors.tensor import Tensor
from .describing import construction

__all__ = ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]

Axis = int | tuple[int, ...] | None
_EPSILON: Final = 1e-7  # the smallest norm to divide by


def _norm(weight: Tensor, axis: Axis) -> Tensor:
    axes = tuple(range(weight.ndim - 1)) if axis is None and weight.ndim > 1 else axis
    return sqrt(sum(square(weight), axis=axes, keepdims=True))


class MinMaxNorm:
    """Vectors scaled so that their norm is in an interval, or closer to it.

    Args:
        min_value, max_value: the interval, from 0.
        rate: from 0 to 1: 1 moves norms into the interval, less moves them by this share of the way.
        axis: of the vectors; default: all but the last.

    Raises:
        SettingError: not ``0 <= min_value <= max_value``, or a rate outside 0 to 1.
    Source:
        Keras 3, ``keras.constraints.MinMaxNorm``.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, *, axis: Axis = None) -> None:
        if not 0.0 <= min_value <= max_value or not 0.0 <= rate <= 1.0:
            raise SettingError(
                f"{type(self).__name__} cannot keep norms in this interval.",
                expected="0 <= min_value <= max_value and 0 <= rate <= 1",
                got=f"min_value={min_value}, max_value={max_value}, rate={rate}",
                fix="pass the smaller norm first",
            )
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, weight: Tensor) -> Tensor:
        """The weight that fulfils the condition, with the shape and dtype of ``weight``."""
        norm = _norm(weight, self.axis)
        desired = clip(norm, self.min_value, self.max_value) * self.rate + norm * (1.0 - self.rate)
        return weight * (desired / maximum(norm, _EPSILON))

    def __repr__(self) -> str:
        return construction(self)


class MaxNorm:
    """Vectors with a larger norm are scaled to ``max_value``.

    Args:
        max_value: positive.
        axis: of the vectors; default: all but the last.

    Raises:
        SettingError: ``max_value`` is not positive.
    Source:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014), JMLR 15, section 5.1.
    """

    def __init__(self, max_value: float = 2.0, *, axis: Axis = None) -> None:
        if not max_value > 0.0:
            raise SettingError(
                "MaxNorm needs a positive norm.", expected="max_value > 0", got=f"max_value={max_value}", fix="raise it"
            )
        self.max_value, self.axis = max_value, axis

    def __call__(self, weight: Tensor) -> Tensor:
        """The weight that fulfils the condition, with the shape and dtype of ``weight``."""
        norm = _norm(weight, self.axis)
        return weight * (minimum(norm, self.max_value) / maximum(norm, _EPSILON))

    def __repr__(self) -> str:
        return construction(self)


class NonNeg:
    """Negative elements become 0."""

    def __call__(self, weight: Tensor) -> Tensor:
        """The weight that fulfils the condition, with the shape and dtype of ``weight``."""
        return maximum(weight, 0.0)

    def __repr__(self) -> str:
        return construction(self)


class UnitNorm:
    """Vectors are scaled to norm 1; a vector of zeros stays.

    Args:
        axis: of the vectors; default: all but the last.
    """

    def __init__(self, *, axis: Axis = None) -> None:
        self.axis = axis

    def __call__(self, weight: Tensor) -> Tensor:
        """The weight that fulfils the condition, with the shape and dtype of ``weight``."""
        return weight / maximum(_norm(weight, self.axis), _EPSILON)

    def __repr__(self) -> str:
        return construction(self)
