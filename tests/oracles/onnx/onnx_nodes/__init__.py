"""An oracle: the node tests of the ONNX project, run on polytape.

Each op of ONNX is a function in one of the modules of nodes, written in polytape's ops. `interpreter` runs a graph
of them, eagerly or traced; in the tests named ``..._expanded``, the graph is an op's definition. `cases` loads the
tests and says why some cannot run; `comparison` runs one and compares its results.
"""

from __future__ import annotations

from . import attention, control, elementwise, images, movement, networks, reductions, signals
from .cases import EXCLUDED, UNSUPPORTED, Case, cases_of, modules, reason_against
from .comparison import run
from .registry import OPS

__all__ = [
    "EXCLUDED",
    "OPS",
    "UNSUPPORTED",
    "Case",
    "attention",
    "cases_of",
    "control",
    "elementwise",
    "images",
    "modules",
    "movement",
    "networks",
    "reason_against",
    "reductions",
    "run",
    "signals",
]
