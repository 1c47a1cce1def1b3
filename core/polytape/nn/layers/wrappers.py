"""Layers that apply other layers."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from ...errors import DTypeError, SettingError, ShapeError
from ...ops.manipulation import concat, reshape
from ...ops.nn.geometry import tensors
from ...tensors.tensor import Tensor, TensorLike
from ..modules import Module
from .recurrent import Recurrent

__all__ = ["Bidirectional", "TimeDistributed"]


class Bidirectional(Module):
    """A recurrent layer, and a copy of it that goes in the opposite direction of time.

    Args:
        layer: `LSTM`, `GRU` or `SimpleRNN`, without weights yet.
        merge: how the outputs of both are combined: ``"concat"`` along the last axis, ``"sum"``, ``"mean"``, or None
            for the pair of them.

    The result is that of the layer; the state, if ``return_state`` is set, is the pair of both layers' states, and so
    is the state that a call takes. The call also takes ``mask=``, as the layer does.

    Attributes:
        forward_layer, backward_layer: the layer and its copy.

    Raises:
        DTypeError: another layer. SettingError: another ``merge``, or the layer has weights already.
    Source:
        M. Schuster, K. Paliwal (1997), IEEE Transactions on Signal Processing 45 (11), pp. 2673-2681.
    """

    mask_argument: ClassVar[str] = "mask"

    def __init__(self, layer: Recurrent, merge: str | None = "concat") -> None:
        if not isinstance(layer, Recurrent):
            raise DTypeError(
                "Bidirectional needs a recurrent layer.",
                expected="polytape.nn.LSTM, GRU or SimpleRNN",
                got=type(layer).__name__,
                fix="wrap one of these",
            )
        if merge not in ("concat", "sum", "mean", None):
            raise SettingError(
                f"Bidirectional cannot merge by {merge!r}.",
                expected="'concat', 'sum', 'mean' or None",
                got=repr(merge),
                fix="pass one of these",
            )
        if layer.built:
            raise SettingError(
                "Bidirectional would copy weights.",
                expected="a layer that has not been called",
                got=f"{layer!r} with weights",
                fix="pass a new layer",
            )
        self.merge = merge
        self.forward_layer = layer
        self.backward_layer = copy.deepcopy(layer)
        self.backward_layer.reverse = not layer.reverse

    def compute_mask(self, x: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the result: that of the input if it has all steps, otherwise None."""
        return self.forward_layer.compute_mask(x, mask)

    def call(self, x: Tensor, state: Any = None, mask: TensorLike | None = None) -> Any:
        """The result; see the class."""
        states = (None, None) if state is None else state
        layers = (self.forward_layer, self.backward_layer)
        results = [layer(x, s, mask=mask) for layer, s in zip(layers, states, strict=True)]
        if self.forward_layer.return_state:
            outputs = [result[0] for result in results]
            return self._merged(outputs), tuple(result[1] for result in results)
        return self._merged(results)

    def _merged(self, outputs: list[Tensor]) -> Any:
        if self.merge is None:
            return tuple(outputs)
        if self.merge == "concat":
            return concat(outputs, axis=-1)
        total = outputs[0] + outputs[1]
        return total if self.merge == "sum" else total * 0.5


class TimeDistributed(Module):
    """A layer applied to each step of a sequence: [batch, time, ...] becomes [batch, time, ...].

    Args:
        layer: a module or another function of a batch.

    Raises:
        ShapeError: at the call, for an input with fewer than two axes.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        (x,) = tensors(x)
        if x.ndim < 2:
            raise ShapeError(
                "there are no steps.", expected="x[batch, time, ...]", got=f"shape {x.shape}", fix="insert the axis"
            )
        batch, time = x.shape[:2]
        (y,) = tensors(self.layer(reshape(x, (batch * time, *x.shape[2:]))))
        return reshape(y, (batch, time, *y.shape[1:]))
