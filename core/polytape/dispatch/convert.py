"""Convert host data to tensors, and tensors to other dtypes and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .. import dtypes
from ..device import Device
from ..dtypes import DType
from ..errors import DeviceError, PolytapeError
from ..placement import selection
from ..registry.tensor_type import get_tensor_type
from ..settings import trimmed
from ..tensors.in_place import settled
from ..tensors.scope import current_scope
from ..tensors.tensor import Symbol, Tensor, describe, operators

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["asarray"]

NUMBERS: Final = (bool, int, float, complex, np.generic)


def asarray(obj: Any, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor with the values of ``obj``.

    Args:
        obj: a tensor; a Python number, a NumPy array or scalar; rectangular nested lists of these; an array of a ready
            backend's own library; an object with ``__array__`` or ``__dlpack__``. NumPy data keeps its dtype; Python
            floats give float32, integers int32. In a list, tensors and NumPy data promote together as in an op, and
            Python numbers are weak: they take the dtype of the others.
        dtype: the result's dtype. Floats become integers by truncation. Tensors are converted as by `polytape.astype`.
        device: the result's device; by default that of the tensors in ``obj``, otherwise that of new tensors.
        copy: True always copies. None copies data that is not a tensor, since its owner may write to it. False shares
            memory with an array, or raises.
    Raises:
        DTypeError: a ragged list, objects, strings, a masked array; or a value that ``dtype`` cannot hold: an integer
            out of range, NaN or infinity as an integer, a complex number as a real one.
        DeviceError: ``copy=False``, but a copy cannot be avoided; or a list of tensors on different devices.
    Source:
        Array API standard 2025.12, ``asarray``.
    """
    try:
        target_dtype = None if dtype is None else dtypes.lookup(dtype)
        if isinstance(obj, Tensor):
            return _from_tensor(obj, target_dtype, device, copy)
        if type(obj) is not np.ndarray and not isinstance(obj, NUMBERS):
            from .host_data import read

            obj, device = read(obj, target_dtype, device, copy)
            if isinstance(obj, Tensor):
                return obj
        return _from_data(obj, target_dtype, device, copy)
    except PolytapeError as error:
        raise trimmed(error) from None


def _from_data(obj: Any, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    target = device if isinstance(device, Device) else selection.resolve_device(device)
    backend = selection.backend_of(target)
    host = host_array(obj, dtype)
    tensor_type = get_tensor_type(backend, target, host.dtype)
    if copy is False:
        if not (backend.host and isinstance(obj, np.ndarray) and host is obj):
            raise DeviceError(
                f"asarray(copy=False) of {type(obj).__name__} on {target} would have to copy.",
                expected="a NumPy array of the requested dtype, and a backend whose arrays are NumPy arrays",
                got=f"{type(obj).__name__} for {target}",
                fix="leave copy out, or pass copy=None",
            )
        return Tensor(host.view(), tensor_type, None)
    return Tensor(backend.from_host(host, target), tensor_type, None)


def _from_tensor(x: Tensor, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    result = x
    if device is not None:
        result = to_device(result, device)
    if dtype is not None and dtype is not result.type.dtype:
        result = cast(result, dtype)
    if copy is False and result.array is not x.array:
        raise DeviceError(
            f"asarray(copy=False) of {describe(x)} would have to copy.",
            expected=f"dtype {x.dtype} and device {x.device}",
            got=f"dtype {dtype or x.dtype}, device {device or x.device}",
            fix="leave copy out",
        )
    if result is x and type(x) is not Tensor:
        result = _value_of(x)
    if copy and result.array is x.array and not isinstance(x.array, Symbol):
        own = _value_of(result)
        if isinstance(own.array, Symbol):
            return own  # graphs never write an array
        result = Tensor(own.type.backend.copy(own.array, own.type.device), own.type, own.node)
    return result


def _value_of(x: Tensor) -> Tensor:
    """The current value of a variable, which later assignments do not change; recorded like any other use of it."""
    value: Tensor = operators.identity(x)
    return value


def host_array(obj: Any, dtype: DType | None) -> Any:
    """A NumPy array, or a number as a NumPy array, with a dtype that tensors can have.

    Raises:
        DTypeError: it has another dtype, or does not fit ``dtype``.
    """
    if isinstance(obj, np.ndarray):
        array = obj
    elif isinstance(obj, np.generic):
        array = np.asarray(obj)
    else:
        target = dtypes.default_dtype(obj) if dtype is None else dtype
        try:
            return np.asarray(obj, dtype=target)
        except (OverflowError, TypeError, ValueError):
            from .host_data import does_not_fit

            raise does_not_fit(obj, target) from None
    if dtypes.category(array.dtype) < 0 or not array.dtype.isnative or (dtype is not None and array.dtype != dtype):
        from .host_data import converted

        return converted(obj, array, dtype)
    return array


def cast(x: Tensor, dtype: DType) -> Tensor:
    """``x`` as ``dtype``, by the op ``astype``, so that the cast is recorded by tapes and traces."""
    result: Tensor = operators.astype(x, dtype)
    return result


def shares_memory(a: Backend, b: Backend) -> bool:
    """Whether one of two backends extends the other, so that they can use each other's arrays."""
    return a in b.chain() or b in a.chain()


def to_device(x: Tensor, device: Any) -> Tensor:
    """``x`` on another device; the move is recorded if a tape follows ``x``."""
    target = device if isinstance(device, Device) else selection.resolve_device(device)
    tensor_type = x.type
    if tensor_type.device is target:
        return x if type(x) is Tensor else _value_of(x)
    trace = current_scope.get().trace
    if trace is not None:
        x = trace.read(x)  # otherwise a variable's current value would become a constant of the graph
    source = settled(x)
    backend = selection.backend_of(target)
    target_type = get_tensor_type(backend, target, tensor_type.dtype)
    from .transfer import copied, record_transfer, traced_transfer  # imported with the first move

    same_hardware = tensor_type.device.kind == target.kind and tensor_type.device.index == target.index
    if same_hardware and shares_memory(tensor_type.backend, backend):
        array = source
    elif isinstance(source, Symbol):
        array = traced_transfer(trace, x, target_type)
    else:
        array = copied(source, tensor_type, target_type)
    return record_transfer(x, array, target_type)


operators.asarray = asarray
operators.to_device = to_device
