"""How tensors print: polytape's form, and TensorFlow 1.7's where that style is set."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..settings import current_scope, settings
from ..state.variable import Variable
from .tensor import Symbol, Tensor, describe

__all__ = ["repr_tensor", "str_tensor"]

SMALL = 1000  # elements that are printed at all; larger tensors are summarised by NumPy's rules


def _values(x: Tensor, prefix: str) -> str:
    host = x.numpy()
    if host.ndim == 0:
        return str(host)  # array2string prints "9." for 9.0
    return np.array2string(host, separator=" ", prefix=prefix, threshold=SMALL)


def repr_tensor(x: Tensor) -> str:
    """``Tensor(float32[2,3], backend='numpy', [[...]])``."""
    if settings().print_style == "tf1":
        return _tf1_repr(x)
    head = f"{type(x).__name__}({_name(x)}{describe_plain(x)}, backend={x.device.backend!r}"
    if _symbolic(x):
        return f"{head}, symbolic)"
    if x.size == 0:
        return f"{head}, [])"
    values = _values(x, "  ")
    return f"{head}, {values})" if "\n" not in values else f"{head},\n  {values})"


def str_tensor(x: Tensor) -> str:
    """The values alone, as NumPy prints them; TensorFlow's form under its style."""
    if _symbolic(x):
        return repr_tensor(x)
    if settings().print_style == "tf1":
        return _tf1_str(x)
    return _values(x, "")


def _symbolic(x: Tensor) -> bool:
    # While a function is traced, a variable stands for its value at each call.
    return isinstance(x.array, Symbol) or (isinstance(x, Variable) and current_scope.get().trace is not None)


def _name(x: Tensor) -> str:
    return f"{x.name!r}, " if isinstance(x, Variable) and x.name else ""


def describe_plain(x: Tensor) -> str:
    """dtype and shape, and the device where it is not the backend's only one."""
    device = x.device
    where = f" on {device.kind}:{device.index}" if len(x.kind.backend.device_list()) > 1 else ""
    return f"{describe(x)}{where}"


def _tf1_values(x: Tensor) -> str:
    host: Any = x.numpy()
    return str(host)


def _tf1_str(x: Tensor) -> str:
    values = _tf1_values(x)
    if x.ndim > 1 or "\n" in values:
        values = "\n" + values
    shape = f"({', '.join(map(str, x.shape))}{',' if x.ndim == 1 else ''})"
    return f"tf.Tensor({values}, shape={shape}, dtype={x.dtype})"


def _tf1_repr(x: Tensor) -> str:
    shape = f"({', '.join(map(str, x.shape))}{',' if x.ndim == 1 else ''})"
    if isinstance(x, Variable):
        return f"<tf.Variable '{x.name or 'Variable'}:0' shape={shape} dtype={x.dtype}, numpy={_numpy_repr(x)}>"
    return f"<tf.Tensor: id={id(x)}, shape={shape}, dtype={x.dtype}, numpy={_numpy_repr(x)}>"


def _numpy_repr(x: Tensor) -> str:
    host: Any = x.numpy()
    text = repr(host)
    return f"\n{text}" if "\n" in text else text
