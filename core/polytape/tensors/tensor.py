"""Tensor: a handle on a native array that is never written, with the operators of the array API standard."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np

from ..errors import PolytapeError
from ..registry.tensor_type import TensorType
from ..settings import trimmed
from .in_place import settled
from .node import Node
from .operators import operators
from .scope import current_scope
from .symbol import Symbol, describe_object, type_text
from .temporaries import TEMPORARY, rows_in_loops

if TYPE_CHECKING:
    from mypy_extensions import mypyc_attr

    from ..device import Device
    from ..dtypes import DType

__all__ = ["Symbol", "Tensor", "TensorLike", "operators"]

Shape = tuple[int, ...]

# mypyc checks at run time that a function returns the declared type, so an operator that may return NotImplemented
# must be declared to return Any. setup.py compiles with --always-true=COMPILING; type checkers use the other branch.
COMPILING: Final = not __file__.endswith(".py")
if not COMPILING:
    Result: TypeAlias = "Tensor"
else:
    Result: TypeAlias = Any

if not COMPILING:
    # mypyc reads the decorator from the source and never calls it; importing it would cost every program 0.4 ms.
    mypyc_attr = lambda **options: lambda cls: cls  # noqa: E731  # mypyc does not accept a def under an if

if TYPE_CHECKING and not COMPILING:
    from .methods import Methods as Base  # what polytape.ops.methods gives to the class, for type checkers
else:
    Base = object

# What an op accepts as an operand. For type checkers, complex includes bool, int and float.
TensorLike: TypeAlias = "Tensor | complex | np.ndarray[Any, Any] | np.generic"


@mypyc_attr(free_list_len=1)
class Tensor(Base):
    """An array on one device, differentiable under a `GradientTape`.

    Create tensors with `polytape.asarray`, the creation functions and the ops, never by calling this class. The array
    is never written: ``x += y`` binds a new tensor, and ``x[k] = v`` points this handle at an updated copy.
    """

    __slots__ = ("__weakref__", "array", "node", "type")
    # ndarray + tensor calls __radd__; np.add(t, u) still returns an ndarray.
    __array_priority__: ClassVar[float] = 1000.0

    def __init__(self, array: Any, tensor_type: TensorType | None = None, node: Node | None = None) -> None:
        if tensor_type is None:
            raise late("rejections").called(array)
        self.array: Any = array
        self.type: TensorType = tensor_type
        self.node: Node | None = node

    # --- properties ---------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """The size of each axis."""
        shape: Shape = self.array.shape
        return shape

    @property
    def dtype(self) -> DType:
        """The element type, a NumPy dtype object."""
        return self.type.dtype

    @property
    def device(self) -> Device:
        """The device that holds the array; prints as ``backend:kind:index``."""
        return self.type.device

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.size * self.type.dtype.itemsize

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix.

        Raises:
            ShapeError: the tensor does not have exactly two axes.
        """
        if self.ndim != 2:
            raise late("rejections").no_transpose(self)
        result: Tensor = operators.transpose(self)
        return result

    @property
    def mT(self) -> Tensor:
        """The transpose of the last two axes."""
        if self.ndim < 2:
            raise late("rejections").no_matrix_transpose(self)
        result: Tensor = operators.transpose(self)
        return result

    # --- values on the host -------------------------------------------------------------------------------------

    def numpy(self) -> Any:
        """The values as a read-only NumPy array, without a copy if the backend's arrays are NumPy arrays.

        Raises:
            TraceError: inside a traced function, where the values do not exist yet.
        """
        view = self._host("numpy()").view()
        view.flags.writeable = False
        return view

    def _host(self, what: str) -> Any:
        array = settled(self)
        if isinstance(array, Symbol):
            raise late("rejections").no_values(self, what)
        return self.type.backend.to_host(array)

    def native(self) -> Any:
        """The array of the backend's own library that holds the values, without a copy.

        It must not be written: other tensors and records of tapes may share it. `polytape.asarray` and
        `polytape.from_dlpack` make a tensor of such an array.

        Raises:
            TraceError: inside a traced function, where the values do not exist yet.
        """
        return self._host("native()") if self._is_symbolic() else settled(self)

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number.

        Raises:
            ShapeError: the tensor does not have exactly one element.
        """
        return self._one_element("item()").item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._host("tolist()").tolist()

    def _one_element(self, what: str) -> Any:
        if self.size != 1:
            raise late("rejections").several_elements(self, what)
        return self._host(what)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        host = self.numpy()
        return host if dtype is None and copy is None else late("interchange").as_array(self, host, dtype, copy)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        # NumPy calls it with the result of a ufunc on a tensor.
        if current_scope.get().tapes:
            late("numpy_functions").check_ufunc(Tensor, self, array, context)
        return array[()] if return_scalar else array

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return late("numpy_functions").call(Tensor, function, args, kwargs)

    def __bool__(self) -> bool:
        return bool(self._one_element("bool()"))

    def __float__(self) -> float:
        value: Any = self._one_element("float()").item()
        return float(value)

    def __int__(self) -> int:
        value: Any = self._one_element("int()").item()
        return int(value)

    def __complex__(self) -> complex:
        value: Any = self._one_element("complex()").item()
        return complex(value)

    def __index__(self) -> int:
        if self.type.dtype.kind not in "iu" or self.ndim != 0:
            raise late("rejections").no_index(self)
        value: int = self._one_element("index()").item()
        return value

    def __format__(self, spec: str) -> str:
        if spec == "":
            return str(self)
        if self.ndim == 0:
            return format(self._one_element("format()").item(), spec)
        return format(str(self), spec)

    def _label(self) -> str | None:
        return None  # Variable overrides this

    def _is_symbolic(self) -> bool:
        return isinstance(self.array, Symbol)

    def __repr__(self) -> str:
        return late("printing").repr_tensor(self)

    def __str__(self) -> str:
        return late("printing").str_tensor(self)

    # --- as a container -----------------------------------------------------------------------------------------

    def __len__(self) -> int:
        shape = self.shape
        if not shape:
            raise late("rejections").no_length(self)
        return shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        rows: Iterator[Tensor] = late("assignment").rows(self, len(self))
        return rows

    def __getitem__(self, key: Any) -> Tensor:
        found: Tensor | None = operators.items.get(self, key)
        if found is not None:
            return found
        try:
            result: Tensor = operators.getitem(self, key)
        except PolytapeError as error:
            raise trimmed(error) from None
        return result

    def __setitem__(self, key: Any, value: Any) -> None:
        node = self.node
        try:
            temporary = sys.getrefcount(self) <= TEMPORARY
            if temporary or rows_in_loops or (node is not None and node.plan is None):
                late("assignment").check(self, temporary)
            if operators.items.set(self, key, value):
                return
            updated: Tensor = operators.setitem(self, key, value)
        except PolytapeError as error:
            raise trimmed(error) from None
        self.array = updated.array
        self.type = updated.type
        self.node = updated.node

    # --- devices, interchange, copies ---------------------------------------------------------------------------

    def to_device(self, device: Any, /, *, stream: Any = None) -> Tensor:
        """A tensor with the same values on ``device``; differentiable.

        Args:
            device: as for `polytape.device`.
            stream: must be None; the backend manages its streams.
        """
        if stream is not None:
            raise late("rejections").no_stream(self, stream)
        try:
            result: Tensor = operators.to_device(self, device)
        except PolytapeError as error:
            raise trimmed(error) from None
        return result

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return late("interchange").namespace(api_version)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        return late("interchange").export(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        device: tuple[int, int] = late("interchange").dlpack_device(self)
        return device

    def __copy__(self) -> Tensor:
        return Tensor(self.array, self.type, self.node)

    def __deepcopy__(self, memo: Any) -> Tensor:
        return Tensor(self.array, self.type, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (self._host("pickle").copy(), str(self.type.device))

    # --- operators ----------------------------------------------------------------------------------------------

    def __add__(self, other: TensorLike, /) -> Result:
        return operators.add.operate(self, other)

    def __radd__(self, other: TensorLike, /) -> Result:
        return operators.add.operate(other, self)

    def __sub__(self, other: TensorLike, /) -> Result:
        return operators.subtract.operate(self, other)

    def __rsub__(self, other: TensorLike, /) -> Result:
        return operators.subtract.operate(other, self)

    def __mul__(self, other: TensorLike, /) -> Result:
        return operators.multiply.operate(self, other)

    def __rmul__(self, other: TensorLike, /) -> Result:
        return operators.multiply.operate(other, self)

    def __truediv__(self, other: TensorLike, /) -> Result:
        return operators.divide.operate(self, other)

    def __rtruediv__(self, other: TensorLike, /) -> Result:
        return operators.divide.operate(other, self)

    def __pow__(self, other: TensorLike, /) -> Result:
        return operators.power.operate(self, other)

    def __rpow__(self, other: TensorLike, /) -> Result:
        return operators.power.operate(other, self)

    def __matmul__(self, other: TensorLike, /) -> Result:
        return operators.matmul.operate(self, other)

    def __rmatmul__(self, other: TensorLike, /) -> Result:
        return operators.matmul.operate(other, self)

    def __neg__(self) -> Tensor:
        result: Tensor = operators.negative.operate(self)
        return result

    def __pos__(self) -> Tensor:
        result: Tensor = operators.identity.operate(self)
        return result

    def __abs__(self) -> Tensor:
        result: Tensor = operators.abs.operate(self)
        return result

    def __eq__(self, other: object, /) -> Result:  # type: ignore[override]  # elementwise, as the standard requires
        return operators.equal.operate(self, other)

    def __ne__(self, other: object, /) -> Result:  # type: ignore[override]  # elementwise, as the standard requires
        return operators.not_equal.operate(self, other)

    def __lt__(self, other: TensorLike, /) -> Result:
        return operators.less.operate(self, other)

    def __le__(self, other: TensorLike, /) -> Result:
        return operators.less_equal.operate(self, other)

    def __gt__(self, other: TensorLike, /) -> Result:
        return operators.greater.operate(self, other)

    def __ge__(self, other: TensorLike, /) -> Result:
        return operators.greater_equal.operate(self, other)

    def __hash__(self) -> int:
        # == is elementwise, but the hash is by identity, as in PyTorch: a dict compares by identity first.
        return object.__hash__(self)


def restore(host: Any, device: str) -> Tensor:
    """Rebuild a pickled tensor on its original device; the error says if the backend or device is missing."""
    result: Tensor = operators.asarray(host, device=device)
    return result


def describe(x: object) -> str:
    """``float32[2,3]`` for a tensor, the repr of anything else."""
    if isinstance(x, Tensor):
        return type_text(x.type.dtype, x.shape)
    return describe_object(x)


def late(name: str) -> Any:
    """A module of this room that most programs do not need, or need rarely."""
    return importlib.import_module(f"polytape.tensors.{name}")
