"""Differentiation: gradient tapes, the backward pass, and gradients of functions.

`tape` is `GradientTape`; `record` keeps what the backward pass needs of each op, as its `gradient_plan` says;
`backward` is the pass itself, `cotangent` converts gradients to a shape, dtype or device. `functional` holds
`gradients_function` and its relatives. `forward` goes through a tape's records in the other direction (`linearity`
lists linear ops); `transforms` has `jvp`, `linearize` and `hvp`. `batching` runs a function on a whole batch
(`polytape.vmap`), and `jacobians` the backward pass for all rows of a Jacobian. `recomputation` is `recompute`.
Gradient rules are made of ops, which are called through `tensors.operators`, or by name through the registry: nothing
here depends on how an op is dispatched.

May import: `dtypes`, `errors`, `registry`, `tensors`, `tracebacks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batching.mapping import vmap
    from .functional import (
        custom_gradient,
        gradients_function,
        implicit_gradients,
        implicit_value_and_gradients,
        value_and_gradients_function,
    )
    from .jacobians import batch_jacobian, hessian, jacobian
    from .recomputation import recompute
    from .transforms import hvp, jvp, linearize

__all__ = [
    "batch_jacobian",
    "custom_gradient",
    "gradients_function",
    "hessian",
    "hvp",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "jacobian",
    "jvp",
    "linearize",
    "recompute",
    "value_and_gradients_function",
    "vmap",
]

# The modules of names that are not in `functional`.
_MODULES = {
    **dict.fromkeys(("batch_jacobian", "hessian", "jacobian"), "jacobians"),
    **dict.fromkeys(("hvp", "jvp", "linearize"), "transforms"),
    "recompute": "recomputation",
    "vmap": "batching.mapping",
}


def __getattr__(name: str) -> Any:
    # `import polytape` loads the other modules of this package; these are loaded when one of their names is used.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'functional')}"), name)
