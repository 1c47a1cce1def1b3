"""Layers that apply other layers."""

from __future__ import annotations

import copy
from typing import Any

from ....ops.manipulation import concat, reshape
from ....ops.rearranging import flip
from .around import Around
from .base import Layer
from .recurrent import RNN

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


class Wrapper(Around):
    """Base of layers around another one.

    Args:
        layer: the inner layer.
        kwargs: those of `Layer`.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Please initialize `{type(self).__name__}` layer with a `Layer` instance. You passed: {layer}"
            )
        super().__init__(**kwargs)
        self.layer = layer

    def inner(self) -> list[Layer]:
        """The inner layer."""
        return [self.layer]


class TimeDistributed(Wrapper):
    """A layer applied to each step of a sequence [batch, time, ...].

    Args:
        layer: the layer.
        kwargs: those of `Layer`.
    """

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The result; see the class."""
        from ..keras.functional import parameters

        takes = training is not None and "training" in parameters(self.layer)
        batch, time = inputs.shape[:2]
        y = self.layer(reshape(inputs, (batch * time, *inputs.shape[2:])), **({"training": training} if takes else {}))
        return reshape(y, (batch, time, *y.shape[1:]))


class Bidirectional(Wrapper):
    """A recurrent layer, and a copy of it that goes in the opposite direction of time.

    Args:
        layer: an `RNN` without weights yet.
        merge_mode: how the outputs of both are combined: "concat", "sum", "mul", "ave", or None for a list of them.
        kwargs: those of `Layer`.

    Raises:
        ValueError: another mode, or another layer.
    """

    def __init__(self, layer: RNN, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any) -> None:
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ValueError('Invalid merge mode. Merge mode should be one of {"sum", "mul", "ave", "concat", None}')
        super().__init__(layer, **kwargs)
        if not isinstance(layer, RNN) or layer.built:
            raise ValueError("Bidirectional needs a recurrent layer that has not been called")
        self.merge_mode = merge_mode
        self.forward_layer = layer
        self.backward_layer = copy.deepcopy(layer)
        self.backward_layer.go_backwards = not layer.go_backwards
        self.forward_layer._name, self.backward_layer._name = f"forward_{layer.name}", f"backward_{layer.name}"
        if weights is not None:
            half = len(weights) // 2
            self.forward_layer._initial, self.backward_layer._initial = weights[:half], weights[half:]

    def inner(self) -> list[Layer]:
        """Both layers."""
        return [self.forward_layer, self.backward_layer]

    def build(self, input_shape: Any) -> None:
        """Make the weights of both layers, whose cells have names in this layer's scope."""
        for inner in self.inner():
            inner._scope = self._set_scope()
            if not inner.built:
                inner.build(input_shape)
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        """The result; see the class. First states: the forward layer's, then the backward one's."""
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [list(initial_state[:half]), list(initial_state[half:])]
        options = {} if training is None else {"training": training}
        results = [
            layer(inputs, initial_state=state, **options) for layer, state in zip(self.inner(), states, strict=True)
        ]
        rest: list[Any] = []
        if self.forward_layer.return_state:
            rest = [*results[0][1:], *results[1][1:]]
            results = [result[0] for result in results]
        forward, backward = results
        if self.forward_layer.return_sequences:
            backward = flip(backward, axis=1)
        merged = self._merged(forward, backward)
        if not rest:
            return merged
        return [*merged, *rest] if isinstance(merged, list) else [merged, *rest]

    def _merged(self, forward: Any, backward: Any) -> Any:
        if self.merge_mode == "concat":
            return concat([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return forward * backward
        if self.merge_mode is None:
            return [forward, backward]
        total = forward + backward
        return total / 2 if self.merge_mode == "ave" else total
