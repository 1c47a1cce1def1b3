"""What a backend says about its memory and devices, compared with what it does.

Each of these lies corrupts data without an error: a result that is said to be fresh is a view, an array that is said to
own its memory shares it, a tensor that is said to be on the second device is on the first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import plugins
from ..device import Device
from ..dispatch import convert
from ..errors import KernelError
from ..ops import manipulation
from ..registry import tables
from ..tensors.tensor import Tensor
from .agreement import assert_agree
from .calls import attributes_on, calls, device_of, expected_values, named
from .case import Case, call, tensors
from .kernels import kernel_attributes, kernel_operands
from .limits import limits_of

__all__ = ["check_devices", "check_exclusive", "check_fresh"]

VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "reshape": lambda x: manipulation.reshape(x, (3, 2)),
    "permute_dims": lambda x: manipulation.permute_dims(x, (1, 0)),
    "getitem": lambda x: x[:1],
    "identity": lambda x: manipulation.identity(x),
    "broadcast_to": lambda x: manipulation.broadcast_to(x, (2, 2, 3)),
}


_WRITABLE = ("float32", "float64")  # the dtypes of a backend's own update
_WITH_PARTS = ("complex64", "complex128")  # the real part may be a view


# --- fresh ------------------------------------------------------------------------------------------------------------


def check_fresh(case: Case, backend: str) -> None:
    """The result of a ``fresh`` kernel shares no memory with an operand, so that a graph may overwrite it.

    Where only the backend can write to its arrays, only the dtypes of its own update are checked.
    """
    device = device_of(backend)
    names = [owner.name for owner in plugins.get_backend(backend).chain()]
    fresh = [kernel for name in names for kernel in tables.kernels_of(name, case.op.name) if kernel.fresh or kernel.out]
    writer = _writer(backend)
    if not fresh or writer is None:
        return
    for sample, dtype, hosts, what in calls(case, backend):
        if not hosts or (dtype not in _WRITABLE + _WITH_PARTS and writer is not _write_on_host):
            continue
        operands = tensors(case.op, hosts, device, sample.layout)
        with np.errstate(all="ignore"):
            results = call(case.op, operands, attributes_on(case, sample, device))
            plugins.get_backend(backend).synchronize(device)  # queued work runs under this error state, not a later one
        kernel = _serving(case, sample.attributes, operands, device, fresh)
        written = [y for y in results if writer is _write_on_host or y.dtype.name in _WRITABLE]
        if kernel is None or not written:
            continue
        before = [x.numpy().tobytes() for x in operands]
        for result in written:
            writer(result)
        changed = [x for x, old in zip(operands, before, strict=True) if x.numpy().tobytes() != old]
        if changed:
            raise AssertionError(
                f"{what}: {kernel!r} is registered as fresh\n"
                "  expected: a result in new memory\n  got: writing to the result changes an operand"
            )


def _serving(case: Case, attributes: dict[str, Any], operands: Any, device: Device, kernels: list[Any]) -> Any:
    """The first of the kernels that accepts the call."""
    converted = kernel_operands(case.op, operands, device)
    arrays = [None if x is None else x.array for x in converted]
    dtype = next((x.dtype.name for x in converted if x is not None), "")
    for kernel in kernels:
        serves = any(dtype in _names(entry) for entry in kernel.dtypes)
        if serves and (kernel.when is None or kernel.when(*arrays, **kernel_attributes(attributes))):
            return kernel
    return None


def _names(entry: Any) -> Any:
    from .. import dtypes

    return dtypes.names_of(entry[0] if isinstance(entry, tuple) else entry)


def _writer(backend: str) -> Callable[[Tensor], None] | None:
    """A function that writes to the memory of a tensor; None if the backend has no kernel that writes."""
    chain = plugins.get_backend(backend).chain()
    kernels = [kernel for owner in chain for kernel in tables.kernels_of(owner.name, "sgd_update") if kernel.writes]
    tested = plugins.get_backend(backend)
    if tested.host:
        return _write_on_host
    if not kernels:
        return None

    def write(x: Tensor) -> None:
        rate = convert.asarray(1.0, dtype=x.dtype, device=x.device)
        gradient = convert.asarray(np.ones(x.shape, x.dtype), device=x.device)
        spec = {} if kernels[0].checked else {"spec": ((x.shape, x.dtype),)}
        kernels[0].fn(x.array, gradient.array, rate.array, **spec)
        tested.synchronize(x.device)

    return write


def _write_on_host(x: Tensor) -> None:
    array = x.array
    if array.flags.writeable:
        array[...] = ~array if array.dtype == bool else array + np.asarray(1, array.dtype)


# --- exclusive --------------------------------------------------------------------------------------------------------


def check_exclusive(backend: str) -> None:
    """``exclusive`` is False for an array whose memory another array uses, unless that one refers to it."""
    tested = plugins.get_backend(backend)
    writer = _writer(backend)
    if tested.exclusive is None or writer is None or "float32" not in tested.dtypes:
        return
    for name, view in _views(backend):
        x = convert.asarray(np.arange(6, dtype="float32").reshape(2, 3), device=device_of(backend))
        counted = sys.getrefcount(x.array)
        y = view(x)
        if y.array is x.array:
            continue  # the references to it are counted
        said = {
            "the operand": tested.exclusive(x.array) and sys.getrefcount(x.array) == counted,
            "the result": tested.exclusive(y.array),
        }
        before = x.numpy().copy()
        writer(y)
        if (x.numpy() != before).any():
            for which, lie in said.items():
                if lie:
                    raise AssertionError(
                        f"exclusive of {backend}: {name} on {backend}\n"
                        f"  expected: False for {which}, since the two share memory\n  got: True"
                    )


def _views(backend: str) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    for name, view in VIEWS.items():
        if name not in limits_of(backend).missing:
            yield name, view


# --- devices ----------------------------------------------------------------------------------------------------------


def check_devices(case: Case, backend: str) -> None:
    """On every device of the backend, the op's results are on that device, and are right."""
    for device in plugins.get_backend(backend).device_list()[1:]:
        done = set()
        for sample, dtype, hosts, _ in calls(case, backend):
            if sample.layout or dtype in done or dtype == "bfloat16":
                continue
            done.add(dtype)
            what = f"{named(case, sample, dtype, backend)}, device {device}"
            operands = tensors(case.op, hosts, device)
            try:
                with np.errstate(all="ignore"):
                    results = call(case.op, operands, attributes_on(case, sample, device))
                    _compare(case, sample, hosts, results, device, backend, what)
            except (AssertionError, KernelError):  # `checked` knows which kernels may be missing
                raise
            except Exception as error:
                raise AssertionError(f"{what}\n  expected: a result on that device\n  got: {error!r}") from error


def _compare(case: Case, sample: Any, hosts: Any, results: Any, device: Device, backend: str, what: str) -> None:
    for y in results:
        if y.device is not device:
            raise AssertionError(f"{what}\n  expected: a result on {device}\n  got: one on {y.device}")
    assert_agree(case, backend, sample, hosts, [y.numpy() for y in results], expected_values(case, sample, hosts), what)
    for y in results:
        if "equal" not in limits_of(backend).missing and y.dtype.kind in "fiub":
            # Fails if the native array is in the memory of another device, whatever the tensor says.
            here = convert.asarray(y.numpy(), device=device)
            same = tables.get_op("equal")(y, here).numpy()
            if not (same | np.isnan(y.numpy().astype("float64"))).all():
                raise AssertionError(f"{what}\n  expected: the result equal to itself on {device}\n  got: {same}")
