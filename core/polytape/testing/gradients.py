"""Comparison of gradients with finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..autodiff.tape import GradientTape
from ..dispatch import convert
from ..errors import DTypeError
from ..tensors import structure
from ..tensors.tensor import Tensor, describe

__all__ = ["check_gradients"]

Array = np.ndarray[Any, Any]

# Fourth-order differences: the truncation error is step**4 and the rounding error 2**-52 / step, both near 1e-12.
_STEP: Final = 1e-3


def check_gradients(
    f: Callable[..., Any],
    inputs: Any,
    *,
    order: int = 1,
    rtol: float = 1e-6,
    atol: float = 1e-8,
    second_rtol: float = 1e-4,
) -> None:
    """Compare the gradients of ``f`` with finite differences, along a random direction for each input.

    Everything runs in float64, on the inputs' device. For order 2, the gradient is checked as a function of the
    inputs and of the incoming gradients.

    Args:
        f: takes tensors by position; returns a tensor or a structure of tensors. It must be smooth within a few
            thousandths of the inputs.
        inputs: the arguments: a tensor or array, or a sequence of them. Integer and bool inputs are constants.
        order: 1 or more.
        rtol: allowed relative error of first derivatives.
        atol: allowed absolute error for outputs of magnitude 1; it grows with them.
        second_rtol: allowed relative error of higher derivatives.
    Raises:
        AssertionError: a gradient is wrong; the text gives the input, the order and both numbers.
        DTypeError: a complex input.
    Source:
        Central differences of fourth order; M. Abramowitz, I. Stegun (1964), Handbook of Mathematical Functions,
        formula 25.3.6.

    Example:
        >>> import polytape as pt
        >>> pt.check_gradients(lambda x: x * x * x, 2.0, order=2)
    """
    several = isinstance(inputs, (list, tuple))
    arguments = [_argument(x) for x in (inputs if several else [inputs])]
    names = [f"input {position}" for position in range(len(arguments))]
    _check(f, arguments, names, 1, order, rtol, atol, second_rtol)


def _argument(x: Any) -> Tensor:
    """An input as a tensor: of float64, or unchanged if it is a constant."""
    tensor = x if isinstance(x, Tensor) else convert.asarray(x)
    category = dtypes.category(tensor.dtype)
    if category == dtypes.COMPLEX:
        raise DTypeError(
            f"check_gradients cannot vary {describe(tensor)}.",
            expected="real inputs",
            got=str(tensor.dtype),
            fix="pass the real and imaginary parts as separate inputs",
        )
    if category == dtypes.FLOATING and (tensor.dtype is not dtypes.float64 or not isinstance(x, Tensor)):
        return convert.asarray(tensor.numpy().astype("float64"), device=tensor.device)
    if category < dtypes.FLOATING and not isinstance(x, (Tensor, np.ndarray, np.generic)):
        return convert.asarray(float(x), dtype="float64")
    return convert.asarray(tensor)


def _check(
    f: Callable[..., Any],
    arguments: list[Tensor],
    names: list[str],
    order: int,
    last: int,
    rtol: float,
    atol: float,
    second_rtol: float,
) -> None:
    """Check the gradient of ``f``, and for a higher order the gradient of that gradient."""
    smooth = [position for position, x in enumerate(arguments) if dtypes.category(x.dtype) == dtypes.FLOATING]
    outputs = [np.array(y.numpy()) for y in _outputs(f, arguments)]
    rng = np.random.default_rng(order)
    incoming = [convert.asarray(rng.uniform(0.5, 1.5, y.shape), device=arguments[0].device) for y in outputs]
    gradients = _gradients(f, arguments, smooth, incoming)
    weights = [np.array(v.numpy()) for v in incoming]
    for position, gradient in zip(smooth, gradients, strict=True):
        x = arguments[position]
        if gradient is not None and (gradient.shape != x.shape or gradient.dtype is not x.dtype):
            raise AssertionError(
                f"the gradient of order {order} with respect to {names[position]} has the wrong shape or dtype.\n"
                f"  expected: {describe(x)}\n  got: {describe(gradient)}"
            )
        direction = rng.uniform(-1.0, 1.0, x.shape)
        expected = _difference(f, arguments, position, direction, weights)
        got = 0.0 if gradient is None else float((np.array(gradient.numpy()) * direction).sum())
        size = sum(float(np.abs(y * v).sum()) for y, v in zip(outputs, weights, strict=True))
        if not abs(got - expected) <= rtol * abs(expected) + atol * max(1.0, size):
            raise AssertionError(
                f"the derivative of order {order} with respect to {names[position]} is wrong.\n"
                f"  expected: {expected!r} by finite differences, to {rtol:g}\n  got: {got!r}"
                f"{' (no gradient at all)' if gradient is None else ''}"
            )
    if order < last:
        count = len(arguments)

        def derivative(*operands: Tensor) -> list[Tensor]:
            # A gradient of None means 0, as checked above, and has no derivative to check.
            gradients = _gradients(f, list(operands[:count]), smooth, list(operands[count:]))
            return [g for g in gradients if g is not None]

        incoming_names = [f"the incoming gradient of output {position}" for position in range(len(incoming))]
        all_names = [*names, *incoming_names]
        _check(derivative, [*arguments, *incoming], all_names, order + 1, last, second_rtol, atol, second_rtol)


def _outputs(f: Callable[..., Any], arguments: list[Tensor]) -> list[Tensor]:
    """The floating outputs of ``f``."""
    leaves = structure.leaves(f(*arguments))
    return [y for y in leaves if isinstance(y, Tensor) and dtypes.category(y.dtype) == dtypes.FLOATING]


def _gradients(
    f: Callable[..., Any], arguments: list[Tensor], smooth: list[int], incoming: list[Tensor]
) -> list[Tensor | None]:
    # New handles, so that watching them does not change the caller's tensors.
    handles = [Tensor(x.array, x.type, x.node) for x in arguments]
    sources = [handles[position] for position in smooth]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        outputs = _outputs(f, handles)
    gradients: list[Tensor | None] = tape.gradient(outputs, sources, output_gradients=incoming)
    return gradients


def _difference(
    f: Callable[..., Any], arguments: list[Tensor], position: int, direction: Array, weights: list[Array]
) -> float:
    """The derivative of the weighted sum of ``f`` along ``direction`` in one argument, by central differences."""
    base = np.array(arguments[position].numpy())

    def at(t: float) -> list[Array]:
        moved = list(arguments)
        moved[position] = convert.asarray(base + t * direction, device=arguments[position].device)
        return [np.array(y.numpy()) for y in _outputs(f, moved)]

    ahead, behind, far_ahead, far_behind = at(_STEP), at(-_STEP), at(2 * _STEP), at(-2 * _STEP)
    total = 0.0
    for v, a, b, c, d in zip(weights, ahead, behind, far_ahead, far_behind, strict=True):
        # Differences before sums: unchanged elements then cancel without a rounding error.
        total += float((v * (8.0 * (a - b) - (c - d))).sum())
    return total / (12.0 * _STEP)
