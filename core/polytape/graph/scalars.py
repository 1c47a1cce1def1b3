"""Numbers in generated code: results of shape () that stay scalars of the backend's library between two equations.

    before                        after
    a = sum(x)                    a = sum(x)
    a = lift(a)
    b = multiply(a, n)            b = a * n
    c = subtract(v, b, out=a)     c = lift(v[()] - b)

NumPy's reductions return scalars. It multiplies two of them in 30 ns, two arrays of shape () in 250 ns, and makes an
array of a scalar in 100 ns. A kernel says by `Kernel(operator=...)` that an operator gives its bits for scalars.
"""

from __future__ import annotations

from ..dtypes import FLOATING
from ..tensors.symbol import Symbol
from .ir import Equation, Graph, Literal, unwrapped

__all__ = ["Scalars"]


class Scalars:
    """Which equations of a graph are written with an operator, and which values are scalars or may be.

    Attributes:
        operators: the operator of each such equation.
        held: the results of shape () that only these equations read. They are not converted to arrays.
    """

    def __init__(self, graph: Graph) -> None:
        self.operators: dict[Equation, str] = {}
        for equation in graph.equations:
            operator = operator_of(equation)
            if operator:
                self.operators[equation] = operator
        arrays = {x for equation in graph.equations if equation not in self.operators for x in equation.symbols()}
        arrays.update(graph.results())
        read = {x for equation in self.operators for x in equation.symbols()}
        self.held = {
            symbol
            for equation in graph.equations
            for symbol in equation.outputs
            if not symbol.shape and symbol in read and symbol not in arrays
        }


def operator_of(equation: Equation) -> str:
    """The operator that computes an equation on scalars; empty if there is none."""
    resolution = equation.resolution
    if len(resolution.candidates) != 1 or len(equation.outputs) != 1 or equation.outputs[0].shape:
        return ""
    result, kernel = resolution.result_types[0], resolution.candidates[0]
    if result.category != FLOATING or result.dtype.itemsize < 4 or unwrapped(equation) != (kernel.fn, {}):
        return ""
    fits = len(equation.operands) == 2 and all(
        (isinstance(x, Literal) or (isinstance(x, Symbol) and not x.shape)) and x_type is result
        for x, x_type in zip(equation.operands, resolution.operand_types, strict=True)
    )
    return kernel.operator if fits else ""
