"""What a step of a cluster computes for one element, as text: the operations that give NumPy's bits in any loop.

They are exact by IEEE 754 (a sum, a product, a root) or choose one of their operands. All other ops are computed by the
inner loops of their universal functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polytape.backend import Number, Step

from .kernels.compiled import FEW

__all__ = ["body_of", "universal_of"]

# By the name of the kernel, a universal function of NumPy; {0} and {1} are the operands, {zero} and {one} numbers.
_OF_FLOATS: Final = {
    "absolute": "abs({0})",
    "add": "{0} + {1}",
    "divide": "{0} / {1}",
    "equal": "{0} == {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "isfinite": "abs({0}) < {infinite}",
    "isinf": "abs({0}) == {infinite}",
    "isnan": "{0} != {0}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "multiply": "{0} * {1}",
    "negative": "-{0}",
    "not_equal": "{0} != {1}",
    "sqrt": "sqrt({0})",
    "square": "{0} * {0}",
    "subtract": "{0} - {1}",
}
_OF_BOOLS: Final = {
    "equal": "{0} == {1}",
    "invert": "not {0}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "logical_and": "{0} & {1}",
    "logical_not": "not {0}",
    "logical_or": "{0} | {1}",
    "logical_xor": "{0} ^ {1}",
    "not_equal": "{0} != {1}",
}
# By the op's name, where the kernel is a Python function.
_OF_OPS: Final = {
    "reciprocal": "{one} / {0}",
    "relu": "{zero} if {0} < {zero} else {0}",
    "relu_gradient": "{0} if {1} > {zero} else {zero}",
    "sigmoid_gradient": "{0} * ({1} * ({one} - {1}))",
    "where": "{1} if {0} else {2}",
}
# Of two arrays, and of an array and a number, which NumPy clips. They differ in the sign of a zero.
_EXTREMES: Final = {
    "maximum": ("{0} if ({0} > {1}) | ({0} != {0}) else {1}", "{1} if ({0} < {1}) | ({1} != {1}) else {0}"),
    "minimum": ("{0} if ({0} < {1}) | ({0} != {0}) else {1}", "{1} if ({0} > {1}) | ({1} != {1}) else {0}"),
}
_CLIPPED: Final = 2048  # elements, from which on NumPy's kernels clip
_POWERS: Final = {2.0: "{0} * {0}", 3.0: "{0} * {0} * {0}", -1.0: "{one} / {0}"}
_PACKAGES: Final = ("polytape_numba", "polytape_numpy")


def _second_of_zeros() -> bool:
    """Whether NumPy's maximum of -0 and 0 is its second operand, as that of x86 processors is."""
    zeros = np.array([0.0, -0.0] * 8, "f")
    return bool(
        (np.signbit(np.maximum(zeros, -zeros)) == np.signbit(-zeros)).all()
        and (np.signbit(np.minimum(zeros, -zeros)) == np.signbit(-zeros)).all()
    )


_BY_SECOND: Final = _second_of_zeros()


def body_of(step: Step, dtypes: list[Any], sizes: list[int]) -> str | None:
    """The text of a step; None if it has none.

    Args:
        step: the step.
        dtypes, sizes: of its operands.
    """
    kernel, floats = step.kernel, all(dtype.char in "fd" for dtype in dtypes)
    if step.attributes:
        return None
    if isinstance(kernel, np.ufunc):
        if dtypes[0].char == "?":
            return _OF_BOOLS.get(kernel.__name__)
        return _OF_FLOATS.get(kernel.__name__) if floats else None
    if not _own(kernel) or max(sizes) < FEW:
        return None
    if step.op in _EXTREMES:
        return _extreme(*_EXTREMES[step.op], sizes) if floats and _BY_SECOND else None
    if step.op == "where":
        return _OF_OPS[step.op] if [dtype.char for dtype in dtypes] in (["?", "f", "f"], ["?", "d", "d"]) else None
    if not floats:
        return None
    if step.op == "power":
        exponent = step.operands[1]
        return _POWERS.get(exponent.value.real) if isinstance(exponent, Number) else None
    return _OF_OPS.get(step.op)


def _extreme(of_arrays: str, of_number: str, sizes: list[int]) -> str:
    first, second = sizes
    if first == second or max(sizes) < _CLIPPED or min(sizes) > 1:
        return of_arrays
    return of_number if second == 1 else of_number.format("{1}", "{0}")


def universal_of(step: Step) -> str | None:
    """The name of numba's universal function that computes a step; None if its kernel is none."""
    kernel: Any = step.kernel
    served = not step.attributes and math.prod(step.result.shape) >= FEW and _own(kernel)
    return getattr(kernel, "universal", None) if served else None


def _own(kernel: Callable[..., Any]) -> bool:
    """Whether a kernel is polytape's: one of another distribution may compute something else."""
    module = str(getattr(kernel, "__module__", ""))
    return module.partition(".")[0] in _PACKAGES
