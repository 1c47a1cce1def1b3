"""Lets `einops` take tensors: ``import polytape.interop.einops`` once, and ``einops.rearrange(x, ...)`` works.

einops looks for libraries among the subclasses of its class ``AbstractBackend``, so defining one registers it.
Gradients flow through all of its functions. ``einops.array_api`` needs no import, but has fewer functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from einops._backends import AbstractBackend

import polytape as pt

__all__ = ["PolytapeBackend"]

# Any, since einops may be missing where types are checked.
_Base: Any = AbstractBackend


class PolytapeBackend(_Base):  # type: ignore[misc]  # of type Any
    """What einops calls on polytape's tensors."""

    framework_name = "polytape"

    def is_appropriate_type(self, tensor: Any) -> bool:
        """Whether ``tensor`` is polytape's."""
        return isinstance(tensor, pt.Tensor)

    def from_numpy(self, x: Any) -> pt.Tensor:
        """A tensor with the values of an array."""
        return pt.asarray(x)

    def to_numpy(self, x: pt.Tensor) -> Any:
        """The values on the host."""
        return x.numpy()

    def arange(self, start: int, stop: int) -> pt.Tensor:
        """The integers from ``start`` to ``stop - 1``."""
        return pt.arange(start, stop)

    def transpose(self, x: pt.Tensor, axes: Sequence[int]) -> pt.Tensor:
        """The axes in the order ``axes``."""
        return pt.permute_dims(x, tuple(axes))

    def reduce(self, x: pt.Tensor, operation: str, axes: Sequence[int]) -> pt.Tensor:
        """The reduction ``operation``, such as ``mean``, over ``axes``."""
        result: pt.Tensor = getattr(pt, operation)(x, axis=tuple(axes))
        return result

    def stack_on_zeroth_dimension(self, tensors: list[Any]) -> pt.Tensor:
        """The tensors along a new first axis."""
        return pt.stack(tensors)

    def add_axis(self, x: pt.Tensor, new_position: int) -> pt.Tensor:
        """A new axis of size 1."""
        return pt.expand_dims(x, axis=new_position)

    def tile(self, x: pt.Tensor, repeats: Sequence[int]) -> pt.Tensor:
        """Repetitions along each axis."""
        return pt.tile(x, tuple(repeats))

    def concat(self, tensors: Sequence[pt.Tensor], axis: int) -> pt.Tensor:
        """The tensors along an axis."""
        return pt.concat(list(tensors), axis=axis)

    def is_float_type(self, x: pt.Tensor) -> bool:
        """Whether a mean of ``x`` is defined."""
        return pt.isdtype(x.dtype, ("real floating", "complex floating"))

    def einsum(self, pattern: str, *x: pt.Tensor) -> pt.Tensor:
        """Einstein's summation convention."""
        return pt.einsum(pattern, *x)
