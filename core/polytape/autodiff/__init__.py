"""Differentiation: gradient tapes, the backward pass, and gradients of functions.

`tape` is `GradientTape`; `record` keeps what the backward pass needs of each op, as its `gradient_plan` says;
`backward` is the pass itself, `cotangent` converts gradients to a shape, dtype or device. `functional` holds
`gradients_function` and its relatives. Gradient rules are made of ops, which are called through `tensors.operators`:
nothing here depends on how an op is dispatched.

May import: `dtypes`, `errors`, `registry`, `tensors`, `tracebacks`.
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
    # `import polytape` loads the other modules of this package; `functional` is loaded when one of its names is used.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.functional"), name)
