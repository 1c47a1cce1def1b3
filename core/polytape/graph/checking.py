"""The checker, which validates a graph. Tests run it after every pass."""

from __future__ import annotations

from ..errors import PolytapeError
from ..tensors.tensor import Symbol
from .ir import Equation, Graph, Literal, describe, location, names, render_equation

__all__ = ["GraphError", "check"]

NEIGHBOURS = 2  # equations shown on either side of an invalid one


class GraphError(PolytapeError, RuntimeError):
    """A graph is not well-formed, which is a bug in a pass or in the tracer."""


def check(graph: Graph, after: str = "tracing") -> None:
    """Check that definitions precede uses, that types follow from the ops' rules, and that names are unique.

    Args:
        graph: the graph.
        after: the name of the pass that produced it, for the error message.
    Raises:
        GraphError: the graph is not well-formed; the message names the pass and shows the invalid equation and the
            equations around it.
    """
    defined: set[Symbol] = set()
    for graph_input in graph.inputs():
        symbol, dtype = graph_input.symbol, graph_input.type.dtype
        if symbol in defined:
            raise fault(graph, after, None, "an input appears twice", graph_input.name)
        if dtype is not symbol.dtype:
            raise fault(graph, after, None, f"an input is declared as {dtype}", describe(symbol))
        defined.add(symbol)
    for position, equation in enumerate(graph.equations):
        for symbol in equation.symbols():
            if symbol not in defined:
                raise fault(graph, after, position, "it uses a symbol that is not yet defined", describe(symbol))
        check_types(graph, after, position, equation)
        check_regions(graph, after, position, equation)
        for symbol in equation.outputs:
            if symbol in defined:
                raise fault(graph, after, position, "it defines a symbol that is already defined", describe(symbol))
            defined.add(symbol)
    for symbol in graph.results():
        if symbol not in defined:
            raise fault(graph, after, None, "a result is not defined", describe(symbol))
    check_results(graph, after)
    symbol_names = list(names(graph).values())
    if len(symbol_names) != len(set(symbol_names)):
        raise fault(graph, after, None, "names are not unique", ", ".join(symbol_names))


def check_types(graph: Graph, after: str, position: int, equation: Equation) -> None:
    """Check that an equation's outputs have the types that the op's rules give for its operands."""
    op = equation.op
    arrays = [symbol_of(operand) if isinstance(operand, Literal) else operand for operand in equation.operands]
    try:
        shapes = op.output_shapes(arrays, equation.attributes)
        attributes = {name: equation.attributes.get(name, op.defaults.get(name)) for name in op.dtype_attributes}
        dtypes = op.dtype_rule(*[None if array is None else array.dtype for array in arrays], **attributes)
    except PolytapeError as error:
        raise fault(graph, after, position, "the op's rule rejects its operands", error.summary) from error
    dtypes = dtypes if isinstance(dtypes, tuple) else (dtypes,)
    expected = [(tuple(shape), dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    got = [(symbol.shape, symbol.dtype) for symbol in equation.outputs]
    if expected != got:
        text = ", ".join(f"{dtype}[{','.join(map(str, shape))}]" for shape, dtype in expected)
        raise fault(graph, after, position, f"the op's rules give {text}", ", ".join(map(describe, equation.outputs)))


def check_regions(graph: Graph, after: str, position: int, equation: Equation) -> None:
    """Check the regions of an equation, which read nothing from around them."""
    for region in () if equation.regions is None else equation.regions.graphs:
        if region.variables or region.sources or region.writes:
            raise fault(graph, after, position, "a region reads or assigns state", region.name)
        check(region, after)


def symbol_of(literal: Literal) -> Symbol:
    """A symbol with a literal's shape and dtype, for an op's rules."""
    return Symbol(None, None, 0, (), literal.type.dtype)


def check_results(graph: Graph, after: str) -> None:
    """Check that outputs have their declared types and assigned values the types of their variables."""
    for symbol, tensor_type in zip(graph.outputs, graph.output_types, strict=True):
        if symbol.dtype is not tensor_type.dtype:
            raise fault(graph, after, None, f"an output is declared as {tensor_type.dtype}", describe(symbol))
    for variable, symbol in graph.writes:
        if symbol.dtype is not variable.dtype or symbol.shape != variable.shape:
            raise fault(graph, after, None, "a variable is assigned a value of another type", describe(symbol))


def fault(graph: Graph, after: str, position: int | None, why: str, got: str) -> GraphError:
    """The error for one fault, with the equations around it."""
    symbol_names = names(graph)
    lines: list[str] = []
    if position is not None:
        first = max(0, position - NEIGHBOURS)
        for index, equation in enumerate(graph.equations[first : position + NEIGHBOURS + 1], start=first):
            mark = ">" if index == position else " "
            lines.append(f"  {mark} {render_equation(equation, symbol_names)}  # {location(equation)}")
    return GraphError(
        "\n".join([f"graph {graph.name} is not well-formed after {after}: {why}.", *lines]),
        expected="single assignment, definitions before uses, and the types that the ops' rules give",
        got=got,
        fix=f"correct {after}, or report this message as a bug",
    )
