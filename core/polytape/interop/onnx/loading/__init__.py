"""Models of ONNX as functions of polytape.

`contents` reads and checks a file, `registry` has the table of ONNX's ops, `interpreter` runs their nodes, `model`
makes a model callable. The other modules fill the table, each with a family of ops, written in polytape's ops.
"""

from __future__ import annotations

from . import attention, control, elementwise, images, movement, networks, reductions, sequences, signals, training
from .model import Model, load

__all__ = [
    "Model",
    "attention",
    "control",
    "elementwise",
    "images",
    "load",
    "movement",
    "networks",
    "reductions",
    "sequences",
    "signals",
    "training",
]
