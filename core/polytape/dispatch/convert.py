"""Convert host data to tensors, and tensors to other dtypes and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..device import Device
from ..dtypes import DType
from ..errors import DeviceError, DTypeError, PolytapeError, TraceError
from ..placement import selection
from ..registry.tensor_type import get_tensor_type
from ..settings import trimmed
from ..tensors.scope import current_scope
from ..tensors.tensor import Symbol, Tensor, describe, operators

if TYPE_CHECKING:
    from ..backend import Backend

__all__ = ["asarray"]


def asarray(obj: Any, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor with the values of ``obj``.

    Args:
        obj: a tensor, a Python number, rectangular nested lists of numbers and tensors, a NumPy array or scalar, or an
            object with ``__array__`` or ``__dlpack__``. Python floats give float32, integers int32; NumPy data keeps
            its dtype.
        dtype: the result's dtype.
        device: the result's device; by default that of ``obj`` if it is a tensor, otherwise that of new tensors.
        copy: True always copies. None copies host data, since its owner may write to it, but not tensors. False shares
            memory with a NumPy array or raises.
    Raises:
        DTypeError: a ragged list, objects, strings, or an integer out of range.
        DeviceError: ``copy=False``, but a copy cannot be avoided.
    Source:
        Array API standard 2024.12, ``asarray``.
    """
    try:
        target_dtype = None if dtype is None else dtypes.lookup(dtype)
        if isinstance(obj, Tensor):
            return _from_tensor(obj, target_dtype, device, copy)
        if isinstance(obj, (list, tuple)) and copy is not False:
            followed = _first_followed(obj)
            if followed is not None:
                return _from_tensor(_stack(obj, followed.device), target_dtype, device, None)
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


def _first_followed(obj: Any) -> Tensor | None:
    """The first tensor in nested lists that a tape or a trace may follow."""
    if isinstance(obj, (list, tuple)):
        for item in obj:
            followed = _first_followed(item)
            if followed is not None:
                return followed
        return None
    return obj if isinstance(obj, Tensor) and obj.node is not None else None


def _stack(obj: Any, device: Device) -> Tensor:
    """Nested lists as one tensor, by ops: a detour through the host would silently lose the gradient."""
    rows = []
    for item in obj:
        row = _stack(item, device) if isinstance(item, (list, tuple)) else item
        if not isinstance(row, Tensor):
            row = asarray(row, device=device)  # a number goes to the device of the tensors in the list
        rows.append(operators.reshape(row, (1, *row.shape)))
    stacked: Tensor = operators.concat(rows, axis=0)
    return stacked


def _value_of(x: Tensor) -> Tensor:
    """The current value of a variable, which later assignments do not change; recorded like any other use of it."""
    value: Tensor = operators.identity(x)
    return value


def host_array(obj: Any, dtype: DType | None) -> Any:
    """``obj`` as a NumPy array of a dtype that tensors can have.

    Raises:
        DTypeError: it cannot be converted to one.
    """
    if isinstance(obj, np.ndarray):
        array = obj
    elif isinstance(obj, np.generic):
        array = np.asarray(obj)
    elif isinstance(obj, (bool, int, float, complex)):
        array = _exact_array(obj, dtypes.default_dtype(obj) if dtype is None else dtype)
    else:
        array = _from_nested(obj, dtype)
    if dtypes.category(array.dtype) < 0 or not array.dtype.isnative:
        array = _to_native(obj, array)
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def _to_native(obj: Any, array: Any) -> Any:
    """``array`` in the machine's byte order; an error if tensors cannot have its dtype."""
    native = array.dtype.newbyteorder("=")
    if dtypes.category(native) >= 0:
        return array.astype(native)
    raise DTypeError(
        f"cannot make a tensor from {describe(obj)}.",
        expected="numbers, or rectangular lists or arrays of numbers",
        got=f"{type(obj).__name__} of dtype {array.dtype}",
        fix="convert the data to numbers first",
    )


def _exact_array(obj: Any, dtype: DType) -> Any:
    """Python numbers as an array of ``dtype``; an error if one does not fit."""
    try:
        return np.asarray(obj, dtype=dtype)
    except (OverflowError, TypeError):
        info = np.iinfo(dtype) if dtype.kind in "iu" else None
        raise DTypeError(
            f"{describe(obj)} does not fit {dtype}.",
            expected=f"integers from {info.min} to {info.max}" if info else f"a number that {dtype} can hold",
            got=describe(obj),
            fix="pass a wider dtype, for example dtype='int64'" if info else "pass dtype='complex64'",
        ) from None


def _from_nested(obj: Any, dtype: DType | None) -> Any:
    """Nested lists, or an object with ``__array__`` or ``__dlpack__``, as an array."""
    if isinstance(obj, (list, tuple, range)):
        obj = [_without_tensors(item) for item in obj]
    elif not hasattr(obj, "__array__") and hasattr(obj, "__dlpack__"):
        return np.from_dlpack(obj)
    try:
        array = np.asarray(obj)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"cannot make a tensor from a ragged {type(obj).__name__}.",
            expected="nested lists of equal lengths",
            got=str(error).splitlines()[0],
            fix="pad the rows to one length, or make one tensor per row",
        ) from None
    if not isinstance(obj, list) or _has_numpy(obj):
        return array
    target = dtypes.int32 if dtype is None else dtype
    if array.dtype.kind == "O" and _all_integers(obj):
        return _exact_array(obj, target)  # beyond 64 bits
    if array.dtype.kind in "iu":
        return _exact_array(obj, target) if _out_of_range(array, target) else array.astype(target)
    default = {"b": "bool", "f": "float32", "c": "complex64"}.get(array.dtype.kind)
    return array if default is None or dtype is not None else array.astype(default)


def _without_tensors(obj: Any) -> Any:
    if isinstance(obj, Tensor):
        return obj.numpy()
    if isinstance(obj, (list, tuple)):
        return [_without_tensors(item) for item in obj]
    return obj


def _out_of_range(array: Any, dtype: DType) -> bool:
    """Whether an integer array has values that an integer dtype cannot hold; NumPy's astype would wrap them around."""
    if dtype.kind not in "iu" or not array.size:
        return False
    info = np.iinfo(dtype)
    return bool(array.max() > info.max or array.min() < info.min)


def _all_integers(obj: Any) -> bool:
    if isinstance(obj, list):
        return all([_all_integers(item) for item in obj])
    return isinstance(obj, int)


def _has_numpy(obj: Any) -> bool:
    # NumPy data in the lists keeps its dtype; lists of Python numbers alone get the default dtypes.
    if isinstance(obj, list):
        return any([_has_numpy(item) for item in obj])
    return isinstance(obj, (np.ndarray, np.generic)) and not isinstance(obj, (float, complex))


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
    backend = selection.backend_of(target)
    target_type = get_tensor_type(backend, target, tensor_type.dtype)
    same_hardware = tensor_type.device.kind == target.kind and tensor_type.device.index == target.index
    if same_hardware and shares_memory(tensor_type.backend, backend):
        array = x.array
    elif isinstance(x.array, Symbol):
        raise TraceError(
            f"to_device cannot move {describe(x)} inside a traced function.",
            expected="a graph on one device",
            got=f"a move from {tensor_type.device} to {target}",
            fix="move the tensor before the call, or after it",
        )
    elif backend is tensor_type.backend:
        array = backend.copy(x.array, target)
    else:
        array = backend.from_host(tensor_type.backend.to_host(x.array), target)
    from .transfer import record_transfer  # imported with the first move

    return record_transfer(x, array, target_type)


operators.asarray = asarray
operators.to_device = to_device
