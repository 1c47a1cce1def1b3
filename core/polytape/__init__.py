"""polytape: an eager tensor runtime whose numbers come from plugins.

The namespace follows the Python array API standard 2024.12. Ops run at once on the backend of their operands, a
`GradientTape` differentiates them, `Variable` and `Checkpoint` hold state, `function` traces a graph.
"""

from __future__ import annotations

import gc as _gc
import os as _os
from typing import TYPE_CHECKING, Any

if _os.path.exists(_os.path.join(__path__[0], "..", "..", "pyproject.toml")):
    # A checkout, whose compiled files may be older than their sources; an installed copy is not looked at.
    from .buildinfo import check_stale as _check_stale

    _check_stale()

# What an import makes stays: looking for garbage among it would take 0.9 of 6.6 ms.
_collecting = _gc.isenabled()
_gc.disable()
try:
    from . import ops as _ops  # noqa: F401  # declares the ops; must come before what uses them
finally:
    if _collecting:
        _gc.enable()

from .autodiff.tape import GradientTape
from .backend import Backend, Kernel, MemoryInfo, Probe
from .device import Device
from .dispatch.convert import asarray
from .dtypes import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .dtypes import lookup as _lookup
from .errors import PolytapeError, PolytapeWarning
from .ops.creation import arange, full, ones, zeros
from .ops.declaration import op
from .ops.elementwise import (
    abs,
    add,
    divide,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sign,
    sqrt,
    square,
    subtract,
    tanh,
)
from .ops.linalg import matmul, matrix_transpose
from .ops.logic import (
    equal,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
    where,
)
from .ops.manipulation import astype, broadcast_to, concat, identity, permute_dims, reshape, stop_gradient
from .ops.reduction import argmax, max, mean, sum
from .placement.default_backend import current_backend, device, set_backend
from .placement.selection import check_environment as _check_environment
from .tensors.tensor import Tensor, TensorLike
from .tensors.variable import Variable

if TYPE_CHECKING:
    from . import compat as compat
    from . import nn, optim, random
    from . import testing as testing
    from .autodiff.functional import (
        custom_gradient,
        gradients_function,
        implicit_gradients,
        implicit_value_and_gradients,
        value_and_gradients_function,
    )
    from .checkpoint import Checkpoint, latest_checkpoint
    from .dispatch.explanation import explain
    from .dispatch.fallback import set_fallback
    from .dispatch.kernel_registration import kernel
    from .dispatch.mixed_devices import set_mixed_devices
    from .graph import function
    from .placement.devices import memory_info, synchronize
    from .plugins import backends, get_backend, refresh, register_backend
    from .plugins.hookspecs import hookimpl
    from .state.trackable import Trackable
    from .testing.gradients import check_gradients

_check_environment()

__version__ = "0.1.0"
__array_api_version__ = "2024.12"

bool = bool_

__all__ = [
    "Backend",
    "Checkpoint",
    "Device",
    "GradientTape",
    "Kernel",
    "MemoryInfo",
    "PolytapeError",
    "PolytapeWarning",
    "Probe",
    "Tensor",
    "TensorLike",
    "Trackable",
    "Variable",
    "abs",
    "add",
    "arange",
    "argmax",
    "asarray",
    "astype",
    "backends",
    "bool",
    "broadcast_to",
    "check_gradients",
    "complex64",
    "complex128",
    "concat",
    "current_backend",
    "custom_gradient",
    "device",
    "divide",
    "equal",
    "exp",
    "explain",
    "float16",
    "float32",
    "float64",
    "full",
    "function",
    "get_backend",
    "gradients_function",
    "greater",
    "greater_equal",
    "hookimpl",
    "identity",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "isfinite",
    "kernel",
    "latest_checkpoint",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "memory_info",
    "minimum",
    "multiply",
    "negative",
    "nn",
    "not_equal",
    "ones",
    "op",
    "optim",
    "permute_dims",
    "power",
    "random",
    "refresh",
    "register_backend",
    "reshape",
    "set_backend",
    "set_fallback",
    "set_mixed_devices",
    "sign",
    "sqrt",
    "square",
    "stop_gradient",
    "subtract",
    "sum",
    "synchronize",
    "tanh",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "value_and_gradients_function",
    "where",
    "zeros",
]

# What loads when it is first asked for: name -> (module, attribute or "" for the module itself).
_LAZY = {
    "autodiff": ("autodiff", ""),
    "Checkpoint": ("checkpoint", "Checkpoint"),
    "Trackable": ("state.trackable", "Trackable"),
    "backends": ("plugins", "backends"),
    "check_gradients": ("testing.gradients", "check_gradients"),
    "checkpoint": ("checkpoint", ""),
    "compat": ("compat", ""),
    "custom_gradient": ("autodiff.functional", "custom_gradient"),
    "explain": ("dispatch.explanation", "explain"),
    "function": ("graph", "function"),
    "get_backend": ("plugins", "get_backend"),
    "gradients_function": ("autodiff.functional", "gradients_function"),
    "graph": ("graph", ""),
    "hookimpl": ("plugins.hookspecs", "hookimpl"),
    "implicit_gradients": ("autodiff.functional", "implicit_gradients"),
    "implicit_value_and_gradients": ("autodiff.functional", "implicit_value_and_gradients"),
    "kernel": ("dispatch.kernel_registration", "kernel"),
    "latest_checkpoint": ("checkpoint", "latest_checkpoint"),
    "memory_info": ("placement.devices", "memory_info"),
    "nn": ("nn", ""),
    "optim": ("optim", ""),
    "random": ("random", ""),
    "refresh": ("plugins", "refresh"),
    "register_backend": ("plugins", "register_backend"),
    "set_fallback": ("dispatch.fallback", "set_fallback"),
    "set_mixed_devices": ("dispatch.mixed_devices", "set_mixed_devices"),
    "synchronize": ("placement.devices", "synchronize"),
    "testing": ("testing", ""),
    "value_and_gradients_function": ("autodiff.functional", "value_and_gradients_function"),
}


def __getattr__(name: str) -> Any:
    if name == "bfloat16":
        return _lookup(name)
    target = _LAZY.get(name)
    if target is None:
        raise AttributeError(f"module 'polytape' has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f"polytape.{target[0]}")
    found = getattr(module, target[1]) if target[1] else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
