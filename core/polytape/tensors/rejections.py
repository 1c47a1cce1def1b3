"""Errors of Tensor's methods. Tensor imports this module when one is raised, so nothing here imports Tensor."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError, ShapeError, TraceError
from .scope import current_scope
from .symbol import describe_object, type_text

__all__ = [
    "called",
    "described",
    "no_index",
    "no_length",
    "no_matrix_transpose",
    "no_stream",
    "no_transpose",
    "no_values",
    "several_elements",
]


def described(x: Any) -> str:
    """``float32[2,3]`` for a tensor."""
    return type_text(x.dtype, x.shape)


def called(data: Any) -> DTypeError:
    """The error for a call of the class Tensor with data."""
    return DTypeError(
        "polytape.Tensor does not create tensors from data.",
        expected="a function that creates tensors",
        got=f"Tensor({describe_object(data)})",
        fix="polytape.asarray(data), or polytape.zeros(shape)",
    )


def no_transpose(x: Any) -> ShapeError:
    """The error for ``x.T`` if ``x`` is not a matrix."""
    return ShapeError(
        f"{described(x)}.T is not defined.",
        expected="a tensor with two axes",
        got=f"{x.ndim} axes",
        fix="use .mT for the last two axes, or polytape.permute_dims",
    )


def no_matrix_transpose(x: Any) -> ShapeError:
    """The error for ``x.mT`` if ``x`` has fewer than two axes."""
    return ShapeError(
        f"{described(x)}.mT is not defined.",
        expected="a tensor with at least two axes",
        got=f"{x.ndim} axes",
        fix="reshape it to a matrix first",
    )


def no_values(x: Any, what: str) -> TraceError:
    """The error for reading the values of a symbolic tensor."""
    if getattr(current_scope.get().trace, "what", "") == "polytape.vmap":
        return TraceError(
            f"{what} of {described(x)} is not possible inside polytape.vmap.",
            expected="ops, which compute all elements of the batch together",
            got="a read of one element's value, or a result whose shape depends on it",
            fix="use polytape.where instead of an if or a mask; or call the function in a loop over the batch",
        )
    return TraceError(
        f"{what} of {described(x)} is not possible inside a traced function.",
        expected="a tensor with values",
        got="a symbolic tensor: the function is being traced, nothing has been computed",
        fix="use polytape.cond or polytape.while_loop instead of an if or a while, or polytape.where for elements"
        if what == "bool()"
        else "return the tensor from the function and use it outside, or run the function eagerly",
    )


def several_elements(x: Any, what: str) -> ShapeError:
    """The error for converting a tensor to a number if it does not have exactly one element."""
    return ShapeError(
        f"{what} of {described(x)} is not defined.",
        expected="a tensor with one element",
        got=f"{x.size} elements",
        fix="reduce it first (any, all, sum, ...) or index one element",
    )


def no_index(x: Any) -> DTypeError:
    """The error for using a tensor as an index of a Python sequence."""
    return DTypeError(
        f"{described(x)} cannot be used as an index.",
        expected="an integer tensor of shape ()",
        got=described(x),
        fix="index one element, and cast it to an integer dtype",
    )


def no_length(x: Any) -> DTypeError:
    """The error for the length of a tensor of shape ()."""
    return DTypeError(
        f"len() of {described(x)} is not defined.",
        expected="a tensor with at least one axis",
        got="shape ()",
        fix="use .item() for its value, or .size for the number of elements",
    )


def no_stream(x: Any, stream: Any) -> DTypeError:
    """The error for ``x.to_device(..., stream=stream)``."""
    return DTypeError(
        f"to_device of {described(x)} does not accept a stream.",
        expected="stream=None",
        got=repr(stream),
        fix="leave stream out; the backend's queue orders copies",
    )
