"""An oracle: the node tests of the ONNX project, loaded by `polytape.interop.onnx` and run.

`cases` loads the tests and says why some cannot run; `comparison` runs one and compares its results; `page` writes the
tables of the documentation. In the tests named ``..._expanded``, the graph is an op's definition.
"""

from __future__ import annotations

from polytape.interop.onnx.loading.registry import OPS

from .cases import EXCLUDED, UNSUPPORTED, Case, cases_of, modules, reason_against
from .comparison import run

__all__ = ["EXCLUDED", "OPS", "UNSUPPORTED", "Case", "cases_of", "modules", "reason_against", "run"]
