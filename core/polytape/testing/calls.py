"""The samples of a row as calls on one backend: their dtypes, their device, and their names in errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from .. import plugins
from ..device import Device
from ..tensors.tensor import Tensor
from .case import Case, call, tensors
from .compare import widen
from .makers import Array
from .samples import Sample

__all__ = ["attributes_on", "calls", "device_of", "expected_values", "named", "on_device", "run"]


_chosen: Final[dict[str, Device]] = {}


def device_of(backend: str) -> Device:
    """The device of a backend that checks run on: its first, unless `on_device` chose another."""
    return _chosen.get(backend) or plugins.get_backend(backend).device_list()[0]


@contextmanager
def on_device(device: Device | None) -> Iterator[None]:
    """Let the checks of the device's backend run on that device; with None, on the first."""
    if device is None:
        yield
        return
    _chosen[device.backend] = device
    try:
        yield
    finally:
        del _chosen[device.backend]


def attributes_on(case: Case, sample: Sample, device: Device) -> dict[str, Any]:
    """The sample's attributes, with ``device`` added if the op creates tensors."""
    return {**sample.attributes, "device": device} if case.op.creates else sample.attributes


def run(case: Case, sample: Sample, hosts: list[Array], device: Device) -> tuple[tuple[Any, ...], list[Tensor]]:
    """The results and the operands of one call on ``device``."""
    operands = tensors(case.op, hosts, device, sample.layout)
    return call(case.op, operands, attributes_on(case, sample, device)), operands


def named(case: Case, sample: Sample, dtype: str, backend: str) -> str:
    """The name of the call in errors."""
    return f"{case}{sample}{f' of {dtype}' if dtype else ''} on {backend}"


def calls(case: Case, backend: str) -> Iterator[tuple[Sample, str, list[Array], str]]:
    """Each sample in each dtype that the backend supports, as (sample, dtype, host arrays, name of the call)."""
    supported = set(plugins.get_backend(backend).dtypes)
    for sample in case.samples:
        fixed = [maker.dtypes[0] for maker in sample.operands if not maker.varies]
        for dtype in sample.dtypes():
            if {dtype, *fixed, *case.result(dtype, sample.attributes)} - {""} <= supported:
                yield sample, dtype, sample.hosts(dtype), named(case, sample, dtype, backend)


def expected_values(case: Case, sample: Sample, hosts: list[Array]) -> tuple[Any, ...]:
    """The results of the reference."""
    with np.errstate(all="ignore"):
        result = case.reference(*[widen(host) for host in hosts], **sample.attributes)
    return tuple(result) if case.op.outputs is not None else (result,)
