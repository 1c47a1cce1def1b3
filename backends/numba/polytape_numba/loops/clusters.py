"""The compiled loops of clusters, in numba's cache beside the other loops."""

from __future__ import annotations

import hashlib
import importlib
import math
from typing import Any, Final

import numba
import numpy as np

from ..cache import compiled
from .inner import Address, address_in, call
from .reductions import row_max, row_min
from .sums import block_sum, row_sum
from .universal import ufunc

__all__ = ["compiled_cluster"]

_numba: Final[Any] = numba  # Any, since it exports nothing explicitly
_from_dtype: Final[Any] = importlib.import_module("numba.np.numpy_support").from_dtype
_NAMES: Final = {
    "bool_": np.bool_, "call": call, "empty": np.empty, "float32": np.float32, "float64": np.float64, "full": np.full,
    "block_sum": block_sum, "inf": math.inf, "intp": np.intp, "nan": math.nan, "row_max": row_max, "row_min": row_min,
    "row_sum": row_sum, "sqrt": np.sqrt,
}  # fmt: skip


def compiled_cluster(
    source: str, functions: list[tuple[str, Any, Any]], inputs: list[Any], outputs: list[Any]
) -> tuple[Any, Any] | None:
    """A loop, and the addresses that it takes as its first argument; None if one of these is not found.

    Args:
        source: of a function ``cluster(addresses, *inputs, *outputs)`` of vectors.
        functions: those whose inner loops it calls: ``("numpy", universal function, dtype)`` or ``("numba", name,
            dtype)``.
        inputs, outputs: dtypes.
    """
    found = [_address(*function) for function in functions]
    if None in found:
        return None
    addresses = np.array([number for address in found if address is not None for number in address], np.intp)
    namespace = dict(_NAMES)
    exec(compile(source, __file__, "exec"), namespace)  # numba's cache belongs to a file that exists
    function: Any = namespace["cluster"]
    function.__name__ = function.__qualname__ = f"cluster_{hashlib.sha256(source.encode()).hexdigest()[:32]}"
    function.__module__ = __name__
    loop: Any = compiled({"error_model": "numpy", "nogil": True})(function)
    vectors = [np.dtype(np.intp), *inputs, *outputs]
    loop.compile(tuple([_numba.types.Array(_from_dtype(x), 1, "C") for x in vectors]))
    loop.disable_compile()
    return loop, addresses


def _address(kind: str, function: Any, dtype: Any) -> Address | None:
    universal = ufunc(function, dtype.name) if kind == "numba" else function
    return address_in(universal, (dtype,) * universal.nargs)
