"""Differentiation: what a tape keeps of each op, the walk back, and gradients of functions.

May import the contract, `registry` and `tensors`. Rules are made of ops, and casts and moves are ops too: they arrive
through `operators`, so nothing here knows how an op is dispatched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .functional import (
        custom_gradient,
        gradients_function,
        implicit_gradients,
        implicit_value_and_gradients,
        value_and_gradients_function,
    )

__all__ = [
    "custom_gradient",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "value_and_gradients_function",
]


def __getattr__(name: str) -> Any:
    # Late: the modules below are loaded with `import polytape`, functions of functions when they are asked for.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.functional"), name)
