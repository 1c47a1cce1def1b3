"""GraphTensor: an output of an operation, with a dtype, a shape that may be partly unknown, and a name; no values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeAlias

from ....registry.tensor_type import TensorType
from ....tensors.tensor import Tensor as EagerTensor
from ..dtypes import DType, tensor_dtype
from ..shapes import TensorShape
from .defaults import evaluate
from .graphs import Graph
from .shapes import Spec

__all__ = ["GraphTensor", "Tensor", "tensor_name"]

Operation: TypeAlias = Any  # `operations.Operation`, which has tensors


class GraphTensor:
    """A tensor of a graph.

    Attributes:
        op, value_index: the operation, and which of its outputs this is.
        tensor_type: its device and dtype.
        specs: what is known of it for two sizes of unknown dimensions; empty if the rank is unknown.
        is_ref: whether it shares a variable's memory; shown in prints.
    """

    element_kind = "Tensor"
    __array_priority__: ClassVar[float] = 1000.0
    # Filled by `operators`, whose functions record calls.
    operate: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(
        self, op: Operation, value_index: int, tensor_type: TensorType, shape: TensorShape, specs: tuple[Spec, ...]
    ) -> None:
        self.op, self.value_index = op, value_index
        self.tensor_type, self._shape, self.specs = tensor_type, shape, specs
        self.is_ref = False

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph."""
        return self.op.graph  # type: ignore[no-any-return]  # a graph

    @property
    def name(self) -> str:
        """``operation:output``."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def dtype(self) -> DType:
        """The element type."""
        return tensor_dtype(self.tensor_type.dtype)

    @property
    def shape(self) -> TensorShape:
        """The shape, as far as it is known."""
        return self._shape

    @property
    def device(self) -> str:
        """Empty: a session chooses the device."""
        return str(self.op.device)

    def get_shape(self) -> TensorShape:
        """`shape`."""
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Make more of the shape known.

        Raises:
            ValueError: it contradicts what is known.
        """
        try:
            self._shape = self._shape.merge_with(TensorShape(shape))
        except ValueError:
            raise ValueError(f"Shapes {self._shape} and {TensorShape(shape)} are not compatible") from None
        self.specs = ()

    def consumers(self) -> list[Operation]:
        """The operations that have this tensor as an input."""
        return [op for op in self.graph.operations if any(x is self for x in op.inputs)]

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value, computed by a session, by default the innermost one."""
        return evaluate("evaluate tensor", self, feed_dict, session, self.graph)

    # --- Python's protocols -----------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self._shape} dtype={tensor_name(self)}>"

    def __str__(self) -> str:
        known = f", shape={self._shape}" if self._shape.ndims is not None else ""
        return f'Tensor("{self.name}"{known}, dtype={tensor_name(self)})'

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError("unsupported format string passed to Tensor.__format__")
        return str(self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` instead of `if t:` to test "
            "if a tensor is defined, and use TensorFlow ops such as tf.cond to execute subgraphs conditioned on the "
            "value of a tensor."
        )

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "Tensor objects are not iterable when eager execution is not enabled. To iterate over this tensor use "
            "tf.map_fn."
        )

    def __len__(self) -> NoReturn:
        raise TypeError("object of type 'Tensor' has no len()")

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'Tensor' object has no attribute {name!r}")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self} has no values before a session runs it; write session.run(x)")

    def __int__(self) -> NoReturn:
        raise TypeError(f"int() argument must be a number, not 'Tensor': {self} has no value before a session runs it")

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"float() argument must be a number, not 'Tensor': {self} has no value before a session runs it"
        )

    def __getitem__(self, key: Any) -> Any:
        return self.operate["getitem"](self, key)


def _binary(name: str) -> Any:
    def operator(self: GraphTensor, other: Any) -> Any:
        return self.operate[name](self, other)

    return operator


def _reflected(name: str) -> Any:
    def operator(self: GraphTensor, other: Any) -> Any:
        return self.operate[name](other, self)

    return operator


def _unary(name: str) -> Any:
    def operator(self: GraphTensor) -> Any:
        return self.operate[name](self)

    return operator


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
COMPARISONS = ("lt", "le", "gt", "ge")
UNARY = ("neg", "abs", "invert")
for _name in BINARY:
    setattr(GraphTensor, f"__{_name}__", _binary(_name))
    setattr(GraphTensor, f"__r{_name}__", _reflected(_name))
for _name in COMPARISONS:
    setattr(GraphTensor, f"__{_name}__", _binary(_name))
for _name in UNARY:
    setattr(GraphTensor, f"__{_name}__", _unary(_name))
setattr(GraphTensor, "__div__", _binary("truediv"))  # noqa: B010  # as TensorFlow's tensors


def tensor_name(tensor: GraphTensor) -> str:
    """The dtype's name, with the suffix of tensors that share a variable's memory."""
    return tensor.dtype.name + ("_ref" if tensor.is_ref else "")


class _Facade(type):
    """Metaclass with which `Tensor` accepts tensors of both modes in isinstance()."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, (EagerTensor, GraphTensor))

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, (EagerTensor, GraphTensor))


class Tensor(metaclass=_Facade):
    """``tf.Tensor``: `polytape.Tensor` in eager mode, a tensor of a graph otherwise. It has no instances of its own."""
