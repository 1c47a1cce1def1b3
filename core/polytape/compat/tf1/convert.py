"""What the rows of the tables apply to arguments: TensorFlow 1.7's conversions of tensors, dtypes, axes and shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import numpy as np

from ... import dtypes, random
from ...autodiff.indexed_slices import IndexedSlices
from ...dispatch.convert import asarray
from ...dtypes import COMPLEX, FLOATING, INTEGER, DType as NumPyDType, category
from ...errors import DTypeError
from ...nn.building import outside
from ...ops.manipulation import astype
from ...tensors.tensor import Tensor, describe
from ...tensors.variable import Variable
from ..op_errors import InvalidArgumentError, invalid, translated
from .dtypes import DType, as_dtype

__all__ = [
    "axes",
    "divisible",
    "either",
    "first",
    "floating",
    "generator",
    "integer",
    "integers",
    "integral",
    "layout",
    "logical",
    "lookup",
    "numeric",
    "of_operation",
    "powers",
    "preferred",
    "real",
    "required",
    "restart",
    "same",
    "sizes",
    "stream_seed",
    "streams",
    "table",
    "tensor",
    "tensors",
    "to_tensor",
    "vector",
]


class UnconvertibleError(DTypeError, InvalidArgumentError, ValueError):
    """A value that no tensor can hold. TensorFlow raises ValueError for it, polytape TypeError."""


def lookup(dtype: Any, default: Any = None) -> Any:
    """The NumPy dtype object of a dtype in any of TensorFlow's forms; of ``default`` if it is None."""
    wanted = default if dtype is None else dtype
    if isinstance(wanted, np.dtype):
        return wanted
    return None if wanted is None else wanted.dtype if isinstance(wanted, DType) else as_dtype(wanted).dtype


def tensor(value: Any, dtype: Any = None) -> Tensor:
    """``value`` as a tensor, as `tf.convert_to_tensor` makes it.

    Args:
        value: anything that `polytape.asarray` accepts. A variable gives its current value.
        dtype: the wanted dtype. Numbers and arrays are cast to it, as in TensorFlow; a tensor must have it.
    Raises:
        DTypeError: a tensor of another dtype.
    """
    if dtype is None and type(value) is Tensor:
        return value
    wanted = lookup(dtype)
    if isinstance(value, Variable):
        value = value.read_value()
    if isinstance(value, Tensor):
        if wanted is not None and value.type.dtype != wanted:
            raise _mismatch(value, wanted)
        return value
    if isinstance(value, IndexedSlices):
        return tensor(value.to_dense(), dtype)
    try:
        found = asarray(value)
    except DTypeError as error:
        if not _any(value, _is_long):
            raise UnconvertibleError(error.summary, expected=error.expected, got=error.got, fix=error.fix) from None
        found = asarray(value, dtypes.int64)  # TensorFlow takes int64 for numbers that int32 cannot hold
    if wanted is None and found.type.dtype == dtypes.complex64 and _any(value, _is_complex):
        return asarray(value, dtypes.complex128)  # TensorFlow's dtype of Python's complex numbers
    return found if wanted is None or found.type.dtype == wanted else astype(found, wanted)


to_tensor = tensor  # for functions with a parameter named tensor


def _any(value: Any, test: Callable[[Any], bool]) -> bool:
    """Whether the test holds for any of the Python numbers in nested lists."""
    return any(_any(item, test) for item in value) if isinstance(value, (list, tuple)) else test(value)


def _is_long(value: Any) -> bool:
    return type(value) is int and not -(2**31) <= value < 2**31


def _is_complex(value: Any) -> bool:
    return type(value) is complex


def _mismatch(value: Tensor, wanted: NumPyDType) -> DTypeError:
    return translated(  # type: ignore[return-value]  # of the same class
        DTypeError(
            f"{describe(value)} was given where {wanted} is expected.",
            expected=f"operands of one dtype, here {wanted}",
            got=describe(value),
            fix=f"tf.cast(x, tf.{wanted}); TensorFlow converts numbers and arrays, but never tensors",
        )
    )


def same(*values: Any) -> list[Tensor]:
    """``values`` as tensors of one dtype: that of the first tensor among them, otherwise that of the first value.

    Raises:
        DTypeError: two tensors of different dtypes.
    """
    if len(values) == 2 and type(values[0]) is type(values[1]) is Tensor and values[0].type is values[1].type:
        return list(values)  # the most frequent case
    leading = next((value for value in values if isinstance(value, Tensor)), None)
    if leading is None:
        leading = tensor(values[0])
        rest = [tensor(value, leading.type.dtype) for value in values[1:]]
        return [leading, *rest]
    return [tensor(value, leading.type.dtype) for value in values]


def table(value: Any) -> Tensor:
    """As `tensor`, but a variable as it is: optimizers then change only those rows that an op takes from it."""
    return value if isinstance(value, Variable) else tensor(value)


def tensors(values: Any) -> list[Tensor]:
    """The elements of a sequence as tensors of one dtype."""
    if isinstance(values, Tensor) or not hasattr(values, "__iter__"):
        values = [values]
    return same(*values)


def _of_kind(value: Any, smallest: int, largest: int, kinds: str) -> Tensor:
    found = tensor(value)
    if not smallest <= found.type.category <= largest:
        raise DTypeError(
            f"{describe(found)} has a dtype that the op does not accept.",
            expected=f"a {kinds} dtype",
            got=str(found.type.dtype),
            fix="tf.cast(x, tf.float32); TensorFlow does not convert by itself",
        )
    return found


def floating(value: Any) -> Tensor:
    """``value`` as a tensor of a real or complex floating dtype; raises DTypeError for another dtype."""
    return _of_kind(value, FLOATING, COMPLEX, "floating or complex")


def real(value: Any) -> Tensor:
    """``value`` as a tensor of a real floating dtype; raises DTypeError for another dtype."""
    return _of_kind(value, FLOATING, FLOATING, "real floating")


def numeric(value: Any) -> Tensor:
    """``value`` as a tensor that is not of bools; raises DTypeError otherwise."""
    return _of_kind(value, INTEGER, COMPLEX, "numeric")


def logical(value: Any) -> Tensor:
    """``value`` as a tensor of bools; raises DTypeError for a tensor of another dtype."""
    return tensor(value, dtypes.bool_)


def _host(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) or hasattr(value, "tolist") else value


def integer(value: Any) -> int:
    """A number, dimension, array or tensor with one element as an int."""
    return int(value)


def integers(value: Any) -> list[int]:
    """A number, or a list, array or tensor of numbers, as a list of ints."""
    found = _host(value)
    return [int(item) for item in found] if hasattr(found, "__iter__") else [int(found)]


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of ints: from a number, list, TensorShape, array or tensor, or a list of such numbers."""
    found = _host(shape)
    return tuple([int(size) for size in found]) if hasattr(found, "__iter__") else (int(found),)


def axes(axis: Any, alias: Any = None) -> Any:
    """``axis``, or the deprecated argument of the same meaning, as an int, a tuple of ints, or None.

    Raises:
        ValueError: both are given.
    """
    if axis is not None and alias is not None:
        raise ValueError("Cannot specify both 'axis' and its deprecated alias.")
    found = _host(alias if axis is None else axis)
    return None if found is None else tuple(map(int, found)) if hasattr(found, "__iter__") else int(found)


def first(*values: Any) -> Any:
    """The first value that is not None."""
    return next((value for value in values if value is not None), None)


def either(value: Any, alias: Any, default: bool = False) -> bool:
    """The flag ``value``, or the deprecated argument of the same meaning; ``default`` if neither is given.

    Raises:
        ValueError: both are given.
    """
    if value is not None and alias is not None:
        raise ValueError("Cannot specify both an argument and its deprecated alias.")
    return bool(first(value, alias, default))


def integral(value: Any) -> Tensor:
    """``value`` as a tensor of an integer dtype; raises DTypeError for another dtype."""
    return _of_kind(value, INTEGER, INTEGER, "integer")


def required(value: Any, name: str) -> Any:
    """``value``, an argument that must be given.

    Raises:
        ValueError: it is None.
    """
    if value is None:
        raise ValueError(f"The argument {name!r} is required.")
    return value


# The dtypes that TensorFlow converts integers to before a true division.
_DIVISION: Final = {
    "int8": "float32", "uint8": "float32", "int16": "float32", "uint16": "float32",
    "int32": "float64", "int64": "float64",
}  # fmt: skip


def divisible(x: Any, y: Any) -> list[Tensor]:
    """The operands of a true division: of one dtype, integers converted to a floating dtype that can hold them."""
    operands = same(x, y)
    wanted = _DIVISION.get(operands[0].type.dtype.name)
    return operands if wanted is None else [astype(operand, wanted) for operand in operands]


def powers(x: Any, y: Any) -> list[Tensor]:
    """A base and an exponent of one dtype; raises InvalidArgumentError for integers with a negative exponent."""
    base, exponent = same(x, y)
    if category(base.type.dtype) < FLOATING and exponent.size and not exponent._is_symbolic():
        smallest = int(exponent.numpy().min())
        if smallest < 0:
            raise invalid(
                "Integers to negative integer powers are not allowed.",
                expected="exponents of 0 or more, or a floating base",
                got=str(smallest),
                fix="tf.to_float(x)",
            )
    return [base, exponent]


def preferred(value: Any, dtype: Any, wish: Any) -> Tensor:
    """`tf.convert_to_tensor`: a tensor is returned unchanged, anything else gets ``dtype``, or ``wish`` if it can."""
    if isinstance(value, Tensor) and not isinstance(value, Variable):
        return value
    if dtype is None and wish is not None:
        try:
            return tensor(value, wish)
        except DTypeError:
            pass
    return tensor(value, dtype)


def layout(data_format: str | None) -> str:
    """polytape's name of one of TensorFlow's layouts, such as ``NHWC``.

    Raises:
        ValueError: there is no such layout.
    """
    name = "NHWC" if data_format is None else data_format
    if name in ("NHWC", "NDHWC", "NWC", "channels_last"):
        return "channels_last"
    if name in ("NCHW", "NCDHW", "NCW", "channels_first"):
        return "channels_first"
    raise ValueError(f"Unknown data format {data_format!r}: expected NHWC, NCHW, NDHWC, NCDHW, NWC or NCW.")


def vector(value: Any, dtype: Any) -> Tensor:
    """Sizes as a tensor of an integer dtype."""
    return asarray(list(value) if isinstance(value, tuple) else value, dtype)


def generator(seed: Any) -> random.Generator | None:
    """The generator of an op's seed; None is the process's generator.

    Eager calls with the same seed continue one stream. Each operation of a graph has a stream of its own, so those with
    the same seed draw the same numbers.
    """
    if seed is None:
        return None
    key = (int(seed), _operation.get())
    if key not in _streams:
        with outside():  # the call may be traced; the generator outlives the trace
            _streams[key] = random.Generator(stream_seed(key[0], _graph_seed[0]))
    return _streams[key]


@contextmanager
def of_operation(name: str) -> Iterator[None]:
    """A context manager: what is computed inside belongs to an operation of a graph."""
    token = _operation.set(name)
    try:
        yield
    finally:
        _operation.reset(token)


def stream_seed(number: int, graph_seed: int) -> int:
    """The seed of the stream of an op's seed."""
    return (number + 0x9E3779B97F4A7C15 * graph_seed) % 2**63


def streams() -> dict[tuple[int, str], random.Generator]:
    """The streams of random numbers, by the seed of an op and the name of its operation, "" in eager mode."""
    return dict(_streams)


def restart(seed: Any) -> None:
    """Restart all streams of random numbers; the generators stay, since graphs that have been traced refer to them."""
    _graph_seed[0] = 0 if seed is None else int(seed)
    for (number, _), known in _streams.items():
        known.seed(stream_seed(number, _graph_seed[0]))
    random.seed(_graph_seed[0])


_streams: Final[dict[tuple[int, str], random.Generator]] = {}
# The operation of a graph that is being computed.
_operation: Final[ContextVar[str]] = ContextVar("polytape.compat.tf1.operation", default="")
_graph_seed = [0]
