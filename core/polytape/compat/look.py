"""What TensorFlow 1.7's programs see of a tensor after `enable_eager_execution`.

Native programs keep their speed: `dress` replaces attributes of the class Tensor once, when eager execution is enabled.
The replaced attributes look at who reads them. A frame of polytape or of a backend sees the tuple, the NumPy dtype and
the ops of polytape; every other frame sees a TensorShape, a DType and TensorFlow's rules.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

from ..device import Device
from ..dtypes import FLOATING
from ..errors import PolytapeError
from ..placement.selection import default_device
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from .op_errors import translated
from .tf1.convert import divisible, powers, same
from .tf1.dtypes import tensor_dtype
from .tf1.shapes import TensorShape

__all__ = ["DeviceName", "dress"]

# The operators by the middle part of the methods' names.
BINARY: Final = ("add", "sub", "mul", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
COMPARISONS: Final = ("lt", "le", "gt", "ge")
GRAPH_ONLY: Final = ("graph", "op", "value_index")  # and "name", which variables have


class DeviceName(str):
    """A device's name in TensorFlow's form, with the attributes of polytape's device.

    Args:
        device: polytape's device.
    """

    device: Device

    def __new__(cls, device: Device) -> DeviceName:
        """The name of a device."""
        self = super().__new__(cls, f"/job:localhost/replica:0/task:0/device:{device.kind.upper()}:{device.index}")
        self.device = device
        return self

    @property
    def backend(self) -> str:
        """The name of the backend."""
        return self.device.backend

    @property
    def kind(self) -> str:
        """``cpu``, ``gpu``, ..."""
        return self.device.kind


def inside(depth: int = 2) -> bool:
    """Whether the caller's caller is a frame of polytape or of a backend."""
    name: str = sys._getframe(depth).f_globals.get("__name__", "")
    return name.startswith("polytape")


def _property(native: Any, view: Callable[[Any], Any], doc: str) -> property:
    """A property that frames of polytape see natively, and all others through ``view``."""
    read = native.__get__

    def get(self: Any) -> Any:
        value = read(self, type(self))
        return value if inside() else view(value)

    return property(get, doc=doc)


def _plain(self: Any, other: Any) -> bool:
    """Whether TensorFlow's rules and polytape's are the same for two operands, which need no conversion then."""
    category = self.type.category
    if isinstance(other, Tensor):
        return other.type is self.type and category >= FLOATING
    return category == FLOATING and type(other) in (int, float)


def _operator(native: Any, forward: Any, prepare: Callable[[Any, Any], list[Tensor]], exchanged: bool = False) -> Any:
    """A binary operator that frames of polytape see natively.

    Args:
        native: the method that it replaces.
        forward: the method of the operands in order.
        prepare: what all other frames get: it converts both operands.
        exchanged: whether the tensor is the second operand.
    """

    def operate(self: Any, other: Any) -> Any:
        try:
            if _plain(self, other) or inside():
                return native(self, other)
            return forward(*(prepare(other, self) if exchanged else prepare(self, other)))
        except PolytapeError as error:
            failure = error
        raise translated(failure).with_traceback(None) from None

    operate.__name__ = operate.__qualname__ = native.__name__
    return operate


def _identical(native: Any, negated: bool) -> Any:
    """``==`` and ``!=``: TensorFlow 1.7 compares which tensors they are, not their values."""

    def compare(self: Any, other: Any) -> Any:
        return native(self, other) if inside() else (self is other) is not negated

    return compare


def _numpy(native: Any) -> Any:
    def numpy(self: Any) -> Any:
        """The values as a read-only NumPy array; of a tensor of shape () as a NumPy scalar."""
        host = native(self)
        return host[()] if host.ndim == 0 and not inside() else host

    return numpy


def _getitem(native: Any) -> Any:
    def getitem(self: Any, key: Any) -> Any:
        try:
            return native(self, key)
        except PolytapeError as error:
            failure = error
        raise translated(failure).with_traceback(None) from None

    return getitem


def _scalar(native: Any) -> Any:
    """``int()`` and ``float()``: TensorFlow raises TypeError for a tensor with several elements."""

    def convert(self: Any) -> Any:
        try:
            return native(self)
        except PolytapeError as error:
            failure = error
        raise translated(failure, TypeError).with_traceback(None) from None

    return convert


def _format(self: Any, spec: str) -> str:
    """The values in the format ``spec``; of a tensor of shape () the number alone."""
    host = Tensor.numpy(self)
    return format(host.item() if host.ndim == 0 else host, spec)


@functools.lru_cache(4096)
def shape_of(shape: tuple[int, ...]) -> TensorShape:
    """A tuple of ints as a TensorShape, made once: programs read shapes in every step."""
    return TensorShape(shape)


def _get_shape(self: Any) -> TensorShape:
    """The shape, as a TensorShape."""
    return shape_of(self.array.shape)


def _set_shape(self: Any, shape: Any) -> None:
    """Raise ValueError unless the tensor's shape is compatible with ``shape``."""
    if not TensorShape(self.array.shape).is_compatible_with(shape):
        raise ValueError(
            f"Tensor's shape {TensorShape(self.array.shape)} is not compatible with supplied shape {shape}"
        )


def _graph_only(name: str) -> property:
    def get(self: Any) -> Any:
        raise AttributeError(f"{name} not supported for Eager Tensors.")

    return property(get, doc="Raises AttributeError: only tensors of a graph have it.")


def _eval(self: Any, feed_dict: Any = None, session: Any = None) -> Any:
    """Raise NotImplementedError: an eager tensor has its value, ``x.numpy()``."""
    raise NotImplementedError("eval not supported for Eager Tensors. Write x.numpy() for the value.")


def _to(kind: str) -> Callable[[Any], Any]:
    def move(self: Any, index: int = 0) -> Any:
        """A tensor with the same values on this device."""
        return self.to_device(f"{kind}:{index}")

    return move


def _operators(cls: Any) -> dict[str, Any]:
    """The binary operators by name."""
    found: dict[str, Any] = {}
    for name in (*BINARY, "truediv"):
        prepare = {"truediv": divisible, "pow": powers}.get(name, same)
        forward = getattr(cls, f"__{name}__")
        found[f"__{name}__"] = _operator(forward, forward, prepare)
        found[f"__r{name}__"] = _operator(getattr(cls, f"__r{name}__"), forward, prepare, exchanged=True)
    for name in COMPARISONS:
        forward = getattr(cls, f"__{name}__")
        found[f"__{name}__"] = _operator(forward, forward, same)
    return found


def dress() -> None:
    """Give the class Tensor, and with it Variable, what TensorFlow 1.7's programs expect of a tensor."""
    default_device()  # the first backend brings the operators that are replaced here
    cls: Any = Tensor
    members = cls.__dict__
    replaced: dict[str, Any] = {
        "shape": _property(members["shape"], shape_of, "The shape, as a TensorShape."),
        "dtype": _property(members["dtype"], tensor_dtype, "The element type, as a DType."),
        "device": _property(
            members["device"], functools.cache(DeviceName), "The name of the device that holds the array."
        ),
        "numpy": _numpy(cls.numpy),
        "_id": property(id, doc="A number that no other living tensor has."),
        "get_shape": _get_shape,
        "set_shape": _set_shape,
        "eval": _eval,
        "cpu": _to("cpu"),
        "gpu": _to("gpu"),
        "__format__": _format,
        "__getitem__": _getitem(cls.__getitem__),
        "__eq__": _identical(cls.__eq__, negated=False),
        "__ne__": _identical(cls.__ne__, negated=True),
        "__hash__": cls.__hash__,
        "__float__": _scalar(cls.__float__),
        "__int__": _scalar(cls.__int__),
        **_operators(cls),
        **{name: _graph_only(name) for name in GRAPH_ONLY},
    }
    for name, member in replaced.items():
        setattr(cls, name, member)
        if name in Variable.__dict__:  # the compiled class has comparisons of its own, which call Tensor's native ones
            setattr(Variable, name, member)
