"""Comparisons of tensors with Python numbers that their dtype cannot hold: the result is the mathematical one.

Arithmetic with such a number is an error or, for floats, infinite. A comparison always has an answer: every int8 is
less than 1000, and no integer is equal to 0.5. Imported when such a comparison is made, which keeps `import polytape`
fast.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from ..dtypes import FLOATING
from ..registry.tensor_type import TensorType
from ..tensors.tensor import Tensor, operators

__all__ = ["restate"]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equal": operator.eq,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "not_equal": operator.ne,
}


def restate(name: str, operands: list[Any], tensors: list[Tensor | None], position: int) -> None:
    """Replace the number at ``position`` by one that the dtype of the tensor beside it holds, with the same result.

    If there is no such number, the result is the same for all elements, and the tensor is replaced by a constant too.

    Args:
        name: the comparison.
        operands: as the caller passed them; the number is replaced.
        tensors: the operands as tensors, None for numbers; the tensor may be replaced.
        position: of the number, 0 or 1.
    """
    value, x = operands[position], tensors[1 - position]
    if x is None:  # two numbers, which may promote to a dtype that cannot hold them
        operands[:] = _pair(name, _COMPARE[name](*operands)) if _is_real(*operands) else operands
        return
    if not _is_real(value):
        return  # they compare as complex numbers
    if name in ("equal", "not_equal"):
        restated: Any = _same(value, x.type)
    else:
        upwards = (name in ("less", "greater_equal")) == (position == 1)
        restated = _neighbour(value, x.type, upwards)
    if restated is None:
        # The number is not among the dtype's values, or is beyond all of them: it compares with each as with 0.
        pair = (0, value) if position == 1 else (value, 0)
        constant, restated = _pair(name, _COMPARE[name](*pair))[:: 1 if position == 1 else -1]
        tensors[1 - position] = operators.broadcast_to(Tensor(x.type.number(constant), x.type, None), x.array.shape)
    operands[position] = restated


def _is_real(*numbers: Any) -> bool:
    return all(isinstance(number, (bool, int, float)) for number in numbers)


def _pair(name: str, truth: bool) -> tuple[int, int]:
    """Two numbers that every dtype can hold and that compare as ``truth``."""
    return next(pair for pair in ((0, 0), (0, 1), (1, 0)) if _COMPARE[name](*pair) == truth)


def _same(value: Any, tensor_type: TensorType) -> Any:
    """The number of a dtype that is equal to ``value``; None if there is none."""
    if tensor_type.category >= FLOATING:
        return value if tensor_type.fits(value) else math.nan
    if isinstance(value, float) and not value.is_integer():  # NaN and the infinities are not
        return None
    return int(value) if tensor_type.fits(int(value)) else None


def _neighbour(value: Any, tensor_type: TensorType, upwards: bool) -> Any:
    """The number of a dtype next to ``value``, from above or from below; None if all of them are on one side."""
    if tensor_type.category >= FLOATING:
        if tensor_type.fits(value):
            return value
        if value > 0:
            return math.inf if upwards else tensor_type.high
        return tensor_type.low if upwards else -math.inf
    if isinstance(value, float) and not math.isfinite(value):
        return None
    whole = math.ceil(value) if upwards else math.floor(value)
    return whole if tensor_type.fits(whole) else None
