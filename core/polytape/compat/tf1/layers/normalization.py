"""Batch normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ....errors import SettingError
from ....nn.layers import norms
from ....ops.nn import channel_norms
from ....tensors.tensor import Tensor
from .base import Layer
from .native import Native, alias, options_of

__all__ = ["BatchNormalization"]

_OPTIONS: Final = {
    f"{theirs}_{kind}": f"{ours}_{kind}"
    for theirs, ours in (("gamma", "weight"), ("beta", "bias"))
    for kind in ("initializer", "regularizer", "constraint")
}


class BatchNormalization(Native, norms.BatchNorm):
    """Each channel normalized, by the statistics of the batch with ``training=True``, else by their moving averages.

    As in TensorFlow 1.7, the average of the variance is that of the unbiased one for inputs of four axes, and of the
    biased one for others; and a layer that is not trainable keeps its averages.

    Args:
        axis: of the channels.
        momentum: the share of the old averages in the new ones.
        epsilon: is added to the variance.
        center, scale: whether there are ``beta`` and ``gamma``.
        moving_mean_initializer, moving_variance_initializer: the first averages.
        renorm, virtual_batch_size, adjustment: not implemented; leave them out.
        fused: accepted for compatibility, and ignored.
        kwargs: ``beta_initializer``, ``gamma_initializer``, ``beta_regularizer``, ``gamma_regularizer``,
            ``beta_constraint``, ``gamma_constraint``, and those of `Layer`.

    Attributes:
        gamma, beta: [channels], or None.
        moving_mean, moving_variance: [channels], not trained.

    Raises:
        SettingError: an argument that is not implemented.
    """

    tf_names: ClassVar[Mapping[str, str]] = {"weight": "gamma", "bias": "beta"}
    gamma = alias("weight")
    beta = alias("bias")

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        renorm: bool = False,
        fused: bool | None = None,
        virtual_batch_size: int | None = None,
        adjustment: Any = None,
        **kwargs: Any,
    ) -> None:
        from ..keras import initializers

        if renorm or virtual_batch_size is not None or adjustment is not None:
            raise SettingError(
                "BatchNormalization has no renorm, virtual batches or adjustment here.",
                expected="renorm=False, virtual_batch_size=None, adjustment=None",
                got=f"renorm={renorm}, virtual_batch_size={virtual_batch_size}, adjustment={adjustment!r}",
                fix="leave them out",
            )
        options = options_of(kwargs, _OPTIONS)
        Layer.__init__(self, **kwargs)
        channels = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        norms.BatchNorm.__init__(self, momentum, epsilon, axis=channels, use_weight=scale, use_bias=center, **options)
        self._averages = {
            "moving_mean": initializers.get(moving_mean_initializer),
            "moving_variance": initializers.get(moving_variance_initializer),
        }

    def add_weight(  # type: ignore[override]  # as Native's
        self, name: str, shape: Any, initializer: Any = "glorot_uniform", dtype: Any = None, **options: Any
    ) -> Any:
        """As `Native.add_weight`; averages begin with their own initializers."""
        return super().add_weight(name, shape, self._averages.get(name, initializer), dtype, **options)

    def updates_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The moving averages, in training."""
        training = kwargs.get("training", args[0] if args else False)
        trains = self.trainable and training is not False and training is not None
        return [self.moving_mean, self.moving_variance] if trains else []

    def call(self, inputs: Tensor, training: Any = False) -> Tensor:
        """The result; see the class."""
        trains = bool(training)
        y, mean, variance = channel_norms.batch_norm(
            inputs, self.moving_mean, self.moving_variance, self.weight, self.bias, training=trains,
            momentum=self.momentum, axis=self.axis, epsilon=self.epsilon,
        )  # fmt: skip
        if trains and self.trainable:
            if inputs.ndim != 4:
                count = inputs.size // self.moving_mean.size
                kept = self.moving_variance * self.momentum
                variance = kept + (variance - kept) * ((count - 1) / count)
            self.moving_mean.assign(mean)
            self.moving_variance.assign(variance)
        return y
