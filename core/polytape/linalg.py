"""Linear algebra: factorizations, linear systems and norms.

The ops are declared in `polytape.ops.linalg`, a module per family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ops.contractions import (
        cross as cross,
        diagonal as diagonal,
        multi_dot as multi_dot,
        outer as outer,
        tensordot as tensordot,
        trace as trace,
        vecdot as vecdot,
    )
    from .ops.linalg.eigen import *
    from .ops.linalg.factorizations import *
    from .ops.linalg.functions import *
    from .ops.linalg.norms import *
    from .ops.linalg.solving import *
    from .ops.products import matmul as matmul, matrix_transpose as matrix_transpose
else:
    from .ops import families

    # The array API standard has these in both namespaces, or NumPy has them in its own.
    _SHARED = "cross diagonal matmul matrix_transpose multi_dot outer tensordot trace vecdot"
    __getattr__, __dir__ = families.lazy_namespace("linalg", globals(), _SHARED)
