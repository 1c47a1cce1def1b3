"""The base class of layers around others, whose weights they have."""

from __future__ import annotations

from collections.abc import Sequence

from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from .base import Layer

__all__ = ["Around"]


class Around(Layer):
    """A layer without weights of its own; a subclass defines `inner`."""

    has_inner = True

    def inner(self) -> Sequence[Layer]:
        """The layers inside, in order."""
        raise NotImplementedError(f"{type(self).__name__} does not say which layers are inside")

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those of the layers inside, in order."""
        return [weight for layer in self.inner() for weight in layer.trainable_weights] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those of the layers inside, in order; all, if this layer is not trainable."""
        others = [weight for layer in self.inner() for weight in layer.non_trainable_weights]
        if self.trainable:
            return others
        return [*(weight for layer in self.inner() for weight in layer.trainable_weights), *others]

    @property
    def losses(self) -> list[Tensor]:
        """Those of the layers inside."""
        return [loss for layer in self.inner() for loss in layer.losses]
