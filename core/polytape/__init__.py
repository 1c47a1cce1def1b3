"""polytape: an eager tensor runtime whose numerical work is done by plugins.

The namespace follows the Python array API standard 2025.12. Ops run immediately, on the backend of their operands.
`GradientTape` differentiates them, `Variable` and `Checkpoint` hold state, and `function` traces a function to a graph.
"""

from __future__ import annotations

import gc as _gc
import os as _os
from typing import TYPE_CHECKING, Any

if _os.path.exists(_os.path.join(__path__[0], "..", "..", "pyproject.toml")):
    # Only a checkout is checked: its compiled files may be older than their sources.
    from .buildinfo import check_stale as _check_stale

    _check_stale()

# Objects created by an import stay alive, so collecting garbage meanwhile is wasted work: 0.9 of 6.6 ms.
_collecting = _gc.isenabled()
_gc.disable()
try:
    # First, because it loads the whole compiled ring; importing the ring's modules one by one costs a file search each
    # (0.15 ms).
    from .dispatch import fast_path as _fast_path  # noqa: F401  # imported for its side effect
finally:
    if _collecting:
        _gc.enable()

from .device import Device as Device
from .dispatch.convert import asarray as asarray
from .dtypes import (
    bool_ as _bool,
    complex64 as complex64,
    complex128 as complex128,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    int8 as int8,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    isdtype as isdtype,
    lookup as _lookup,
    uint8 as uint8,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
)
from .errors import PolytapeError as PolytapeError, PolytapeWarning as PolytapeWarning
from .ops.declaration import op as op
from .placement.selection import check_environment as _check_environment
from .registry.tables import set_families as _set_families
from .tensors.tensor import Tensor as Tensor, TensorLike as TensorLike

if TYPE_CHECKING:
    # Names that load on first use, imported here for type checkers. At run time, `_LATE` below maps each name to its
    # module, and `polytape.ops.families` finds the ops: the public names of all families are names of polytape.
    from . import (
        autodiff as autodiff,
        checkpoint as checkpoint,
        compat as compat,
        data as data,
        debug as debug,
        fft as fft,
        graph as graph,
        linalg as linalg,
        metrics as metrics,
        nn as nn,
        optim as optim,
        random as random,
        special as special,
        summary as summary,
        testing as testing,
        training as training,
    )
    from .autodiff.batching.mapping import vmap as vmap
    from .autodiff.functional import (
        custom_gradient as custom_gradient,
        gradients_function as gradients_function,
        implicit_gradients as implicit_gradients,
        implicit_value_and_gradients as implicit_value_and_gradients,
        value_and_gradients_function as value_and_gradients_function,
    )
    from .autodiff.indexed_slices import IndexedSlices as IndexedSlices
    from .autodiff.jacobians import batch_jacobian as batch_jacobian, hessian as hessian, jacobian as jacobian
    from .autodiff.recomputation import recompute as recompute
    from .autodiff.tape import GradientTape as GradientTape
    from .autodiff.transforms import hvp as hvp, jvp as jvp, linearize as linearize
    from .backend import Backend as Backend, Kernel as Kernel, MemoryInfo as MemoryInfo, Probe as Probe
    from .checkpoint import (
        Checkpoint as Checkpoint,
        CheckpointManager as CheckpointManager,
        latest_checkpoint as latest_checkpoint,
    )
    from .checkpoint.structures import load as load, save as save
    from .control import cond as cond, fori_loop as fori_loop, map as map, scan as scan, while_loop as while_loop
    from .dispatch.default_dtypes import set_default_dtype as set_default_dtype
    from .dispatch.explanation import explain as explain
    from .dispatch.fallback import set_fallback as set_fallback
    from .dispatch.interchange import from_dlpack as from_dlpack
    from .dispatch.kernel_registration import kernel as kernel
    from .dispatch.mixed_devices import set_mixed_devices as set_mixed_devices
    from .graph import function as function
    from .graph.exchange import load_graph as load_graph
    from .graph.exchange.text import parse_graph as parse_graph
    from .inspection import (
        can_cast as can_cast,
        e as e,
        finfo as finfo,
        iinfo as iinfo,
        inf as inf,
        namespace_info as __array_namespace_info__,  # noqa: F401  # it is the name of the standard
        nan as nan,
        newaxis as newaxis,
        pi as pi,
        result_type as result_type,
    )
    from .ops.applying import *
    from .ops.arithmetic import *
    from .ops.arithmetic import power as pow  # noqa: F401  # it is the name of the standard
    from .ops.bitwise import *
    from .ops.choosing import *
    from .ops.complex_parts import *
    from .ops.contractions import *
    from .ops.counting import *
    from .ops.creation import *
    from .ops.cumulative import *
    from .ops.einsum import *
    from .ops.elementwise import *
    from .ops.exponential import *
    from .ops.gathering import *
    from .ops.joining import *
    from .ops.likeness import *
    from .ops.logic import *
    from .ops.manipulation import *
    from .ops.movement import *
    from .ops.nan_statistics import *
    from .ops.numerical import *
    from .ops.padding import *
    from .ops.polynomials import *
    from .ops.predicates import *
    from .ops.products import *
    from .ops.quantiles import *
    from .ops.rearranging import *
    from .ops.reduction import *
    from .ops.representation import *
    from .ops.rounding import *
    from .ops.segment import *
    from .ops.sets import *
    from .ops.sorting import *
    from .ops.stacking import *
    from .ops.statistics import *
    from .ops.trigonometric import *
    from .placement.default_backend import (
        current_backend as current_backend,
        device as device,
        set_backend as set_backend,
    )
    from .placement.devices import memory_info as memory_info, synchronize as synchronize
    from .placement.streams import Event as Event, Stream as Stream
    from .plugins import (
        backends as backends,
        get_backend as get_backend,
        refresh as refresh,
        register_backend as register_backend,
    )
    from .plugins.hookspecs import hookimpl as hookimpl
    from .state.trackable import Trackable as Trackable
    from .tensors.print_options import (
        get_printoptions as get_printoptions,
        printoptions as printoptions,
        set_printoptions as set_printoptions,
    )
    from .tensors.spec import TensorSpec as TensorSpec
    from .tensors.variable import Variable as Variable
    from .testing.gradients import check_gradients as check_gradients

    bfloat16 = float16  # for type checkers; at run time also a NumPy dtype object, which needs ml_dtypes

_check_environment()
if "POLYTAPE_DEFAULT_DTYPE" in _os.environ:
    from .dispatch.default_dtypes import read_environment as _read_default_dtypes

    _read_default_dtypes(_os.environ["POLYTAPE_DEFAULT_DTYPE"])


def _families() -> Any:
    """The module that declares the families of ops; it loads with the first tensor or the first use of an op's name."""
    from .ops import families

    return families


_set_families(_families)

if not TYPE_CHECKING:
    del device  # the imports above bound the submodule; the public `device` is the scope, which loads on first use

bool = _bool

__version__ = "0.1.0"
__array_api_version__ = "2025.12"

# Loaded on first use: modules (only the namespaces are in `__all__`), and names, each with its module and attribute.
_NAMESPACES = ("fft", "linalg", "nn", "optim", "random", "special")
_MODULES = (
    *_NAMESPACES, "autodiff", "checkpoint", "compat", "data", "debug", "graph", "metrics", "ops", "summary", "testing",
    "training",
)  # fmt: skip
_LATE = {
    "Backend": ("backend", "Backend"),
    "batch_jacobian": ("autodiff.jacobians", "batch_jacobian"),
    "backends": ("plugins", "backends"),
    "check_gradients": ("testing.gradients", "check_gradients"),
    "can_cast": ("inspection", "can_cast"),
    "Checkpoint": ("checkpoint", "Checkpoint"),
    "CheckpointManager": ("checkpoint", "CheckpointManager"),
    "cond": ("control", "cond"),
    "current_backend": ("placement.default_backend", "current_backend"),
    "custom_gradient": ("autodiff.functional", "custom_gradient"),
    "device": ("placement.default_backend", "device"),
    "e": ("inspection", "e"),
    "Event": ("placement.streams", "Event"),
    "explain": ("dispatch.explanation", "explain"),
    "finfo": ("inspection", "finfo"),
    "fori_loop": ("control", "fori_loop"),
    "from_dlpack": ("dispatch.interchange", "from_dlpack"),
    "function": ("graph", "function"),
    "get_backend": ("plugins", "get_backend"),
    "gradients_function": ("autodiff.functional", "gradients_function"),
    "GradientTape": ("autodiff.tape", "GradientTape"),
    "hessian": ("autodiff.jacobians", "hessian"),
    "hvp": ("autodiff.transforms", "hvp"),
    "hookimpl": ("plugins.hookspecs", "hookimpl"),
    "get_printoptions": ("tensors.print_options", "get_printoptions"),
    "iinfo": ("inspection", "iinfo"),
    "implicit_gradients": ("autodiff.functional", "implicit_gradients"),
    "implicit_value_and_gradients": ("autodiff.functional", "implicit_value_and_gradients"),
    "IndexedSlices": ("autodiff.indexed_slices", "IndexedSlices"),
    "inf": ("inspection", "inf"),
    "jacobian": ("autodiff.jacobians", "jacobian"),
    "jvp": ("autodiff.transforms", "jvp"),
    "Kernel": ("backend", "Kernel"),
    "kernel": ("dispatch.kernel_registration", "kernel"),
    "latest_checkpoint": ("checkpoint", "latest_checkpoint"),
    "linearize": ("autodiff.transforms", "linearize"),
    "load": ("checkpoint.structures", "load"),
    "load_graph": ("graph.exchange", "load_graph"),
    "map": ("control", "map"),
    "memory_info": ("placement.devices", "memory_info"),
    "MemoryInfo": ("backend", "MemoryInfo"),
    "nan": ("inspection", "nan"),
    "newaxis": ("inspection", "newaxis"),
    "parse_graph": ("graph.exchange.text", "parse_graph"),
    "pi": ("inspection", "pi"),
    "pow": ("ops.arithmetic", "power"),
    "printoptions": ("tensors.print_options", "printoptions"),
    "Probe": ("backend", "Probe"),
    "recompute": ("autodiff.recomputation", "recompute"),
    "refresh": ("plugins", "refresh"),
    "register_backend": ("plugins", "register_backend"),
    "result_type": ("inspection", "result_type"),
    "save": ("checkpoint.structures", "save"),
    "scan": ("control", "scan"),
    "set_backend": ("placement.default_backend", "set_backend"),
    "set_default_dtype": ("dispatch.default_dtypes", "set_default_dtype"),
    "set_fallback": ("dispatch.fallback", "set_fallback"),
    "set_mixed_devices": ("dispatch.mixed_devices", "set_mixed_devices"),
    "set_printoptions": ("tensors.print_options", "set_printoptions"),
    "Stream": ("placement.streams", "Stream"),
    "synchronize": ("placement.devices", "synchronize"),
    "TensorSpec": ("tensors.spec", "TensorSpec"),
    "Trackable": ("state.trackable", "Trackable"),
    "value_and_gradients_function": ("autodiff.functional", "value_and_gradients_function"),
    "vmap": ("autodiff.batching.mapping", "vmap"),
    "Variable": ("tensors.variable", "Variable"),
    "while_loop": ("control", "while_loop"),
    "__array_namespace_info__": ("inspection", "namespace_info"),
}


def _is_submodule(name: str) -> Any:
    """Whether polytape has a submodule ``name``; checking for a file is faster than searching the ops."""
    path = _os.path.join(_os.path.dirname(__file__), name)
    return _os.path.isdir(path) or _os.path.isfile(f"{path}.py")


def _names() -> list[str]:
    """All public names: those defined here (except modules), those that load on first use, and the ops."""
    module = type(_gc)
    defined = {name for name, value in globals().items() if name[0] != "_" and type(value) is not module}
    defined -= {"TYPE_CHECKING", "Any", "annotations"}
    return sorted({*defined, *_NAMESPACES, *(name for name in _LATE if name[0] != "_"), *_families().public_names("")})


if not TYPE_CHECKING:  # otherwise type checkers would accept any name

    def __getattr__(name: str) -> Any:
        if name == "__all__":  # computed only on request: it reads the source of every family
            return _names()
        if name == "bfloat16":
            return _lookup(name)
        if name in _MODULES or name in _LATE:
            import importlib

            module, attribute = _LATE.get(name, (name, ""))
            loaded = importlib.import_module(f"polytape.{module}")
            value = getattr(loaded, attribute) if attribute else loaded
            if isinstance(value, type):
                importlib.import_module("polytape.ops.declaration").document(value)
        elif _is_submodule(name):  # `from . import name` calls this before it imports the module
            raise AttributeError(f"module 'polytape' has no attribute {name!r}: import polytape.{name}")
        else:
            value = _families().find("", name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_names()})
