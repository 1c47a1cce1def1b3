"""TensorFlow 1.7's ``tensorflow.contrib.eager``: ``from polytape.compat import tfe``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...autodiff import functional as autodiff
from ...autodiff.functional import custom_gradient
from ...autodiff.tape import GradientTape
from ...checkpoint import Checkpoint
from ...placement.selection import default_device
from ...plugins import backends, get_backend
from ..mode import GraphModeError, enable_eager_execution, executing_eagerly, need_eager
from ..tf1.variables import Variable

__all__ = [
    "Checkpoint",
    "GradientTape",
    "GraphModeError",
    "Variable",
    "custom_gradient",
    "enable_eager_execution",
    "executing_eagerly",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "num_gpus",
    "value_and_gradients_function",
]


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
    """As `polytape.implicit_gradients`: a function that returns a gradient for each variable that ``f`` uses."""
    need_eager("implicit_gradients")
    return autodiff.implicit_gradients(f)


def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """As `polytape.implicit_value_and_gradients`: a function that returns the value of ``f`` and these gradients."""
    need_eager("implicit_value_and_gradients")
    return autodiff.implicit_value_and_gradients(f)


def num_gpus() -> int:
    """The number of GPUs of the default backend; if it has none, the largest number that any ready backend has."""
    gpus = [device for device in get_backend(default_device().backend).device_list() if device.kind == "gpu"]
    if gpus:
        return len(gpus)
    counts = [len([device for device in status.devices if device.kind == "gpu"]) for status in backends()]
    return max(counts, default=0)
