"""TensorFlow 1.7's ``tf.layers``: layers as classes, and functions that make a layer and call it.

`base` has the base class, `native` that of the layers which compute as those of `polytape.nn`; the layers are in a file
per family, those that only ``tf.keras.layers`` has among them.
"""

from __future__ import annotations

from typing import Any, Final

from ..tables import Table

# The layers of both `tf.layers` and `tf.keras.layers`.
SHARED: Final[dict[str, tuple[str, ...]]] = {
    "layers.base": ("Layer",),
    "layers.convolutional": (
        "Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "SeparableConv1D", "SeparableConv2D",
    ),
    "layers.core": ("Dense", "Dropout", "Flatten"),
    "layers.normalization": ("BatchNormalization",),
    "layers.pooling": (
        "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    ),
    "layers.specs": ("InputSpec",),
}  # fmt: skip
TABLE = Table(
    "layers",
    adapters={
        **SHARED,
        "layers.functions": (
            "average_pooling1d", "average_pooling2d", "average_pooling3d", "batch_normalization", "conv1d", "conv2d",
            "conv2d_transpose", "conv3d", "conv3d_transpose", "dense", "dropout", "flatten", "max_pooling1d",
            "max_pooling2d", "max_pooling3d", "separable_conv1d", "separable_conv2d",
        ),
    },
    missing="Embedding, LSTM, GRU, Reshape, Activation, UpSampling2D, ZeroPadding2D: tf.keras.layers.{name}",
)  # fmt: skip
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
