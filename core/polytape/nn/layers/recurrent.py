"""Recurrent networks over a batch of sequences."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from ...errors import ShapeError
from ...ops.nn import recurrent
from ...ops.rearranging import swapaxes
from ...tensors.tensor import Tensor, TensorLike
from ...tensors.variable import Variable
from ..initializers import Constant, Transposed
from .dense import features, positive
from .weights import WeightLayer, WeightOptions

__all__ = ["GRU", "LSTM", "SimpleRNN"]

Shape = tuple[int | None, ...]


class Recurrent(WeightLayer):
    """Base of the recurrent layers.

    Args:
        units: the number of features of the output.
        return_sequences: whether the result has the outputs of all steps; otherwise that of the last.
        return_state: whether the result is a pair: the output and the last state.
        reverse: whether to go from the last step to the first. Outputs are in the order of time in either case.
        use_bias: whether there is a bias.
        recurrent_initializer: of the weights between outputs, see `polytape.nn.initializers`.
        options: as for `Dense`; the option for weights holds for those of the input.
    """

    mask_argument: ClassVar[str] = "mask"
    gates: ClassVar[int]
    biases: ClassVar[tuple[str, ...]] = ("bias",)
    weight_ih: Variable
    weight_hh: Variable
    bias: Variable | None = None

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        reverse: bool = False,
        use_bias: bool = True,
        recurrent_initializer: Any = "orthogonal",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(options)
        self.units = positive("units", units)
        self.return_sequences, self.return_state, self.reverse = return_sequences, return_state, reverse
        self.use_bias, self.recurrent_initializer = use_bias, recurrent_initializer

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        if len(shape) != 3:
            raise ShapeError(
                f"{type(self).__name__} takes a batch of sequences.",
                expected="an input [batch, time, features]",
                got=f"shape {shape}",
                fix="insert the missing axes of size 1",
            )
        rows = self.gates * self.units
        self._make("weight_ih", (rows, features(self, shape)), "glorot_uniform", wrap=Transposed)
        initializer = Transposed(self.recurrent_initializer)
        self._make("weight_hh", (rows, self.units), initializer, wrap=lambda chosen: initializer)
        for name in self.biases if self.use_bias else ():
            self._make(name, (rows,), self._first_bias())

    def _first_bias(self) -> Any:
        return "zeros"

    def compute_mask(self, x: TensorLike, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the result: that of the input if it has all steps, otherwise None."""
        return mask if self.return_sequences else None

    def _steps(self, x: Tensor, state: Any, mask: TensorLike | None) -> tuple[Tensor, Any]:
        """The outputs [time, batch, units] and the last state for an input [time, batch, features]."""
        raise NotImplementedError

    def call(self, x: Tensor, state: Any = None, mask: TensorLike | None = None) -> Any:
        """The result; see the class.

        Args:
            x: floating[batch, time, features].
            state: before the first step, as `return_state` returns it; default: 0.
            mask: bool[batch, time]: False where a step is skipped, see `polytape.nn.lstm`.
        """
        outputs, last = self._steps(swapaxes(x, 0, 1), state, None if mask is None else swapaxes(mask, 0, 1))
        y = swapaxes(outputs, 0, 1) if self.return_sequences else outputs[0 if self.reverse else -1]
        return (y, last) if self.return_state else y


class SimpleRNN(Recurrent):
    """An Elman network, ``h = activation(x @ weight_ih^T + h @ weight_hh^T + bias)``, see `polytape.nn.rnn`.

    Args:
        units: the number of features of the output.
        activation: ``"tanh"`` or ``"relu"``.
        return_sequences: whether the result has the outputs of all steps; otherwise that of the last.
        return_state: whether the result is a pair: the output and the last state.
        reverse: whether to go from the last step to the first. Outputs are in the order of time in either case.
        use_bias: whether there is a bias.
        recurrent_initializer: of ``weight_hh``, see `polytape.nn.initializers`.
        options: as for `Dense`; the option for weights holds for ``weight_ih``.

    The input is floating[batch, time, features], the result floating[batch, units] or floating[batch, time, units];
    the call also takes the state before the first step, ``layer(x, state)``, floating[batch, units], and
    ``mask=``, bool[batch, time], False where a step is skipped.

    Attributes:
        weight_ih: [units, features].
        weight_hh: [units, units].
        bias: [units], or None.

    Source:
        J. Elman (1990), Cognitive Science 14 (2), pp. 179-211.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: str = "tanh",
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        reverse: bool = False,
        use_bias: bool = True,
        recurrent_initializer: Any = "orthogonal",
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(
            units, return_sequences=return_sequences, return_state=return_state, reverse=reverse, use_bias=use_bias,
            recurrent_initializer=recurrent_initializer, **options,
        )  # fmt: skip
        self.activation = activation

    def _steps(self, x: Tensor, state: TensorLike | None, mask: TensorLike | None) -> tuple[Tensor, Tensor]:
        return recurrent.rnn(
            x, self.weight_ih, self.weight_hh, self.bias, None, state, activation=self.activation,
            reverse=self.reverse, mask=mask,
        )  # fmt: skip


class GRU(Recurrent):
    """A gated recurrent unit, see `polytape.nn.gru`; the reset gate multiplies the product, as in PyTorch and cuDNN.

    Args:
        units: the number of features of the output.
        return_sequences: whether the result has the outputs of all steps; otherwise that of the last.
        return_state: whether the result is a pair: the output and the last state.
        reverse: whether to go from the last step to the first. Outputs are in the order of time in either case.
        use_bias: whether there are biases.
        recurrent_initializer: of ``weight_hh``, see `polytape.nn.initializers`.
        options: as for `Dense`; the option for weights holds for ``weight_ih``.

    The input is floating[batch, time, features], the result floating[batch, units] or floating[batch, time, units];
    the call also takes the state before the first step, ``layer(x, state)``, floating[batch, units], and
    ``mask=``, bool[batch, time], False where a step is skipped.

    Attributes:
        weight_ih: [3 * units, features]; gates in the order reset, update, new.
        weight_hh: [3 * units, units].
        bias, recurrent_bias: [3 * units], or None.

    Source:
        K. Cho et al. (2014), EMNLP, arXiv:1406.1078.
    """

    gates = 3
    biases = ("bias", "recurrent_bias")
    recurrent_bias: Variable | None = None

    def _steps(self, x: Tensor, state: TensorLike | None, mask: TensorLike | None) -> tuple[Tensor, Tensor]:
        return recurrent.gru(
            x, self.weight_ih, self.weight_hh, self.bias, self.recurrent_bias, state, reverse=self.reverse, mask=mask
        )


class LSTM(Recurrent):
    """A long short-term memory, see `polytape.nn.lstm`.

    Args:
        units: the number of features of the output.
        return_sequences: whether the result has the outputs of all steps; otherwise that of the last.
        return_state: whether the result is a pair: the output and the last state, ``(h, c)``.
        reverse: whether to go from the last step to the first. Outputs are in the order of time in either case.
        use_bias: whether there is a bias. It begins with 1 for the forget gate and 0 for the others.
        recurrent_initializer: of ``weight_hh``, see `polytape.nn.initializers`.
        options: as for `Dense`; the option for weights holds for ``weight_ih``.

    The input is floating[batch, time, features], the result floating[batch, units] or floating[batch, time, units];
    the call also takes the state before the first step, ``layer(x, (h, c))``, each floating[batch, units], and
    ``mask=``, bool[batch, time], False where a step is skipped.

    Attributes:
        weight_ih: [4 * units, features]; gates in the order input, forget, cell, output.
        weight_hh: [4 * units, units].
        bias: [4 * units], or None.

    Source:
        S. Hochreiter, J. Schmidhuber (1997), Neural Computation 9 (8), pp. 1735-1780; for the bias of the forget gate
        R. Jozefowicz, W. Zaremba, I. Sutskever (2015), ICML.
    """

    gates = 4

    def _first_bias(self) -> Any:
        return Constant([0.0] * self.units + [1.0] * self.units + [0.0] * (2 * self.units))

    def _steps(self, x: Tensor, state: Any, mask: TensorLike | None) -> tuple[Tensor, Any]:
        return recurrent.lstm(
            x, self.weight_ih, self.weight_hh, self.bias, None, state, reverse=self.reverse, mask=mask
        )
