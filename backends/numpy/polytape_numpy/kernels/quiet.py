"""Underflow that a kernel intends, such as ``exp(-200)`` in a softmax, is not reported."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

__all__ = ["error_state", "silent"]


def error_state(xp: Any) -> Callable[[None], Any]:
    """A function that returns NumPy's error state, or None if nobody has changed it, so that it ignores underflow.

    It takes 20 ns, while ``np.errstate`` takes 900: a kernel enters ``xp.errstate(under="ignore")`` only if the state
    has been changed. Other modules than NumPy report nothing.
    """
    if xp.__name__ != "numpy":
        return lambda default: default
    context = contextvars.copy_context()
    context.run(xp.seterr, under="ignore")
    for variable in context:
        if variable.name == "numpy.ufunc.extobj":
            return variable.get
    return lambda default: False  # another version of NumPy: the state is always entered


def silent(xp: Any, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, whose floating-point conditions are not reported; for results that are defined, such as an integer
    divided by 0.

    Each call runs in a copy of one context, which takes 60 ns where ``np.errstate`` takes 900.
    """
    if xp.__name__ != "numpy":
        return fn
    context = contextvars.copy_context()
    context.run(xp.seterr, all="ignore")

    def quietly(*arrays: Any) -> Any:
        return context.copy().run(fn, *arrays)

    return quietly
