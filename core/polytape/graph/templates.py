"""Templates: one graph for all values of unknown sizes, made of traces for a few of them.

The traces are compared position by position (`recipes`). What they agree on is part of the template; a number that
differs must follow a formula of the sizes. `Template.graph` fills the formulas in for given sizes, and computes the
shapes by the ops' rules: the Python function does not run again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..dispatch.slow_path import find_resolution
from ..errors import PolytapeError, TraceError
from ..placement import selection
from ..registry.op import Op
from ..registry.tensor_type import TensorType
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor
from .formulas import Sizes, grid
from .ir import Equation, Graph, Literal, Operand, location
from .recipes import Agreement, Block, Call, Filler, Traced, block_of
from .regions import declared
from .sizes import Size, Watch
from .tracing import Shape, Trace, trace, user_line

__all__ = ["Template"]

Named = tuple[str, TensorType, Shape]  # of a tensor; in the shape, ~k stands for the unknown size k


class SizedTrace(Trace):
    """A trace for unknown sizes: the shapes of its symbols contain each as a `Size`.

    Args:
        known: the equations of another trace; a size that differs from that one's is unknown.
    """

    def __init__(self, name: str, known: Sequence[Equation] = ()) -> None:
        super().__init__(name)
        self.watch = Watch(user_line)
        self.known = known

    def shapes(self, op: Op, arrays: Sequence[Any], attributes: dict[str, Any]) -> list[Shape]:
        """The outputs' shapes; the rule runs again for each size, so what it compares is not noted."""
        with self.watch.pause():
            found = super().shapes(op, arrays, attributes)
        return found

    def emit(self, op: Op, *args: Any) -> list[Symbol]:
        """Record one op, as `Trace.emit`."""
        position = len(self.equations)
        outputs = super().emit(op, *args)
        if position < len(self.known):
            for symbol, other in zip(outputs, self.known[position].outputs, strict=False):
                if len(symbol.shape) == len(other.shape):
                    symbol.shape = tuple(
                        n if isinstance(n, Size) or int(n) == int(m) else Size(n, self.watch)
                        for n, m in zip(symbol.shape, other.shape, strict=True)
                    )
        return outputs


class Template:
    """A traced function for unknown sizes.

    Args:
        name: the function's.
        inputs: name, type and shape of each tensor; ``~k`` in a shape is the unknown size k.
        count: how many unknown sizes there are.
        run: takes the symbolic tensors; returns the outputs, and what else must agree between the traces.
        more: for some sizes, name, type and shape of the tensors that follow those of ``inputs``.

    Attributes:
        guards: conditions under which the template is valid.
    Raises:
        TraceError: the function needs one of the sizes: Python compares it, or a part of the graph depends on it in
            another way than by a formula. The message names the line.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[Named],
        count: int,
        run: Callable[[list[Tensor]], tuple[list[Tensor], Any]],
        more: Callable[[Sizes], list[Named]] = lambda sizes: [],
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.count = count
        self.run = run
        self.more = more
        # Of results and gradients, by the watched inputs and the outputs with a gradient, and of derivatives; None if
        # the gradients need a size. Which outputs had one last.
        self.gradients: dict[tuple[int, tuple[int, ...]], Template | None] = {}
        self.derivatives: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Template | None] = {}
        self.seeded: dict[int, tuple[int, ...]] = {}
        self.unknown = [(label, shape) for label, _, shape in inputs]
        runs: list[Traced] = []
        for sizes in grid(count):
            runs.append(self.traced(sizes, runs[0].graph.equations if runs else ()))
        try:
            self.compare(runs)
        except TraceError:  # the first run may create what later ones find, such as an optimizer's variables
            self.compare([self.traced(grid(count)[0]), *runs[1:]])
        self.last: Graph = runs[-1].graph
        self.guards = runs[-1].guards

    def compare(self, runs: Sequence[Traced]) -> None:
        """Find what the traces have in common."""
        agreement = Agreement(self.name, self.unknown, self.count, runs)
        self.block = block_of([x.graph for x in runs], agreement)
        self.extra = agreement.value([x.extra for x in runs], "a result")
        self.readers = agreement.sources([x.graph for x in runs])

    def traced(self, sizes: Sizes, known: Sequence[Equation] = ()) -> Traced:
        """The function traced for these sizes."""
        tracer = SizedTrace(self.name, known)
        inputs = [
            (label, kind, tuple([Size(sizes[~n], tracer.watch) if n < 0 else n for n in shape]))
            for label, kind, shape in self.inputs
        ]
        others = self.more(grid(self.count)[1 if sizes == grid(self.count)[0] else 0])
        inputs += [
            (label, kind, tuple([n if n == m else Size(n, tracer.watch) for n, m in zip(shape, other, strict=True)]))
            for (label, kind, shape), (_, _, other) in zip(self.more(sizes), others, strict=True)
        ]
        extra: list[Any] = []

        def body(tensors: list[Tensor]) -> list[Tensor]:
            outputs, rest = self.run(tensors)
            extra.append(rest)
            return outputs

        try:
            graph, guards = trace(self.name, inputs, body, tracer)
        except PolytapeError as error:
            error.add_note(f"{self.name} was traced with {self.stand_ins(sizes)}.")
            raise
        return Traced(graph, guards, extra[0], tracer.watch)

    def stand_ins(self, sizes: Sizes) -> str:
        """Which number stands for which unknown size."""
        listed = [(label, axis, n) for label, shape in self.unknown for axis, n in enumerate(shape) if n < 0]
        return ", ".join([f"{sizes[~n]} for axis {axis} of {label}" for label, axis, n in listed])

    def graph(self, sizes: Sizes) -> Graph:
        """The graph for these sizes, and nothing is traced.

        Raises:
            ShapeError: an op does not accept these sizes.
        """
        fill = _Graphs(sizes)
        found = fill.block(self.block, self.last)
        writes = [(variable, fill.symbols[k]) for (variable, _), k in zip(found.writes, self.block.writes, strict=True)]
        sources = [replace(x, read=reader(fill)) for x, reader in zip(found.sources, self.readers, strict=True)]
        return replace(found, writes=tuple(writes), sources=tuple(sources))

    def results(self, sizes: Sizes) -> Any:
        """What the function returned beside its outputs, for these sizes."""
        return self.extra(Filler(sizes, []))


class _Graphs(Filler):
    """The graphs of a template and its regions, filled in for some sizes.

    Attributes:
        symbols: of the graph that is under construction, by number.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes, [])
        self.mark = object()
        self.symbols: list[Symbol] = []

    def define(self, index: int, shape: Shape, like: Symbol) -> Symbol:
        """The next symbol."""
        symbol = Symbol(self.mark, None, index, tuple([int(n) for n in shape]), like.dtype)
        self.symbols.append(symbol)
        self.shapes.append(symbol.shape)
        return symbol

    def block(self, block: Block, like: Graph) -> Graph:
        """A graph, but for the values that it assigns to variables."""
        self.symbols = []
        inputs = [
            replace(x, symbol=self.define(0, shape(self), x.symbol))
            for x, shape in zip(like.inputs(), block.shapes, strict=True)
        ]
        given = iter(inputs)
        arguments = tuple(itertools.islice(given, len(like.arguments)))
        variables = tuple(itertools.islice(given, len(like.variables)))
        sources = [replace(x, inputs=list(itertools.islice(given, len(x.inputs)))) for x in like.sources]
        constants = [
            x if make is None else replace(x, holder=make(self, x.type), handle=None)
            for x, make in zip(given, block.constants, strict=True)
        ]
        equations = [self.equation(call) for call in block.calls]
        outputs = [self.symbols[number] for number in block.outputs]
        return replace(
            like, arguments=arguments, variables=variables, sources=tuple(sources), constants=tuple(constants),
            equations=tuple(equations), outputs=tuple(outputs),
        )  # fmt: skip

    def operand(self, x: Any, operand: Operand) -> Operand:
        """An operand of an equation."""
        if isinstance(operand, Symbol):
            symbol: Symbol = self.symbols[x]
            return symbol
        return Literal(x(self), operand.type) if isinstance(operand, Literal) else None

    def equation(self, call: Call) -> Equation:
        """One equation."""
        like = call.equation
        operands = tuple([self.operand(x, operand) for x, operand in zip(call.operands, like.operands, strict=True)])
        if call.regions is not None:
            return self.joined(call, operands)
        attributes = {name: value(self) for name, value in call.attributes.items()}
        arrays = [Symbol(None, None, 0, (), x.type.dtype) if isinstance(x, Literal) else x for x in operands]
        resolution = like.resolution
        if call.settling:
            tensors = [
                None if x is None or kind is None else Tensor(x, kind, None)
                for x, kind in zip(arrays, resolution.operand_types, strict=True)
            ]
            device = resolution.result_type.device
            resolution = find_resolution(like.op, tensors, attributes, device, selection.backend_of(device))
        try:
            shapes = like.op.output_shapes(arrays, attributes)
        except PolytapeError as error:
            error.add_note(f"in {location(like)}")
            raise
        outputs = [self.define(k, shape, x) for k, (shape, x) in enumerate(zip(shapes, like.outputs, strict=True))]
        return replace(like, resolution=resolution, operands=operands, attributes=attributes, outputs=tuple(outputs))

    def joined(self, call: Call, operands: tuple[Operand, ...]) -> Equation:
        """One equation with regions."""
        like, regions = call.equation, call.equation.regions
        assert call.regions is not None
        around = self.symbols
        graphs = [self.block(block, graph) for block, graph in zip(call.regions.blocks, regions.graphs, strict=True)]
        self.symbols = around
        given = [
            (kind, x.shape if isinstance(x, Symbol) else ())
            for (kind, _), x in zip(regions.operands, operands, strict=True)
        ]
        shapes = [tuple(shape(self)) for shape in call.regions.results]
        results = [(kind, shape) for (kind, _), shape in zip(regions.results, shapes, strict=True)]
        data = {name: value(self) for name, value in call.regions.data.items()}
        inner = replace(regions, graphs=tuple(graphs), operands=tuple(given), results=tuple(results), **data)
        op, resolution = declared(like.op.name, inner)
        outputs = [self.define(k, shape, x) for k, (shape, x) in enumerate(zip(shapes, like.outputs, strict=True))]
        return replace(
            like, op=op, resolution=resolution, operands=operands, attributes={"regions": inner}, outputs=tuple(outputs)
        )
