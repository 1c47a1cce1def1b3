"""Errors for calls that no kernel can serve. Imported when one is raised, which keeps `import polytape` fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Backend
from ..device import Device
from ..errors import DeviceError, DTypeError, KernelError, OutOfRangeError, TraceError
from ..registry.op import Op
from ..tensors.symbol import type_text
from ..tensors.tensor import Tensor, describe

__all__ = ["different_devices", "index_out_of_range", "leaked_symbol", "no_kernel", "not_an_operand"]


def not_an_operand(op: Op, operands: Sequence[Any], position: int) -> DTypeError:
    """The error for an operand of a type that no op accepts."""
    x = operands[position]
    return DTypeError(
        f"{op.name} cannot take {describe(x)} as {op.operand_name(position)}.",
        expected="a tensor, a Python number, a NumPy array or a rectangular list of numbers",
        got=f"{type(x).__name__}",
        fix="convert it with polytape.asarray first",
    )


def index_out_of_range(op: Op, operands: Sequence[Any], error: IndexError) -> OutOfRangeError:
    """The error for an index operand whose values a kernel has rejected with ``error``.

    Args:
        operands: of the call, or the symbols of an equation.
    """
    operands = [x if hasattr(x, "dtype") else np.asarray(x) for x in operands if x is not None]
    values = ", ".join([type_text(x.dtype, x.shape) for x in operands])
    labels = "labels" in op.operands
    classes = operands[-1].shape[-1] if labels else 0
    return OutOfRangeError(
        f"{op.name}({values}): {'a label' if labels else 'an index'} is out of range.",
        expected=f"labels from 0 to {classes - 1}, since the logits have {classes} classes"
        if labels
        else "indices from -n to n - 1 for an axis of size n",
        got=str(error),
        fix="check how the labels are numbered, and the number of classes"
        if labels
        else "check the indices against the shape",
    )


def leaked_symbol(name: str, operands: Sequence[Any]) -> TraceError:
    """The error for a call of ``name`` with a symbolic tensor outside the trace that made it."""
    return TraceError(
        f"{name}({', '.join([describe(x) for x in operands])}): a symbolic tensor outside its trace.",
        expected="tensors with values",
        got="a tensor that was stored while a function was traced, and so has no value",
        fix="return it from the function instead of storing it",
    )


def different_devices(op: Op, operands: Sequence[Any], device: object) -> DeviceError:
    """The error for tensors on different devices; the fix suggests ``device``."""
    tensors = [(position, x) for position, x in enumerate(operands) if isinstance(x, Tensor)]
    return DeviceError(
        f"{op.name} got tensors on different devices.",
        expected="all tensors on one device",
        got=", ".join([f"{op.operand_name(position)} is {describe(x)} on {x.device}" for position, x in tensors]),
        fix=f"move them, for example with .to_device('{device}'), or polytape.set_mixed_devices('warn')",
    )


def no_kernel(op: Op, device: Device, chain: Sequence[Backend], dtypes: str, rejected: Sequence[str]) -> KernelError:
    """The error for an op without a kernel on ``device``; ``rejected`` has a reason for each registered kernel."""
    name = chain[0].name
    return KernelError(
        f"{op.name} has no kernel for ({dtypes}) on {device}.",
        expected=f"a kernel of backend {name!r} for {op.name}, which has no decomposition",
        got="; ".join(rejected) or f"none registered for {op.name} on {' or '.join([owner.name for owner in chain])}",
        fix=f"cast to a dtype that has a kernel, register one with @polytape.kernel({op.name!r}, backend={name!r}), "
        "or allow the host with polytape.set_fallback('warn')",
    )
