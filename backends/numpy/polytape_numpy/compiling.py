"""Compilation of clusters for NumPy: all steps run on one block of elements before the next block is read.

A chain of NumPy calls on large arrays is bound by memory: each call reads and writes all of it. A block's intermediate
results stay in the cache, so that only the inputs and outputs go through memory. The kernels are those that the steps
would call one by one, on contiguous parts of the same arrays; an elementwise kernel gives an element the same bits
wherever it lies (the conformance kit checks that on large operands). What a block contributes to a reduction is in
`reducing`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from polytape.backend import Cluster, Number, Step, Value

from .reducing import Rows, Total, faithful, pairwise_edges, reduction_of

__all__ = ["Layout", "compile_cluster"]

Array = np.ndarray[Any, Any]

REDUCTIONS: Final = ("max", "mean", "min", "sum")
# Below this size, the arrays themselves stay in the cache, and a call for all elements costs less than several.
SMALLEST: Final = 1 << 16  # elements
BLOCK_NBYTES: Final = 1 << 18  # of one array: inputs, outputs and scratch of a block fit into the second-level cache
# With reductions of rows, each block costs more calls. A row cluster of 400 x 1,024 takes 1.2 times as long as its
# steps one by one, one of 4,096 x 1,024 takes 0.8.
SMALLEST_ROWS: Final = 1 << 20  # elements
ROWS_NBYTES: Final = 1 << 19
SMALLEST_TOTAL: Final = 1 << 18  # elements, of clusters with reductions of all elements
_LARGEST: Final = 4  # times as large may blocks be where a reduction needs it


def compile_cluster(cluster: Cluster) -> Callable[..., Any] | None:
    """A function for a cluster; None if running its steps one by one is as fast."""
    if math.prod(cluster.shape) < SMALLEST or not all(step.checked for step in cluster.steps):
        return None
    reduces = any(step.op in REDUCTIONS for step in cluster.steps)
    layout = _reducing_layout(cluster) if reduces else Layout(*cluster.merged())
    if layout is None:
        return None
    code = _Code(cluster, layout)
    namespace = code.namespace
    exec(compile(code.text(), f"<cluster of {len(cluster.steps)} steps>", "exec"), namespace)
    compiled: Any = namespace["cluster"]
    compiled.out = code.single
    return compiled  # type: ignore[no-any-return]


class Layout:
    """The cluster's shape in blocks.

    Attributes:
        shape, inputs: as `Cluster.merged` returns them.
        edges: the borders of blocks along the first axis, if reductions prescribe them.
        reductions: the steps that reduce, by their index.
    """

    def __init__(self, shape: tuple[int, ...], inputs: list[tuple[int, ...]]) -> None:
        self.shape = shape
        self.inputs = inputs
        self.edges: list[int] | None = None
        self.reductions: dict[int, Rows | Total] = {}

    def blocks(self, most: int) -> Iterator[tuple[slice, ...]]:
        """Index tuples that cover the shape, each with at most about ``most`` elements in C order."""
        shape = self.shape
        if self.edges is not None:
            yield from ((slice(start, stop),) for start, stop in itertools.pairwise(self.edges))
            return
        axis, inner = 0, math.prod(shape[1:])
        while inner > most:
            axis, inner = axis + 1, inner // shape[axis + 1]
        parts = -(-shape[axis] * inner // most)
        edges = [shape[axis] * k // parts for k in range(parts + 1)]
        for outer in np.ndindex(*shape[:axis]):
            for start, stop in itertools.pairwise(edges):
                if start < stop:
                    yield (*(slice(k, k + 1) for k in outer), slice(start, stop))


def _reducing_layout(cluster: Cluster) -> Layout | None:
    """The layout of a cluster with reductions: blocks of rows, or of elements; None if they give other bits."""
    shape, dtypes = cluster.shape, [*(x.dtype for x in cluster.inputs), *(x.result.dtype for x in cluster.steps)]
    row, rows = cluster.inputs[0]._replace(shape=(*shape[:-1], 1)), math.prod(shape[:-1])
    by_rows = rows > 1 and any(math.prod(step.result.shape) == rows for step in cluster.steps)
    if math.prod(shape) < (SMALLEST_ROWS if by_rows else SMALLEST_TOTAL):
        return None
    most = (ROWS_NBYTES if by_rows else BLOCK_NBYTES) // max(dtype.itemsize for dtype in dtypes)
    merged, inputs = cluster._replace(inputs=(*cluster.inputs, *([row] if by_rows else []))).merged()
    layout = Layout(merged, inputs[: len(cluster.inputs)])
    if len(merged) > 2 or (by_rows and len(merged) != 2):
        return None
    inner = math.prod(merged[1:])
    for index, step in enumerate(cluster.steps):
        if step.op in REDUCTIONS:
            (operand,) = (x for x in step.operands if not isinstance(x, Number))
            reduction = reduction_of(step, shape, dtypes[operand], inner, most)
            if reduction is None:
                return None
            layout.reductions[index] = reduction
        elif step.result.shape != shape and not isinstance(step.kernel, np.ufunc):
            return None  # another kernel may compute an array of few rows in another way
    layout.edges = _edges(list(layout.reductions.values()), merged, most)
    if layout.edges is None:
        return None
    dtype = {index: step.result.dtype for index, step in enumerate(cluster.steps)}
    same = all(faithful(x, shape, dtype[index], merged, layout.edges) for index, x in layout.reductions.items())
    return layout if same else None


def _edges(reductions: list[Rows | Total], shape: tuple[int, ...], most: int) -> list[int] | None:
    """The borders of blocks at which all of these reductions may be divided; None if a block would be too large."""
    pairwise = [isinstance(x, Total) and not x.by_blas for x in reductions]
    if any(pairwise):
        return pairwise_edges(shape[0], most) if all(pairwise) else None
    inner = math.prod(shape[1:])
    unit, least = math.lcm(*[x.unit for x in reductions]), max(x.least for x in reductions)
    height = max(-(-least // unit), most // inner // unit) * unit
    if height * inner > _LARGEST * most or shape[0] < 2 * height:
        return None
    return [*range(0, shape[0] - height + 1, height)[: shape[0] // height], shape[0]]


def in_order(*arrays: Array) -> bool:
    """Whether arrays lie in C order, with gaps or without; an op on them then has a result in C order."""
    for x in arrays:
        if not x.flags.c_contiguous:
            strides = [stride for stride, length in zip(x.strides, x.shape, strict=True) if length > 1]
            if strides != sorted(strides, reverse=True) or strides[-1] <= 0:
                return False
    return True


def in_c_order(*arrays: Array) -> bool:
    """Whether arrays are contiguous, in C order."""
    return all(x.flags.c_contiguous for x in arrays)


class _Code:
    """The source of the function, and the names that it uses."""

    def __init__(self, cluster: Cluster, layout: Layout) -> None:
        self.cluster = cluster
        self.layout = layout
        check = in_c_order if layout.reductions else in_order
        self.namespace: dict[str, Any] = {"empty": np.empty, "in_order": check, "one_by_one": cluster.run}
        self.single = len(cluster.outputs) == 1 and self.result(0).shape == cluster.shape
        largest = max(value.dtype.itemsize for value in (*cluster.inputs, *(step.result for step in cluster.steps)))
        self.blocks = list(layout.blocks(BLOCK_NBYTES // largest))
        self.namespace["blocks"] = [self.parts(block) for block in self.blocks]
        self.scratch: list[Any] = []  # the dtype of each scratch array
        self.local = [self.input_name(position) for position in range(len(cluster.inputs))]
        self.last_use = self.last_uses()
        self.free: list[int] = []

    def result(self, output: int) -> Value:
        """The type of an output."""
        return self.cluster.steps[self.cluster.outputs[output] - len(self.cluster.inputs)].result

    def varies(self, position: int) -> bool:
        """Whether blocks of an input differ."""
        return any(length > 1 for length in self.layout.inputs[position])

    def input_name(self, position: int) -> str:
        return f"b{position}" if self.varies(position) else f"x{position}"

    def parts(self, block: tuple[slice, ...]) -> tuple[Any, ...]:
        """The index of each input that varies, then that of the outputs, a block's shape and its size."""
        lengths = (*(part.stop - part.start for part in block), *self.layout.shape[len(block) :])
        keys: list[Any] = [
            tuple(part if length > 1 else slice(None) for part, length in zip(block, shape, strict=False))
            for position, shape in enumerate(self.layout.inputs)
            if self.varies(position)
        ]
        return (*keys, block, lengths, math.prod(lengths))

    def last_uses(self) -> dict[int, int]:
        """The last step that reads each value."""
        last: dict[int, int] = {}
        for index, step in enumerate(self.cluster.steps):
            for operand in step.operands:
                if not isinstance(operand, Number):
                    last[operand] = index
        return last

    def text(self) -> str:
        """The source."""
        cluster = self.cluster
        body = [line for index, step in enumerate(cluster.steps) for line in self.step(index, step)]
        count = len(cluster.inputs)
        lines = [f"def cluster({', '.join(f'x{k}' for k in range(count))}{', out=None' if self.single else ''}):"]
        names = [f"x{k}" for k in range(count)]
        whole = [name for name, value in zip(names, cluster.inputs, strict=True) if value.shape == cluster.shape]
        # Other results of the same bits would lie in another order, in which a sum of them has other bits.
        lines += [
            f"    if not in_order({', '.join(whole or names)}):",
            f"        return one_by_one({', '.join(names)})",
        ]
        for position, input_shape in enumerate(self.layout.inputs):
            target = input_shape if self.varies(position) else ()
            lines.append(f"    x{position} = x{position}.reshape({target})")
        lines += [f"    {line}" for position in range(len(cluster.outputs)) for line in self.new_output(position)]
        for position, dtype in enumerate(self.scratch):
            self.namespace[f"e{position}"] = dtype
            largest = self.largest_block()
            lines.append(f"    s{position} = empty({largest}, e{position})")
        varying = [position for position in range(count) if self.varies(position)]
        keys = "".join(f"i{position}, " for position in varying)
        lines.append(f"    for {keys}o, shape, n in blocks:")
        inner = [f"b{position} = x{position}[i{position}]" for position in varying]
        in_blocks = [position for position in range(len(cluster.outputs)) if self.total(position) is None]
        inner += [f"z{position} = y{position}[o]" for position in in_blocks]
        inner += [f"t{position} = s{position}[:n].reshape(shape)" for position in range(len(self.scratch))]
        lines += [f"        {line}" for line in (*inner, *body)]
        lines.append(f"    return {', '.join(self.returned(position) for position in range(len(cluster.outputs)))}")
        return "\n".join(lines)

    def total(self, output: int) -> Total | None:
        """The reduction of all elements that an output is."""
        reduction = self.layout.reductions.get(self.cluster.outputs[output] - len(self.cluster.inputs))
        return reduction if isinstance(reduction, Total) else None

    def new_output(self, output: int) -> list[str]:
        """The lines that make an array for an output, or a list for what blocks contribute to it."""
        if self.total(output) is not None:
            return [f"p{output} = []"]
        result, shape = self.result(output), self.layout.shape
        self.namespace[f"d{output}"] = result.dtype
        new = f"empty({result.shape}, d{output})"
        if self.single:  # a block of `out`, which may be an input, is written by the last step that reads the block
            new = f"out if out is not None and out.flags.c_contiguous else {new}"
        block = shape if result.shape == self.cluster.shape else (shape[0], 1)
        return [f"r{output} = {new}", f"y{output} = r{output}.reshape({block})"]

    def returned(self, output: int) -> str:
        total = self.total(output)
        if total is None:
            return f"r{output}"
        self.namespace[f"f{output}"] = total.total
        return f"f{output}(p{output})"

    def largest_block(self) -> int:
        """The number of elements of the largest block."""
        lengths = self.layout.shape
        sizes: list[int] = [
            math.prod(part.stop - part.start for part in block) * math.prod(lengths[len(block) :])
            for block in self.blocks
        ]
        return max(sizes)

    def step(self, index: int, step: Step) -> list[str]:
        """The lines of one step."""
        number = len(self.cluster.inputs) + index
        if step.result.shape != self.cluster.shape:
            return self.reduced(index, number, step)
        arguments = [self.operand(index, position, operand) for position, operand in enumerate(step.operands)]
        for name, value in step.attributes.items():
            self.namespace[f"a{index}_{name}"] = value
            arguments.append(f"{name}=a{index}_{name}")
        self.namespace[f"k{index}"] = step.kernel
        dying = self.dying(index, step)
        output = self.cluster.outputs.index(number) if number in self.cluster.outputs else None
        if output is not None:
            self.local.append(f"z{output}")
            self.free += dying
            if step.out:
                return [f"k{index}({', '.join([*arguments, f'out=z{output}'])})"]
            return [f"z{output}[...] = k{index}({', '.join(arguments)})"]
        if not step.out:
            self.free += dying
            self.local.append(f"v{number}")
            return [f"v{number} = k{index}({', '.join(arguments)})"]
        # The kernel may write over an operand that nothing reads later: it is elementwise.
        self.free += dying
        target = self.scratch_of(step.result.dtype)
        self.local.append(f"t{target}")
        return [f"k{index}({', '.join([*arguments, f'out=t{target}'])})"]

    def reduced(self, index: int, number: int, step: Step) -> list[str]:
        """The lines of a step whose result is smaller than a block: a reduction, or one element per row."""
        reduction = self.layout.reductions.get(index)
        self.namespace[f"k{index}"] = step.kernel if reduction is None else reduction.part
        arguments = ", ".join(self.operand(index, position, x) for position, x in enumerate(step.operands))
        output = self.cluster.outputs.index(number) if number in self.cluster.outputs else None
        self.local.append(f"v{number}")
        self.free += self.dying(index, step)
        if isinstance(reduction, Total):
            return [f"p{output}.append(k{index}({arguments}))"]
        lines = [f"v{number} = k{index}({arguments})"]
        return lines if output is None else [*lines, f"z{output}[...] = v{number}"]

    def dying(self, index: int, step: Step) -> list[int]:
        """The scratch arrays that no step after this one reads."""
        return [
            int(self.local[x][1:])
            for x in dict.fromkeys(operand for operand in step.operands if not isinstance(operand, Number))
            if self.last_use[x] == index and self.local[x].startswith("t")
        ]

    def scratch_of(self, dtype: Any) -> int:
        """A scratch array of this dtype that is free."""
        for position in reversed(self.free):
            if self.scratch[position] == dtype:
                self.free.remove(position)
                return position
        self.scratch.append(dtype)
        return len(self.scratch) - 1

    def operand(self, index: int, position: int, operand: int | Number) -> str:
        if isinstance(operand, Number):
            self.namespace[f"n{index}_{position}"] = operand.array
            return f"n{index}_{position}"
        return self.local[operand]
