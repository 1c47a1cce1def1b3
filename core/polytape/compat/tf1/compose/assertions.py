"""TensorFlow's assertions about tensors: each returns None, or raises and says what the operands are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..convert import tensor
from ..dtypes import as_dtype, tensor_dtype

__all__ = [
    "assert_close",
    "assert_dtype",
    "assert_each",
    "assert_iterable",
    "assert_kind",
    "assert_no_axes",
    "assert_number_of_axes",
    "assert_true",
    "common_float_dtype",
    "is_number_tensor",
]

SHOWN = 3  # elements of each tensor that an error prints, unless `summarize` says otherwise


def _shown(value: Any, summarize: int | None) -> str:
    if not isinstance(value, Tensor):
        return str(value)
    items = pt.flatten(value).tolist()
    count = SHOWN if summarize is None else summarize
    more = "..." if 0 <= count < len(items) else ""
    return f"{' '.join(map(str, items[:count] if count >= 0 else items))}{more}"


def _failure(lines: Iterable[str]) -> Exception:
    text = "\n".join(line for line in lines if line)
    return invalid(text)


def assert_true(condition: Any, data: Any, summarize: int | None) -> None:
    """`tf.Assert`: raise InvalidArgumentError with ``data`` unless the condition holds."""
    if not bool(tensor(condition)):
        raise _failure([f"Expected '{condition}' to be true. Summarized data:", *[_shown(x, summarize) for x in data]])


def assert_each(
    what: str, op: Callable[..., Tensor], operands: list[Tensor], data: Any, summarize: int | None, message: Any
) -> None:
    """Raise InvalidArgumentError unless the comparison holds for all elements."""
    if bool(pt.all(op(*operands))):
        return
    names = ("x", "y")[: 1 if what.endswith(" 0") else 2]
    described = [
        f"{name} (shape={x.shape} dtype={x.dtype}) = {_shown(x, summarize)}"
        for name, x in zip(names, operands, strict=False)
    ]
    given = [_shown(item, summarize) for item in data or ()]
    raise _failure([message or "", f"Condition {what} did not hold element-wise:", *(given or described)])


def assert_close(operands: list[Tensor], rtol: Any, atol: Any, data: Any, summarize: int | None, message: Any) -> None:
    """Raise InvalidArgumentError unless ``|x - y| <= atol + rtol * |y|`` for all elements."""
    x, y = operands
    steps = 10 * (float(pt.finfo(x.dtype).eps) if x.dtype.kind in "fc" else 0.0)
    relative, absolute = (steps if rtol is None else float(rtol)), (steps if atol is None else float(atol))
    near = pt.abs(x - y) < absolute + relative * pt.abs(y)
    if bool(pt.all(near)):
        return
    head = f"x and y not equal to tolerance rtol = {relative}, atol = {absolute}"
    shown = [_shown(item, summarize) for item in (data or operands)]
    raise _failure([message or "", head, *shown])


def assert_kind(x: Tensor, kinds: str, what: str, message: Any) -> None:
    """Raise TypeError unless the dtype is of a kind."""
    if x.dtype.kind not in kinds:
        raise TypeError(f'{message or ""}  Expected "x" to be {what} type.  Found: {tensor_dtype(x.dtype)}')


def assert_dtype(x: Tensor, wanted: Any, message: Any) -> None:
    """Raise TypeError unless the tensor has a dtype."""
    if tensor_dtype(x.dtype) != wanted:
        raise TypeError(f"{message or ''} tensor must be of type {as_dtype(wanted)}, found {tensor_dtype(x.dtype)}")


def assert_iterable(values: Any) -> None:
    """Raise TypeError for a tensor or string, or for what cannot be iterated over."""
    if isinstance(values, (Tensor, str, bytes)) or hasattr(values, "dtype"):
        raise TypeError(f"Expected argument 'values' to be a \"proper\" iterable.  Found: {type(values)}")
    if not hasattr(values, "__iter__"):
        raise TypeError(f"Expected argument 'values' to be iterable.  Found: {type(values)}")


def _rank(value: Any) -> int:
    """A number of axes; raises TypeError if it is no integer, ValueError if it is no scalar."""
    found = tensor(value)
    if found.dtype.kind not in "iu":
        raise TypeError(f"The rank must be of type {as_dtype('int32')}, got {tensor_dtype(found.dtype)}.")
    if found.ndim:
        raise ValueError(f"Rank must be a scalar, got shape {found.shape}.")
    return int(found)


def assert_number_of_axes(x: Tensor, ranks: Any, message: Any, at_least: bool = False) -> None:
    """Raise ValueError unless the number of axes is one of ``ranks``, or at least the first."""
    wanted = [_rank(rank) for rank in ranks]
    if x.ndim in wanted or (at_least and x.ndim >= wanted[0]):
        return
    text = f"at least {wanted[0]}" if at_least else str(wanted[0])
    if len(wanted) > 1:
        text = f"in {tuple(wanted)}"
    prefix = f"{message}.  " if message else ""
    raise ValueError(f"{prefix}Tensor must have rank {text}.  Received rank {x.ndim}, shape {x.shape}")


def assert_no_axes(x: Tensor) -> Tensor:
    """The tensor, which must have no axes; raises ValueError otherwise."""
    if x.ndim:
        raise ValueError(f"Expected scalar shape, saw shape: {x.shape}.")
    return x


def common_float_dtype(tensors: Any, dtype: Any) -> Any:
    """The floating dtype that all tensors have; ``float32`` if there are none.

    Raises:
        ValueError: they have different dtypes, or one that is not floating.
    """
    found = None if dtype is None else as_dtype(dtype)
    for item in filter(lambda item: item is not None, tensors or ()):
        own = tensor_dtype(tensor(item).dtype)
        if found is not None and own != found:
            raise ValueError(f"Tensor type mismatch: expected {found}, got {own}.")
        found = own
    found = as_dtype("float32") if found is None else found
    if not found.is_floating:
        raise ValueError(f"Expected floating point type, got {found}.")
    return found


def is_number_tensor(value: Any) -> bool:
    """Whether ``value`` is a tensor of numbers."""
    return isinstance(value, Tensor) and value.dtype.kind in "iufc"
