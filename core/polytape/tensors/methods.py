"""Tensor's methods as type checkers see them; written by tools/write_op_table.py, never by hand.

No program imports this module: `polytape.ops.methods` gives the methods to the class. docs/api/ops.md lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..device import Device
    from .tensor import Tensor, TensorLike

__all__ = ["Methods"]


class Methods:
    """The methods; each calls the public function of polytape that its first line names."""

    def all(self, axis: int | tuple[int, ...] | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.all` of this tensor."""
        raise NotImplementedError

    def any(self, axis: int | tuple[int, ...] | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.any` of this tensor."""
        raise NotImplementedError

    def argmax(self, axis: int | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.argmax` of this tensor."""
        raise NotImplementedError

    def argmin(self, axis: int | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.argmin` of this tensor."""
        raise NotImplementedError

    def argsort(self, axis: int=-1, *, descending: bool=False, stable: bool=True) -> Tensor:
        """`polytape.argsort` of this tensor."""
        raise NotImplementedError

    def astype(self, dtype: Any, /, *, copy: bool=True, device: Device | str | None=None) -> Tensor:
        """`polytape.astype` of this tensor."""
        raise NotImplementedError

    def clip(self, min: TensorLike | None=None, max: TensorLike | None=None) -> Tensor:
        """`polytape.clip` of this tensor."""
        raise NotImplementedError

    def conj(self) -> Tensor:
        """`polytape.conj` of this tensor."""
        raise NotImplementedError

    def copy(self) -> Tensor:
        """`polytape.identity` of this tensor."""
        raise NotImplementedError

    def cumprod(self, axis: int | None=None, *, dtype: Any=None, include_initial: bool=False) -> Tensor:
        """`polytape.cumulative_prod` of this tensor."""
        raise NotImplementedError

    def cumsum(self, axis: int | None=None, *, dtype: Any=None, include_initial: bool=False) -> Tensor:
        """`polytape.cumulative_sum` of this tensor."""
        raise NotImplementedError

    def detach(self) -> Tensor:
        """`polytape.stop_gradient` of this tensor."""
        raise NotImplementedError

    def diagonal(self, *, offset: int=0) -> Tensor:
        """`polytape.diagonal` of this tensor."""
        raise NotImplementedError

    def dot(self, x2: TensorLike, /) -> Tensor:
        """`polytape.dot` of this tensor."""
        raise NotImplementedError

    def flatten(self) -> Tensor:
        """`polytape.flatten` of this tensor."""
        raise NotImplementedError

    def max(self, axis: int | tuple[int, ...] | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.max` of this tensor."""
        raise NotImplementedError

    def mean(self, axis: int | tuple[int, ...] | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.mean` of this tensor."""
        raise NotImplementedError

    def min(self, axis: int | tuple[int, ...] | None=None, *, keepdims: bool=False) -> Tensor:
        """`polytape.min` of this tensor."""
        raise NotImplementedError

    def nonzero(self, *, size: int | None=None) -> tuple[Tensor, ...]:
        """`polytape.nonzero` of this tensor."""
        raise NotImplementedError

    def permute_dims(self, axes: int | tuple[int, ...], *more: int) -> Tensor:
        """`polytape.permute_dims` of this tensor."""
        raise NotImplementedError

    def prod(self, axis: int | tuple[int, ...] | None=None, *, dtype: Any=None, keepdims: bool=False) -> Tensor:
        """`polytape.prod` of this tensor."""
        raise NotImplementedError

    def repeat(self, repeats: int | TensorLike | Any[int], /, *, axis: int | None=None) -> Tensor:
        """`polytape.repeat` of this tensor."""
        raise NotImplementedError

    def reshape(self, shape: int | tuple[int, ...] | list[int], *more: int, copy: bool | None=None) -> Tensor:
        """`polytape.reshape` of this tensor."""
        raise NotImplementedError

    def round(self) -> Tensor:
        """`polytape.round` of this tensor."""
        raise NotImplementedError

    def sort(self, axis: int=-1, *, descending: bool=False, stable: bool=True) -> Tensor:
        """`polytape.sort` of this tensor."""
        raise NotImplementedError

    def squeeze(self, axis: int | tuple[int, ...] | None=None) -> Tensor:
        """`polytape.squeeze` of this tensor."""
        raise NotImplementedError

    def std(self, axis: int | tuple[int, ...] | None=None, *, correction: float=0.0, keepdims: bool=False) -> Tensor:
        """`polytape.std` of this tensor."""
        raise NotImplementedError

    def sum(self, axis: int | tuple[int, ...] | None=None, *, dtype: Any=None, keepdims: bool=False) -> Tensor:
        """`polytape.sum` of this tensor."""
        raise NotImplementedError

    def swapaxes(self, axis1: int, axis2: int, /) -> Tensor:
        """`polytape.swapaxes` of this tensor."""
        raise NotImplementedError

    def take(self, indices: TensorLike, /, *, axis: int | None=None) -> Tensor:
        """`polytape.take` of this tensor."""
        raise NotImplementedError

    def to(self, *targets: Any, dtype: Any=None, device: Device | str | None=None, copy: bool=False, non_blocking: bool=False) -> Tensor:
        """`polytape.to` of this tensor."""
        raise NotImplementedError

    def trace(self, *, offset: int=0, dtype: Any=None) -> Tensor:
        """`polytape.trace` of this tensor."""
        raise NotImplementedError

    def transpose(self, axes: int | Any[int] | None=None, *others: int) -> Tensor:
        """`polytape.transpose` of this tensor."""
        raise NotImplementedError

    def var(self, axis: int | tuple[int, ...] | None=None, *, correction: float=0.0, keepdims: bool=False) -> Tensor:
        """`polytape.var` of this tensor."""
        raise NotImplementedError

    def __invert__(self) -> Tensor:
        """`polytape.bitwise_invert` of this tensor."""
        raise NotImplementedError

    def __round__(self) -> Tensor:
        """`polytape.round` of this tensor."""
        raise NotImplementedError

    def __and__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_and`."""
        raise NotImplementedError

    def __rand__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_and`."""
        raise NotImplementedError

    def __divmod__(self, other: TensorLike, /) -> tuple[Tensor, Tensor]:
        """`polytape.divmod`."""
        raise NotImplementedError

    def __rdivmod__(self, other: TensorLike, /) -> tuple[Tensor, Tensor]:
        """`polytape.divmod`."""
        raise NotImplementedError

    def __floordiv__(self, other: TensorLike, /) -> Tensor:
        """`polytape.floor_divide`."""
        raise NotImplementedError

    def __rfloordiv__(self, other: TensorLike, /) -> Tensor:
        """`polytape.floor_divide`."""
        raise NotImplementedError

    def __lshift__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_left_shift`."""
        raise NotImplementedError

    def __rlshift__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_left_shift`."""
        raise NotImplementedError

    def __mod__(self, other: TensorLike, /) -> Tensor:
        """`polytape.remainder`."""
        raise NotImplementedError

    def __rmod__(self, other: TensorLike, /) -> Tensor:
        """`polytape.remainder`."""
        raise NotImplementedError

    def __or__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_or`."""
        raise NotImplementedError

    def __ror__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_or`."""
        raise NotImplementedError

    def __rshift__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_right_shift`."""
        raise NotImplementedError

    def __rrshift__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_right_shift`."""
        raise NotImplementedError

    def __xor__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_xor`."""
        raise NotImplementedError

    def __rxor__(self, other: TensorLike, /) -> Tensor:
        """`polytape.bitwise_xor`."""
        raise NotImplementedError
