"""Functions of ``tfe``: gradients, traced functions, devices."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from ... import dtypes
from ...autodiff import functional as autodiff
from ...autodiff.functional import custom_gradient
from ...autodiff.tape import GradientTape
from ...dispatch.convert import asarray, cast
from ...graph import function as traced
from ...placement.selection import default_device
from ...plugins import backends, get_backend
from ..mode import building, enable_eager_execution, executing_eagerly as in_eager_mode, need_eager
from ..tf1 import app

__all__ = [
    "DEVICE_PLACEMENT_EXPLICIT",
    "DEVICE_PLACEMENT_SILENT",
    "DEVICE_PLACEMENT_WARN",
    "GradientTape",
    "custom_gradient",
    "defun",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "in_eager_mode",
    "list_devices",
    "num_gpus",
    "py_func",
    "run",
    "value_and_gradients_function",
]

DEVICE_PLACEMENT_EXPLICIT: Final = 0
DEVICE_PLACEMENT_WARN: Final = 1
DEVICE_PLACEMENT_SILENT: Final = 2


def gradients_function(f: Callable[..., Any], params: Sequence[int | str] | None = None) -> Callable[..., Any]:
    """As `polytape.gradients_function`: a function that returns the gradients of ``f`` by its arguments."""
    need_eager("gradients_function")
    return autodiff.gradients_function(f, params)


def value_and_gradients_function(
    f: Callable[..., Any], params: Sequence[int | str] | None = None
) -> Callable[..., Any]:
    """As `polytape.value_and_gradients_function`: a function that returns the value of ``f`` and these gradients."""
    need_eager("value_and_gradients_function")
    return autodiff.value_and_gradients_function(f, params)


def implicit_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """As `polytape.implicit_gradients`: a function that returns a gradient for each variable that ``f`` uses.

    As in TensorFlow, the gradient of a variable from which only rows are gathered is a `tf.IndexedSlices`.
    """
    need_eager("implicit_gradients")
    return autodiff.implicit_gradients(f, sparse=True)


def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """As `polytape.implicit_value_and_gradients`: a function that returns the value of ``f`` and these gradients."""
    need_eager("implicit_value_and_gradients")
    return autodiff.implicit_value_and_gradients(f, sparse=True)


def num_gpus() -> int:
    """The number of GPUs of the default backend; if it has none, the largest number that any ready backend has."""
    gpus = [device for device in get_backend(default_device().backend).device_list() if device.kind == "gpu"]
    if gpus:
        return len(gpus)
    counts = [len([device for device in status.devices if device.kind == "gpu"]) for status in backends()]
    return max(counts, default=0)


def list_devices() -> list[str]:
    """The devices of the default backend, as TensorFlow names them."""
    listed = get_backend(default_device().backend).device_list()
    return [f"/job:localhost/replica:0/task:0/device:{device.kind.upper()}:{device.index}" for device in listed]


def defun(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """As `polytape.function`: ``func``, traced to a graph at the first call for each kind of arguments.

    In graph mode ``func`` as it is: what it calls becomes part of the graph.
    """
    if func is None:
        return lambda later: defun(later, **options)
    if building():
        return functools.wraps(func)(lambda *args, **kwargs: func(*args, **kwargs))  # its operations join the graph
    return traced(func, **options)


def py_func(func: Callable[..., Any], inp: Sequence[Any], Tout: Any, name: str | None = None) -> Any:
    """``func(*inp)``, whose results become tensors of the dtypes ``Tout``.

    Args:
        func: a function of tensors.
        inp: its arguments.
        Tout: a dtype, or a list of dtypes if the function returns several; None or [] if it returns nothing.
    Raises:
        ValueError: the function returns another number of results.
    """
    if building():
        return importlib.import_module("polytape.compat.tf1.graph.python_functions").eager_py_func(
            func, inp, Tout, name
        )
    result = func(*[asarray(x) for x in inp])
    if Tout is None or (isinstance(Tout, (list, tuple)) and not Tout):
        return None
    if not isinstance(Tout, (list, tuple)):
        return cast(asarray(result), dtypes.lookup(Tout))
    results = result if isinstance(result, (list, tuple)) else [result]
    if len(results) != len(Tout):
        raise ValueError(f"py_func: expected {len(Tout)} results, as Tout says; got {len(results)}.")
    return [cast(asarray(x), dtypes.lookup(dtype)) for x, dtype in zip(results, Tout, strict=True)]


def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Enable eager execution, call ``main(argv)``, and end the process with its result.

    Args:
        main: default: ``main`` of the program.
        argv: default: the command line.
    """
    enable_eager_execution()
    app.run(main, argv)
