"""Compilation of clusters: one loop that reads each input once, and calls the inner loops of universal functions.

The loop goes through tiles of some thousand elements. For each it computes the steps of a first level, which the
compiler turns into SIMD code; then it calls the loops of functions such as ``exp`` on what these need; then the steps
of the next level, and so on:

    tanh(x * 2 + y) - exp(-x)       t0 = x * 2 + y, t1 = -x     t2 = tanh(t0), t3 = exp(t1)     t2 - t3

The bits are those of the kernels one by one: the steps in the loop are exact operations (`bodies`), and a function is
computed by the code that its kernel calls. Floating-point conditions are not reported.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from polytape.backend import Cluster, Compiled, Number, Step

from .bodies import body_of, universal_of
from .kernels.compiled import loops
from .kernels.reduction import BY_DOT, DOTS
from .tiles import BLOCK, Kind, LoopSource

__all__ = ["compile_cluster", "planned"]

Array = np.ndarray[Any, Any]

# Below this size, what a call saves is some microseconds: a program would have to make 100,000 until it has paid for
# the second that the compilation takes.
SMALLEST: Final = 1 << 14  # elements
_LONGEST: Final = 1 << 14  # elements of a row that is reduced: its tile stays in the second-level cache


def compile_cluster(cluster: Cluster) -> Compiled | None:
    """A function for a cluster, compiled by its first call; None if the steps run as the NumPy backend runs them."""
    if math.prod(cluster.shape) < SMALLEST:
        return None
    source = planned(cluster)
    return None if source is None else _function(cluster, source)


def planned(cluster: Cluster) -> LoopSource | None:
    """The loop of a cluster; None if a step is neither an exact operation nor a function of whole operands."""
    dtypes = [*(value.dtype for value in cluster.inputs), *(step.result.dtype for step in cluster.steps)]
    if any(dtype.char not in "fd?" for dtype in dtypes):
        return None
    sizes = [math.prod(value.shape) for value in (*cluster.inputs, *(step.result for step in cluster.steps))]
    read = {x for step in cluster.steps for x in step.operands if not isinstance(x, Number)}
    kinds: list[Kind] = []
    for number, step in enumerate(cluster.steps, start=len(cluster.inputs)):
        operands = [(x.dtype, 1) if isinstance(x, Number) else (dtypes[x], sizes[x]) for x in step.operands]
        operand_dtypes, operand_sizes = [dtype for dtype, _ in operands], [size for _, size in operands]
        if step.op in ("max", "mean", "min", "sum"):
            kind = _reduction_of(step, cluster.shape, operand_dtypes[0], number in read)
        else:
            kind = _kind_of(step, operand_dtypes, operand_sizes)
        if kind is None:
            return None
        kinds.append(kind)
    source = LoopSource(cluster, dtypes, kinds)
    return source if _blocks_fit(source) else None


def _blocks_fit(source: LoopSource) -> bool:
    """Whether the blocks of sums of all elements do not cross the ends of tiles."""
    flat = source.columns * math.prod((*source.outer, source.rows)) == source.columns
    sums = any(name in ("mean", "sum") for _, name in source.of_all())
    return not sums or flat or source.columns % BLOCK == 0


def _reduction_of(step: Step, shape: tuple[int, ...], dtype: Any, read: bool) -> Kind | None:
    """A reduction of arrays of this shape that a kernel computes by the loops of `sums` and `reductions`.

    Args:
        step: the step.
        shape, dtype: of its operand.
        read: whether another step reads the result, which then has one element per row.
    """
    module, rank = str(getattr(step.kernel, "__module__", "")), len(shape)
    known = step.attributes.keys() <= {"axis", "keepdims", "dtype"} and step.attributes.get("dtype", dtype) == dtype
    if module != "polytape_numba.kernels.reduction" or dtype.char not in "fd" or not known:
        return None
    axis = step.attributes.get("axis")
    whole = axis is None or (isinstance(axis, tuple) and len(axis) == rank) or rank == 1
    if whole and not read:
        return "all", step.op
    # The kernels leave short rows of float32 to BLAS; the rest of long ones would not stay in the cache.
    n = shape[-1]
    by_blas = step.op in BY_DOT and dtype.itemsize == 4 and n < DOTS[0]
    return None if by_blas or n > _LONGEST else ("rows", step.op)


def _kind_of(step: Step, dtypes: list[Any], sizes: list[int]) -> Kind | None:
    body = body_of(step, dtypes, sizes)
    if body is not None:
        return "body", body
    same_dtype = dtypes[0].char != "?" and len({dtype.char for dtype in (*dtypes, step.result.dtype)}) == 1
    if step.attributes or not same_dtype or any(size < math.prod(step.result.shape) for size in sizes):
        return None
    if isinstance(step.kernel, np.ufunc):
        return "numpy", step.kernel
    name = universal_of(step)
    return None if name is None else ("numba", name)


def _function(cluster: Cluster, source: LoopSource) -> Compiled:
    """The function of a cluster, whose first call compiles the loop or reads it from numba's cache."""
    text = source.text()
    results = [cluster.steps[number - len(cluster.inputs)].result for number in cluster.outputs]
    made: list[Any] = []

    def run(*arrays: Array) -> Any:
        # Kernels give results the order in memory that their operands have, and sums in another order have other bits.
        if not all(x.flags.carray for x in arrays):
            return cluster.run(*arrays)
        if not made:
            dtypes = [value.dtype for value in cluster.inputs], [value.dtype for value in results]
            made[:] = [loops().compiled_cluster(text, source.functions, *dtypes)]
        if made[0] is None:
            return cluster.run(*arrays)
        loop, addresses = made[0]
        values = [np.empty(value.shape, value.dtype) for value in results]
        loop(addresses, *[x.reshape(-1) for x in arrays], *[y.reshape(-1) for y in values])
        return tuple(values) if len(values) > 1 else values[0]

    return run
