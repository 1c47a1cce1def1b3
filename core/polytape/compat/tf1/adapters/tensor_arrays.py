"""TensorFlow 1.7's TensorArray: a list of tensors, each written once."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import Any

import polytape as pt
from polytape import Tensor

from ....errors import PolytapeError
from ...mode import building
from ...op_errors import invalid
from ..convert import integer, integers, lookup, tensor
from ..dtypes import DType, as_dtype
from ..shapes import TensorShape, as_shape

__all__ = ["TensorArray"]


class TensorArray:
    """A list of tensors of one dtype; methods that write return a new list and leave this one as it is.

    Args:
        dtype: of the tensors.
        size: the number of places.
        dynamic_size: whether a write beyond the end enlarges the list.
        clear_after_read: whether a tensor can be read only once; the default is True.
        infer_shape: whether all tensors must have the shape of the first.
        element_shape: the shape that all tensors must have.
        tensor_array_name, handle, flow, colocate_with_first_write_call, name: have no effect in eager mode.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> TensorArray:
        """An array; in graph mode one of the graph."""
        if cls is TensorArray and building():
            cls = importlib.import_module("polytape.compat.tf1.graph.arrays").GraphTensorArray
        return super().__new__(cls)

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self._dtype = as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._once = True if clear_after_read is None else clear_after_read
        self._infer_shape = infer_shape
        self._shape = TensorShape(None) if element_shape is None else as_shape(element_shape)
        self._items: list[Any] = [None] * (0 if size is None else integer(size))
        self._cleared: set[int] = set()

    @property
    def dtype(self) -> DType:
        """The dtype of the tensors."""
        return self._dtype

    @property
    def flow(self) -> Tensor:
        """The number 0; a graph orders reads and writes by it."""
        return pt.asarray(0.0)

    @property
    def handle(self) -> None:
        """None; a graph's array has a handle."""
        return None

    def size(self, name: str | None = None) -> Tensor:
        """The number of places."""
        return pt.asarray(len(self._items))

    def identity(self) -> TensorArray:
        """An array with the same tensors."""
        copy = object.__new__(TensorArray)
        copy.__dict__.update(self.__dict__)
        copy._items = list(self._items)
        return copy

    def grad(self, source: Any, flow: Any = None, name: str | None = None) -> None:
        """Raise NotImplementedError: tapes differentiate reads and writes by themselves."""
        raise NotImplementedError("TensorArray.grad is not supported when executing eagerly; use a GradientTape.")

    def close(self, name: str | None = None) -> None:
        """Remove all tensors."""
        self._items.clear()

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """An array with a tensor put into a place.

        Raises:
            InvalidArgumentError: the place does not exist or has been written to, or the tensor has another dtype.
            ValueError: it has another shape than it must have.
        """
        copy = self.identity()
        copy._put(integer(index), value)
        return copy

    def _put(self, place: int, value: Any) -> None:
        found = tensor(value) if isinstance(value, Tensor) else tensor(value, self._dtype)
        if place < 0 or (place >= len(self._items) and not self._dynamic):
            raise _outside("write to", place, len(self._items))
        if found.dtype != self._dtype.dtype:
            raise invalid(
                f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype {found.dtype}.",
                expected=self._dtype.name,
                got=str(found.dtype),
                fix="tf.cast(value, array.dtype)",
            )
        self._check_shape(place, found)
        while place >= len(self._items):
            self._items.append(None)
        if self._items[place] is not None:
            raise invalid(f"Could not write to TensorArray index {place} because it has already been written to.")
        self._items[place] = found

    def _check_shape(self, place: int, found: Tensor) -> None:
        if not self._shape.is_compatible_with(found.shape):
            raise invalid(
                f"Incompatible shape for value ({TensorShape(found.shape)}), expected ({self._shape})",
                expected=str(self._shape),
                got=str(TensorShape(found.shape)),
                fix="pass infer_shape=False and no element_shape for tensors of different shapes",
            )
        if self._infer_shape:
            self._shape = self._shape.merge_with(found.shape)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The tensor in a place; zeros if none was written and the shape is known.

        Raises:
            InvalidArgumentError: the place does not exist, or has been read and cleared.
        """
        place = integer(index)
        if not 0 <= place < len(self._items):
            raise _outside("read from", place, len(self._items))
        if place in self._cleared:
            raise invalid(
                f"Could not read index {place} twice because it was cleared after a previous read (perhaps try setting "
                "clear_after_read = false?)"
            )
        found = self._filled(place)
        if self._once:
            self._items[place] = None
            self._cleared.add(place)
        return found

    def _filled(self, place: int) -> Tensor:
        found: Tensor | None = self._items[place]
        if found is not None:
            return found
        if not self._shape.is_fully_defined():
            raise invalid(
                f"Could not read index {place}: nothing was written there, and the shape is not known.",
                expected="a write first, or element_shape",
                got="an empty place",
                fix="give element_shape",
            )
        return pt.zeros(tuple([size or 0 for size in self._shape.as_list()]), dtype=self._dtype.dtype)

    def stack(self, name: str | None = None) -> Tensor:
        """All tensors along a new first axis."""
        return self._joined(pt.stack, [self._filled(place) for place in range(len(self._items))])

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The tensors of some places along a new first axis."""
        return self._joined(pt.stack, [self.read(index) for index in integers(indices)])

    def concat(self, name: str | None = None) -> Tensor:
        """All tensors along their first axis.

        Raises:
            InvalidArgumentError: a tensor without axes, or tensors whose other axes differ.
        """
        found = [self._filled(place) for place in range(len(self._items))]
        scalars = [place for place, item in enumerate(found) if not item.ndim]
        if scalars:
            raise invalid(f"Concat saw a scalar shape at index {scalars[0]} but requires at least vectors.")
        return self._joined(pt.concat, found)

    def _joined(self, op: Any, found: list[Tensor]) -> Tensor:
        if not found:
            return pt.zeros((0,), dtype=lookup(self._dtype))
        try:
            result: Tensor = op(found)
        except PolytapeError as error:
            raise invalid(f"TensorArray has tensors that do not fit each other: {error.summary}") from None
        return result

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array of the slices of a tensor along its first axis."""
        rows = pt.unstack(tensor(value, None if isinstance(value, Tensor) else self._dtype))
        if len(rows) > len(self._items) and not self._dynamic:
            raise invalid(f"unstack of {len(rows)} tensors into a TensorArray of size {len(self._items)}.")
        return self._refilled(rows, max(len(rows), len(self._items)))

    def _refilled(self, parts: Iterable[Tensor], size: int) -> TensorArray:
        copy = self.identity()
        copy._items, copy._cleared = [None] * size, set()
        for place, part in enumerate(parts):
            copy._put(place, part)
        return copy

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """An array with the slices of a tensor in the places that the indices name."""
        rows = pt.unstack(tensor(value, None if isinstance(value, Tensor) else self._dtype))
        copy = self.identity()
        for place, row in zip(integers(indices), rows, strict=True):
            copy._put(place, row)
        return copy

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """An array of consecutive parts of a tensor, of the given lengths.

        Raises:
            InvalidArgumentError: the lengths do not fit the tensor or the array.
        """
        wanted, whole = tensor(lengths), tensor(value, None if isinstance(value, Tensor) else self._dtype)
        if wanted.ndim != 1:
            raise invalid(f"Expected lengths to be a vector, received shape: {list(wanted.shape)}")
        if not whole.ndim:
            raise invalid("Expected value to be at least a vector, but received shape: []")
        parts = wanted.tolist()
        if sum(parts) != whole.shape[0]:
            raise invalid(
                "Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
                f"{sum(parts)} and value's shape is: {list(whole.shape)}"
            )
        if len(parts) != len(self._items) and not self._dynamic:
            raise invalid(
                f"TensorArray's size is not equal to the size of lengths ({len(self._items)} vs. {len(parts)}), "
                "and the TensorArray is not marked as dynamically resizeable"
            )
        starts = [sum(parts[:place]) for place in range(len(parts))]
        pieces = [whole[start : start + length] for start, length in zip(starts, parts, strict=True)]
        return self._refilled(pieces, len(parts))


# As for the constructor: `__new__` takes any arguments, because a graph's arrays have one of their own.
_full = inspect.signature(TensorArray.__init__)
_own = _full.replace(parameters=list(_full.parameters.values())[1:])
TensorArray.__signature__ = _own  # type: ignore[attr-defined]  # inspect reads it


def _outside(what: str, place: int, size: int) -> PolytapeError:
    return invalid(
        f"Tried to {what} index {place} but array is not resizeable and size is: {size}",
        expected=f"an index from 0 to {size - 1}",
        got=str(place),
        fix="give a larger size, or dynamic_size=True",
    )
