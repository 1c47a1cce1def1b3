"""From host data to tensors, and from one device or dtype to another."""

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
    """A tensor of ``obj``'s values.

    Args:
        obj: a tensor, Python numbers or a rectangular nesting of lists of them (tensors may be among them), a NumPy
            array or scalar, or an object with ``__array__`` or ``__dlpack__``. Python floats give float32, integers
            int32; NumPy data keeps its dtype.
        dtype: the result's dtype.
        device: where the tensor goes; default: where new tensors go, or where ``obj`` is if it is a tensor.
        copy: True always copies; None copies host data (an array may be written by its owner, a tensor's may not);
            False shares memory with a NumPy array or raises.
    Raises:
        DTypeError: a ragged list, objects, strings, an integer out of range.
        DeviceError: ``copy=False`` where a copy cannot be avoided.
    Source:
        Array API standard 2024.12, ``asarray``.
    """
    try:
        wanted = None if dtype is None else dtypes.lookup(dtype)
        if isinstance(obj, Tensor):
            return _from_tensor(obj, wanted, device, copy)
        if isinstance(obj, (list, tuple)) and copy is not False:
            followed = _followed(obj)
            if followed is not None:
                return _from_tensor(_stacked(obj, followed.device), wanted, device, None)
        return _from_data(obj, wanted, device, copy)
    except PolytapeError as error:
        raise trimmed(error) from None


def _from_data(obj: Any, wanted: DType | None, device: Any, copy: bool | None) -> Tensor:
    place = device if isinstance(device, Device) else selection.resolve_device(device)
    backend = selection.backend_of(place)
    host = host_array(obj, wanted)
    tensor_type = get_tensor_type(backend, place, host.dtype)
    if copy is False:
        if not (backend.host and isinstance(obj, np.ndarray) and host is obj):
            raise DeviceError(
                f"asarray(copy=False) of {type(obj).__name__} on {place} would have to copy.",
                expected="a NumPy array of the wanted dtype, and a backend whose arrays are NumPy's",
                got=f"{type(obj).__name__} for {place}",
                fix="leave copy out, or pass copy=None",
            )
        return Tensor(host.view(), tensor_type, None)
    return Tensor(backend.from_host(host, place), tensor_type, None)


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


def _followed(obj: Any) -> Tensor | None:
    """The first tensor in nested lists that a tape or a trace may follow."""
    if isinstance(obj, (list, tuple)):
        for one in obj:
            found = _followed(one)
            if found is not None:
                return found
        return None
    return obj if isinstance(obj, Tensor) and obj.node is not None else None


def _stacked(obj: Any, device: Device) -> Tensor:
    """Nested lists as one tensor, by ops: through the host a gradient would be lost without a word."""
    rows = []
    for one in obj:
        part = _stacked(one, device) if isinstance(one, (list, tuple)) else one
        if not isinstance(part, Tensor):
            part = asarray(part, device=device)  # beside tensors a number goes where they are
        rows.append(operators.reshape(part, (1, *part.shape)))
    made: Tensor = operators.concat(rows, axis=0)
    return made


def _value_of(x: Tensor) -> Tensor:
    """A variable's value now, which later assignments do not reach; taped, as any use of it."""
    value: Tensor = operators.identity(x)
    return value


def host_array(obj: Any, dtype: DType | None) -> Any:
    """``obj`` as a NumPy array of a dtype that tensors have.

    Raises:
        DTypeError: it has no such array.
    """
    if isinstance(obj, np.ndarray):
        found = obj
    elif isinstance(obj, np.generic):
        found = np.asarray(obj)
    elif isinstance(obj, (bool, int, float, complex)):
        found = _checked(obj, dtypes.default_dtype(obj) if dtype is None else dtype)
    else:
        found = _nested(obj, dtype)
    if dtypes.category(found.dtype) < 0 or not found.dtype.isnative:
        found = _standard(obj, found)
    return found if dtype is None or found.dtype == dtype else found.astype(dtype)


def _standard(obj: Any, found: Any) -> Any:
    native = found.dtype.newbyteorder("=")
    if dtypes.category(native) >= 0:
        return found.astype(native)
    raise DTypeError(
        f"no tensor can be made of {describe(obj)}.",
        expected="numbers, or rectangular lists or arrays of numbers",
        got=f"{type(obj).__name__} of dtype {found.dtype}",
        fix="convert the data to numbers first",
    )


def _checked(obj: Any, dtype: DType) -> Any:
    try:
        return np.asarray(obj, dtype=dtype)
    except (OverflowError, TypeError):
        info = np.iinfo(dtype) if dtype.kind in "iu" else None
        raise DTypeError(
            f"{describe(obj)} does not fit {dtype}.",
            expected=f"integers from {info.min} to {info.max}" if info else f"a number that {dtype} can hold",
            got=describe(obj),
            fix="give a wider dtype, for example dtype='int64'" if info else "give dtype='complex64'",
        ) from None


def _nested(obj: Any, dtype: DType | None) -> Any:
    if isinstance(obj, (list, tuple, range)):
        obj = [_plain(one) for one in obj]
    elif not hasattr(obj, "__array__") and hasattr(obj, "__dlpack__"):
        return np.from_dlpack(obj)
    try:
        found = np.asarray(obj)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"no tensor can be made of a ragged {type(obj).__name__}.",
            expected="lists nested to the same lengths everywhere",
            got=str(error).splitlines()[0],
            fix="pad the rows to one length, or make one tensor per row",
        ) from None
    if not isinstance(obj, list) or _has_numpy(obj):
        return found
    target = dtypes.int32 if dtype is None else dtype
    if found.dtype.kind == "O" and _integers(obj):
        return _checked(obj, target)  # beyond 64 bits
    if found.dtype.kind in "iu":
        return _checked(obj, target) if _beyond(found, target) else found.astype(target)
    default = {"b": "bool", "f": "float32", "c": "complex64"}.get(found.dtype.kind)
    return found if default is None or dtype is not None else found.astype(default)


def _plain(obj: Any) -> Any:
    if isinstance(obj, Tensor):
        return obj.numpy()
    if isinstance(obj, (list, tuple)):
        return [_plain(one) for one in obj]
    return obj


def _beyond(found: Any, dtype: DType) -> bool:
    """Whether an integer array holds what an integer dtype does not; NumPy's astype would wrap around."""
    if dtype.kind not in "iu" or not found.size:
        return False
    info = np.iinfo(dtype)
    return bool(found.max() > info.max or found.min() < info.min)


def _integers(obj: Any) -> bool:
    if isinstance(obj, list):
        return all([_integers(one) for one in obj])
    return isinstance(obj, int)


def _has_numpy(obj: Any) -> bool:
    # The dtype of NumPy data among the lists counts; Python numbers alone take the defaults.
    if isinstance(obj, list):
        return any([_has_numpy(one) for one in obj])
    return isinstance(obj, (np.ndarray, np.generic)) and not isinstance(obj, (float, complex))


def cast(x: Tensor, dtype: DType) -> Tensor:
    """``x`` as ``dtype``, by the op ``astype``, so that it is taped and traced."""
    result: Tensor = operators.astype(x, dtype)
    return result


def shares_memory(a: Backend, b: Backend) -> bool:
    """Whether one of two backends extends the other, so that an array of one is one of the other's."""
    return a in b.chain() or b in a.chain()


def to_device(x: Tensor, device: Any) -> Tensor:
    """``x`` on another device; a record of its own where a tape follows ``x``."""
    place = device if isinstance(device, Device) else selection.resolve_device(device)
    tensor_type = x.type
    if tensor_type.device is place:
        return x if type(x) is Tensor else _value_of(x)
    trace = current_scope.get().trace
    if trace is not None:
        x = trace.read(x)  # a variable's value now would be settled in the graph
    backend = selection.backend_of(place)
    target = get_tensor_type(backend, place, tensor_type.dtype)
    same_place = tensor_type.device.kind == place.kind and tensor_type.device.index == place.index
    if same_place and shares_memory(tensor_type.backend, backend):
        array = x.array
    elif isinstance(x.array, Symbol):
        raise TraceError(
            f"to_device of {describe(x)} inside a traced function.",
            expected="a graph on one device",
            got=f"a move from {tensor_type.device} to {place}",
            fix="move the tensor before the call, or after it",
        )
    elif backend is tensor_type.backend:
        array = backend.copy(x.array, place)
    else:
        array = backend.from_host(tensor_type.backend.to_host(x.array), place)
    from .transfer import record_transfer  # loaded with the first move

    return record_transfer(x, array, target)


operators.asarray = asarray
operators.to_device = to_device
