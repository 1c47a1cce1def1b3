"""Rules and arithmetic that the optimizer updates share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import FLOATING, DType, category, float32
from ..errors import DTypeError, ShapeError
from ..tensors.tensor import Tensor
from . import dtype_rules
from .arithmetic import power
from .manipulation import astype

__all__: list[str] = []

Shape = tuple[int, ...]
NOT_DIFFERENTIATED = "an optimizer's update is not differentiated"
RATE: dict[str, Any] = {"gradient": None, "learning_rate": ()}  # the operands after the variable and its slots


def update_dtypes(outputs: int, step: bool, hyperparameters: bool = True) -> Callable[..., Any]:
    """The dtype rule of an update with this many outputs: variable, slots, gradient and rate have one dtype."""
    others = int(step) + int(hyperparameters)

    def rule(*operands: DType) -> Any:
        x = operands[0]
        for dtype in operands[1 : len(operands) - others]:
            if dtype is not x:
                raise DTypeError(
                    "the operands have different dtypes.",
                    expected=f"{x} for every operand",
                    got=str(dtype),
                    fix="cast the gradient first",
                )
        if hyperparameters and category(operands[-1]) != FLOATING:
            raise DTypeError(
                "the hyperparameters have the wrong dtype.",
                expected="a real floating dtype",
                got=str(operands[-1]),
                fix="cast them to 'float32' or 'float64'",
            )
        dtype = dtype_rules.same_real_floating(x)
        return dtype if outputs == 1 else (dtype,) * outputs

    return rule


def update_shapes(outputs: int, **expected: Shape | None) -> Callable[..., Any]:
    """The shape rule of an update: per operand after the variable its shape, None for the variable's own."""
    names, declared = tuple(expected), tuple(expected.values())

    def rule(x: Shape, *shapes: Shape) -> Any:
        wanted = tuple([x if shape is None else shape for shape in declared])
        if shapes != wanted:
            position = next(k for k, (a, b) in enumerate(zip(shapes, wanted, strict=True)) if a != b)
            raise ShapeError(
                f"the {names[position]} has the wrong shape.",
                expected=f"shape {wanted[position]}",
                got=f"shape {shapes[position]}",
                fix="reshape it first",
            )
        return x if outputs == 1 else (x, *wanted[: outputs - 1])

    return rule


# --- for bodies: arithmetic in at least float32, where beta2 = 0.999 and an epsilon of 1e-8 are representable --------


def widened(*operands: Tensor) -> tuple[Tensor, ...]:
    """The operands in the dtype in which an update computes: float32 in place of a 16-bit dtype."""
    dtype = operands[0].dtype
    return tuple(astype(x, float32 if dtype.itemsize < 4 else dtype) for x in operands)


def narrowed(dtype: DType, *results: Tensor) -> tuple[Tensor, ...]:
    """The results in the variable's dtype."""
    return tuple(astype(x, dtype) for x in results)


def numbers(hyperparameters: Tensor, dtype: DType, *negated: int) -> tuple[Tensor, ...]:
    """The hyperparameters as tensors of shape (), then ``1 - h`` for each of these positions.

    The differences are computed before the cast: 1 - 0.999 has four wrong digits in float32.
    """
    hyperparameters = _precise(hyperparameters, dtype)
    values = [hyperparameters[position] for position in range(hyperparameters.shape[0])]
    return narrowed(dtype, *values, *(1.0 - values[position] for position in negated))


def _precise(hyperparameters: Tensor, dtype: DType) -> Tensor:
    """The hyperparameters, in ``dtype`` if that has more digits."""
    return astype(hyperparameters, dtype) if hyperparameters.dtype.itemsize < dtype.itemsize else hyperparameters


def bias_corrections(hyperparameters: Tensor, step: Tensor, dtype: DType, *positions: int) -> tuple[Tensor, ...]:
    """``1 - h**step`` for the hyperparameters at these positions."""
    hyperparameters = _precise(hyperparameters, dtype)
    t = astype(step, hyperparameters.dtype)
    return narrowed(dtype, *(1.0 - power(hyperparameters[position], t) for position in positions))
