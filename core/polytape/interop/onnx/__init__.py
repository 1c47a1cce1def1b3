"""ONNX: a traced function as a model that onnxruntime and other programs run, and such a model as a function.

`writing` makes the model, `nodes` has the ops that ONNX has too, `longer` those that become several nodes,
`subgraphs` branches and loops. Another op is written as the ops of its body. `loading` does the reverse.
"""

from __future__ import annotations

from .loading import Model, load
from .writing import export

__all__ = ["Model", "export", "load"]
