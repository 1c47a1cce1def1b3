"""TensorSpec: the shape and dtype of a tensor that is not there yet."""

from __future__ import annotations

from collections.abc import Sequence

from .. import dtypes
from ..dtypes import DType

__all__ = ["TensorSpec"]


class TensorSpec:
    """The shape and dtype of a tensor, without the tensor.

    `polytape.function` takes specs as its ``input_signature``; `polytape.data.Dataset.element_spec` returns them.

    Args:
        shape: a size per axis; None where it is not known, or differs from tensor to tensor.
        dtype: the dtype, or its name.
    Raises:
        DTypeError: there is no dtype of this name.

    Example:
        >>> import polytape as pt
        >>> pt.TensorSpec((None, 3), "float32")
        TensorSpec(float32[?,3])
    """

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Sequence[int | None], dtype: DType | str = "float32") -> None:
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype: DType = dtypes.lookup(dtype) if isinstance(dtype, str) else dtype

    def __repr__(self) -> str:
        return f"TensorSpec({self})"

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join('?' if n is None else str(n) for n in self.shape)}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))
