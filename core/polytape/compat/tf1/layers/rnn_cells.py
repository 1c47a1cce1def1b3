"""TensorFlow 1.7's ``tf.nn.rnn_cell``: one step of a recurrent network, ``output, state = cell(inputs, state)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .... import dtypes
from ....nn.initializers import Ones, Zeros
from ....ops.creation import zeros
from ....ops.manipulation import concat
from ....ops.nn.activations import sigmoid
from ....ops.products import matmul
from ....ops.trigonometric import tanh
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ...mode import building
from ..compose.neural import dropped
from ..graph.recording import call_or_record, record
from ..variables.scopes import variable_scope
from .around import Around
from .base import Layer
from .symbols import mapped

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
]


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM.

    Attributes:
        c: the cell.
        h: the output.
    """

    c: Any
    h: Any


class RNNCell(Layer):
    """Base of the cells; a subclass defines `state_size`, `output_size` and ``call(inputs, state)``."""

    @property
    def state_size(self) -> Any:
        """The number of features of the state, or a structure of such numbers."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> int:
        """The number of features of the output."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **kwargs: Any) -> Any:
        """The output and the next state."""
        return super().__call__(inputs, state, **({} if scope is None else {"scope": scope}), **kwargs)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Zeros as the state of ``batch_size`` sequences."""
        kind = dtypes.lookup(dtype)

        def state(size: Any, count: Any) -> Any:
            return zeros((int(count), int(size)), dtype=kind)

        if building():
            return mapped(lambda size: record(lambda n: state(size, n), batch_size, "Fill", "zeros"), self.state_size)
        return mapped(lambda size: state(size, batch_size), self.state_size)


class _Cell(RNNCell):
    def __init__(
        self, num_units: int, activation: Callable[..., Any] | None = None, reuse: Any = None, name: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(name=name, **kwargs)
        self._num_units = int(num_units)
        self._activation = activation or tanh

    @property
    def state_size(self) -> Any:
        """The number of features of the state."""
        return self._num_units

    @property
    def output_size(self) -> int:
        """The number of features of the output."""
        return self._num_units


class BasicRNNCell(_Cell):
    """``activation([inputs, state] @ kernel + bias)``.

    Args:
        num_units: the number of features of the output.
        activation: a function; default: tanh.
        reuse: ignored in eager mode.
        name: of the layer.
    """

    kernel: Variable
    bias: Variable

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        rows = int(input_shape[-1]) + self._num_units
        self.kernel = self.add_weight("kernel", (rows, self._num_units))
        self.bias = self.add_weight("bias", (self._num_units,), initializer=Zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        """The output, which is also the state."""
        output = self._activation(matmul(concat([inputs, state], axis=1), self.kernel) + self.bias)
        return output, output


class BasicLSTMCell(_Cell):
    """A step of a long short-term memory; gates in the order input, new, forget, output.

    Args:
        num_units: the number of features of the output.
        forget_bias: is added to the forget gate's bias.
        state_is_tuple: True: the state is an `LSTMStateTuple`.
        activation: a function; default: tanh.
        reuse: ignored in eager mode.
        name: of the layer.

    Raises:
        ValueError: ``state_is_tuple`` is False.
    """

    kernel: Variable
    bias: Variable

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Callable[..., Any] | None = None,
        reuse: Any = None,
        name: Any = None,
    ) -> None:
        if not state_is_tuple:
            raise ValueError("state_is_tuple=False is not implemented here: use the tuple (c, h)")
        super().__init__(num_units, activation, reuse, name)
        self._forget_bias = forget_bias

    @property
    def state_size(self) -> Any:
        """The numbers of features of the states."""
        return LSTMStateTuple(self._num_units, self._num_units)

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        rows = int(input_shape[-1]) + self._num_units
        self.kernel = self.add_weight("kernel", (rows, 4 * self._num_units))
        self.bias = self.add_weight("bias", (4 * self._num_units,), initializer=Zeros())
        self.built = True

    def call(self, inputs: Any, state: Any) -> Any:
        """The output, and the states."""
        c, h = state
        gates = matmul(concat([inputs, h], axis=1), self.kernel) + self.bias
        i, j, f, o = (gates[:, k * self._num_units : (k + 1) * self._num_units] for k in range(4))
        new_c = c * sigmoid(f + self._forget_bias) + sigmoid(i) * self._activation(j)
        new_h = self._activation(new_c) * sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class LSTMCell(BasicLSTMCell):
    """As `BasicLSTMCell`.

    Args:
        num_units, forget_bias, state_is_tuple, activation, reuse, name: as for `BasicLSTMCell`.
        options: peepholes, projections and clipping of TensorFlow, which are not implemented; leave them out.

    Raises:
        ValueError: such an option is given.
    """

    def __init__(self, num_units: int, *, forget_bias: float = 1.0, state_is_tuple: bool = True,
                 activation: Callable[..., Any] | None = None, reuse: Any = None, name: Any = None,
                 **options: Any) -> None:  # fmt: skip
        given = sorted(key for key, value in options.items() if value)
        if given:
            raise ValueError(f"LSTMCell has no {given[0]} here: leave it out")
        super().__init__(num_units, forget_bias, state_is_tuple, activation, reuse, name)


class GRUCell(_Cell):
    """A step of a gated recurrent unit; gates in the order reset, update.

    Args:
        num_units: the number of features of the output.
        activation: a function; default: tanh.
        reuse: ignored in eager mode.
        kernel_initializer, bias_initializer: of the weights; by default the gates' biases begin with 1.
        name: of the layer.
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[..., Any] | None = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: Any = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name)
        self._initializers = (kernel_initializer, bias_initializer)

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        n, (kernel, bias) = self._num_units, self._initializers
        rows = int(input_shape[-1]) + n
        self._gate_kernel = self.add_weight("gates/kernel", (rows, 2 * n), initializer=kernel)
        self._gate_bias = self.add_weight("gates/bias", (2 * n,), initializer=bias or Ones())
        self._new_kernel = self.add_weight("candidate/kernel", (rows, n), initializer=kernel)
        self._new_bias = self.add_weight("candidate/bias", (n,), initializer=bias or Zeros())
        self.built = True

    def _attribute_of(self, name: str) -> str:
        part, kind = name.split("/")
        return f"_{'gate' if part == 'gates' else 'new'}_{kind}"

    def call(self, inputs: Any, state: Any) -> Any:
        """The output, which is also the state."""
        gates = sigmoid(matmul(concat([inputs, state], axis=1), self._gate_kernel) + self._gate_bias)
        reset, update = gates[:, : self._num_units], gates[:, self._num_units :]
        new = self._activation(matmul(concat([inputs, reset * state], axis=1), self._new_kernel) + self._new_bias)
        output = update * state + (1.0 - update) * new
        return output, output


class MultiRNNCell(Around, RNNCell):
    """Cells, each with the output of the one before as its input.

    Args:
        cells: the cells.
        state_is_tuple: True: the state is a tuple of the cells' states.

    Raises:
        ValueError: there are no cells. TypeError: ``cells`` is no list or tuple.
    """

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True) -> None:
        if not isinstance(cells, (list, tuple)):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not state_is_tuple:
            raise ValueError("state_is_tuple=False is not implemented here: use a tuple of states")
        super().__init__()
        self.cells: list[RNNCell] = list(cells)

    def inner(self) -> Sequence[RNNCell]:
        """The cells."""
        return self.cells

    @property
    def state_size(self) -> Any:
        """Those of the cells."""
        return tuple(cell.state_size for cell in self.cells)

    @property
    def output_size(self) -> int:
        """That of the last cell."""
        last: RNNCell = self.cells[-1]
        return last.output_size

    def call(self, inputs: Any, state: Any) -> Any:
        """The last cell's output, and the states of all."""
        states = []
        for number, (cell, given) in enumerate(zip(self.cells, state, strict=True)):
            with variable_scope(f"cell_{number}"):
                inputs, new = cell(inputs, given)
            states.append(new)
        return inputs, tuple(states)


class DropoutWrapper(Around, RNNCell):
    """Dropout around a cell, at every call.

    Args:
        cell: the cell.
        input_keep_prob, output_keep_prob, state_keep_prob: the probability that an element is kept; in a graph also
            tensors.
        options: other arguments of TensorFlow, which are ignored unless they are true.
    """

    def __init__(
        self,
        cell: RNNCell,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        **options: Any,
    ) -> None:
        if options.get("variational_recurrent"):
            raise ValueError("DropoutWrapper has no variational_recurrent here: leave it out")
        super().__init__()
        self.cell = cell
        self._kept = (input_keep_prob, state_keep_prob, output_keep_prob)

    def inner(self) -> Sequence[RNNCell]:
        """The cell."""
        return [self.cell]

    @property
    def state_size(self) -> Any:
        """That of the cell."""
        return self.cell.state_size

    @property
    def output_size(self) -> int:
        """That of the cell."""
        return self.cell.output_size

    def __call__(self, inputs: Any, state: Any, scope: Any = None, **kwargs: Any) -> Any:
        """As `call`: the cell's variables are not in a scope of the wrapper."""
        return self.call(inputs, state)

    def call(self, inputs: Any, state: Any) -> Any:
        """The output and the state, with elements dropped."""
        inner, between, outer = self._kept
        output, new = self.cell(call_or_record(_dropped, inputs, inner), state)
        states = mapped(lambda x: call_or_record(_dropped, x, between), new)
        return call_or_record(_dropped, output, outer), states


def _dropped(x: Tensor, kept: Any) -> Tensor:
    return dropped(x, kept, None, None)
