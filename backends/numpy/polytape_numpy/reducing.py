"""Reductions within compiled clusters: what a block contributes, with the bits of the kernel on the whole array.

A reduction of rows is its kernel, called on a block of rows. A sum of all elements follows the order of its kernel:

    float32, by BLAS        products of parts of `LONG` elements with ones; their results are added in double precision
    others, by NumPy        pairwise: the sum of each half, down to blocks that NumPy adds

BLAS computes a few rows, or those at the border between two threads, in another order than the others. Blocks are
multiples of `UNIT` rows, so that none of theirs is among these; `faithful` checks this for the library, its number of
threads and the shape at hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from math import gcd, prod
from typing import Any, Final

import numpy as np

from polytape.backend import Step

from .kernels.rows import LONG as LONGEST, ones
from .kernels.summing import LONG, SMALL

__all__ = ["Rows", "Total", "faithful", "pairwise_edges", "reduction_of"]

Array = np.ndarray[Any, Any]

UNIT: Final = 8  # rows
_MANY: Final = 64  # rows, from which on the kernels of extremes reduce in another way
_HUGE: Final = {"f": 2.0**22, "d": 2.0**51}  # added to it, numbers of order one are rounded to a half
_PATTERN: Final = 4099  # elements; a prime number, so that rows of all usual lengths differ


class Rows:
    """A reduction of each row of a block.

    Attributes:
        unit: blocks begin at multiples of this number of rows.
        least: the smallest number of rows of a block.
    """

    def __init__(self, step: Step, shape: tuple[int, ...]) -> None:
        self.step, self.rank = step, len(shape)
        extreme = step.op in ("max", "min") and shape[-1] <= LONGEST and prod(shape[:-1]) >= _MANY
        self.unit, self.least = UNIT, _MANY if extreme else UNIT
        self.attributes = {**step.attributes, "axis": self.rank - 1, "keepdims": True}

    def part(self, block: Array) -> Array:
        """The results of a block of shape [rows, n], of shape [rows, 1]."""
        # Kernels choose their way by the number of axes too.
        rows: Array = self.step.kernel(block.reshape((1,) * (self.rank - 2) + block.shape), **self.attributes)
        return rows.reshape(-1, 1)

    def total(self, parts: list[Any]) -> Array:
        """The results of all blocks."""
        return np.concatenate(parts).reshape(self.step.result.shape)


class Total:
    """A sum or a mean of all elements.

    Attributes:
        by_blas: whether the parts are products with ones. Otherwise blocks begin at `pairwise_edges`.
        unit, least: as of `Rows`, of rows of ``inner`` elements.
        most: elements of a block.
    """

    def __init__(self, step: Step, shape: tuple[int, ...], by_blas: bool, inner: int, most: int) -> None:
        self.step, self.count, self.by_blas, self.most = step, prod(shape), by_blas, most
        self.unit = UNIT * LONG // gcd(UNIT * LONG, inner) if by_blas else 1
        self.least = self.unit

    def part(self, block: Array) -> Any:
        """What a block contributes."""
        x = block.reshape(-1)
        if not self.by_blas:
            return np.add.reduce(x)
        whole = x.size // LONG * LONG
        rest = x[whole:].dot(ones(x.size - whole, "f")) if whole < x.size else None
        return x[:whole].reshape(-1, LONG).dot(ones(LONG, "f")), rest

    def total(self, parts: list[Any]) -> Array:
        """The sum or the mean, from what the blocks contribute."""
        if self.by_blas:
            y = np.add.reduce(np.concatenate([part for part, _ in parts]), None, "d")
            rest = parts[-1][1]
            y = (y if rest is None else y + rest).astype("f")
        else:
            y = _pairwise_sum(iter(parts), self.count, self.most)
        if self.step.op == "mean":
            y = y / self.count
        return np.asarray(y).reshape(self.step.result.shape)


def reduction_of(step: Step, shape: tuple[int, ...], dtype: Any, inner: int, most: int) -> Rows | Total | None:
    """How a step reduces arrays of this shape block by block; None if no block gives the kernel's bits.

    Args:
        step: the step.
        shape, dtype: of its operand.
        inner, most: the number of elements of a row of a block, and of a block.
    """
    module, rank = getattr(step.kernel, "__module__", ""), len(shape)
    if module != "polytape_numpy.kernels.reduction" or dtype.char not in "fd" or step.result.dtype != dtype:
        return None
    axis = step.attributes.get("axis")
    axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(sorted(k % rank for k in axes))
    if axes == (rank - 1,) and rank > 1:
        return Rows(step, shape) if isinstance(axis, int) and inner == shape[-1] else None
    if axes != tuple(range(rank)) or step.op not in ("mean", "sum") or prod(shape) <= SMALL:
        return None
    by_blas = dtype.char == "f" and (axis is None or (rank == 1 and not isinstance(axis, tuple)))
    return Total(step, shape, by_blas, inner, most) if by_blas or inner == 1 else None


def pairwise_edges(count: int, most: int) -> list[int]:
    """The borders of the blocks, of at most ``most`` elements each, at which NumPy divides a sum of this many."""
    edges = [0]
    for size in _pairwise_sizes(count, most):
        edges.append(edges[-1] + size)
    return edges


def _pairwise_sizes(count: int, most: int) -> Iterator[int]:
    if count <= most:
        yield count
        return
    half = _half(count)
    yield from _pairwise_sizes(half, most)
    yield from _pairwise_sizes(count - half, most)


def _pairwise_sum(parts: Iterator[Any], count: int, most: int) -> Any:
    """The sum of the sums of blocks between `pairwise_edges`."""
    if count <= most:
        return next(parts)
    half = _half(count)
    left = _pairwise_sum(parts, half, most)
    return left + _pairwise_sum(parts, count - half, most)


def _half(count: int) -> int:
    """The size of the first part of a sum that NumPy divides in two: a multiple of the 8 lanes of its loop."""
    return count // 2 - count // 2 % 8


def faithful(reduction: Rows | Total, shape: tuple[int, ...], dtype: Any, block: tuple[int, ...], edges: Any) -> bool:
    """Whether the blocks between these edges of an array give the bits of the kernel on all of it, for any elements.

    Args:
        reduction: the reduction.
        shape, dtype: of the array.
        block: its shape as blocks see it, which are parts of the first axis.
        edges: the borders of the blocks.
    """
    x = np.resize(_sensitive(dtype.char, reduction.step.op), shape)
    expected = np.asarray(reduction.step.kernel(x, **reduction.step.attributes))
    x = x.reshape(block)
    parts = [reduction.part(x[start:stop]) for start, stop in itertools.pairwise(edges)]
    return reduction.total(parts).tobytes() == expected.tobytes()


@lru_cache(maxsize=8)
def _sensitive(char: str, op: str) -> Array:
    """Numbers whose sum has other bits in nearly every other order, and zeros whose extremes have another sign."""
    rng = np.random.default_rng(0)
    x: Array = rng.standard_normal(_PATTERN).astype(char)
    if op in ("max", "min"):
        return np.copysign(np.zeros(_PATTERN, char), x)
    # What is added between a huge number and its negative is rounded coarsely.
    x[::37], x[18::37] = _HUGE[char], -_HUGE[char]
    return x
