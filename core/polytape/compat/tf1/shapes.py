"""TensorFlow 1.7's shapes: tuples of sizes, of which some or all may be unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...errors import ShapeError

__all__ = ["Dimension", "TensorShape", "as_dimension", "as_shape"]


def _operator(compute: Callable[[int, int], Any], unknown: Callable[[], Any]) -> Callable[[Any, Any], Any]:
    """The operator on two dimensions; ``unknown()`` if either is unknown."""

    def operate(self: Dimension, other: Any) -> Any:
        try:
            second = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        known = self.value is not None and second.value is not None
        return compute(self.value, second.value) if known else unknown()  # type: ignore[arg-type]  # both are known

    return operate


def _combined(compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    """An operator whose result is a dimension."""
    return _operator(lambda first, second: Dimension(compute(first, second)), lambda: Dimension(None))


def _reflected(compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    """The operator with exchanged operands."""
    return _combined(lambda first, second: compute(second, first))


def _compared(compute: Callable[[int, int], bool]) -> Callable[[Any, Any], Any]:
    """A comparison, whose result is None if it cannot be known."""
    return _operator(compute, lambda: None)


class Dimension(int):
    """The size of an axis: an int, or unknown.

    Args:
        value: the size, or None if it is unknown.

    Raises:
        ValueError: the size is negative.
    """

    _unknown: bool

    def __new__(cls, value: Any) -> Dimension:
        """A known or an unknown size."""
        if isinstance(value, Dimension):
            return value
        size = -1 if value is None else int(value)
        if value is not None and not isinstance(value, (str, bytes)) and size != value:
            raise ValueError(f"Ambiguous dimension: {value}")
        if value is not None and size < 0:
            raise ValueError(f"Dimension {size} must be >= 0")
        self = super().__new__(cls, size)
        self._unknown = value is None
        return self

    @property
    def value(self) -> int | None:
        """The size, or None if it is unknown."""
        return None if self._unknown else int.__int__(self)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both sizes can be the same one."""
        second = as_dimension(other)
        return self.value is None or second.value is None or self.value == second.value

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless both sizes can be the same one."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: Any) -> Dimension:
        """The size that both have.

        Raises:
            ValueError: they are known and different.
        """
        second = as_dimension(other)
        self.assert_is_compatible_with(second)
        return second if self.value is None else self

    __add__ = _combined(lambda a, b: a + b)
    __radd__ = _reflected(lambda a, b: a + b)
    __sub__ = _combined(lambda a, b: a - b)
    __rsub__ = _reflected(lambda a, b: a - b)
    __mul__ = _combined(lambda a, b: a * b)
    __rmul__ = _reflected(lambda a, b: a * b)
    __floordiv__ = _combined(lambda a, b: a // b)
    __rfloordiv__ = _reflected(lambda a, b: a // b)
    __mod__ = _combined(lambda a, b: a % b)
    __rmod__ = _reflected(lambda a, b: a % b)
    __eq__ = _compared(lambda a, b: a == b)
    __ne__ = _compared(lambda a, b: a != b)
    __lt__ = _compared(lambda a, b: a < b)
    __le__ = _compared(lambda a, b: a <= b)
    __gt__ = _compared(lambda a, b: a > b)
    __ge__ = _compared(lambda a, b: a >= b)

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __index__(self) -> int:
        return self.__int__()

    def __int__(self) -> int:
        if self._unknown:
            raise TypeError("__int__ returned non-int (type NoneType): the dimension is unknown")
        return int.__int__(self)

    def __bool__(self) -> bool:
        return not self._unknown and int.__bool__(self)

    def __str__(self) -> str:
        return "?" if self._unknown else int.__repr__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self) if self._unknown else int.__int__(self), spec)

    def __repr__(self) -> str:
        return f"Dimension({self.value})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Dimension, (self.value,)


def as_dimension(value: Any) -> Dimension:
    """``value``, an int, None or a Dimension, as a Dimension."""
    return value if isinstance(value, Dimension) else Dimension(value)


class TensorShape(tuple[Dimension, ...]):
    """The shape of a tensor: a tuple of dimensions, or of unknown rank.

    Args:
        dims: the dimensions, a single one, or None for an unknown rank.
    """

    _known: bool

    def __new__(cls, dims: Any) -> TensorShape:
        """A shape of known or unknown rank."""
        if isinstance(dims, TensorShape):
            return dims
        if hasattr(dims, "dim") and hasattr(dims, "unknown_rank"):  # a protocol buffer
            dims = None if dims.unknown_rank else [None if axis.size == -1 else axis.size for axis in dims.dim]
        sizes: Iterable[Any] = () if dims is None else dims if hasattr(dims, "__iter__") else (dims,)
        self = super().__new__(cls, [as_dimension(size) for size in sizes])
        self._known = dims is not None
        return self

    @property
    def dims(self) -> list[Dimension] | None:
        """The dimensions, or None if the rank is unknown."""
        return list(tuple.__iter__(self)) if self._known else None

    @property
    def ndims(self) -> int | None:
        """The number of axes, or None if it is unknown."""
        return tuple.__len__(self) if self._known else None

    def as_list(self) -> list[int | None]:
        """The sizes as a list of ints, None where unknown.

        Raises:
            ValueError: the rank is unknown.
        """
        return [dimension.value for dimension in self._axes("as_list()")]

    def num_elements(self) -> int | None:
        """The number of elements, or None if it is unknown."""
        if not self.is_fully_defined():
            return None
        count = 1
        for size in self.as_list():
            count *= size or 0
        return count

    def is_fully_defined(self) -> bool:
        """Whether the rank and all sizes are known."""
        return self._known and all(dimension.value is not None for dimension in tuple.__iter__(self))

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor can have both shapes."""
        second = as_shape(other)
        if not self._known or not second._known:
            return True
        same_rank = self.ndims == second.ndims
        return same_rank and all(a.is_compatible_with(b) for a, b in zip(self, second, strict=True))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError unless a tensor can have both shapes."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def assert_same_rank(self, other: Any) -> None:
        """Raise ValueError if both ranks are known and different."""
        second = as_shape(other)
        if self._known and second._known and self.ndims != second.ndims:
            raise ValueError(f"Shapes {self} and {second} must have the same rank")

    def assert_has_rank(self, rank: int | None) -> None:
        """Raise ValueError unless the rank is ``rank`` or unknown."""
        if self.ndims not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError if the rank or a size is unknown."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def merge_with(self, other: Any) -> TensorShape:
        """The shape with what either of both knows.

        Raises:
            ValueError: they contradict each other.
        """
        second = as_shape(other)
        if not self._known:
            return second
        if not second._known:
            return self
        self.assert_is_compatible_with(second)
        return TensorShape([a.merge_with(b) for a, b in zip(self, second, strict=True)])

    def concatenate(self, other: Any) -> TensorShape:
        """The axes of both shapes; of unknown rank if either is."""
        second = as_shape(other)
        if not self._known or not second._known:
            return TensorShape(None)
        return TensorShape([*self, *second])

    def with_rank(self, rank: int) -> TensorShape:
        """The shape, with its rank made known.

        Raises:
            ValueError: it has another rank.
        """
        return self.merge_with([None] * rank) if self._known and self.ndims == rank else self._ranked(rank)

    def _ranked(self, rank: int) -> TensorShape:
        if self._known:
            raise ValueError(f"Shape {self} must have rank {rank}")
        return TensorShape([None] * rank)

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """The shape itself; raises ValueError if it has fewer axes than ``rank``."""
        if self.ndims is not None and self.ndims < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """The shape itself; raises ValueError if it has more axes than ``rank``."""
        if self.ndims is not None and self.ndims > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def _axes(self, what: str) -> tuple[Dimension, ...]:
        if not self._known:
            raise ShapeError(
                f"{what} is not defined for an unknown TensorShape.",
                expected="a shape of known rank",
                got="TensorShape(None)",
                fix="give the shape when the tensor is made, or test shape.ndims is not None first",
            )
        return tuple(tuple.__iter__(self))

    def __iter__(self) -> Iterator[Dimension]:
        return iter(self._axes("iteration"))

    def __len__(self) -> int:
        return len(self._axes("len()"))

    def __bool__(self) -> bool:
        return self._known

    def __getitem__(self, key: Any) -> Any:
        if self._known:
            found = tuple.__getitem__(self, key)
            return TensorShape(found) if isinstance(key, slice) else found
        if isinstance(key, slice):
            known = key.stop is not None and key.stop >= (key.start or 0) >= 0 and key.step is None
            return TensorShape([None] * (key.stop - (key.start or 0)) if known else None)
        return Dimension(None)

    def __eq__(self, other: object) -> bool:
        try:
            second = as_shape(other)
        except (TypeError, ValueError):
            return False
        return self._known == second._known and (not self._known or self.as_list() == second.as_list())

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def __str__(self) -> str:
        if not self._known:
            return "<unknown>"
        sizes = [str(dimension) for dimension in self]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"TensorShape({self.dims!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorShape, (self.as_list() if self._known else None,)


def as_shape(shape: Any) -> TensorShape:
    """``shape`` as a TensorShape."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)
