"""Normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ...errors import SettingError
from ...ops.nn import channel_norms, norms
from ...ops.shape_rules import normalise
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from .dense import features, positive
from .weights import WeightLayer, WeightOptions

__all__ = ["BatchNorm", "GroupNorm", "LayerNorm", "RMSNorm"]

Shape = tuple[int | None, ...]


class _Norm(WeightLayer):
    weight: Variable | None = None
    bias: Variable | None = None

    def __init__(self, epsilon: float, use_weight: bool, use_bias: bool, options: WeightOptions) -> None:
        super().__init__(options)
        self.epsilon, self.use_weight, self.use_bias = epsilon, use_weight, use_bias

    def _scales(self, shape: tuple[int, ...]) -> None:
        if self.use_weight:
            self._make("weight", shape, "ones")
        if self.use_bias:
            self._make("bias", shape, "zeros")


class BatchNorm(_Norm):
    """Each channel normalized: in training by the statistics of the batch, otherwise by their moving averages.

    The averages are updated by each call that trains, also in a traced function. A frozen layer, ``trainable = False``,
    uses and keeps them, also in training.

    Args:
        momentum: the share of the old averages in the new ones (PyTorch's momentum is 1 minus this number).
        epsilon: is added to the variance.
        axis: of the channels: -1, or 1 for [batch, channels, ...].
        use_weight, use_bias: whether the result is multiplied by a weight and a bias is added.
        options: as for `Dense`. The initializers are ones and zeros.

    The input is floating[batch, ..., channels], the result has its shape.

    Attributes:
        weight, bias: [channels], or None.
        moving_mean, moving_variance: [channels], not trained; 0 and 1 before the first call. The variance is the
            unbiased one.

    Raises:
        SettingError: a momentum outside 0 to 1.
    Source:
        S. Ioffe, C. Szegedy (2015), Batch normalization, ICML, arXiv:1502.03167.
    """

    moving_mean: Variable
    moving_variance: Variable

    def __init__(
        self,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        *,
        axis: int = -1,
        use_weight: bool = True,
        use_bias: bool = True,
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(epsilon, use_weight, use_bias, options)
        if not 0.0 <= momentum <= 1.0:
            raise SettingError(
                "BatchNorm cannot average with this momentum.",
                expected="0 <= momentum <= 1",
                got=f"momentum={momentum}",
                fix="pass the share of the old averages, such as 0.99",
            )
        self.momentum, self.axis = momentum, axis

    def build(self, shape: Shape) -> None:
        """Make the weights and averages for an input of this shape."""
        channels = (features(self, shape, self.axis),)
        self._scales(channels)
        dtype = self._options.get("dtype")
        self.add_weight("moving_mean", channels, "zeros", dtype=dtype, trainable=False)
        self.add_weight("moving_variance", channels, "ones", dtype=dtype, trainable=False)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """The result; see the class."""
        training = training and self.trainable
        y, mean, variance = channel_norms.batch_norm(
            x, self.moving_mean, self.moving_variance, self.weight, self.bias, training=training,
            momentum=self.momentum, axis=self.axis, epsilon=self.epsilon,
        )  # fmt: skip
        if training:
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance)
        return y


class LayerNorm(_Norm):
    """Each element of a batch normalized along axes, see `polytape.nn.layer_norm`.

    Args:
        axis: an axis or several, along which mean and variance are taken.
        epsilon: is added to the variance.
        use_weight, use_bias: whether the result is multiplied by a weight and a bias is added.
        options: as for `Dense`. The initializers are ones and zeros.

    The input is floating[...], the result has its shape.

    Attributes:
        weight, bias: of the sizes of the normalized axes, with size 1 for other axes between and behind them, or None.

    Source:
        J. Ba, J. Kiros, G. Hinton (2016), Layer normalization, arXiv:1607.06450.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-5,
        *,
        use_weight: bool = True,
        use_bias: bool = True,
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(epsilon, use_weight, use_bias, options)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        self._scales(_sizes(self, shape, self.axis))

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return norms.layer_norm(x, self.weight, self.bias, axis=self.axis, epsilon=self.epsilon)


class RMSNorm(_Norm):
    """Each element of a batch divided by its root mean square along axes, see `polytape.nn.rms_norm`.

    Args:
        axis: an axis or several.
        epsilon: is added to the mean square.
        use_weight: whether the result is multiplied by a weight.
        options: as for `Dense`. The initializer is ones.

    The input is floating[...], the result has its shape.

    Attributes:
        weight: as that of `LayerNorm`, or None.

    Source:
        B. Zhang, R. Sennrich (2019), Root mean square layer normalization, NeurIPS, arXiv:1910.07467.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-6,
        *,
        use_weight: bool = True,
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(epsilon, use_weight, False, options)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def build(self, shape: Shape) -> None:
        """Make the weight for an input of this shape."""
        self._scales(_sizes(self, shape, self.axis))

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return norms.rms_norm(x, self.weight, axis=self.axis, epsilon=self.epsilon)


class GroupNorm(_Norm):
    """Groups of channels normalized, for each element of a batch, see `polytape.nn.group_norm`.

    Args:
        groups: how many; a divisor of the number of channels. As many as channels give instance normalization.
        epsilon: is added to the variance.
        axis: of the channels: -1, or 1 for [batch, channels, ...].
        use_weight, use_bias: whether the result is multiplied by a weight and a bias is added.
        options: as for `Dense`. The initializers are ones and zeros.

    The input is floating[batch, ..., channels], the result has its shape.

    Attributes:
        weight, bias: [channels], or None.

    Raises:
        SettingError: ``groups`` is not a positive integer. ShapeError: at the call, if it is no divisor.
    Source:
        Y. Wu, K. He (2018), Group normalization, ECCV, arXiv:1803.08494.
    """

    def __init__(
        self,
        groups: int = 32,
        epsilon: float = 1e-5,
        *,
        axis: int = -1,
        use_weight: bool = True,
        use_bias: bool = True,
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(epsilon, use_weight, use_bias, options)
        self.groups, self.axis = positive("groups", groups), axis

    def build(self, shape: Shape) -> None:
        """Make the weights for an input of this shape."""
        self._scales((features(self, shape, self.axis),))

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return channel_norms.group_norm(
            x, self.weight, self.bias, groups=self.groups, axis=self.axis, epsilon=self.epsilon
        )


def _sizes(layer: object, shape: Shape, axis: int | Sequence[int]) -> tuple[int, ...]:
    """The shape of a weight that has the normalized axes, and size 1 for the others behind the first of them."""
    axes = normalise(axis, len(shape))
    return tuple(features(layer, shape, k) if k in axes else 1 for k in range(min(axes, default=0), len(shape)))
