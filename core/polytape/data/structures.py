"""Elements: structures of tuples, named tuples and dicts, whose leaves are arrays, tensors or other objects.

Between two steps of a pipeline, numbers are NumPy arrays or the tensors that a function returned. Strings, bytes and
other objects pass through unchanged. A list is a leaf: one of numbers becomes an array, another one stays a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from ..device import Device
from ..dispatch import convert
from ..errors import DataError, DTypeError, PolytapeError, ShapeError
from ..placement import selection
from ..registry.tensor_type import TensorType
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = [
    "Placing",
    "arguments",
    "host",
    "join",
    "leaves",
    "length",
    "map_leaves",
    "normalised",
    "on_host",
    "row",
    "rows_of",
    "shared",
    "stack",
    "zip_leaves",
]

_ARRAYS: Final = (np.ndarray, np.generic, Tensor)
_NUMBERS: Final = (bool, int, float, complex)


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with ``function(leaf)`` in place of each leaf."""
    if isinstance(structure, tuple):
        mapped = [map_leaves(function, part) for part in structure]
        return type(structure)(*mapped) if hasattr(structure, "_fields") else tuple(mapped)
    if isinstance(structure, dict):
        return {key: map_leaves(function, part) for key, part in structure.items()}
    return function(structure)


def leaves(structure: Any) -> Iterator[Any]:
    """The leaves in order."""
    if isinstance(structure, tuple):
        for part in structure:
            yield from leaves(part)
    elif isinstance(structure, dict):
        for part in structure.values():
            yield from leaves(part)
    else:
        yield structure


def zip_leaves(function: Callable[[list[Any]], Any], structures: Sequence[Any]) -> Any:
    """The common structure of several ones, with ``function([leaf, leaf, ...])`` in place of each leaf.

    Raises:
        DataError: the structures differ.
    """
    first = structures[0]
    if isinstance(first, tuple):
        if not all(isinstance(other, tuple) and len(other) == len(first) for other in structures):
            raise _differ(structures)
        parts = [zip_leaves(function, list(part)) for part in zip(*structures, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, dict):
        if not all(isinstance(other, dict) and other.keys() == first.keys() for other in structures):
            raise _differ(structures)
        return {key: zip_leaves(function, [other[key] for other in structures]) for key in first}
    if any(isinstance(other, (tuple, dict)) for other in structures):
        raise _differ(structures)
    return function(list(structures))


def _outline(structure: Any) -> str:
    if isinstance(structure, tuple):
        return f"({', '.join(_outline(part) for part in structure)})"
    if isinstance(structure, dict):
        return f"{{{', '.join(f'{key!r}: {_outline(part)}' for key, part in structure.items())}}}"
    return "*"


def _differ(structures: Sequence[Any]) -> DataError:
    outlines = list(dict.fromkeys(_outline(structure) for structure in structures))
    return DataError(
        "elements of different structures cannot be combined.",
        expected=f"{outlines[0]} in every element",
        got=outlines[-1],
        fix="return tuples of one length and dicts with the same keys for every element",
    )


def host(leaf: Any) -> Any:
    """An array leaf as a NumPy array; a view where the tensor's memory is on the host."""
    return leaf.numpy() if isinstance(leaf, Tensor) else np.asarray(leaf)


def on_host(structure: Any) -> Any:
    """The structure with NumPy arrays in place of tensors."""
    return map_leaves(lambda leaf: leaf.numpy() if isinstance(leaf, Tensor) else leaf, structure)


def normalised(structure: Any) -> Any:
    """What a user's function or generator returned, with numbers and lists of numbers as arrays.

    Arrays are copied and tensors get another handle: whoever returned them may write to them later.
    """
    kind = type(structure)
    if kind is Tensor:
        return Tensor(structure.array, structure.type, None)
    if kind is tuple:
        return tuple([normalised(part) for part in structure])
    return np.array(structure) if kind is np.ndarray else map_leaves(_normalised_leaf, structure)


def _normalised_leaf(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        value = leaf.read_value() if isinstance(leaf, Variable) else leaf
        return Tensor(value.array, value.type, None)
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.item() if isinstance(leaf, (str, bytes)) else np.array(leaf)
    return shared(leaf)


def shared(leaf: Any) -> Any:
    """A leaf that a user gave, with numbers, lists of numbers and arrays of other libraries as NumPy arrays."""
    if isinstance(leaf, _NUMBERS):
        return convert.host_array(leaf, None)
    if isinstance(leaf, list) and leaf and not isinstance(leaf[0], (str, bytes)):
        try:
            return convert.asarray(leaf).numpy()
        except PolytapeError:
            return leaf
    if isinstance(leaf, (np.ndarray, np.generic)) or not (hasattr(leaf, "__array__") or hasattr(leaf, "__dlpack__")):
        return leaf
    return convert.asarray(leaf).numpy()


class Placing:
    """Makes tensors on a device of a pipeline's NumPy arrays.

    Args:
        device: the device.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self._backend = selection.backend_of(device)
        self._types: dict[Any, TensorType] = {}  # of arrays that the device can use as they are

    def tensors(self, structure: Any) -> Any:
        """The structure with tensors in place of NumPy arrays; tensors and other objects stay."""
        if type(structure) is np.ndarray:
            return self._tensor(structure)
        if type(structure) is tuple:
            return tuple([self._tensor(x) if type(x) is np.ndarray else self.tensors(x) for x in structure])
        return map_leaves(lambda leaf: self._tensor(leaf) if isinstance(leaf, np.ndarray) else leaf, structure)

    def _tensor(self, array: Any) -> Any:
        tensor_type = self._types.get(array.dtype)
        if tensor_type is not None:
            return Tensor(array, tensor_type, None)
        if array.dtype.kind in "OSUMm":  # objects, strings and dates stay NumPy arrays
            return array
        if self._backend.host and array.dtype.isnative:
            # The pipeline owns the array, so it is not copied.
            tensor = convert.asarray(array, None, self.device, False)
            self._types[array.dtype] = tensor.type
            return tensor
        return convert.asarray(array, None, self.device)


def arguments(element: Any) -> tuple[Any, ...]:
    """The arguments of a function of an element: a tuple's parts, otherwise the element itself."""
    return element if type(element) is tuple else (element,)


def length(rows: Any) -> int:
    """The number of rows in a batch.

    Raises:
        ShapeError: a leaf has no first axis, or its length differs.
    """
    sizes = []
    for leaf in leaves(rows):
        shape = leaf.shape if isinstance(leaf, _ARRAYS) else (len(leaf),) if isinstance(leaf, list) else ()
        if not shape:
            raise ShapeError(
                "an element has no rows.",
                expected="arrays or tensors with at least one axis, and lists",
                got=f"{type(leaf).__name__}{' of shape ()' if isinstance(leaf, _ARRAYS) else ''}",
                fix="use elements that are batches",
            )
        sizes.append(int(shape[0]))
    if not sizes or min(sizes) != max(sizes):
        raise ShapeError(
            "the parts of a batch have different numbers of rows.",
            expected="one length of the first axis",
            got=", ".join(map(str, sizes)) or "no arrays",
            fix="make the first axes equally long",
        )
    return sizes[0]


def row(rows: Any, position: int) -> Any:
    """One row of a batch; a view."""
    return map_leaves(lambda leaf: _row(leaf, position), rows)


def _row(leaf: Any, position: int) -> Any:
    return leaf[position] if isinstance(leaf, list) else np.asarray(host(leaf)[position])


def rows_of(batch: Any, n: int) -> list[Any]:
    """All rows of a batch of ``n`` rows; views."""
    if isinstance(batch, tuple) and not hasattr(batch, "_fields"):
        return list(zip(*[rows_of(part, n) for part in batch], strict=True)) if batch else [()] * n
    if isinstance(batch, list):
        return batch
    if isinstance(batch, (tuple, dict)):
        return [row(batch, position) for position in range(n)]
    array = host(batch)
    # The ellipsis makes an element of a vector an array instead of a NumPy scalar.
    return list(array) if array.ndim > 1 else [array[position, ...] for position in range(n)]


def stack(elements: Sequence[Any]) -> Any:
    """The elements as one batch: arrays are stacked along a new first axis, other objects become a list.

    Raises:
        ShapeError, DTypeError: the elements' shapes or dtypes differ.
        DataError: their structures differ.
    """
    return zip_leaves(_stack, elements)


def _stack(column: list[Any]) -> Any:
    if not isinstance(column[0], _ARRAYS):
        return column
    arrays = [host(leaf) for leaf in column]
    _check_alike(arrays, arrays[0].shape, [array.shape for array in arrays])
    return np.array(arrays)


def join(batches: Sequence[Any]) -> Any:
    """Several batches as one, one after the other.

    Raises:
        ShapeError, DTypeError, DataError: as from `stack`.
    """
    return zip_leaves(_join, batches)


def _join(column: list[Any]) -> Any:
    if not isinstance(column[0], _ARRAYS):
        return [item for part in column for item in part]
    arrays = [host(leaf) for leaf in column]
    _check_alike(arrays, arrays[0].shape[1:], [array.shape[1:] for array in arrays])
    joined = np.empty((sum(len(array) for array in arrays), *arrays[0].shape[1:]), arrays[0].dtype)
    start = 0
    for array in arrays:
        joined[start : start + len(array)] = array
        start += len(array)
    return joined


def _check_alike(arrays: list[Any], shape: tuple[int, ...], shapes: list[tuple[int, ...]]) -> None:
    for position, array in enumerate(arrays):
        if shapes[position] != shape:
            raise ShapeError(
                "a batch cannot combine elements of different shapes.",
                expected=f"shape {shape} in every element",
                got=f"shape {shapes[position]} in element {position} of the batch",
                fix="use padded_batch, or map the elements to one shape first",
            )
        if array.dtype != arrays[0].dtype:
            raise DTypeError(
                "a batch cannot combine elements of different dtypes.",
                expected=f"{arrays[0].dtype} in every element",
                got=f"{array.dtype} in element {position} of the batch",
                fix="cast the elements to one dtype in map",
            )
