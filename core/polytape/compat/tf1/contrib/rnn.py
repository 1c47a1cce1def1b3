"""TensorFlow 1.7's ``tf.contrib.rnn``: the cells of ``tf.nn.rnn_cell``, and loops over lists of inputs."""

from __future__ import annotations

from ..adapters.recurrent import static_bidirectional_rnn, static_rnn
from ..layers.rnn_cells import (
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    LSTMStateTuple,
    MultiRNNCell,
    RNNCell,
)

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "static_bidirectional_rnn",
    "static_rnn",
]
