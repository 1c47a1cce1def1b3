"""How a backend runs each op, on each kind of device and in each dtype: natively, decomposed, on the host, or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

import polytape

from .. import plugins
from ..device import Device
from ..dispatch import slow_path
from ..errors import DTypeError, KernelError
from .calls import attributes_on
from .case import Case, call, tensors
from .kernels import kernel_operands
from .limits import without_fallback
from .samples import Sample

__all__ = ["ABSENT", "DECOMPOSED", "HOST", "NATIVE", "coverage"]

NATIVE: Final = "native"
DECOMPOSED: Final = "decomposed"
HOST: Final = "host"
ABSENT: Final = "absent"


def coverage(backend: str, cases: Iterable[Case]) -> dict[str, dict[str, dict[str, str]]]:
    """How ops run: device kind -> op -> dtype -> ``native``, ``decomposed``, ``host`` or ``absent``.

    ``native`` is a kernel of the backend, or of one that it extends. ``decomposed``: the op's body runs on the device.
    ``host``: something is missing, which the host computes if the fallback policy allows it. ``absent``: neither the
    device nor the host can; the backend does not have the dtype. The dtype of an op whose operands have one fixed
    dtype, or that has none, is ``""``.
    """
    kinds: dict[str, Device] = {}
    for device in plugins.get_backend(backend).device_list():
        kinds.setdefault(device.kind, device)
    rows = list(cases)
    with without_fallback(), np.errstate(all="ignore"):
        return {kind: {str(case): _of_op(case, backend, device) for case in rows} for kind, device in kinds.items()}


def _of_op(case: Case, backend: str, device: Device) -> dict[str, str]:
    smallest: dict[str, Sample] = {}
    for sample in case.samples:
        for dtype in sample.dtypes():
            other = smallest.get(dtype)
            if not sample.layout and sample.size() and (other is None or sample.size() < other.size()):
                smallest[dtype] = sample
    if not smallest:
        smallest = {dtype: sample for sample in case.samples for dtype in sample.dtypes()}
    return {dtype: _of_call(case, sample, dtype, backend, device) for dtype, sample in smallest.items()}


def _of_call(case: Case, sample: Sample, dtype: str, backend: str, device: Device) -> str:
    fixed = [maker.dtypes[0] for maker in sample.operands if not maker.varies]
    supported = plugins.get_backend(backend).dtypes
    if not {dtype, *fixed, *case.result(dtype, sample.attributes)} - {""} <= set(supported):
        return ABSENT
    attributes = attributes_on(case, sample, device)
    try:
        operands = tensors(case.op, sample.hosts(dtype), device)
        found = _resolved(case, operands, attributes, device, backend)
        if found != "kernel":
            call(case.op, operands, attributes)
        return NATIVE if found == "kernel" else DECOMPOSED
    except KernelError:
        return HOST if plugins.host_backend() not in plugins.get_backend(backend).chain() else ABSENT
    except DTypeError:
        return ABSENT  # it computes in a dtype that the backend does not have
    except Exception:
        return DECOMPOSED  # it runs; whether it is right is for the checks to say
    finally:
        polytape.synchronize(device)


def _resolved(case: Case, operands: Any, attributes: dict[str, Any], device: Device, backend: str) -> str:
    converted = kernel_operands(case.op, operands, device)
    resolution = slow_path.find_resolution(case.op, converted, attributes, device, plugins.get_backend(backend))
    return resolution.how
