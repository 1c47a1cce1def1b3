"""Kernels reached by samples: which one serves a call, and which serve none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import plugins
from ..backend import Kernel
from ..dispatch import slow_path
from ..dispatch.resolve import Resolver
from ..registry import tables
from ..tensors.tensor import Tensor
from .calls import attributes_on, calls, device_of
from .case import Case, tensors
from .samples import Sample

__all__ = ["direct_calls", "unreached_kernels"]


def unreached_kernels(backend: str, cases: Iterable[Case]) -> list[str]:
    """The backend's own kernels that no sample calls, by their repr and with what is missing.

    A kernel with a predicate needs a sample where that is true, and one where it is false.
    """
    found: dict[int, set[bool]] = {}
    for case in cases:
        for one, _, hosts, _ in calls(case, backend):
            for kernel, holds in asked(case, one, hosts, backend):
                found.setdefault(id(kernel), set()).add(holds)
    kinds = {device.kind for device in plugins.get_backend(backend).device_list()}
    missing = []
    for op in tables.ops().values():
        for kernel in tables.kernels_of(backend, op.name):
            seen = found.get(id(kernel), set())
            if kernel.devices and not kinds & set(kernel.devices):
                continue  # for a device this machine does not have
            if True not in seen:
                missing.append(f"{kernel!r}: no sample of {op.name}'s row reaches it")
            if kernel.when is not None and False not in seen:
                missing.append(f"{kernel!r}: no sample of {op.name}'s row finds its predicate false")
    return missing


def asked(case: Case, sample: Sample, hosts: Sequence[Any], backend: str) -> list[tuple[Kernel, bool]]:
    """The kernels that a call asks, each with whether it serves: only the last one does."""
    device = device_of(backend)
    operands = tensors(case.op, hosts, device, sample.layout)
    attributes = attributes_on(case, sample, device)
    resolution = slow_path.find_resolution(
        case.op, ready(case.op, operands, device), attributes, device, plugins.get_backend(backend)
    )
    arrays = [x.array for x in ready(case.op, operands, device) if x is not None]
    found = []
    for kernel in resolution.candidates:
        holds = kernel.when is None or bool(kernel.when(*arrays, **passed(attributes)))
        found.append((kernel, holds))
        if holds:
            break
    return found


def ready(op: Any, operands: Sequence[Tensor], device: Any) -> list[Tensor | None]:
    """The operands as kernels get them: promoted, on the device."""
    return slow_path.convert_all(op, list(operands), device)


def passed(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes as kernels get them; resolution settles the others."""
    return {name: value for name, value in attributes.items() if name not in ("device", "dtype")}


def direct_calls(
    op: Any, operands: Sequence[Tensor], attributes: dict[str, Any]
) -> list[tuple[str, Callable[[], Any]]]:
    """Each kernel that would take these operands, called as core calls it: not only the one that is chosen."""
    device = slow_path.device_of(op, list(operands), attributes)
    backend = plugins.get_backend(device.backend)
    try:
        given = ready(op, operands, device)
        fixed = slow_path.settling(op, attributes)
        if op.creates:
            fixed["device"] = device
        operand_types = tuple(None if x is None else x.type for x in given)
        resolver = Resolver(op, backend, device, operand_types, fixed)
    except Exception:
        return []  # rejected before any kernel is tried
    arrays = [None if x is None else x.array for x in given]
    attempts: list[tuple[str, Callable[[], Any]]] = []
    for owner in backend.chain():
        for kernel in tables.kernels_of(owner.name, op.name):
            if resolver.mismatch(kernel) == "" and _would_take(kernel, arrays, attributes):
                fn = resolver.prepare(kernel)
                attempts.append((repr(kernel), _attempt(op, fn, given, arrays, attributes)))
    return attempts


def _would_take(kernel: Kernel, arrays: Sequence[Any], attributes: dict[str, Any]) -> bool:
    return kernel.when is None or bool(kernel.when(*arrays, **passed(attributes)))


def _attempt(op: Any, fn: Any, given: Any, arrays: Any, attributes: dict[str, Any]) -> Callable[[], Any]:
    def attempt() -> Any:
        try:
            result = fn(*arrays, **passed(attributes))
        except Exception as error:
            raise slow_path.failure(op, given, attributes, error) from None
        return np.shape(result)

    return attempt
