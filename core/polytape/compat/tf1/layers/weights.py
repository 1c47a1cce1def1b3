"""The lists of a layer's weights, and their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....dispatch.convert import asarray
from ....nn.modules import Module
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ...mode import building
from ..graph.keras_sessions import get_session

__all__ = ["Weights"]


class Weights(Module):
    """A module that lists its weights as TensorFlow's layers do; see `Layer`."""

    built: bool
    trainable: bool

    @property
    def name(self) -> str:
        """The layer's name."""
        raise NotImplementedError

    def _list(self, name: str) -> list[Any]:
        known: list[Any] = self.__dict__.setdefault(name, [])
        return known

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that are trained, in the order in which they were made."""
        return list(self._list("_trainable_weights")) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights; all, if the layer is not trainable."""
        others = list(self._list("_non_trainable_weights"))
        return others if self.trainable else [*self._list("_trainable_weights"), *others]

    @property
    def weights(self) -> list[Variable]:
        """`trainable_weights`, then `non_trainable_weights`."""
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def variables(self) -> list[Variable]:
        """`weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """`trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """`non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def losses(self) -> list[Tensor]:
        """The losses of the weights that have a regularizer, computed at each access."""
        return [loss for loss in (function() for function in self._list("_losses")) if loss is not None]

    def _listed_weights(self) -> list[Variable]:
        """The weights in the order of `get_weights`."""
        return self.weights

    def get_weights(self) -> list[Any]:
        """The values of `weights` as NumPy arrays; in graph mode by the session of Keras."""
        if building():
            values: list[Any] = get_session().run(self._listed_weights())
            return values
        return [weight.numpy() for weight in self._listed_weights()]

    def set_weights(self, weights: list[Any]) -> None:
        """Assign values to `weights`.

        Raises:
            ValueError: another number of arrays, or a shape differs; nothing is changed then.
        """
        targets = self._listed_weights()
        if len(weights) != len(targets):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a weight list of length '
                f"{len(weights)}, but the layer was expecting {len(targets)} weights."
            )
        values = [asarray(np.asarray(value), target.dtype) for value, target in zip(weights, targets, strict=True)]
        for value, target in zip(values, targets, strict=True):
            if value.shape != target.shape:
                raise ValueError(
                    f"Layer weight shape {target.shape} not compatible with provided weight shape {value.shape}"
                )
        for value, target in zip(values, targets, strict=True):
            if building():
                target.load(value.numpy(), get_session())  # type: ignore[attr-defined]  # a graph's variable has it
            else:
                target.assign(value)

    def count_params(self) -> int:
        """The number of elements of all weights.

        Raises:
            ValueError: there are none yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. You can build it "
                f"manually via: `{self.name}.build(batch_input_shape)`."
            )
        return sum(weight.size for weight in self.weights)
