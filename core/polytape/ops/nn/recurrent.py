"""Cells of recurrent networks, and the networks over time.

The weights are those of PyTorch: ``weight_ih[k * hidden, features]`` and ``weight_hh[k * hidden, hidden]`` with the k
gates one below the other, and a layer computes ``x @ weight_ih^T + bias_ih + h @ weight_hh^T + bias_hh``. TensorFlow's
kernel of an LSTM has shape [features + hidden, 4 * hidden] and its gates in the order input, cell, forget, output.

Over time, the steps are a Python loop; in a traced function they are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ... import dtypes
from ...errors import DTypeError, SettingError, ShapeError
from ...tensors.tensor import Tensor, TensorLike
from ..creation import zeros
from ..likeness import zeros_like
from ..logic import where
from ..manipulation import concat, identity, reshape
from ..products import matmul, matrix_transpose
from ..trigonometric import tanh
from .activations import relu, sigmoid

__all__ = ["LSTMState", "gru", "gru_cell", "lstm", "lstm_cell", "rnn", "rnn_cell"]


class LSTMState(NamedTuple):
    """The state of an LSTM.

    Attributes:
        h: the output of the last step.
        c: the memory of the cell.
    """

    h: Tensor
    c: Tensor


def _projected(x: TensorLike, weight: TensorLike, bias: TensorLike | None) -> Tensor:
    y = matmul(x, matrix_transpose(identity(weight)))
    return y if bias is None else y + bias


def _split(gates: Tensor, count: int) -> list[Tensor]:
    size = gates.shape[-1] // count
    return [gates[..., k * size : (k + 1) * size] for k in range(count)]


def _rnn_step(inputs: Tensor, recurrent: Tensor, activation: str) -> Tensor:
    if activation not in ("tanh", "relu"):
        raise SettingError(
            f"{activation!r} is not an activation of a recurrent cell.",
            expected="'tanh' or 'relu'",
            got=repr(activation),
            fix="compute the cell from polytape.matmul and another activation",
        )
    return tanh(inputs + recurrent) if activation == "tanh" else relu(inputs + recurrent)


def _lstm_step(inputs: Tensor, state: LSTMState, recurrent: Tensor) -> LSTMState:
    entered, kept, new, shown = _split(inputs + recurrent, 4)
    c = sigmoid(kept) * state.c + sigmoid(entered) * tanh(new)
    return LSTMState(sigmoid(shown) * tanh(c), c)


def _gru_step(inputs: Tensor, h: Tensor, recurrent: Tensor) -> Tensor:
    reset_x, update_x, new_x = _split(inputs, 3)
    reset_h, update_h, new_h = _split(recurrent, 3)
    new = tanh(new_x + sigmoid(reset_x + reset_h) * new_h)
    return new + sigmoid(update_x + update_h) * (h - new)


def rnn_cell(
    x: TensorLike,
    h: TensorLike,
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
    *,
    activation: str = "tanh",
) -> Tensor:
    """One step of an Elman network, ``tanh(x @ weight_ih^T + bias_ih + h @ weight_hh^T + bias_hh)``.

    Args:
        x: floating[..., features].
        h: floating[..., hidden]: the previous output.
        weight_ih: floating[hidden, features].
        weight_hh: floating[hidden, hidden].
        bias_ih, bias_hh: floating[hidden]; default: 0.
        activation: ``"tanh"`` or ``"relu"``.
    Returns:
        floating[..., hidden]: the output.
    Raises:
        ShapeError: sizes that do not match. SettingError: another activation.
    Source:
        J. Elman (1990), Cognitive Science 14 (2), pp. 179-211.
    """
    return _rnn_step(_projected(x, weight_ih, bias_ih), _projected(h, weight_hh, bias_hh), activation)


def lstm_cell(
    x: TensorLike,
    state: tuple[TensorLike, TensorLike],
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
) -> LSTMState:
    """One step of a long short-term memory.

    Args:
        x: floating[..., features].
        state: ``(h, c)``, each floating[..., hidden]: the previous output and memory.
        weight_ih: floating[4 * hidden, features]; gates in the order input, forget, cell, output.
        weight_hh: floating[4 * hidden, hidden].
        bias_ih, bias_hh: floating[4 * hidden]; default: 0.
    Returns:
        The new ``(h, c)``, a named tuple.
    Raises:
        ShapeError: sizes that do not match.
    Source:
        S. Hochreiter, J. Schmidhuber (1997), Neural Computation 9 (8), pp. 1735-1780; with a forget gate F. Gers,
        J. Schmidhuber, F. Cummins (2000), Neural Computation 12 (10), pp. 2451-2471.
    """
    before = LSTMState(identity(state[0]), identity(state[1]))
    return _lstm_step(_projected(x, weight_ih, bias_ih), before, _projected(before.h, weight_hh, bias_hh))


def gru_cell(
    x: TensorLike,
    h: TensorLike,
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
) -> Tensor:
    """One step of a gated recurrent unit; the reset gate multiplies ``h @ weight_hh^T + bias_hh``, as in PyTorch.

    Args:
        x: floating[..., features].
        h: floating[..., hidden]: the previous output.
        weight_ih: floating[3 * hidden, features]; gates in the order reset, update, new.
        weight_hh: floating[3 * hidden, hidden].
        bias_ih, bias_hh: floating[3 * hidden]; default: 0.
    Returns:
        floating[..., hidden]: the output.
    Raises:
        ShapeError: sizes that do not match.
    Source:
        K. Cho et al. (2014), EMNLP, arXiv:1406.1078.
    """
    h = identity(h)
    return _gru_step(_projected(x, weight_ih, bias_ih), h, _projected(h, weight_hh, bias_hh))


def _over_time(
    inputs: Tensor, state: list[Tensor], step: Callable[[Tensor, list[Tensor]], list[Tensor]], mask: TensorLike | None,
    reverse: bool,
) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """The outputs of each step, in the order of time, and the last state, whose first tensor is the output."""
    seen = None if mask is None else _seen(mask, inputs)
    shown = state[0] if seen is None else zeros_like(state[0])
    outputs: list[Tensor] = []
    for time in range(inputs.shape[0] - 1, -1, -1) if reverse else range(inputs.shape[0]):
        new = step(inputs[time], state)
        if seen is None:
            state, shown = new, new[0]
        else:  # where a step is masked, the state and the output stay what they are
            state = [where(seen[time], after, before) for after, before in zip(new, state, strict=True)]
            shown = where(seen[time], new[0], shown)
        outputs.append(shown)
    if reverse:
        outputs.reverse()
    return concat([reshape(y, (1, *y.shape)) for y in outputs]), state


def _seen(mask: TensorLike, inputs: Tensor) -> Tensor:
    """The mask with an axis of size 1 for the features."""
    mask = identity(mask)
    if mask.dtype is not dtypes.bool_:
        raise DTypeError(
            "the mask of a recurrent network has the wrong dtype.",
            expected="bool: False where a step is skipped",
            got=str(mask.dtype),
            fix="compare it, for example mask != 0",
        )
    if mask.shape != inputs.shape[:-1]:
        raise ShapeError(
            "the mask of a recurrent network does not match the sequences.",
            expected=f"an entry for each step, shape {inputs.shape[:-1]}",
            got=f"shape {mask.shape}",
            fix="compute it from the same input",
        )
    return reshape(mask, (*mask.shape, 1))


def _first_state(x: Tensor, given: TensorLike | None, weight_hh: TensorLike) -> Tensor:
    if given is not None:
        return identity(given)
    return zeros((*x.shape[1:-1], identity(weight_hh).shape[-1]), dtype=x.dtype, device=x.device)


def _steps(x: TensorLike) -> Tensor:
    x = identity(x)
    if x.ndim < 2 or x.shape[0] == 0:
        raise ShapeError(
            "there are no time steps.",
            expected="x[time, ..., features] with at least one step",
            got=f"shape {x.shape}",
            fix="make time the first axis",
        )
    return x


def rnn(
    x: TensorLike,
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
    h: TensorLike | None = None,
    *,
    activation: str = "tanh",
    reverse: bool = False,
    mask: TensorLike | None = None,
) -> tuple[Tensor, Tensor]:
    """`rnn_cell` over time.

    Args:
        x: floating[time, ..., features].
        weight_ih, weight_hh, bias_ih, bias_hh, activation: as for `rnn_cell`.
        h: floating[..., hidden]: the output before the first step; default: 0.
        reverse: whether to go from the last step to the first, as one half of a bidirectional network does.
        mask: bool[time, ...]: False where a step of a sequence is skipped: then the state stays as it is, and the
            output is that of the step before, or 0 if there is none.
    Returns:
        The outputs, floating[time, ..., hidden], and the last one computed.
    Raises:
        ShapeError: sizes that do not match, or no time steps. DTypeError: the mask is not bool. SettingError: another
            activation.
    Source:
        J. Elman (1990), Cognitive Science 14 (2), pp. 179-211.
    """
    x = _steps(x)

    def step(inputs: Tensor, state: list[Tensor]) -> list[Tensor]:
        return [_rnn_step(inputs, _projected(state[0], weight_hh, bias_hh), activation)]

    first = _first_state(x, h, weight_hh)
    y, (last,) = _over_time(_projected(x, weight_ih, bias_ih), [first], step, mask, reverse)
    return y, last


def lstm(
    x: TensorLike,
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
    state: tuple[TensorLike, TensorLike] | None = None,
    *,
    reverse: bool = False,
    mask: TensorLike | None = None,
) -> tuple[Tensor, LSTMState]:
    """`lstm_cell` over time.

    Args:
        x: floating[time, ..., features].
        weight_ih, weight_hh, bias_ih, bias_hh: as for `lstm_cell`.
        state: ``(h, c)``, each floating[..., hidden], before the first step; default: 0.
        reverse: whether to go from the last step to the first, as one half of a bidirectional network does.
        mask: bool[time, ...]: False where a step of a sequence is skipped: then the state stays as it is, and the
            output is that of the step before, or 0 if there is none.
    Returns:
        The outputs, floating[time, ..., hidden], and the last state computed.
    Raises:
        ShapeError: sizes that do not match, or no time steps. DTypeError: the mask is not bool.
    Source:
        S. Hochreiter, J. Schmidhuber (1997), Neural Computation 9 (8), pp. 1735-1780.
    """
    x = _steps(x)
    h, c = (None, None) if state is None else state

    def step(inputs: Tensor, state: list[Tensor]) -> list[Tensor]:
        return [*_lstm_step(inputs, LSTMState(*state), _projected(state[0], weight_hh, bias_hh))]

    first = [_first_state(x, h, weight_hh), _first_state(x, c, weight_hh)]
    y, last = _over_time(_projected(x, weight_ih, bias_ih), first, step, mask, reverse)
    return y, LSTMState(*last)


def gru(
    x: TensorLike,
    weight_ih: TensorLike,
    weight_hh: TensorLike,
    bias_ih: TensorLike | None = None,
    bias_hh: TensorLike | None = None,
    h: TensorLike | None = None,
    *,
    reverse: bool = False,
    mask: TensorLike | None = None,
) -> tuple[Tensor, Tensor]:
    """`gru_cell` over time.

    Args:
        x: floating[time, ..., features].
        weight_ih, weight_hh, bias_ih, bias_hh: as for `gru_cell`.
        h: floating[..., hidden]: the output before the first step; default: 0.
        reverse: whether to go from the last step to the first, as one half of a bidirectional network does.
        mask: bool[time, ...]: False where a step of a sequence is skipped: then the state stays as it is, and the
            output is that of the step before, or 0 if there is none.
    Returns:
        The outputs, floating[time, ..., hidden], and the last one computed.
    Raises:
        ShapeError: sizes that do not match, or no time steps. DTypeError: the mask is not bool.
    Source:
        K. Cho et al. (2014), EMNLP, arXiv:1406.1078.
    """
    x = _steps(x)

    def step(inputs: Tensor, state: list[Tensor]) -> list[Tensor]:
        return [_gru_step(inputs, state[0], _projected(state[0], weight_hh, bias_hh))]

    first = _first_state(x, h, weight_hh)
    y, (last,) = _over_time(_projected(x, weight_ih, bias_ih), [first], step, mask, reverse)
    return y, last
