"""The cost of a graph: operations, bytes moved, and their ratio, for each equation and in total.

An operation is one arithmetic operation, comparison or elementwise function on one element, of any dtype. An
elementwise op is one operation per element of its result; moving and casting are none; `RULES` has the other
primitives. Any other op is counted as its body, so that no count depends on the kernels that a backend has. An equation
reads each operand once and writes each result once. A fused equation does the operations of all its members, but moves
only its own operands and results. A loop costs as often as it runs, a branch as much as its dearer side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..autodiff.record import wrap
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor
from .ir import Equation, Graph, Literal, location, names, render_equation
from .tracing import trace

__all__ = ["Cost", "Row", "cost"]

Shapes = Sequence[tuple[int, ...]]
WORD: Final = (
    20  # operations for a word of Philox4x32-10: ten rounds of two products, four xors, two sums; for four words
)
MOVING: Final = frozenset({
    "arange", "astype", "bitcast", "broadcast_to", "complex", "concat", "full", "imag", "permute_dims", "real",
    "reshape", "slice", "slice_update", "take", "to_device",
})  # fmt: skip


def _matmul(shapes: Shapes, results: Shapes) -> int:
    return 2 * math.prod(results[0]) * shapes[0][-1]


def _square(factor: float) -> Callable[[Shapes, Shapes], int]:
    return lambda shapes, results: round(factor * math.prod(shapes[0]) * shapes[0][-1])


def _qr(shapes: Shapes, results: Shapes) -> int:
    *batch, m, n = shapes[0]
    k = min(m, n)
    return math.prod(batch) * round(4 * (m * n * k - (m + n) * k * k / 2 + k**3 / 3))


def _svd(shapes: Shapes, results: Shapes) -> int:
    *batch, m, n = shapes[0]
    long, short = max(m, n), min(m, n)
    return math.prod(batch) * (14 * long * short**2 + 8 * short**3)


def _sorting(shapes: Shapes, results: Shapes) -> int:
    return math.prod(shapes[0]) * math.ceil(math.log2(max([2, *shapes[0][-1:]])))


def _operands(shapes: Shapes, results: Shapes) -> int:
    return math.prod(shapes[0])


# G. Golub and C. Van Loan (2013), Matrix Computations, 4th edition: leading terms, vectors included.
RULES: Final[dict[str, Callable[[Shapes, Shapes], int]]] = {
    "argsort": _sorting,
    "cholesky": _square(1 / 3),
    "cumulative_sum": _operands,
    "eig": _square(25),
    "eigh": _square(9),
    "lu_factor": _square(2 / 3),
    "matmul": _matmul,
    "max": _operands,
    "qr": _qr,
    "random_bits": lambda shapes, results: WORD * math.prod(results[0]),
    "sort": _sorting,
    "scatter": lambda shapes, results: math.prod(shapes[-1]),
    "solve_triangular": lambda shapes, results: math.prod(results[0]) * shapes[0][-1],
    "sum": _operands,
    "svd": _svd,
}


@dataclass(frozen=True, slots=True)
class Row:
    """The cost of one equation.

    Attributes:
        text: the equation; ``line``: the user's file and line.
        flops: operations; None if they are not known, as of a loop that ends by a condition.
        nbytes: bytes read and written; None likewise.
    """

    text: str
    line: str
    flops: int | None
    nbytes: int | None

    @property
    def intensity(self) -> float | None:
        """Operations per byte."""
        return self.flops / self.nbytes if self.flops is not None and self.nbytes else None


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a graph. Printing it shows a table.

    Attributes:
        rows: of each equation.
        flops, nbytes: of those whose cost is known.
    """

    rows: tuple[Row, ...]
    flops: int
    nbytes: int

    @property
    def intensity(self) -> float | None:
        """Operations per byte."""
        return self.flops / self.nbytes if self.nbytes else None

    def __str__(self) -> str:
        unknown = sum(row.flops is None for row in self.rows)
        note = f"total, without {unknown} equations whose number of steps is not known" if unknown else "total"
        lines = [(row.text, row.line, row.flops, row.nbytes, row.intensity) for row in self.rows]
        lines.append((note, "", self.flops, self.nbytes, self.intensity))
        cells = [["equation", "line", "flops", "bytes", "flops/byte"]]
        cells += [[text, line, _number(flops), _number(n), _ratio(ratio)] for text, line, flops, n, ratio in lines]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        texts = []
        for row in cells:
            padded = [f"{x:<{n}}" if k < 2 else f"{x:>{n}}" for k, (x, n) in enumerate(zip(row, widths, strict=True))]
            texts.append("  ".join(padded))
        return "\n".join([text.rstrip() for text in texts])


def _number(x: int | None) -> str:
    return "?" if x is None else f"{x:,}"


def _ratio(x: float | None) -> str:
    return "?" if x is None else f"{x:.2f}"


def cost(graph: Graph) -> Cost:
    """The cost of a graph, by the rules of this module."""
    counter = _Counter()
    known = names(graph)
    rows = [Row(render_equation(x, known), location(x), counter.flops(x), counter.nbytes(x)) for x in graph.equations]
    flops, nbytes = ([getattr(row, name) or 0 for row in rows] for name in ("flops", "nbytes"))
    return Cost(tuple(rows), sum(flops), sum(nbytes))


class _Counter:
    """Counts equations; the bodies of ops are traced once per types and attributes."""

    def __init__(self) -> None:
        self.bodies: dict[Any, int | None] = {}

    def flops(self, equation: Equation) -> int | None:
        """The operations of an equation."""
        if equation.members:
            return _total(self.flops(x) for x in equation.members)
        if equation.regions is not None:
            return self.regions(equation, self.flops)
        op = equation.op
        shapes = [x.shape if isinstance(x, Symbol) else () for x in equation.operands if x is not None]
        results = [x.shape for x in equation.outputs]
        if op.name in MOVING:
            return 0
        if op.name in RULES:
            return RULES[op.name](shapes, results)
        if op.elementwise and op.outputs is None:
            return math.prod(results[0])
        kinds = tuple([x.dtype if isinstance(x, Symbol) else str(x) for x in equation.operands])
        key = (op.name, tuple(shapes), kinds, repr(equation.attributes))
        if key not in self.bodies:
            self.bodies[key] = self.body(equation)
        return self.bodies[key]

    def body(self, equation: Equation) -> int | None:
        """The operations of the body of an op."""
        kinds = equation.resolution.operand_types
        inputs = [
            (f"x{k}", kind, x.shape)
            for k, (x, kind) in enumerate(zip(equation.operands, kinds, strict=True))
            if isinstance(x, Symbol) and kind is not None
        ]

        def run(tensors: list[Tensor]) -> list[Tensor]:
            given = iter(tensors)
            operands = [_operand(x, given) for x in equation.operands]
            result = equation.op.run_body(operands, dict(equation.attributes))
            return [result] if equation.op.outputs is None else list(result)

        if equation.op.needs_kernel([kind.dtype.name for kind in kinds if kind is not None]):
            return None
        graph, _ = trace(equation.op.name, inputs, run)
        varying = {x.symbol for x in graph.arguments}
        counted = []
        for x in graph.equations:  # positions and other constants are computed once, when a function is traced
            if not varying.isdisjoint(x.symbols()):
                varying.update(x.outputs)
                counted.append(x)
        return _total(self.flops(x) for x in counted)

    def nbytes(self, equation: Equation) -> int | None:
        """The bytes that an equation moves."""
        if equation.regions is not None:
            return self.regions(equation, self.nbytes)
        moved = {*equation.symbols(), *equation.outputs}
        return sum(math.prod(x.shape) * x.dtype.itemsize for x in moved)

    def regions(self, equation: Equation, count: Callable[[Equation], int | None]) -> int | None:
        """The cost of an equation with regions."""
        regions = equation.regions
        parts = [_total(count(x) for x in graph.equations) for graph in regions.graphs]
        if equation.op.name == "cond":
            return None if None in parts else max(x for x in parts if x is not None)
        data = regions.data()
        steps = data.get("length", data.get("limit", 0 if not parts else None))
        if equation.op.name in ("assigned", "custom_gradient"):  # the forward part of such an equation is beside it
            return 0
        total = _total(parts)
        return None if total is None or steps is None else steps * total


def _operand(x: Any, given: Any) -> Tensor | None:
    if isinstance(x, Literal):
        return wrap(x.array(), x.type, None)
    return None if x is None else next(given)


def _total(parts: Iterable[int | None]) -> int | None:
    listed = list(parts)
    return None if None in listed else sum(x for x in listed if x is not None)
