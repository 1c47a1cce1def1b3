"""TensorFlow 1.7's ``tf.keras.layers``."""

from __future__ import annotations

from typing import Any, Final

from ..layers import SHARED
from ..tables import Table

_OWN: Final[dict[str, tuple[str, ...]]] = {
    "keras.functional": ("Input", "InputLayer"),
    "layers.advanced": ("ELU", "LeakyReLU", "PReLU", "Softmax", "ThresholdedReLU"),
    "layers.core": (
        "Activation", "ActivityRegularization", "Embedding", "Lambda", "Masking", "Permute", "RepeatVector", "Reshape",
    ),
    "layers.local": ("LocallyConnected1D", "LocallyConnected2D"),
    "layers.merging": (
        "Add", "Average", "Concatenate", "Dot", "Maximum", "Multiply", "add", "average", "concatenate", "dot",
        "maximum", "multiply",
    ),
    "layers.noise": (
        "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    ),
    "layers.pooling": tuple(f"Global{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)),
    "layers.recurrent": ("GRU", "LSTM", "RNN", "SimpleRNN", "StackedRNNCells"),
    "layers.cells": ("GRUCell", "LSTMCell", "SimpleRNNCell"),
    "layers.resizing": tuple(
        f"{kind}{rank}D" for kind in ("Cropping", "UpSampling", "ZeroPadding") for rank in (1, 2, 3)
    ),
    "layers.wrappers": ("Bidirectional", "TimeDistributed", "Wrapper"),
}  # fmt: skip
# Keras' second names, by the first.
_ALIASES: Final = {
    "AvgPool": "AveragePooling", "MaxPool": "MaxPooling", "GlobalAvgPool": "GlobalAveragePooling",
    "GlobalMaxPool": "GlobalMaxPooling", "Convolution": "Conv",
}  # fmt: skip


class _Layers(Table):
    """A table whose layers have second names."""

    def find(self, name: str) -> Any:
        """As `Table.find`."""
        for short, long in _ALIASES.items():
            if name.startswith(short) and name not in self.adapters:
                found = long + name[len(short) :]
                if found in self.adapters:
                    return super().find(found)
        return super().find(name)


_MODULES: Final = {key: SHARED.get(key, ()) + _OWN.get(key, ()) for key in {**SHARED, **_OWN}}
TABLE = _Layers(
    "keras.layers",
    adapters=_MODULES,
    missing="""
        ConvLSTM2D: tf.keras.layers.RNN with a cell of your own
        CuDNNLSTM, CuDNNGRU: tf.keras.layers.LSTM or GRU with recurrent_activation="sigmoid"
        LayerNormalization: polytape.nn.LayerNorm
    """,
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
