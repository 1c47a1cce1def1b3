"""Calling the user's function after each op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..dispatch.slow_path import FROM_CALLBACK
from ..errors import DTypeError
from ..tensors.tensor import describe
from .calls import Call, Watcher
from .watching import Watching

__all__ = ["callback"]


class _Callback(Watcher):
    keeps_arrays = True
    wants_lines = True

    def __init__(self, fn: Callable[[Call], Any]) -> None:
        self.fn: Final = fn

    def after(self, call: Call) -> None:
        if call.error is not None:
            return
        try:
            self.fn(call)
        except Exception as error:
            # Dispatch handles some errors of kernels, for example by running an op again; this is none of a kernel.
            setattr(error, FROM_CALLBACK, True)
            raise


def callback(fn: Callable[[Call], Any], *, all_threads: bool = False) -> Watching:
    """Call a function after each op that runs inside a ``with`` block, or inside a function that this decorates.

    It is called for ops in eager code, in the bodies of other ops (whose ``parent`` is set), in backward passes, in
    optimizers and in the graphs of traced functions. Ops that ``fn`` itself runs are not reported, recorded or traced.
    Callbacks can be nested; the innermost is called first. An exception that one raises ends the op once the others
    have been called; no variable has changed then. Entering and leaving the outermost block resolves each op and traces
    each function again, so put it around a loop, not into one.

    Args:
        fn: takes a `Call`: the op's name, inputs, outputs, attributes, device, seconds and the user's line.
        all_threads: whether it is called for the ops of all threads, in these threads. By default, only for the thread
            or task that enters the block.
    Raises:
        DTypeError: ``fn`` cannot be called.

    Example:
        >>> import polytape as pt
        >>> x = pt.ones((2, 3))
        >>> with pt.debug.callback(lambda call: print(call.op, call.outputs[0].shape)):
        ...     y = pt.exp(x * 2.0)
        multiply (2, 3)
        exp (2, 3)
    """
    if not callable(fn):
        raise DTypeError(
            f"debug.callback cannot call {describe(fn)}.",
            expected="a function that takes one polytape.debug.Call",
            got=type(fn).__name__,
            fix="pass the function itself, such as lambda call: print(call.op)",
        )
    return Watching(_Callback(fn), all_threads)
