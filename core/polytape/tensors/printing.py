"""How tensors print: in polytape's form, or in TensorFlow 1.7's if that style is set.

Tensor imports this module when it first prints, so nothing here imports Tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..settings import settings
from .print_options import PrintOptions, applied, get_printoptions
from .symbol import type_text

__all__ = ["repr_tensor", "str_tensor"]

SMALL = 1000  # a tensor with more elements is summarised by NumPy's rules


def _values(x: Any, prefix: str) -> str:
    host = x.numpy()
    options = get_printoptions()
    if host.ndim == 0 and options == PrintOptions():
        return str(host)  # array2string prints "9." for 9.0
    threshold = SMALL if options.threshold is None else options.threshold
    with applied(options):
        text = np.array2string(host, separator=" ", prefix=prefix, threshold=threshold)
    return f"{text}0" if host.ndim == 0 and text.endswith(".") else text


def repr_tensor(x: Any) -> str:
    """``Tensor(float32[2,3], backend='numpy', [[...]])``."""
    if settings().print_style == "tf1":
        return _tf1_repr(x)
    head = f"{type(x).__name__}({_name(x)}{describe_plain(x)}, backend={x.device.backend!r}"
    if x._is_symbolic():
        return f"{head}, symbolic)"
    if x.size == 0:
        return f"{head}, [])"
    values = _values(x, "  ")
    return f"{head}, {values})" if "\n" not in values else f"{head},\n  {values})"


def str_tensor(x: Any) -> str:
    """The values alone, as NumPy prints them; in TensorFlow's style, its own form."""
    if x._is_symbolic():
        return repr_tensor(x)
    if settings().print_style == "tf1":
        return _tf1_str(x)
    return _values(x, "")


def _name(x: Any) -> str:
    label = x._label()
    return f"{label!r}, " if label else ""


def describe_plain(x: Any) -> str:
    """The dtype and shape, and the device unless it is the only one of its backend."""
    device = x.device
    suffix = f" on {device.kind}:{device.index}" if len(x.type.backend.device_list()) > 1 else ""
    return f"{type_text(x.dtype, x.shape)}{suffix}"


def _tf1_values(x: Any) -> str:
    host: Any = x.numpy()
    with applied(get_printoptions()):
        return str(host)


def _tf1_str(x: Any) -> str:
    if x._label() is not None:
        return _tf1_repr(x)
    values = _tf1_values(x)
    if "\n" in values:
        values = "\n" + values
    shape = f"({', '.join(map(str, x.shape))}{',' if x.ndim == 1 else ''})"
    return f"tf.Tensor({values}, shape={shape}, dtype={x.dtype})"


def _tf1_repr(x: Any) -> str:
    shape = f"({', '.join(map(str, x.shape))}{',' if x.ndim == 1 else ''})"
    label = x._label()
    if label is not None:
        name = (label or "Variable").removesuffix(":0")
        return f"<tf.Variable '{name}:0' shape={shape} dtype={x.dtype}, numpy={_numpy_repr(x)}>"
    return f"<tf.Tensor: id={id(x)}, shape={shape}, dtype={x.dtype}, numpy={_numpy_repr(x)}>"


def _numpy_repr(x: Any) -> str:
    host: Any = x.numpy()
    with applied(get_printoptions()):
        text = str(host) if host.ndim == 0 else repr(host)  # TensorFlow's scalars print as NumPy's did before 2.0
    return f"\n{text}" if "\n" in text else text
