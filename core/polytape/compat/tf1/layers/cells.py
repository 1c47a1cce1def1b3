"""Cells of recurrent networks, as Keras 2.1 computes them: one step of a sequence."""

from __future__ import annotations

from typing import Any, ClassVar

from ....nn import noise
from ....ops.creation import ones
from ....ops.manipulation import concat
from ....ops.products import matmul
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from .base import Layer

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class _Cell(Layer):
    """Base of the cells.

    Args:
        units: the number of features of the output.
        activation: of the output; a function, its name, or None.
        use_bias: whether there is a bias.
        dropout, recurrent_dropout: shares of inputs and outputs that become 0 in training, the same in all steps.
        kwargs: ``kernel_``, ``recurrent_`` and ``bias_``, each with ``initializer``, ``regularizer`` and
            ``constraint``, ``implementation``, and those of `Layer`.
    """

    gates: ClassVar[int]
    kernel: Variable
    recurrent_kernel: Variable
    bias: Variable | None = None

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        defaults = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}
        self._weights = {
            part: {
                "initializer": kwargs.pop(f"{part}_initializer", default),
                "regularizer": kwargs.pop(f"{part}_regularizer", None),
                "constraint": kwargs.pop(f"{part}_constraint", None),
            }
            for part, default in defaults.items()
        }
        super().__init__(**kwargs)
        self.units, self.use_bias = int(units), use_bias
        self.activation = activations.get(activation)
        self.dropout, self.recurrent_dropout = float(dropout), float(recurrent_dropout)
        self._masks: dict[str, Any] = {}

    _untracked = ("_masks", "_weights")

    @property
    def state_size(self) -> Any:
        """The numbers of features of the states."""
        return self.units

    def build(self, input_shape: Any) -> None:
        """Make the weights for an input [batch, features]."""
        columns = self.gates * self.units
        self.kernel = self.add_weight("kernel", (int(input_shape[-1]), columns), **self._weights["kernel"])
        self.recurrent_kernel = self.add_weight("recurrent_kernel", (self.units, columns), **self._weights["recurrent"])
        if self.use_bias:
            self.bias = self.add_weight("bias", (columns,), **{**self._weights["bias"], "initializer": self._bias()})
        self.built = True

    def _bias(self) -> Any:
        return self._weights["bias"]["initializer"]

    def forget_masks(self) -> None:
        """Draw other masks of dropout at the next step: a new sequence begins."""
        self._masks = {}

    def _dropped(self, x: Tensor, kind: str, gate: int, training: Any) -> Tensor:
        """``x`` times the mask of a gate, which stays the same in all steps of a sequence."""
        rate = self.dropout if kind == "input" else self.recurrent_dropout
        if not training or not 0.0 < rate < 1.0:
            return x
        key = f"{kind}{gate}"
        if key not in self._masks:
            self._masks[key] = noise.dropout(x * 0.0 + 1.0, rate, training=True)
        masked: Tensor = x * self._masks[key]
        return masked

    def _projected(self, x: Tensor, h: Tensor, training: Any) -> list[tuple[Tensor, Tensor]]:
        """For each gate, its part of the input's product, with the bias, and of the output's."""
        results = []
        for gate in range(self.gates):
            columns = slice(gate * self.units, (gate + 1) * self.units)
            inner = matmul(self._dropped(x, "input", gate, training), self.kernel[:, columns])
            if self.bias is not None:
                inner = inner + self.bias[columns]
            outer = matmul(self._dropped(h, "state", gate, training), self.recurrent_kernel[:, columns])
            results.append((inner, outer))
        return results


class SimpleRNNCell(_Cell):
    """``activation(x @ kernel + h @ recurrent_kernel + bias)``.

    Args:
        units, activation, use_bias, dropout, recurrent_dropout, kwargs: see `tf.keras.layers.SimpleRNN`.
    """

    gates = 1

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The output, and the list of it as state."""
        ((inner, outer),) = self._projected(inputs, states[0], training)
        h = self.activation(inner + outer)
        return h, [h]


class LSTMCell(_Cell):
    """A step of a long short-term memory; gates in the order input, forget, cell, output.

    Args:
        units, activation, use_bias, dropout, recurrent_dropout, kwargs: see `tf.keras.layers.LSTM`.
        recurrent_activation: of the gates.
        unit_forget_bias: whether the bias of the forget gate begins with 1.
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> Any:
        """The numbers of features of the two states."""
        return (self.units, self.units)

    def _bias(self) -> Any:
        if not self.unit_forget_bias:
            return super()._bias()
        from ..keras import initializers

        n, first = self.units, initializers.get(super()._bias())
        return lambda shape, dtype=None: concat([first((n,), dtype), ones((n,), dtype=dtype), first((2 * n,), dtype)])

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The output, and the list of it and the cell as states."""
        h, c = states
        i, f, g, o = (inner + outer for inner, outer in self._projected(inputs, h, training))
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]


class GRUCell(_Cell):
    """A step of a gated recurrent unit; gates in the order update, reset, new. The reset gate multiplies the state.

    Args:
        units, activation, use_bias, dropout, recurrent_dropout, kwargs: see `tf.keras.layers.GRU`.
        recurrent_activation: of the gates.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The output, and the list of it as state."""
        h = states[0]
        (x_z, h_z), (x_r, h_r), (x_h, _) = self._projected(inputs, h, training)
        update, reset = self.recurrent_activation(x_z + h_z), self.recurrent_activation(x_r + h_r)
        dropped = self._dropped(h, "state", 2, training)
        new = self.activation(x_h + matmul(reset * dropped, self.recurrent_kernel[:, 2 * self.units :]))
        h = update * h + (1.0 - update) * new
        return h, [h]
