"""The functions of ``tf.layers``: each makes a layer and calls it once.

Inside a `tfe.EagerVariableStore`, a function finds the variables of its name there; elsewhere each call makes new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import convolutional, core, normalization, pooling

__all__ = [
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "dropout",
    "flatten",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
    "separable_conv1d",
    "separable_conv2d",
]


def _function(layer: type, name: str, *, trains: bool = False) -> Callable[..., Any]:
    """``layer(...)(inputs)`` as a function."""

    def function(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        reuse = kwargs.pop("reuse", None)
        options = {"training": kwargs.pop("training", False)} if trains else {}
        scope = kwargs.get("name")
        made = layer(*args, **kwargs, _reuse=reuse, _scope=scope)
        return made(inputs, **options)

    function.__name__ = function.__qualname__ = name
    training = ", and ``training=``" if trains else ""
    function.__doc__ = f"""``tf.layers.{layer.__name__}(...)(inputs)``.

    Args:
        inputs: the input.
        args, kwargs: those of the layer{training}; ``name`` is that of the variables' scope.
    """
    return function


average_pooling1d = _function(pooling.AveragePooling1D, "average_pooling1d")
average_pooling2d = _function(pooling.AveragePooling2D, "average_pooling2d")
average_pooling3d = _function(pooling.AveragePooling3D, "average_pooling3d")
batch_normalization = _function(normalization.BatchNormalization, "batch_normalization", trains=True)
conv1d = _function(convolutional.Conv1D, "conv1d")
conv2d = _function(convolutional.Conv2D, "conv2d")
conv2d_transpose = _function(convolutional.Conv2DTranspose, "conv2d_transpose")
conv3d = _function(convolutional.Conv3D, "conv3d")
conv3d_transpose = _function(convolutional.Conv3DTranspose, "conv3d_transpose")
dense = _function(core.Dense, "dense")
dropout = _function(core.Dropout, "dropout", trains=True)
flatten = _function(core.Flatten, "flatten")
max_pooling1d = _function(pooling.MaxPooling1D, "max_pooling1d")
max_pooling2d = _function(pooling.MaxPooling2D, "max_pooling2d")
max_pooling3d = _function(pooling.MaxPooling3D, "max_pooling3d")
separable_conv1d = _function(convolutional.SeparableConv1D, "separable_conv1d")
separable_conv2d = _function(convolutional.SeparableConv2D, "separable_conv2d")
