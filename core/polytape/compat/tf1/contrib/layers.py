"""TensorFlow 1.7's ``tf.contrib.layers``: ``fully_connected`` and ``flatten``, initializers and regularizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ....nn import initializers as _initializers, regularizers as _regularizers
from ....random import Generator
from ..layers.core import Dense, Flatten
from ..layers.native import alias
from ..nn import relu

__all__ = [
    "flatten",
    "fully_connected",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "variance_scaling_initializer",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]

Regularizer = Callable[[Any], Any]


class FullyConnected(Dense):
    """`Dense` with the names of this namespace; `fully_connected` makes it."""

    tf_names: ClassVar[Mapping[str, str]] = {"weight": "weights", "bias": "biases"}
    kernel = alias("weight")


def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = "zeros",
    biases_regularizer: Any = None,
    reuse: bool | None = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """``activation_fn(inputs @ weights + biases)``, along the last axis.

    Args:
        inputs: floating[..., n].
        num_outputs: the number of features of the result.
        activation_fn: a function, or None.
        normalizer_fn: None, or a function that is called with the product and ``normalizer_params`` in the place of
            the biases.
        weights_initializer, weights_regularizer: of the weights; default: `xavier_initializer`.
        biases_initializer, biases_regularizer: of the biases; None for no biases.
        reuse, scope: of the variables' scope.
        variables_collections, outputs_collections: accepted for compatibility, and ignored.
        trainable: whether the variables are trained.
    """
    biased = biases_initializer is not None and normalizer_fn is None
    layer = FullyConnected(
        num_outputs, activation_fn if normalizer_fn is None else None, biased, trainable=trainable, _reuse=reuse,
        kernel_initializer=xavier_initializer() if weights_initializer is None else weights_initializer,
        kernel_regularizer=weights_regularizer, bias_initializer=biases_initializer if biased else "zeros",
        bias_regularizer=biases_regularizer, name=scope, _scope=scope,
    )  # fmt: skip
    result = layer(inputs)
    if normalizer_fn is None:
        return result
    result = normalizer_fn(result, **(normalizer_params or {}))
    return result if activation_fn is None else activation_fn(result)


def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """All axes but the first as one."""
    return Flatten(name=scope)(inputs)


def _generator(seed: int | None) -> Generator | None:
    return None if seed is None else Generator(seed)


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = None) -> _initializers.Initializer:
    """Glorot's initializer, uniform or (truncated) normal."""
    kind = _initializers.GlorotUniform if uniform else _initializers.GlorotNormal
    return kind(generator=_generator(seed))


xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: int | None = None, dtype: Any = None
) -> _initializers.Initializer:
    """Random numbers of variance ``factor / n``, n as ``mode`` says: FAN_IN, FAN_OUT or FAN_AVG."""
    return _initializers.VarianceScaling(
        factor, mode.lower(), "uniform" if uniform else "truncated_normal", generator=_generator(seed)
    )


def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """``scale * sum(|weight|)``."""
    return _regularizers.L1(scale)


def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """``scale * sum(weight ** 2) / 2``: half as much as `polytape.nn.regularizers.L2`."""
    return _regularizers.L2(scale / 2.0)


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None) -> Regularizer:
    """The sum of `l1_regularizer` and `l2_regularizer`."""
    return _regularizers.L1L2(scale_l1, scale_l2 / 2.0)
