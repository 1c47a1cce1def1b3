"""The checker: whether a graph is well-formed. Tests run it after every pass."""

from __future__ import annotations

from ..errors import PolytapeError
from ..tensors.tensor import Symbol
from .ir import Equation, Graph, Literal, describe, names, render_equation, where

__all__ = ["GraphError", "check"]

NEIGHBOURS = 2  # equations shown on either side of a faulty one


class GraphError(PolytapeError, RuntimeError):
    """A graph that is not well-formed: a bug in a pass or in the tracer."""


def check(graph: Graph, after: str = "tracing") -> None:
    """Check that every use is defined before, types are what the ops' rules give, and names are unique.

    Args:
        graph: the graph.
        after: the name of the pass that made it.
    Raises:
        GraphError: it is not; the text names the pass and shows the faulty equation among its neighbours.
    """
    defined: set[Symbol] = set()
    for one in graph.inputs():
        if one.symbol in defined:
            raise fault(graph, after, None, "an input is there twice", one.name)
        if one.type.dtype is not one.symbol.dtype:
            raise fault(graph, after, None, f"an input's dtype is {one.type.dtype}", describe(one.symbol))
        defined.add(one.symbol)
    for position, equation in enumerate(graph.equations):
        for symbol in equation.symbols():
            if symbol not in defined:
                raise fault(graph, after, position, "it uses what is not defined yet", describe(symbol))
        check_types(graph, after, position, equation)
        for symbol in equation.outputs:
            if symbol in defined:
                raise fault(graph, after, position, "it defines what is defined already", describe(symbol))
            defined.add(symbol)
    for symbol in graph.results():
        if symbol not in defined:
            raise fault(graph, after, None, "a result is not defined", describe(symbol))
    check_results(graph, after)
    found = list(names(graph).values())
    if len(found) != len(set(found)):
        raise fault(graph, after, None, "names are not unique", ", ".join(found))


def check_types(graph: Graph, after: str, position: int, equation: Equation) -> None:
    """Whether an equation's types are those that the op's rules give for its operands."""
    op = equation.op
    arrays = [typed(one) if isinstance(one, Literal) else one for one in equation.operands]
    try:
        shapes = op.output_shapes(arrays, equation.attributes)
        asked = {name: equation.attributes.get(name, op.defaults.get(name)) for name in op.dtype_attributes}
        dtypes = op.dtype_rule(*[None if array is None else array.dtype for array in arrays], **asked)
    except PolytapeError as error:
        raise fault(graph, after, position, "the op's rule refuses its operands", error.summary) from error
    dtypes = dtypes if isinstance(dtypes, tuple) else (dtypes,)
    expected = [(tuple(shape), dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    got = [(symbol.shape, symbol.dtype) for symbol in equation.outputs]
    if expected != got:
        text = ", ".join(f"{dtype}[{','.join(map(str, shape))}]" for shape, dtype in expected)
        raise fault(graph, after, position, f"the op's rules give {text}", ", ".join(map(describe, equation.outputs)))


def typed(literal: Literal) -> Symbol:
    """What a literal looks like to an op's rules."""
    return Symbol(None, None, 0, (), literal.type.dtype)


def check_results(graph: Graph, after: str) -> None:
    """Whether outputs and assignments have the types that are promised."""
    for symbol, tensor_type in zip(graph.outputs, graph.output_types, strict=True):
        if symbol.dtype is not tensor_type.dtype:
            raise fault(graph, after, None, f"an output of {tensor_type.dtype} is promised", describe(symbol))
    for variable, symbol in graph.writes:
        if symbol.dtype is not variable.dtype or symbol.shape != variable.shape:
            raise fault(graph, after, None, "a variable is assigned another type", describe(symbol))


def fault(graph: Graph, after: str, position: int | None, why: str, got: str) -> GraphError:
    """The error for one fault, with the equations around it."""
    known = names(graph)
    lines: list[str] = []
    if position is not None:
        first = max(0, position - NEIGHBOURS)
        for place, equation in enumerate(graph.equations[first : position + NEIGHBOURS + 1], start=first):
            mark = ">" if place == position else " "
            lines.append(f"  {mark} {render_equation(equation, known)}  # {where(equation)}")
    return GraphError(
        "\n".join([f"graph {graph.name} is not well-formed after {after}: {why}.", *lines]),
        expected="single assignment, uses after definitions, and types as the ops' rules give them",
        got=got,
        fix=f"mend {after}, or report it with this text",
    )
