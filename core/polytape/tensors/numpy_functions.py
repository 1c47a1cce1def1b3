"""NumPy's functions on tensors: they return NumPy arrays, so none may lose the gradient of a tensor on an open tape.

NumPy calls `Tensor.__array_wrap__` with the result of a ufunc, and `Tensor.__array_function__` instead of most other
functions. Explicit conversions (`numpy.asarray`, `Tensor.numpy`, an assignment to an item of an array) use neither.
Neither do ``out=`` and ``ufunc.outer``. Tensor imports this module when it needs it, so nothing here imports Tensor.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from ..errors import PolytapeWarning, TapeError
from ..foreign_names import numpy_counterpart
from ..registry import tables
from ..settings import settings
from . import temporaries
from .rejections import described
from .scope import current_scope

__all__ = ["call", "check_ufunc"]

# Their floating results do not depend on the values, or are explicit copies.
_HARMLESS: Final = frozenset(["copy", "empty_like", "full_like", "ones_like", "zeros_like"])
# Frames from a function of this module to the user's, if Tensor's methods have frames.
_DEPTH: Final = 2 if temporaries.__file__.endswith(".py") else 1


def check_ufunc(tensor_class: type, x: Any, result: Any, context: Any) -> None:
    """Check the result of a ufunc, or of a method such as ``numpy.add.reduce``.

    Args:
        tensor_class: Tensor.
        x: an operand.
        result: what the ufunc returned.
        context: the ufunc, its arguments, and which of its results this is; None for a method.
    Raises:
        TapeError: an open tape follows an operand, and the result would lose its gradient.
    """
    operands = [x] if context is None else [value for value in context[1] if isinstance(value, tensor_class)]
    error = _lost(operands, "" if context is None else context[0].__name__, result)
    if error is not None:
        raise error


def call(tensor_class: type, function: Any, args: Any, kwargs: Any) -> Any:
    """Call a NumPy function with arrays in the place of tensors.

    Raises:
        TapeError: an open tape follows one of the tensors, and the result would lose its gradient.
    """
    operands: list[Any] = []

    def converted(value: Any) -> Any:
        if isinstance(value, tensor_class):
            operands.append(value)
            return value.numpy()  # type: ignore[attr-defined]  # it is a Tensor
        return type(value)(map(converted, value)) if type(value) in (list, tuple) else value

    args, kwargs = converted(tuple(args)), {name: converted(value) for name, value in kwargs.items()}
    if not operands:
        return NotImplemented  # numpy.asarray(data, like=tensor)
    result = function(*args, **kwargs)
    error = None if function.__name__ in _HARMLESS else _lost(operands, function.__name__, result)
    if error is not None:
        raise error
    return result


def _lost(operands: Iterable[Any], name: str, result: Any) -> TapeError | None:
    """The error if ``result`` could have a gradient with respect to an operand that an open tape follows.

    Args:
        operands: the tensors that the function was called with.
        name: the function's, if it is known.
        result: the function's.
    """
    if not current_scope.get().tapes or not _is_floating(result):
        return None
    followed = next((x for x in operands if _is_followed(x)), None)
    if followed is None:
        return None
    counterpart = numpy_counterpart(name)
    ours = f"use polytape.{counterpart}" if tables.find_op(counterpart) else "use polytape's functions"
    what = f"numpy.{name}" if name else "a method of a NumPy ufunc"
    error = TapeError(
        f"{what} on {described(followed)} would lose the gradient: an open tape follows the tensor.",
        expected="polytape's functions, which the tape records",
        got=f"{what}, which returns a NumPy array",
        fix=f"{ours}; or pass x.numpy(), if no gradient is needed",
    )
    if settings().print_style == "tf1":  # `polytape.compat` is in use: TensorFlow 1.7 allows it
        warnings.warn(str(error), PolytapeWarning, stacklevel=_DEPTH + 2)
        return None
    return error


def _is_followed(x: Any) -> bool:
    tapes = current_scope.get().tapes
    return x.node is not None and any(not tape.closed and (tape in x.node.tapes or tape.follows(x)) for tape in tapes)


def _is_floating(result: Any) -> bool:
    if isinstance(result, (tuple, list)):
        return any(_is_floating(part) for part in result)
    if isinstance(result, (np.ndarray, np.generic)):
        return result.dtype.kind in "fc" or result.dtype.name == "bfloat16"
    return isinstance(result, (float, complex))
