"""TensorFlow 1.7's names, as its eager programs use them: ``from polytape.compat import tf1 as tf``.

Tensors are polytape's own. Ops accept a ``name`` and ignore it. `polytape.compat.tf1.tables` says how the names are
made; ``dir(tf)`` lists them.
"""

from __future__ import annotations

from typing import Any

from ...autodiff.indexed_slices import IndexedSlices
from ...autodiff.tape import GradientTape
from ..mode import GraphModeError, enable_eager_execution, executing_eagerly
from ..op_errors import OpError as _OpError
from . import dtypes as _dtypes, shapes as _shapes
from .names import ADAPTERS as _ADAPTERS, MISSING as _MISSING, MODULES as _MODULES

# Under other names: these are no names of ``tf``, but ``tf.linalg`` is another module than the rows of that name.
from .rows import arrays as _arrays, linalg as _linalg, math as _math, structure as _structure
from .tables import Table as _Table
from .variables.exports import ADAPTERS as _VARIABLES, NAMESPACES as _NAMESPACES

TABLE = _Table(
    "",
    rows=_math.ROWS + _arrays.ROWS + _structure.ROWS + _structure.ASSERTIONS + _linalg.PRODUCTS + _linalg.FOURIER,
    adapters=_ADAPTERS | _VARIABLES,
    missing=_MISSING,
    values={
        "Dimension": _shapes.Dimension,
        "GradientTape": GradientTape,
        "GraphModeError": GraphModeError,
        "IndexedSlices": IndexedSlices,
        "OpError": _OpError,
        "TensorShape": _shapes.TensorShape,
        "__version__": "1.7.0",
        "enable_eager_execution": enable_eager_execution,
        "executing_eagerly": executing_eagerly,
        "newaxis": None,
        **{name: getattr(_dtypes, name) for name in _dtypes.__all__ if name != "tensor_dtype"},
    },
    modules=tuple(sorted({*_MODULES, *_NAMESPACES})),
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
