"""Explain which kernel would serve a call, and why the other kernels would not."""

from __future__ import annotations

from typing import Any

from .. import plugins
from ..backend import Backend
from ..device import Device
from ..registry import tables
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..settings import settings
from .resolve import Resolver
from .slow_path import convert_all, device_of, find_resolution, settling

__all__ = ["explain"]


def explain(op: Any, *operands: Any, **attributes: Any) -> str:
    """Which kernel would serve an op on these operands, and why the others would not; computes nothing.

    Args:
        op: an op, or its name.
        operands: the operands of the call; if the op takes a sequence, its elements one by one.
        attributes: the attributes of the call.
    Returns:
        Text: the kernels in the order in which they are tried, each with CHOSEN or the reason why it is not used.
    Raises:
        KernelError: no kernel serves the call. RegistrationError: there is no such op.
    """
    explained = op if isinstance(op, Op) else tables.get_op(str(op))
    device = device_of(explained, list(operands), attributes)
    tensors = convert_all(explained, list(operands), device)
    backend = plugins.get_backend(device.backend)
    resolution = find_resolution(explained, tensors, attributes, device, backend)
    arrays = [None if x is None else x.array for x in tensors]
    return _text(explained, resolution, device, backend, arrays, attributes)


def _text(
    op: Op, resolution: Resolution, device: Device, backend: Backend, arrays: list[Any], attributes: dict[str, Any]
) -> str:
    """One line per kernel: whether it is chosen, or why not; predicates are evaluated."""
    resolver = Resolver(op, backend, device, resolution.operand_types, settling(op, attributes))
    passed = {name: value for name, value in attributes.items() if name not in ("dtype", "device")}  # as in a call
    lines = [f"{op.name}({', '.join(resolver.dtype_names())}) on {device}"]
    decided = False
    for owner, kernels in resolver.registered():
        if not kernels:
            lines.append(f"  {owner.name}: no kernel registered")
        for kernel in kernels:
            reason = resolver.mismatch(kernel)
            if reason == "" and decided:
                reason = "not reached"
            if reason == "" and kernel.when is not None and not kernel.when(*arrays, **passed):
                reason = f"its predicate {getattr(kernel.when, '__name__', '')} is false for these operands"
            if reason == "":
                decided = True
            lines.append(f"  {owner.name}: {kernel!r}: {reason or 'CHOSEN'}")
    if not decided:
        how = "CHOSEN: the host (fallback policy)"
        if not op.primitive:
            how = "CHOSEN: its body, run as ops on the same device"
        elif settings().fallback == "error":
            how = "no kernel serves the call: it raises KernelError"
        lines.append(f"  {how}")
    lines.append(f"  output: {', '.join(str(result_type.dtype) for result_type in resolution.result_types)}")
    return "\n".join(lines)
