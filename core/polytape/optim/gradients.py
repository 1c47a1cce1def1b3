"""Gradients that do not fit their variables: those that can be converted, and the errors for the others.

``owner`` is the name of the optimizer's class.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..autodiff.indexed_slices import IndexedSlices
from ..dispatch import convert
from ..dispatch.mixed_devices import deciding_operand
from ..errors import BackendError, DTypeError, PolytapeWarning, ShapeError
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable

if TYPE_CHECKING:
    from ..dispatch.fast_path import Op

__all__ = ["contended_error", "converted", "gradient_error", "no_gradients_error", "warn_of"]


def converted(owner: str, op: Op, gradient: Any, variable: Any) -> Tensor | IndexedSlices:
    """The gradient as a tensor of the variable's device; raises if it does not fit the variable."""
    if not isinstance(variable, Variable):
        raise DTypeError(
            f"{owner}.apply_gradients cannot update {describe(variable)}.",
            expected="pairs of a gradient and a polytape.Variable",
            got=type(variable).__name__,
            fix="pass zip(gradients, variables), in this order",
        )
    if variable.type.category != dtypes.FLOATING:
        raise gradient_error(owner, gradient, variable)
    if isinstance(gradient, IndexedSlices):
        if gradient.dtype != variable.dtype or gradient.dense_shape != variable.shape:
            raise gradient_error(owner, gradient, variable)
        return gradient.to_device(variable.device)
    if not isinstance(gradient, Tensor):
        gradient = convert.asarray(gradient, None, variable.device, None)
    if gradient.dtype != variable.dtype or gradient.shape != variable.shape:
        raise gradient_error(owner, gradient, variable)
    if gradient.device is not variable.device:
        # Raises or warns, as the policy for mixed devices says.
        deciding_operand(op, [variable, gradient], variable, gradient)
        return convert.to_device(gradient, variable.device)
    checked: Tensor = gradient.read_value() if isinstance(gradient, Variable) else gradient
    return checked


def gradient_error(owner: str, gradient: object, variable: Variable) -> DTypeError | ShapeError:
    """The error for a gradient of another dtype or shape than its variable, or a variable that has no gradient."""
    name = variable.name or describe(variable)
    if variable.type.category != dtypes.FLOATING:
        return DTypeError(
            f"{owner}.apply_gradients cannot train {name}.",
            expected="variables with a real floating dtype",
            got=describe(variable),
            fix="leave it out, or create it with a floating dtype; no variable was changed",
        )
    texts = {
        "expected": f"a gradient of {describe(variable)}",
        "got": repr(gradient) if isinstance(gradient, IndexedSlices) else describe(gradient),
        "fix": "use the gradient with respect to this variable, or reshape and cast it; no variable was changed",
    }
    summary = f"{owner}.apply_gradients: the gradient of {name} does "
    if isinstance(gradient, (Tensor, IndexedSlices)) and gradient.dtype == variable.dtype:
        return ShapeError(f"{summary}not have the variable's shape.", **texts)
    return DTypeError(f"{summary}not have the variable's dtype.", **texts)


def no_gradients_error(owner: str, skipped: list[object]) -> DTypeError:
    """The error for a step without gradients; ``skipped`` are the variables whose gradients are None."""
    return DTypeError(
        f"{owner}.apply_gradients received no gradients.",
        expected="at least one pair with a gradient",
        got=f"None for {_names(skipped)}" if skipped else "no pairs",
        fix="compute the loss inside the tape's block, from these variables",
    )


def warn_of(owner: str, skipped: list[object]) -> None:
    """Warn of variables whose gradients are None; for the caller of the function that calls this one."""
    warnings.warn(
        f"{owner}.apply_gradients leaves these variables unchanged, because their gradients are "
        f"None: {_names(skipped)}. Compute the loss from them inside the tape's block, or leave them out.",
        PolytapeWarning,
        stacklevel=3,
    )


def contended_error(owner: str, attempts: int) -> BackendError:
    """The error for a step during each of whose attempts a variable was assigned."""
    return BackendError(
        f"{owner}.apply_gradients could not assign its variables.",
        expected="no other thread and no signal handler that assigns them at the same time",
        got=f"other assignments during each of {attempts} attempts",
        fix="assign to the variables from one thread at a time, for example under a lock",
    )


def _names(variables: list[object]) -> str:
    """The first ten names, for a message."""
    names = [getattr(variable, "name", "") or describe(variable) for variable in variables[:10]]
    return ", ".join([*names, *(["..."] if len(variables) > len(names) else [])])
