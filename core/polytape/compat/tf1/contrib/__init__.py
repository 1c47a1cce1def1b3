"""TensorFlow 1.7's ``tf.contrib``: ``eager``, which is `polytape.compat.tfe`, ``layers``, ``rnn``,
``seq2seq``, ``summary`` and ``util``."""

from __future__ import annotations

import importlib
from typing import Any

from ..tables import Table

TABLE = Table(
    "contrib",
    missing="""
        crf, distributions, metrics, estimator, learn, slim, framework, training, opt: there is no counterpart of tf.contrib.{name} here
        data: tf.data.Dataset
    """,  # noqa: E501  # a line per fix
)
_NAMESPACES = ("layers", "rnn", "seq2seq", "summary", "util")
__all__ = ["eager", *_NAMESPACES]


def __getattr__(name: str) -> Any:
    if name == "eager":
        return importlib.import_module("polytape.compat.tfe")
    if name in _NAMESPACES:
        return importlib.import_module(f"{__name__}.{name}")
    return TABLE.find(name)


def __dir__() -> list[str]:
    return sorted(__all__)
