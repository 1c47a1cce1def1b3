"""Symbol: takes the place of a native array while a function is traced."""

from __future__ import annotations

from typing import Any

from ..dtypes import DType

__all__ = ["Symbol", "describe_object", "type_text"]

Shape = tuple[int, ...]


class Symbol:
    """A value of a graph that is being traced: it has a shape and a dtype, but no elements.

    It is used in the place of a native array, so records and gradient rules treat both alike. ``trace`` identifies the
    trace that it belongs to. A trace that computes at once, as that of `polytape.vmap`, keeps in ``value`` the tensor
    that the symbol stands for, and in ``index`` whether that is a batch.
    """

    __slots__ = ("dtype", "index", "shape", "trace", "value")

    def __init__(self, trace: Any, value: Any, index: int, shape: Shape, dtype: DType) -> None:
        self.trace: Any = trace
        self.value: Any = value
        self.index: int = index
        self.shape: Shape = shape
        self.dtype: DType = dtype

    def __repr__(self) -> str:
        return f"Symbol({type_text(self.dtype, self.shape)})"


def type_text(dtype: DType, shape: Shape) -> str:
    """A dtype and shape as text, such as ``float32[2,3]``."""
    return f"{dtype}[{','.join(map(str, shape))}]"


def describe_object(x: object) -> str:
    """The repr of an object, for an error; shortened if it is long."""
    try:
        text = repr(x)
    except Exception:  # a list that is nested too deeply, or a faulty __repr__
        return f"a {type(x).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
