"""Layers with weights of their own for each window."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ....errors import SettingError
from ....ops.einsum import einsum
from ....ops.manipulation import permute_dims, reshape
from ....ops.nn.convolution import windows
from ....tensors.tensor import Tensor
from .base import Layer
from .specs import InputSpec

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]


class _LocallyConnected(Layer):
    _quick = True
    _untracked = ("_weights",)
    rank: ClassVar[int]
    kernel: Any
    bias: Any = None

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        from ..keras import activations

        name = type(self).__name__
        if padding.lower() != "valid":
            raise ValueError(f'Invalid border mode for {name} (only "valid" is supported): {padding}')
        if data_format not in (None, "channels_last"):
            raise SettingError(
                f"{name} takes channels last.", expected='data_format="channels_last"', got=repr(data_format),
                fix="use tf.keras.layers.Permute before and after the layer",
            )  # fmt: skip
        self._weights = {
            part: {
                kind: kwargs.pop(f"{part}_{kind}", default)
                for kind, default in (("initializer", first), ("regularizer", None), ("constraint", None))
            }
            for part, first in (("kernel", "glorot_uniform"), ("bias", "zeros"))
        }
        super().__init__(**kwargs)
        self.filters, self.use_bias = filters, use_bias
        self.kernel_size, self.strides = _per_axis(kernel_size, self.rank), _per_axis(strides, self.rank)
        self.activation = activations.get(activation)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        """Make the weights for an input of this shape, whose sizes are all known."""
        *sizes, channels = [int(size) for size in input_shape[1:]]
        counts = tuple(
            (size - window) // step + 1
            for size, window, step in zip(sizes, self.kernel_size, self.strides, strict=True)
        )
        shape = (math.prod(counts), math.prod(self.kernel_size) * channels, self.filters)
        self.kernel = self.add_weight("kernel", shape, **self._weights["kernel"])
        if self.use_bias:
            self.bias = self.add_weight("bias", (*counts, self.filters), **self._weights["bias"])
        self.built = True

    def call(self, inputs: Any, **kwargs: Any) -> Tensor:
        """The result; see the class."""
        axes = tuple(range(1, self.rank + 1))
        found = windows(inputs, self.kernel_size, stride=self.strides, axes=axes)
        batch, *counts = found.shape[: self.rank + 1]
        # [batch, *counts, channels, *window]: the channels go behind the window, as in the kernel.
        behind = (*range(self.rank + 1), *range(self.rank + 2, 2 * self.rank + 2), self.rank + 1)
        columns = reshape(permute_dims(found, behind), (batch, math.prod(counts), -1))
        y = reshape(einsum("bpk,pkf->bpf", columns, self.kernel), (batch, *counts, self.filters))
        if self.bias is not None:
            y = y + self.bias
        result: Tensor = self.activation(y)
        return result


class LocallyConnected1D(_LocallyConnected):
    """As `Conv1D`, with other weights for each window.

    Args:
        filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs: as for `Conv1D`, without
            padding.

    Attributes:
        kernel: [windows, kernel_size * channels, filters].
        bias: [windows, filters], or None.
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """As `Conv2D`, with other weights for each window.

    Args:
        filters, kernel_size, strides, padding, data_format, activation, use_bias, kwargs: as for `Conv2D`, without
            padding.

    Attributes:
        kernel: [windows, height * width * channels of a window, filters].
        bias: [rows, columns, filters], or None.
    """

    rank = 2


def _per_axis(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
