"""A row's samples as calls on one backend: in which dtypes, on which device, and how errors name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import plugins
from ..device import Device
from ..tensors.tensor import Tensor
from .case import Case, call, tensors
from .makers import Array
from .samples import Sample

__all__ = ["attributes_on", "calls", "device_of", "named", "run"]


def device_of(backend: str) -> Device:
    """A backend's first device."""
    return plugins.get_backend(backend).device_list()[0]


def attributes_on(case: Case, sample: Sample, device: Device) -> dict[str, Any]:
    """The sample's attributes, with the device where the op creates tensors."""
    return {**sample.attributes, "device": device} if case.op.creates else sample.attributes


def run(case: Case, sample: Sample, hosts: list[Array], device: Device) -> tuple[tuple[Any, ...], list[Tensor]]:
    """The results of one call on ``device``, and the operands it was given."""
    operands = tensors(case.op, hosts, device, sample.layout)
    return call(case.op, operands, attributes_on(case, sample, device)), operands


def named(case: Case, sample: Sample, dtype: str, backend: str) -> str:
    """The call, as errors name it."""
    return f"{case}{sample}{f' of {dtype}' if dtype else ''} on {backend}"


def calls(case: Case, backend: str) -> Iterator[tuple[Sample, str, list[Array], str]]:
    """Every sample in every dtype that the backend has."""
    held = plugins.get_backend(backend).dtypes
    for one in case.samples:
        fixed = [maker.dtypes[0] for maker in one.operands if not maker.varies]
        for dtype in one.dtypes():
            if {dtype, *fixed, *case.result(dtype, one.attributes)} - {""} <= set(held):
                yield one, dtype, one.hosts(dtype), named(case, one, dtype, backend)
