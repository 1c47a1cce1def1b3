"""Which kernels the samples reach, and calls of single kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import plugins
from ..backend import Kernel
from ..dispatch import slow_path
from ..dispatch.resolve import Resolver
from ..dtypes import names_of
from ..registry import tables
from ..tensors.tensor import Tensor
from .calls import attributes_on, calls, device_of
from .case import Case, tensors
from .samples import Sample

__all__ = ["direct_calls", "unreached_kernels"]


def unreached_kernels(backend: str, cases: Sequence[Case]) -> list[str]:
    """The backend's own kernels that no sample reaches, one line per kernel with the sample that is missing.

    A kernel with a predicate needs one sample for which it is true and one for which it is false.
    """
    outcomes: dict[int, set[bool]] = {}
    supported = set(plugins.get_backend(backend).dtypes)
    out_of_reach = {case.op.name for case in cases if next(calls(case, backend), None) is None}
    for case in cases:
        for sample, _, hosts, _ in calls(case, backend):
            for kernel, accepts in tried_kernels(case, sample, hosts, backend):
                outcomes.setdefault(id(kernel), set()).add(accepts)
    kinds = {device.kind for device in plugins.get_backend(backend).device_list()}
    missing = []
    for op in tables.ops().values():
        for kernel in tables.kernels_of(backend, op.name):
            kernel_outcomes = outcomes.get(id(kernel), set())
            if kernel.devices and not kinds & set(kernel.devices):
                continue  # for a device that this machine does not have
            if op.name in out_of_reach or not _serves_some(kernel, supported):
                continue  # for dtypes that the backend does not have, as a shared list of kernels has them
            if True not in kernel_outcomes:
                missing.append(f"{kernel!r}: no sample of {op.name}'s row reaches it")
            if kernel.when is not None and False not in kernel_outcomes:
                missing.append(f"{kernel!r}: no sample of {op.name}'s row makes its predicate false")
    return missing


def _serves_some(kernel: Kernel, supported: set[str]) -> bool:
    """Whether a kernel serves operands of dtypes that a backend has."""
    for entry in kernel.dtypes:
        parts = entry if isinstance(entry, tuple) else (entry,)
        if all(supported & set(names_of(part)) for part in parts):
            return True
    return False


def tried_kernels(case: Case, sample: Sample, hosts: Sequence[Any], backend: str) -> list[tuple[Kernel, bool]]:
    """The kernels that a call tries, each with whether it accepts the operands; the first that does is the last."""
    if case.op.name in plugins.get_backend(backend).limits.missing:
        return []
    device = device_of(backend)
    operands = tensors(case.op, hosts, device, sample.layout)
    attributes = attributes_on(case, sample, device)
    resolution = slow_path.find_resolution(
        case.op, kernel_operands(case.op, operands, device), attributes, device, plugins.get_backend(backend)
    )
    arrays = [x.array for x in kernel_operands(case.op, operands, device) if x is not None]
    tried = []
    for kernel in resolution.candidates:
        accepts = _accepts(kernel, arrays, attributes)
        tried.append((kernel, accepts))
        if accepts:
            break
    return tried


def kernel_operands(op: Any, operands: Sequence[Tensor], device: Any) -> list[Tensor | None]:
    """The operands that kernels receive: promoted, on the device."""
    return slow_path.convert_all(op, list(operands), device)


def kernel_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that kernels receive here; the resolved function supplies device and dtype."""
    return {name: value for name, value in attributes.items() if name not in ("device", "dtype")}


def direct_calls(
    op: Any, operands: Sequence[Tensor], attributes: dict[str, Any]
) -> list[tuple[str, Callable[[], Any]]]:
    """A call of each kernel that accepts these operands, not only of the one that core selects, as core makes it."""
    device = slow_path.device_of(op, list(operands), attributes)
    backend = plugins.get_backend(device.backend)
    try:
        converted = kernel_operands(op, operands, device)
        fixed = slow_path.settling(op, attributes)
        if op.creates:
            fixed["device"] = device
        operand_types = tuple(None if x is None else x.type for x in converted)
        resolver = Resolver(op, backend, device, operand_types, fixed)
    except Exception:
        return []  # rejected before any kernel is tried
    arrays = [None if x is None else x.array for x in converted]
    attempts: list[tuple[str, Callable[[], Any]]] = []
    for owner in backend.chain():
        for kernel in tables.kernels_of(owner.name, op.name):
            if resolver.mismatch(kernel) == "" and _accepts(kernel, arrays, attributes):
                fn = resolver.prepare(kernel)
                attempts.append((repr(kernel), _attempt(op, fn, converted, arrays, attributes)))
    return attempts


def _accepts(kernel: Kernel, arrays: Sequence[Any], attributes: dict[str, Any]) -> bool:
    return kernel.when is None or bool(kernel.when(*arrays, **kernel_attributes(attributes)))


def _attempt(op: Any, fn: Any, operands: Any, arrays: Any, attributes: dict[str, Any]) -> Callable[[], Any]:
    def attempt() -> Any:
        try:
            result = fn(*arrays, **kernel_attributes(attributes))
        except Exception as error:
            raise slow_path.failure(op, operands, attributes, error) from None
        return np.shape(result)

    return attempt
