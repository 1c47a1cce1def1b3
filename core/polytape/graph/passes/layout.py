"""Layout: elementwise equations between two permutations of axes are computed before the first one.

    before                                              after
    a: float32[n,m] = permute_dims(x, axes=(1, 0))      a: float32[m,n] = exp(x)
    b: float32[n,m] = exp(a)
    c: float32[m,n] = permute_dims(b, axes=(1, 0))

The permutations then follow each other, and are one or none (`simplification`). Nothing else moves: a sum or a product
of an operand in another order in memory could have other bits. A permutation before a product costs nothing in any
case, since kernels of matmul take a permuted view.
"""

from __future__ import annotations

from dataclasses import replace

from ...tensors.symbol import Symbol
from ..ir import Equation, Graph

__all__ = ["layout"]

Axes = tuple[int, ...]


def layout(graph: Graph) -> Graph:
    """The graph with such permutations behind the equations; what they leave unused, `dead_code` removes."""
    moved = _movable(graph)
    if not moved:
        return graph
    source: dict[Symbol, Symbol] = {}  # the operand of the permutation that computes a symbol
    equations: list[Equation] = []
    permutations: dict[Symbol, Equation] = {}
    for equation in graph.equations:
        if _axes(equation) is not None:
            source[equation.outputs[0]] = next(equation.symbols())
            permutations[equation.outputs[0]] = equation
        if equation not in moved:
            equations.append(equation)
            continue
        output = equation.outputs[0]
        first = next(x for x in equation.symbols() if x.shape)
        permutation = permutations[first]
        shape = [n for _, n in sorted(zip(_axes(permutation) or (), output.shape, strict=True))]
        source[output] = Symbol(output.trace, output.value, output.index, tuple(shape), output.dtype)
        operands = tuple(source[x] if isinstance(x, Symbol) and x.shape else x for x in equation.operands)
        permutations[output] = replace(permutation, operands=(source[output],), outputs=(output,))
        equations += [replace(equation, operands=operands, outputs=(source[output],)), permutations[output]]
    return replace(graph, equations=tuple(equations))


def _axes(equation: Equation) -> Axes | None:
    """The axes of a permutation as numbers from 0 on; None for other equations."""
    axes = equation.attributes.get("axes")
    if equation.op.name != "permute_dims" or not isinstance(axes, tuple):
        return None
    return tuple(axis % len(axes) for axis in axes)


def _movable(graph: Graph) -> set[Equation]:
    """The elementwise equations that only permutations, or others of them, read, of operands permuted alike."""
    axes: dict[Symbol, Axes] = {}
    moved: set[Equation] = set()
    for equation in graph.equations:
        own = _axes(equation)
        if own is None and _is_elementwise(equation):
            found = {axes.get(x) for x in equation.symbols() if x.shape}
            own = found.pop() if len(found) == 1 else None
            if own is not None and all(x.shape == equation.outputs[0].shape for x in equation.symbols() if x.shape):
                moved.add(equation)
        if own is not None:
            axes[equation.outputs[0]] = own
    users: dict[Symbol, list[Equation]] = {}
    for equation in graph.equations:
        for symbol in equation.symbols():
            users.setdefault(symbol, []).append(equation)
    producer = {equation.outputs[0]: equation for equation in graph.equations if equation.outputs}
    results = set(graph.results())

    def stays(equation: Equation) -> bool:
        output = equation.outputs[0]
        neighbours = [*users.get(output, ()), *(producer[x] for x in equation.symbols() if x.shape)]
        return output in results or output not in users or any(x not in moved and _axes(x) is None for x in neighbours)

    while staying := {equation for equation in moved if stays(equation)}:
        moved -= staying
    return moved


def _is_elementwise(equation: Equation) -> bool:
    """Whether an equation may run on permuted operands with the same bits, and has a result of their type."""
    resolution = equation.resolution
    kernels = resolution.candidates
    return (
        equation.op.elementwise
        and len(equation.outputs) == 1
        and len(kernels) == 1
        and kernels[0].when is None
        and not kernels[0].writes
        and all(x is None or x is resolution.result_type for x in resolution.operand_types)
    )
