"""Data that is neither a tensor, nor a number, nor a plain NumPy array: nested lists, and objects of other libraries.

`convert.asarray` imports this module when it first gets such data.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .. import dtypes
from ..dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from ..errors import DeviceError, DTypeError
from ..placement import selection
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, describe, operators
from .mixed_devices import deciding_operand

__all__ = ["converted", "does_not_fit", "read"]

DEPTH: Final = 64  # NumPy's arrays have at most as many axes
# A Python number of each category, in the order of the categories.
_EXAMPLES: Final = (True, 1, 1.0, 1j)


def read(obj: Any, dtype: DType | None, device: Any, copy: bool | None) -> tuple[Any, Any]:
    """Host data as a NumPy array, or any data as a tensor; and the device that a tensor of it goes to.

    Args:
        obj, dtype, device, copy: as for `polytape.asarray`.
    Raises:
        DTypeError: ``obj`` is not numeric, not rectangular, or does not fit ``dtype``.
    """
    if isinstance(obj, (list, tuple, range)):
        if copy is False:
            raise _would_copy(obj)
        return _from_list(obj, dtype, device)
    if isinstance(obj, np.ndarray):
        return plain(obj), device
    if _is_elsewhere(obj):
        return _from_native(obj, dtype, device, copy), device
    return _from_object(obj, copy), device


def plain(array: Any) -> Any:
    """An instance of a subclass of ndarray as an ndarray that shares its memory.

    Raises:
        DTypeError: it is a masked array.
    """
    if hasattr(array, "mask") and hasattr(array, "filled"):
        raise DTypeError(
            f"cannot make a tensor from a masked array: {describe(array)}.",
            expected="an array without a mask, since tensors have none",
            got=type(array).__name__,
            fix="array.filled(value) gives the masked elements a value; array.compressed() leaves them out",
        )
    return np.asarray(array)


def _from_object(obj: Any, copy: bool | None = None) -> Any:
    """An object as a NumPy array, by its own conversion; with ``copy=False``, one that shares the object's memory."""
    has_array = hasattr(obj, "__array__")
    try:
        if not has_array and hasattr(obj, "__dlpack__"):
            array = np.from_dlpack(obj)
        else:
            array = np.asarray(obj, copy=False if copy is False else None)
    except Exception as error:  # another library's code may raise anything
        if copy is False and isinstance(error, ValueError):
            raise _would_copy(obj) from None
        reason = [*str(error).splitlines(), type(error).__name__][0]
        raise DTypeError(
            f"cannot make a tensor from {describe(obj)}.",
            expected="an object that NumPy can convert to an array of numbers",
            got=f"{type(obj).__module__}.{type(obj).__qualname__}, whose conversion fails: {reason}",
            fix="convert it with its own library first, to an array on the host with one of polytape's dtypes",
        ) from None
    return native(obj, array)


# --- nested lists ---


class Contents:
    """What nested lists contain: tensors, NumPy data, Python numbers."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.dtype: DType | None = None  # that of the tensors and NumPy data, promoted
        self.weak = -1  # the largest category of the Python numbers
        self.numpy = False  # whether there are NumPy arrays or scalars

    def add(self, items: Any, depth: int) -> None:
        """Add the items of a list, and of the lists in it."""
        if depth > DEPTH:
            raise DTypeError(
                f"cannot make a tensor from lists that are nested more than {DEPTH} deep, or contain themselves.",
                expected=f"at most {DEPTH} levels of lists",
                got="more, or a list that is an item of itself",
                fix="flatten the lists",
            )
        # By type where that is enough: most lists have many numbers of few types.
        others = {kind for kind in set(map(type, items)) if not self.add_numbers(kind)}
        if others:
            for item in items:
                if type(item) in others:
                    self.add_item(item, depth)

    def add_numbers(self, kind: Any) -> bool:
        """Add numbers of a type; False if it is not a type of numbers."""
        category = _category(kind)
        if category >= 0:
            self.weak = max(self.weak, category)
        elif issubclass(kind, np.generic) and dtypes.category(np.dtype(kind)) >= 0:
            self.numpy = True
            self.promote(np.dtype(kind))
        else:
            return False
        return True

    def add_item(self, item: Any, depth: int) -> None:
        """Add an item that is not just a number."""
        if isinstance(item, (list, tuple, range)):
            self.add(item, depth + 1)
        elif isinstance(item, Tensor) or _is_elsewhere(item):
            tensor = item if isinstance(item, Tensor) else _from_native(item, None, None, False)
            self.tensors.append(tensor)
            self.promote(tensor.type.dtype)
        elif isinstance(item, np.ndarray) or hasattr(item, "__array__") or hasattr(item, "__dlpack__"):
            self.numpy = True
            self.promote(_as_array(item).dtype)
        else:
            raise not_numeric(item, f"an item of type {type(item).__name__}")

    def promote(self, dtype: DType) -> None:
        """Take the dtype of a tensor or of NumPy data into account."""
        self.dtype = dtype if self.dtype is None else dtypes.promote(self.dtype, dtype)

    def result_dtype(self) -> DType:
        """The dtype of a tensor with these contents."""
        if self.dtype is None:
            return dtypes.defaults.floating if self.weak < 0 else dtypes.default_dtype(_EXAMPLES[self.weak])
        return self.dtype if self.weak < 0 else dtypes.weak_promote(self.dtype, _EXAMPLES[self.weak])

    def category(self) -> int:
        """The largest category of the contents."""
        return max(self.weak, BOOL if self.dtype is None else dtypes.category(self.dtype))


def _category(kind: type) -> int:
    """The category of a type of Python numbers, such as numpy.float64, which is a float; -1 for any other type."""
    return next((i for i, example in enumerate(_EXAMPLES) if issubclass(kind, type(example))), -1)


def _is_elsewhere(obj: Any) -> bool:
    """Whether this is an array that a backend can read, perhaps from a device, without a detour through NumPy."""
    if isinstance(obj, (np.ndarray, np.generic, int, float, complex, str)):
        return False
    from . import interchange

    return interchange.is_native(obj) or interchange.is_elsewhere(obj)


def _from_native(obj: Any, dtype: DType | None, device: Any, copy: bool | None) -> Tensor:
    """A tensor of a native array; the module is imported with the first one."""
    from . import interchange

    return interchange.from_native(obj, dtype, device, copy)


def _as_array(item: Any) -> Any:
    if _is_elsewhere(item):
        return _from_native(item, None, None, False).numpy()
    return native(item, plain(item)) if isinstance(item, np.ndarray) else _from_object(item)


def _from_list(obj: Any, dtype: DType | None, device: Any) -> tuple[Any, Any]:
    contents = Contents()
    contents.add(obj, 1)
    target = contents.result_dtype() if dtype is None else dtype
    if contents.category() == COMPLEX and dtypes.category(target) < COMPLEX:
        raise does_not_fit(obj, target)
    if contents.tensors:
        place = _place(contents.tensors) if device is None else selection.resolve_device(device)
        if _needs_ops(contents.tensors, target, place):
            return _stacked(obj, target, place), place
        device = place
    return _host_list(obj, contents, target), device


def _place(tensors: list[Tensor]) -> Any:
    """The device of the tensors in a list, chosen as for the operands of an op."""
    deciding = tensors[0]
    for x in tensors:
        if x.type.device is not deciding.type.device:
            deciding = deciding_operand(operators.concat, list(tensors), deciding, x)
    return deciding.type.device


def _needs_ops(tensors: list[Tensor], dtype: DType, device: Any) -> bool:
    """Whether a list becomes a tensor by ops: a detour through the host would lose gradients, or copy twice."""
    scope = current_scope.get()
    followed = any(x.node is not None for x in tensors)
    if followed and (scope.trace is not None or (scope.tapes and dtypes.category(dtype) >= FLOATING)):
        return True
    return not selection.backend_of(device).host


def _stacked(obj: Any, dtype: DType, device: Any) -> Tensor:
    """Nested lists as one tensor, by ops."""
    rows = []
    for item in obj:
        row = _stacked(item, dtype, device) if isinstance(item, (list, tuple)) else item
        if isinstance(row, Tensor):
            row = row if row.type.device is device else operators.to_device(row, device)
            row = row if row.type.dtype == dtype else operators.astype(row, dtype)
        else:
            row = operators.asarray(row, dtype, device)
        rows.append(row)
    shapes = {row.array.shape for row in rows}
    if len(shapes) > 1:
        raise ragged(obj, f"items of the shapes {', '.join(map(str, sorted(shapes)))}")
    if not rows:
        return operators.asarray([], dtype, device)  # type: ignore[no-any-return]  # operators' ops return Any
    stacked: Tensor = operators.concat([operators.reshape(row, (1, *row.array.shape)) for row in rows], axis=0)
    return stacked


def _host_list(obj: Any, contents: Contents, dtype: DType) -> Any:
    """Nested lists as a NumPy array of ``dtype``."""
    if contents.tensors or contents.numpy or (contents.weak == FLOATING and dtype.kind in "iu"):
        obj = _with_arrays(obj, dtype)
    try:
        return np.asarray(obj, dtype=dtype)
    except ValueError as error:
        reason = [*str(error).splitlines(), ""][0]
        raise (does_not_fit(obj, dtype) if "NaN" in reason else ragged(obj, reason)) from None
    except (OverflowError, TypeError):
        raise does_not_fit(obj, dtype) from None


def _with_arrays(obj: Any, dtype: DType) -> Any:
    """The same lists with tensors and arrays as NumPy arrays of ``dtype``, and NumPy's scalars as Python numbers.

    NumPy checks that a Python number fits an integer dtype, but not that its own scalars do.
    """
    if isinstance(obj, (list, tuple)):
        return [_with_arrays(item, dtype) for item in obj]
    if isinstance(obj, Tensor):
        return converted(obj, obj.numpy(), dtype)
    if isinstance(obj, np.generic):
        return obj.item() if obj.dtype.kind != "V" else obj
    return obj if isinstance(obj, (int, float, complex, range)) else converted(obj, _as_array(obj), dtype)


# --- dtypes ---


def native(obj: Any, array: Any) -> Any:
    """``array``, made from ``obj``, in the machine's byte order; an error if tensors cannot have its dtype."""
    if dtypes.category(array.dtype) >= 0 and array.dtype.isnative:
        return array
    order = array.dtype.newbyteorder("=")
    if dtypes.category(order) < 0:
        raise not_numeric(obj, f"{type(obj).__name__} of dtype {array.dtype}")
    return array.astype(order)


def converted(obj: Any, array: Any, dtype: DType | None) -> Any:
    """``array``, made from ``obj``, in the machine's byte order and as ``dtype``.

    Raises:
        DTypeError: tensors cannot have the array's dtype, or a value does not fit ``dtype``.
    """
    array = native(obj, array)
    if dtype is None or array.dtype == dtype:
        return array
    category = dtypes.category(array.dtype)
    if category == COMPLEX and dtypes.category(dtype) < COMPLEX:
        raise does_not_fit(obj, dtype)
    if dtype.kind in "iu" and category >= INTEGER and array.size:
        # In half precision, the smallest of values with NaN causes a warning.
        values = array.astype("float32") if category == FLOATING and array.dtype.itemsize == 2 else array
        info = np.iinfo(dtype)
        try:
            fits = info.min <= int(values.min()) and int(values.max()) <= info.max
        except (OverflowError, ValueError):  # infinity, NaN
            fits = False
        if not fits:
            raise does_not_fit(obj, dtype)
    return array.astype(dtype)


# --- errors ---


def _would_copy(obj: Any) -> DeviceError:
    return DeviceError(
        f"asarray(copy=False) of a {type(obj).__name__} would have to copy.",
        expected="an array, whose memory the tensor can share",
        got=describe(obj),
        fix="leave copy out, or pass copy=None",
    )


def does_not_fit(obj: Any, dtype: DType) -> DTypeError:
    """The error for numbers that ``dtype`` cannot hold."""
    info = np.iinfo(dtype) if dtype.kind in "iu" else None
    wider = "pass a wider dtype, for example dtype='int64'; polytape.astype(x, dtype) wraps integers around"
    return DTypeError(
        f"{describe(obj)} does not fit {dtype}.",
        expected=f"integers from {info.min} to {info.max}" if info else f"numbers that {dtype} can hold",
        got=describe(obj),
        fix=wider if info else "pass a wider dtype, for example dtype='float64', or 'complex64' for complex numbers",
    )


def not_numeric(obj: Any, got: str) -> DTypeError:
    """The error for data that is not made of numbers."""
    return DTypeError(
        f"cannot make a tensor from {describe(obj)}.",
        expected="numbers, or rectangular lists or arrays of numbers",
        got=got,
        fix="convert the data to numbers first; a generator or a set, with list(...)",
    )


def ragged(obj: Any, got: str) -> DTypeError:
    """The error for lists that are not rectangular."""
    return DTypeError(
        f"cannot make a tensor from a ragged {type(obj).__name__}.",
        expected="nested lists of equal lengths",
        got=got,
        fix="pad the rows to one length, or make one tensor per row",
    )
