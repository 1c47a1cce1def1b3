"""Recurrent layers: a cell, step by step over a sequence [batch, time, features]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ....ops.creation import zeros
from ....ops.joining import stack
from ..shapes import TensorShape
from .around import Around
from .base import Layer
from .cells import GRUCell, LSTMCell, SimpleRNNCell
from .symbols import flattened

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN", "StackedRNNCells"]


class StackedRNNCells(Around):
    """Cells, each with the output of the one before as its input.

    Args:
        cells: the cells.
        kwargs: those of `Layer`.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> Any:
        """The numbers of features of all states."""
        return tuple(size for cell in self.cells for size in _sizes(cell))

    def inner(self) -> list[Any]:
        """The cells."""
        return self.cells

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        """The last cell's output, and the states of all."""
        remaining, results = list(states), []
        for cell in self.cells:
            count = len(_sizes(cell))
            inputs, new = _step(cell, inputs, remaining[:count], training)
            remaining = remaining[count:]
            results += list(new)
        return inputs, results

    def forget_masks(self) -> None:
        """Draw other masks of dropout at the next step."""
        for cell in self.cells:
            if hasattr(cell, "forget_masks"):
                cell.forget_masks()


class RNN(Around):
    """A cell, step by step.

    Args:
        cell: a layer whose ``call(x, states)`` returns an output and the new states, with ``state_size``; or a list of
            such.
        return_sequences: whether the result has the outputs of all steps; otherwise that of the last.
        return_state: whether the result is a list: the output, then the last states.
        go_backwards: whether to go from the last step to the first; outputs are in the order of the steps.
        stateful: whether the states of a call are the first ones of the next.
        unroll: accepted for compatibility, and ignored.
        kwargs: those of `Layer`.
    """

    _untracked = ("states",)

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call"):
            raise ValueError(f"`cell` should have a `call` method. The RNN was passed: {cell}")
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "The RNN cell should have an attribute `state_size` (tuple of integers, one per RNN state)."
            )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful = go_backwards, stateful
        self.states: list[Any] | None = None

    def build(self, input_shape: Any) -> None:
        """Make the cell's weights."""
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        features = int(shape[-1])
        for cell in self.cell.cells if isinstance(self.cell, StackedRNNCells) else [self.cell]:
            if isinstance(cell, Layer) and not cell.built:
                cell._dtype = cell._dtype or self._dtype
                cell._set_scope()
                cell.build(TensorShape((shape[0], features)))
                cell.built = True
            features = _sizes(cell)[0]
        self.built = True

    def inner(self) -> list[Any]:
        """The cell."""
        return [self.cell]

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Zeros, one tensor for each state."""
        return [zeros((inputs.shape[0], size), dtype=inputs.dtype, device=inputs.device) for size in _sizes(self.cell)]

    def reset_states(self, states: Any = None) -> None:
        """Begin the next call with these states, by default zeros.

        Raises:
            AttributeError: the layer is not stateful.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.states = None if states is None else list(states)

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        """The result; see the class.

        Args:
            inputs: [batch, time, features]; a list has the first states behind it.
            mask: None: there are no masks in eager mode.
            training: for the cell.
            initial_state: the first states; default: zeros.
        """
        if isinstance(inputs, (list, tuple)):
            inputs, *given = inputs
            initial_state = given or initial_state
        if initial_state is None and self.stateful:
            initial_state = self.states
        states = self.get_initial_state(inputs) if initial_state is None else flattened(initial_state)
        if len(states) != len(_sizes(self.cell)):
            raise ValueError(f"Layer has {len(_sizes(self.cell))} states but was passed {len(states)} initial states.")
        if hasattr(self.cell, "forget_masks"):
            self.cell.forget_masks()
        steps = range(inputs.shape[1])
        outputs = []
        for time in reversed(steps) if self.go_backwards else steps:
            output, states = _step(self.cell, inputs[:, time], states, training)
            outputs.append(output)
        if self.stateful:
            self.states = list(states)
        result = stack(outputs, axis=1) if self.return_sequences else outputs[-1]
        return [result, *states] if self.return_state else result

    def __call__(self, inputs: Any, initial_state: Any = None, **kwargs: Any) -> Any:
        """As `Layer`'s; ``initial_state`` may be passed beside the input."""
        if initial_state is not None:
            kwargs["initial_state"] = initial_state
        return super().__call__(inputs, **kwargs)


class _Named(RNN):
    """An RNN of one of Keras' cells; base of `SimpleRNN`, `GRU` and `LSTM`."""

    cell_class: ClassVar[Any]

    def __init__(self, units: int, *args: Any, **kwargs: Any) -> None:
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        layer = ("trainable", "name", "dtype", "activity_regularizer", "input_shape", "batch_input_shape", "batch_size",
                 "input_dim", "input_length", "weights")  # fmt: skip
        own = {key: kwargs.pop(key) for key in (*names, *layer) if key in kwargs}
        super().__init__(self.cell_class(units, *args, **kwargs), **own)

    @property
    def units(self) -> int:
        """The number of features of the output."""
        return int(self.cell.units)


class SimpleRNN(_Named):
    """An Elman network.

    Args:
        units: the number of features of the output.
        args, kwargs: those of `SimpleRNNCell` and of `RNN`.
    """

    cell_class = SimpleRNNCell


class GRU(_Named):
    """A gated recurrent unit, whose reset gate multiplies the state before the product.

    Args:
        units: the number of features of the output.
        args, kwargs: those of `GRUCell` and of `RNN`.
    """

    cell_class = GRUCell


class LSTM(_Named):
    """A long short-term memory.

    Args:
        units: the number of features of the output.
        args, kwargs: those of `LSTMCell` and of `RNN`.
    """

    cell_class = LSTMCell


def _sizes(cell: Any) -> tuple[int, ...]:
    size = cell.state_size
    return tuple(int(part) for part in size) if isinstance(size, (list, tuple)) else (int(size),)


def _step(cell: Any, x: Any, states: Any, training: Any) -> Any:
    from ..keras.functional import parameters

    options = {"training": training} if training is not None and "training" in parameters(cell) else {}
    return cell.call(x, states, **options)
