"""Batching of products and of linear algebra, whose leading axes are batches already."""

from __future__ import annotations

from typing import Any

from ...registry import tables
from ...tensors.tensor import operators
from .rules import Call, rule, size_of

__all__: list[str] = []


@rule("matmul")
def _matmul(call: Call) -> Any:
    first, second = call.operands
    rank1, rank2 = call.rank(0), call.rank(1)
    if call.batched[0] and not call.batched[1] and rank2 <= 2 and size_of(call.shapes[0] or ()):
        # One product for the whole batch: its rows are those of all elements.
        columns = first.shape[-1] if first is not None else 0
        rows = operators.reshape(first, (size_of(first.shape[:-1]) if first is not None else 0, columns))
        return operators.reshape(operators.matmul(rows, second), (call.size, *call.results[0]))
    if call.batched[1] and not call.batched[0] and rank1 <= 2 and rank2 == 1:
        # The batch's vectors are the rows of a matrix.
        left = first if rank1 == 1 else operators.transpose(first)
        return operators.matmul(second, left)
    rank = max(rank1, rank2, 2)
    if rank1 == 1:
        first = _with_axis(first, -2)
    if rank2 == 1:
        second = _with_axis(second, -1)
    operands = []
    for x, batched, own in ((first, call.batched[0], max(rank1, 2)), (second, call.batched[1], max(rank2, 2))):
        missing = rank - own
        shape = () if x is None else x.shape
        aligned = batched and missing
        operands.append(operators.reshape(x, (call.size, *(1,) * missing, *shape[1:])) if aligned else x)
    return operators.reshape(operators.matmul(*operands), (call.size, *call.results[0]))


def _with_axis(x: Any, axis: int) -> Any:
    shape = list(x.shape)
    shape.insert(len(shape) if axis == -1 else len(shape) - 1, 1)
    return operators.reshape(x, tuple(shape))


@rule("vdot")
def _vdot(call: Call) -> Any:
    x1, x2 = (operators.reshape(x, (call.size, size_of(x.shape[1:]))) for x in call.all_full())
    if x1.dtype.kind in "cV" or x2.dtype.kind == "c":
        x1 = tables.get_op("conj")(x1) if x1.dtype.kind == "c" else x1
    return operators.sum(x1 * x2, axis=1)


@rule("cholesky", "cofactors", "det", "eig", "eigh", "inv", "lu_factor", "qr", "slogdet", "svd")
def _of_matrices(call: Call) -> Any:
    return call.again(call.operands)


@rule("solve_triangular")
def _solve_triangular(call: Call) -> Any:
    rank = max(call.rank(0), call.rank(1))
    return call.again([call.aligned(0, rank), call.aligned(1, rank)])


@rule("solve")
def _solve(call: Call) -> Any:
    if call.rank(1) == 1:  # a vector is a vector only if it has one axis, so it becomes a matrix of one column
        x2 = _with_axis(call.operands[1], -1)
        rank = call.rank(0)
        if call.batched[1]:
            x2 = operators.reshape(x2, (call.size, *(1,) * (rank - 2), *x2.shape[1:]))
        y = call.again([call.operands[0], x2])
        return operators.reshape(y, (call.size, *call.results[0]))
    rank = max(call.rank(0), call.rank(1))
    return call.again([call.aligned(0, rank), call.aligned(1, rank)])
