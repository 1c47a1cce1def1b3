"""Decomposition: an op without a kernel is replaced by the equations of its body, which the other passes see.

    before                                     after
    a: float32[n] = hard_tanh(x)               a: float32[n] = maximum(x, -1.0)
    b: float32[n] = exp(a)                     b: float32[n] = minimum(a, 1.0)
                                               c: float32[n] = exp(b)

The ops of the body are those that run without this pass, with the same results. An equation stays as it is if its body
reads values, draws random numbers, or depends on anything but its operands and attributes.
"""

from __future__ import annotations

from dataclasses import replace

from ...dispatch.wrappers import Body
from ...errors import PolytapeError
from ...tensors.symbol import Symbol
from ...tensors.tensor import Tensor
from ..ir import Equation, Graph, Input, Operand, unwrapped
from ..tracing import trace

__all__ = ["decomposition"]


def decomposition(graph: Graph) -> Graph:
    """The graph with the bodies of ops in place of their calls."""
    replacements: dict[Symbol, Symbol] = {}
    constants = list(graph.constants)
    equations: list[Equation] = []
    for equation in graph.equations:
        equation = equation.substitute(replacements)
        body = _body(equation)
        inlined = None if body is None else _inlined(equation, body, constants)
        if inlined is None:
            equations.append(equation)
            continue
        members, results = inlined
        equations += members
        replacements.update(zip(equation.outputs, results, strict=True))
    if not replacements:
        return graph
    return replace(
        graph,
        constants=tuple(constants),
        equations=tuple(equations),
        outputs=tuple(replacements.get(symbol, symbol) for symbol in graph.outputs),
        writes=tuple((variable, replacements.get(symbol, symbol)) for variable, symbol in graph.writes),
    )


def _body(equation: Equation) -> Graph | None:
    """The graph of an op's body on these operands, decomposed as well; None if it has a kernel, or no such graph."""
    op, resolution = equation.op, equation.resolution
    if resolution.how != "body" or equation.regions is not None or type(unwrapped(equation)[0]) is not Body:
        return None
    _, attributes = unwrapped(equation)
    given = [x is not None for x in equation.operands]
    inputs = [
        ("", tensor_type, x.shape if isinstance(x, Symbol) else ())
        for x, tensor_type in zip(equation.operands, resolution.operand_types, strict=True)
        if tensor_type is not None
    ]
    if len(inputs) != sum(given):
        return None
    if "device" in equation.attributes:
        return None

    def run(tensors: list[Tensor]) -> list[Tensor]:
        operands = iter(tensors)
        result = op.run_body([next(operands) if is_given else None for is_given in given], attributes)
        return [result] if isinstance(result, Tensor) else list(result)

    try:
        body, guards = trace(op.name, inputs, run)
    except PolytapeError:
        return None  # the body reads a value: it runs as a whole
    same = [(x.shape, x.dtype) for x in body.outputs] == [(x.shape, x.dtype) for x in equation.outputs]
    if guards or body.variables or body.sources or body.writes or not same:
        return None
    if any(x.holder is None or x.holder.node is not None for x in body.constants):
        return None
    return decomposition(body)


def _inlined(
    equation: Equation, body: Graph, constants: list[Input]
) -> tuple[list[Equation], tuple[Symbol, ...]] | None:
    """The equations of a body on an equation's operands, and their results; adds the body's constants."""
    operands: dict[Symbol, Operand] = dict(
        zip([x.symbol for x in body.arguments], [x for x in equation.operands if x is not None], strict=True)
    )
    known = {id(x.holder.array): x.symbol for x in constants if x.holder is not None and x.holder.node is None}
    added: list[Input] = []
    for x in body.constants:
        found = known.get(id(x.holder.array)) if x.holder is not None else None
        if found is None:
            added.append(x)
        operands[x.symbol] = x.symbol if found is None else found
    results = tuple(operands.get(symbol, symbol) for symbol in body.outputs)
    symbols = tuple(x for x in results if isinstance(x, Symbol))
    if len(symbols) < len(results):
        return None  # a number itself
    constants += added
    members = [
        replace(
            member,
            operands=tuple(operands.get(x, x) if isinstance(x, Symbol) else x for x in member.operands),
            source=equation.source,
        )
        for member in body.equations
    ]
    return members, symbols
