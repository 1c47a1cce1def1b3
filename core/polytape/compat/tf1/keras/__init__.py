"""TensorFlow 1.7's ``tf.keras`` (Keras 2.1.5).

`functional` and `models` have what layers make up, `training` trains it, `lookup` finds objects by name. The layers are
in `polytape.compat.tf1.layers`.
"""

from __future__ import annotations

from typing import Any

from ..tables import Table

TABLE = Table(
    "keras",
    adapters={"keras.functional": ("Input",), "keras.models": ("Model", "Sequential")},
    modules=(
        "activations",
        "backend",
        "constraints",
        "initializers",
        "layers",
        "losses",
        "models",
        "optimizers",
        "preprocessing",
        "regularizers",
        "utils",
    ),
    missing="""
        callbacks: a loop in Python around model.train_on_batch
        metrics: tfe.metrics, or polytape.metrics
        datasets, applications, wrappers, estimator: load the data or the weights yourself, for example by polytape.load
    """,
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
