"""Execution of a graph op by op: generated Python code, in which kernels and attributes are bound to names."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from ..backend import Value
from ..dispatch.rejections import index_out_of_range
from ..dispatch.resolve import wrapped_graph
from ..dispatch.slow_path import FROM_CALLBACK
from ..errors import TraceError
from ..expression import Expression
from ..registry.resolution import Copying
from ..state.update import Overwriting, commit_run, read_all, replace_all
from ..tensors.tensor import Symbol, Tensor
from ..tensors.variable import Variable
from .buffers import Scratch, alternatives, last_uses, owned, reusable, uncopied
from .ir import Equation, Graph, Literal, location, names, render_equation, unwrapped
from .scalars import Scalars

__all__ = ["Executable"]

_numbers = itertools.count()
ATTEMPTS = range(1000)  # how often a run is repeated because another thread assigned a variable that it assigns too


class Executable:
    """A graph compiled to two Python functions, one on native arrays and one on tensors.

    Attributes:
        graph: the graph.
        run: ``(*arguments, *state) -> (*outputs, *assigned values)``, on native arrays.
        call: ``(*tensors) -> tensor``, or a tuple of tensors if ``single`` is false. Reads the variables and sources,
            runs, then assigns the variables, all or none; if an op raises, nothing is assigned. It runs again if
            another thread changed an assigned variable in the meantime. Kernels that write run last, as a part of the
            assignment: they overwrite the buffer of a variable that nothing else refers to (docs/decisions/0007).
        source: the generated code.
    """

    def __init__(self, graph: Graph, single: bool = False) -> None:
        self.graph = graph
        self.file = f"<graph {graph.name} {next(_numbers)}>"
        code = _Code(graph)
        code.write_run()
        code.write_call(single)
        self.source = "\n".join(code.lines)
        self.equation_of_line = code.equation_of_line
        code.namespace["equation_of_line"] = code.equation_of_line  # for polytape.debug, which sees the code's frames
        exec(compile(self.source, self.file, "exec"), code.namespace)
        self.run: Any = wrapped_graph(graph.name, code.namespace["run"])
        self.call: Any = wrapped_graph(graph.name, code.namespace["call"])

    def explain(self, error: BaseException) -> None:
        """Add a note to an error from `run` or `call`: the equation that failed and the user's line it comes from.

        Raises:
            OutOfRangeError: with the same note, in place of a kernel's IndexError, as from a call outside a graph.
        """
        traceback = error.__traceback__
        while traceback is not None:
            equation = self.equation_of_line.get(traceback.tb_lineno)
            if traceback.tb_frame.f_code.co_filename == self.file and equation is not None:
                text = render_equation(equation, names(self.graph))
                note = f"in graph {self.graph.name}: {text}  # {location(equation)}"
                if type(error) is IndexError and equation.regions is None and not hasattr(error, FROM_CALLBACK):
                    operands = [x.array() if isinstance(x, Literal) else x for x in equation.operands]
                    found = index_out_of_range(equation.op, operands, error)
                    found.add_note(note)
                    raise found from None
                error.add_note(note)
                return
            traceback = traceback.tb_next


class _Code:
    """The generated code, its namespace, and the equation that each line belongs to."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.namespace: dict[str, Any] = {"Tensor": Tensor}
        self.equation_of_line: dict[int, Equation] = {}
        self.local: dict[Symbol, str] = {}
        for prefix, inputs in (("x", graph.arguments), ("v", graph.state()), ("c", graph.constants)):
            self.local.update({x.symbol: f"{prefix}{position}" for position, x in enumerate(inputs)})
        for symbol, name in names(graph).items():
            self.local.setdefault(symbol, f"_{name}")  # generated names include Python keywords, such as as and if
        for x in graph.constants:
            self.bind(self.local[x.symbol], x.holder.array if x.holder is not None else None)
        last = overwriting(graph)
        first = [equation for equation in graph.equations if equation not in last]
        ordered = replace(graph, equations=(*first, *last))
        dead_after = last_uses(ordered)
        self.scalars = Scalars(ordered)
        self.buffers = reusable(ordered, dead_after, self.scalars)
        self.owned = owned(ordered, dead_after)
        self.scratch = Scratch(ordered, self.buffers)
        self.body = [
            (equation, [*self.equation(position, equation), *self.deletion(dead_after[position])])
            for position, equation in enumerate(ordered.equations)
        ]
        self.last = {len(first) + position: variables for position, variables in enumerate(last.values())}

    def bind(self, name: str, value: Any) -> str:
        self.namespace[name] = value
        return name

    def write_run(self) -> None:
        """Write the function on native arrays."""
        graph = self.graph
        inputs = [self.local[x.symbol] for x in (*graph.arguments, *graph.state())]
        self.lines.append(f"def run({', '.join(inputs)}):")
        self.write_body("    ", len(self.body))
        self.lines.append(f"    return ({''.join(f'{self.local[symbol]}, ' for symbol in graph.results())})")

    def write_call(self, single: bool) -> None:
        """Write the function on tensors; it repeats the equations, since calling `run` costs as much as a small op."""
        graph = self.graph
        arguments = [self.local[x.symbol] for x in graph.arguments]
        self.lines.append(f"def call({', '.join(arguments)}):")
        self.lines += [f"    {name} = {name}.array" for name in arguments]
        indent = "    "
        for position, source in enumerate(graph.sources):
            values = "".join(f"{self.local[x.symbol]}, " for x in source.inputs)
            self.lines.append(f"    {values}= {self.bind(f's{position}', source.read)}()")
        if graph.writes:
            self.lines.append(f"    for attempt in {self.bind('attempts', ATTEMPTS)}:")
            indent = "        "
        if graph.variables:
            values = "".join(f"{self.local[x.symbol]}, " for x in graph.variables)
            holders = self.bind("holders", [x.holder for x in graph.variables])
            self.lines.append(f"{indent}{values}= {self.bind('read_all', read_all)}({holders})")
        self.write_body(indent, len(self.body) - len(self.last))
        if graph.writes:
            self.write_assignment()
        results = [
            f"Tensor({self.local[symbol]}, {self.bind(f'o{position}', tensor_type)}, None)"
            for position, (symbol, tensor_type) in enumerate(zip(graph.outputs, graph.output_types, strict=True))
        ]
        returned = results[0] if single else f"({''.join(f'{result}, ' for result in results)})"
        self.lines.append(f"    return {returned}")

    def write_assignment(self) -> None:
        """Write the end of the loop that assigns the variables."""
        graph = self.graph
        symbols = {id(x.holder): self.local[x.symbol] for x in graph.variables}
        taken = {id(variable) for variables in self.last.values() for variable in variables}
        writes = [(variable, symbol) for variable, symbol in graph.writes if id(variable) not in taken]
        written = self.bind("written", [variable for variable, _ in writes])
        before = [symbols.get(id(variable), "None") for variable, _ in writes]
        after = [self.local[symbol] for _, symbol in writes]
        values = f"({''.join(f'{x}, ' for x in before)}), ({''.join(f'{x}, ' for x in after)})"
        if self.last:
            updates = [self.update(position) for position in self.last]
            condition = f"{self.bind('commit_run', commit_run)}({written}, {values}, [{', '.join(updates)}])"
        else:
            condition = f"{self.bind('replace_all', replace_all)}({written}, {values})"
        self.lines += [
            f"        if {condition}:",
            "            break",
            "    else:",
            f"        raise {self.bind('contended', contended)}({graph.name!r})",
        ]

    def update(self, position: int) -> str:
        """Write the lines in front of the update by an equation that overwrites variables; return the update."""
        equation = self.body[position][0]
        variables = self.last[position]
        attributes = unwrapped(equation)[1]
        overwriting = Overwriting(variables, equation.resolution, equation.op.outputs is not None, attributes)
        operands = [self.operand(position, index, operand) for index, operand in enumerate(equation.operands)]
        before, others = operands[: len(variables)], operands[len(variables) :]
        # Only the list may refer to the buffers, or they are copied.
        self.lines.append(f"        u{position} = [{', '.join(before)}]")
        self.lines.append(f"        del {', '.join(before)}")
        name = self.bind(f"w{position}", overwriting)
        self.equation_of_line[len(self.lines) + 1] = equation
        self.lines.append(f"        u{position} = {name}.update(u{position}, [{', '.join(others)}], attempt)")
        return f"u{position}"

    def write_body(self, indent: str, count: int) -> None:
        """Write the lines of the first ``count`` equations, and keep which equation each line belongs to."""
        if self.scratch.number:
            arrays = "".join(f"b{number}, " for number in self.scratch.number.values())
            free, allocate = self.bind("free", self.scratch.free), self.bind("allocate", self.scratch.allocate)
            lines = ["try:", f"    scratch = {free}.pop()", "except IndexError:", f"    scratch = {allocate}()"]
            self.lines += [indent + line for line in (*lines, f"{arrays}= scratch")]
        for equation, lines in self.body[:count]:
            for line in lines:
                self.lines.append(indent + line)
                self.equation_of_line[len(self.lines)] = equation
        if self.scratch.number:
            self.lines.append(f"{indent}free.append(scratch)")

    def equation(self, position: int, equation: Equation) -> list[str]:
        if equation in self.scalars.operators:
            return [self.by_operator(position, equation)]
        fn, attributes = unwrapped(equation)
        arguments = [self.operand(position, index, operand) for index, operand in enumerate(equation.operands)]
        expression = specialised(equation, fn, attributes)
        if expression is not None:
            return [self.by_expression(position, equation, expression, arguments)]
        kernel = self.bind(f"k{position}", uncopied(fn) if equation in self.owned else fn)
        arguments += [f"{name}={self.bind(f'p{position}_{name}', value)}" for name, value in attributes.items()]
        outputs = [self.local[symbol] for symbol in equation.outputs]
        buffer = self.buffer(position, equation)
        if buffer:
            # A NumPy ufunc takes it by position, 20 ns sooner.
            out = buffer if isinstance(fn, np.ufunc) else f"out={buffer}"
            return [f"{outputs[0]} = {kernel}({', '.join([*arguments, out])})"]
        targets = ", ".join(outputs) + ("," if equation.op.outputs is not None else "")
        lines = [f"{targets} = {kernel}({', '.join(arguments)})"]
        for index, symbol in enumerate(equation.outputs):
            if not symbol.shape and symbol not in self.scalars.held:
                # NumPy's ufuncs return scalars instead of 0-d arrays.
                tensor_type = equation.resolution.result_types[index]
                type_name = self.bind(f"t{position}_{index}", tensor_type.array_type)
                lift = self.bind(f"l{position}_{index}", tensor_type.lift)
                name = outputs[index]
                lines.append(f"if type({name}) is not {type_name}: {name} = {lift}({name})")
        return lines

    def buffer(self, position: int, equation: Equation) -> str:
        """The array that an equation writes its result into; empty if its kernel makes a new one."""
        buffer = self.buffers[position]
        if buffer is not None:
            return self.local[buffer]
        number = self.scratch.number.get(equation.outputs[0]) if equation.outputs else None
        return "" if number is None else f"b{number}"

    def by_expression(self, position: int, equation: Equation, expression: Expression, operands: list[str]) -> str:
        """The line of an equation whose kernel is an expression."""
        values = {name: self.bind(f"e{position}_{name}", value) for name, value in expression.values.items()}
        text = expression.text.format(*operands, **values)
        result = equation.outputs[0]
        name = self.local[result]
        if result.shape or result in self.scalars.held:
            return f"{name} = {text}"
        tensor_type = equation.resolution.result_types[0]
        return f"{name} = {self.bind(f'l{position}_0', tensor_type.lift)}({text})"

    def by_operator(self, position: int, equation: Equation) -> str:
        """The line of an equation on scalars."""
        result = equation.outputs[0]
        left, right = [self.scalar(position, index, x) for index, x in enumerate(equation.operands)]
        text = f"{left} {self.scalars.operators[equation]} {right}"
        if result not in self.scalars.held:
            text = f"{self.bind(f'l{position}_0', equation.resolution.result_types[0].lift)}({text})"
        return f"{self.local[result]} = {text}"

    def scalar(self, position: int, index: int, operand: Symbol | Literal | None) -> str:
        """An operand as a scalar."""
        if isinstance(operand, Literal):
            return self.bind(f"n{position}_{index}", operand.array()[()])
        name = self.operand(position, index, operand)
        return name if operand in self.scalars.held else f"{name}[()]"

    def operand(self, position: int, index: int, operand: Symbol | Literal | None) -> str:
        if isinstance(operand, Literal):
            return self.bind(f"n{position}_{index}", operand.array())
        return "None" if operand is None else self.local[operand]

    def deletion(self, symbols: list[Symbol]) -> list[str]:
        kept = self.scalars.held | self.scratch.private
        arrays = [self.local[symbol] for symbol in symbols if symbol not in kept]
        return [f"del {', '.join(arrays)}"] if arrays else []


def specialised(equation: Equation, fn: Any, attributes: dict[str, Any]) -> Expression | None:
    """The expression of an equation's kernel for its operands; None if there is none.

    Args:
        fn, attributes: the kernel without its wrappers, and what it gets.
    """
    resolution = equation.resolution
    if len(resolution.candidates) != 1 or len(equation.outputs) != 1:
        return None
    kernel = resolution.candidates[0]
    if kernel.specialise is None or fn is not kernel.fn:
        return None
    operands = [
        None if x is None else Value(x.shape, x.dtype) if isinstance(x, Symbol) else Value((), x.type.dtype)
        for x in equation.operands
    ]
    found: Expression | None = kernel.specialise(tuple(operands), attributes)
    return found


def contended(name: str) -> TraceError:
    """The error for a function whose variables change during each run."""
    return TraceError(
        f"{name} could not assign its variables.",
        expected="a run during which no other thread and no signal handler assigns these variables",
        got=f"other assignments during each of {len(ATTEMPTS)} runs",
        fix="assign to the variables from one thread at a time, for example under a lock",
    )


def overwriting(graph: Graph) -> dict[Equation, list[Variable]]:
    """The equations that may run last and overwrite the buffers of variables, each with these variables.

    Such an equation's leading operands are variables that its kernel writes; its results are their new values and
    nothing else. It may run last if nothing needs the old values later: no result, no other equation of this kind.
    """
    holders: dict[Any, Any] = {x.symbol: x.holder for x in graph.variables}
    assigned = {symbol: variable for variable, symbol in graph.writes}
    results = Counter(graph.results())
    uses = Counter(x for equation in graph.equations for x in equation.symbols())
    found: dict[Equation, list[Variable]] = {}
    for equation in graph.equations:
        written = equation.operands[: len(equation.outputs)]
        if writes_leading(equation) and all(
            operand in holders
            and results[operand] == 0  # type: ignore[index]  # a literal is no result
            and assigned.get(output) is holders[operand]
            and (uses[output], results[output]) == (0, 1)
            for operand, output in zip(written, equation.outputs, strict=True)
        ):
            found[equation] = [holders[operand] for operand in written]
    reads = Counter(x for equation in found for x in equation.symbols())
    return {
        equation: variables
        for equation, variables in found.items()
        if all(reads[x] == 1 for x in equation.operands[: len(variables)] if isinstance(x, Symbol))
    }


def writes_leading(equation: Equation) -> bool:
    """Whether the kernel of an equation writes as many leading operands as it has results, and is atomic."""
    kernels = alternatives(equation.resolution.fn)
    return any(type(kernel) is Copying and kernel.atomic for kernel in kernels) and all(
        tuple(kernel.writes) == equation.op.operands[: len(equation.outputs)]
        for kernel in equation.resolution.candidates
        if kernel.writes
    )
