"""Writing a traced function to a file: the graph as JSON in the metadata of a safetensors file with its tensors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...checkpoint.format import write_tensors
from ...errors import DeviceError, TraceError
from ...random.generator import Draws
from ...registry.tables import find_op
from ...tensors.symbol import Symbol, describe_object
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from ..concrete import Concrete
from ..ir import Equation, Graph, Literal, Source, location
from ..passes import without_moves
from ..signature import Call, Structure
from .equations import kinds
from .parsing import KEY, VERSION
from .placing import Block, Joined, Path, placed
from .values import Fixed, Slot, encode, encode_tree

__all__ = ["write"]


def write(path: str | os.PathLike[str], concrete: Concrete, call: Call) -> None:
    """Write one trace to a file; see `Function.export`.

    Args:
        path: the file.
        concrete: the trace.
        call: the arguments that it was traced for.
    """
    writer = _Writer(concrete)
    text = json.dumps(writer.description(call), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    write_tensors(os.fspath(path), writer.tensors, {KEY: text})


Numbers = dict[Symbol, int]


def _numbers(graph: Graph) -> Numbers:
    """The numbers of a graph's symbols, or of a region's."""
    symbols = [x.symbol for x in graph.inputs()]
    symbols += [symbol for equation in graph.equations for symbol in equation.outputs]
    return {symbol: number for number, symbol in enumerate(symbols)}


def _block(graph: Graph) -> Block:
    """A graph or region for `placed`."""
    numbers = _numbers(graph)
    calls: list[_Numbered | Joined] = []
    for equation in graph.equations:
        call = _Numbered(equation, numbers)
        regions = equation.regions
        if regions is None:
            calls.append(call)
            continue
        wiring = regions.wiring(regions.data(), len(call.operands), len(call.outputs))
        calls.append(Joined(call.operands, call.outputs, wiring, tuple([_block(x) for x in regions.graphs])))
    return Block(len(graph.inputs()), tuple(calls), tuple([numbers[symbol] for symbol in graph.outputs]))


def _inside(graph: Graph, path: Path = ()) -> Iterator[tuple[Path, Graph]]:
    """A graph, its regions, and theirs."""
    yield path, graph
    for position, equation in enumerate(graph.equations):
        for number, region in enumerate(() if equation.regions is None else equation.regions.graphs):
            yield from _inside(region, (*path, position, number))


class _Numbered:
    """An equation whose symbols are numbers."""

    def __init__(self, equation: Equation, numbers: Numbers) -> None:
        self.op = equation.op
        self.operands = tuple([numbers[x] if isinstance(x, Symbol) else x for x in equation.operands])
        self.outputs = tuple([numbers[x] for x in equation.outputs])


class _Writer:
    """One trace as JSON values and tensors.

    Attributes:
        graph: before fusion, since another backend joins other equations, and without moves between devices, since all
            of it will run on one.
        numbers: of the symbols.
        tensors: the values of variables, sources and constants, by their names in the file.
        variables: those that the graph reads, then those that it only assigns or returns.
    """

    def __init__(self, concrete: Concrete) -> None:
        self.concrete = concrete
        self.name = concrete.name
        self.graph: Graph = without_moves(concrete.unfused)
        self.numbers = _numbers(self.graph)
        self.tensors: dict[str, Any] = {}
        self.variables: list[Variable] = [x.holder for x in self.graph.variables if isinstance(x.holder, Variable)]
        self.positions = {id(variable): position for position, variable in enumerate(self.variables)}
        for variable, _ in self.graph.writes:
            self.position_of(variable)

    def description(self, call: Call) -> dict[str, Any]:
        """The graph as a JSON value."""
        graph = self.graph
        self.check_devices()
        results = self.results()  # before the variables are listed: it may add some
        return {
            "format": VERSION,
            "name": graph.name,
            "parameters": self.parameters(call),
            "arguments": [{"name": x.name, **_kind(x.symbol)} for x in graph.arguments],
            "variables": [self.variable(x, "variables") for x in self.variables],
            "read": len(graph.variables),
            "sources": [self.source(source) for source in graph.sources],
            "constants": self.constants(graph),
            "equations": [self.equation(x, self.numbers) for x in graph.equations],
            "assignments": [
                {"variable": self.positions[id(variable)], "symbol": self.numbers[symbol]}
                for variable, symbol in graph.writes
            ],
            "outputs": [self.numbers[symbol] for symbol in graph.outputs],
            "results": results,
        }

    def constants(self, graph: Graph) -> list[str]:
        """The names of the constants of a graph or region, whose values are added to the file."""
        return [self.store(x.holder, "constants") for x in graph.constants if x.holder is not None]

    def store(self, x: Any, group: str, name: str = "") -> str:
        """Add a tensor or array to the file; returns its name there."""
        label = f"{group}/{name or sum(known.startswith(group) for known in self.tensors)}"
        while label in self.tensors:
            label += "'"
        self.tensors[label] = x if isinstance(x, np.ndarray) else x.numpy()
        return label

    def position_of(self, variable: Variable) -> int:
        """The number of a variable, which is added if it is new."""
        position = self.positions.get(id(variable))
        if position is None:
            position = self.positions[id(variable)] = len(self.variables)
            self.variables.append(variable)
        return position

    def variable(self, variable: Variable, group: str) -> dict[str, Any]:
        """A variable, whose value is added to the file."""
        tensor = self.store(variable, group, variable.name)
        return {"name": variable.name, "tensor": tensor, "trainable": variable.trainable}

    # --- equations ----------------------------------------------------------------------------------------------------

    def check_devices(self) -> None:
        """Raise if values of several devices cannot be on one: a random op reads what the rest of the graph needs."""
        graph, numbers = self.graph, self.numbers
        assignments = [(self.positions[id(variable)], numbers[symbol]) for variable, symbol in graph.writes]
        on_host = placed(_block(graph), len(graph.arguments), len(graph.variables), assignments)
        devices: dict[Any, None] = {}
        shared: list[Equation] = []
        for path, inner in _inside(graph):
            types = [x.type for x in inner.inputs()]
            types += [x for equation in inner.equations for x in equation.resolution.result_types]
            devices |= dict.fromkeys([x.device for number, x in enumerate(types) if number not in on_host[path]])
            known = _numbers(inner)
            shared += [
                equation
                for equation in inner.equations
                for position, x in enumerate(equation.operands)
                if isinstance(x, Symbol) and equation.op.on_host(position) and known[x] not in on_host[path]
            ]
        if len(devices) > 1 and shared:
            raise DeviceError(
                f"{self.name} cannot be exported: {shared[0].op.name} ({location(shared[0])}) reads a value on the "
                "host that the graph also needs on another device.",
                expected="random state that only random ops read, so that the rest can run on any one device",
                got=", ".join(map(str, devices)),
                fix="read or return the state of the generator outside the function",
            )

    def region(self, graph: Graph) -> dict[str, Any]:
        """One region of an equation."""
        numbers = _numbers(graph)
        return {
            "name": graph.name,
            "arguments": [{"name": x.name, **_kind(x.symbol)} for x in graph.arguments],
            "constants": self.constants(graph),
            "equations": [self.equation(x, numbers) for x in graph.equations],
            "outputs": [numbers[symbol] for symbol in graph.outputs],
        }

    def equation(self, equation: Equation, numbers: Numbers) -> dict[str, Any]:
        """One equation."""
        op, regions = equation.op, equation.regions
        if regions is not None:
            if kinds().get(op.name) is not type(regions):
                raise self.rejected(
                    f"{op.name}, an equation with regions of its own ({location(equation)})",
                    f"the control flow of polytape: {', '.join(sorted(kinds()))}",
                    "write it with these",
                )
            return {
                **self.form(equation, numbers, {name: encode(value) for name, value in regions.data().items()}),
                "regions": [self.region(graph) for graph in regions.graphs],
            }
        if find_op(op.name) is not op:
            raise self.rejected(
                f"{op.name} ({location(equation)})",
                "ops that are registered by name, in polytape or in an installed plugin",
                "declare it with polytape.op",
            )
        attributes = {}
        for name, value in equation.attributes.items():
            try:
                attributes[name] = encode(value)
            except TypeError:
                raise self.rejected(
                    f"{op.name}({name}={describe_object(value)}) ({location(equation)})",
                    "attributes that are numbers, strings, dtypes, index keys, or tuples of them",
                    "compute it in the function from such values",
                ) from None
        return self.form(equation, numbers, attributes)

    def form(self, equation: Equation, numbers: Numbers, attributes: dict[str, Any]) -> dict[str, Any]:
        """What all equations have."""
        return {
            "op": equation.op.name,
            "operands": [_operand(x, numbers) for x in equation.operands],
            "attributes": attributes,
            "outputs": [_kind(symbol) for symbol in equation.outputs],
            # Without its folder, as graphs print it: a file should not tell where its author's files are.
            "source": [location(equation).rpartition(":")[0], equation.source[1]],
        }

    def source(self, source: Source) -> dict[str, Any]:
        """A generator, or an optimizer's hyperparameters with their values now."""
        draws = source.read
        if isinstance(draws, Draws):
            state = self.variable(draws.generator.state, "generators")
            return {"values": [{**state, "name": source.inputs[0].name}], "blocks": draws.blocks}
        for name, value in vars(source.owner).items():
            if callable(value) and not isinstance(value, Tensor) and not type(value).__module__.startswith("polytape."):
                raise self.rejected(
                    f"{type(source.owner).__name__}.{name}, a function that runs before each call",
                    "hyperparameters that are numbers, tensors, variables or schedules of polytape.optim.schedules",
                    "use one of these",
                )
        values = []
        for x, array in zip(source.inputs, source.read(), strict=True):
            tensor = self.store(Tensor(array, x.type, None), "hyperparameters", x.name)
            values.append({"name": x.name, "tensor": tensor, "trainable": False})
        return {"values": values, "blocks": None}

    # --- arguments and results ----------------------------------------------------------------------------------------

    def parameters(self, call: Call) -> list[dict[str, Any]]:
        """The parameters of the function, with the arguments that it was traced for."""
        count = 0
        parameters = []
        for name, parameter in call.bound.signature.parameters.items():
            if name not in call.parts and parameter.default is parameter.empty:
                continue
            part = call.parts[name] if name in call.parts else Structure(parameter.default)
            leaves: list[Any] = []
            for leaf in part.leaves:
                if isinstance(leaf, Variable):
                    leaves.append(Fixed("a variable of the graph"))
                elif isinstance(leaf, Tensor):
                    leaves.append(Slot("tensor", count))
                    count += 1
                else:
                    leaves.append(_plain(leaf))
            try:
                tree = encode_tree(part.rebuild(leaves))
            except TypeError as error:
                raise self.rejected(
                    f"the argument {name}, which contains a {error}",
                    "arguments in lists, tuples and dicts whose keys are strings or integers",
                    "pass the tensors in one of these",
                ) from None
            parameters.append({"name": name, "kind": parameter.kind.name, "argument": tree})
        return parameters

    def results(self) -> Any:
        """The results' structure."""
        structure = self.concrete.structure
        positions: dict[int, int] = {position: k for k, position in enumerate(self.concrete.output_positions)}
        leaves: list[Any] = []
        for position, leaf in enumerate(structure.leaves):
            if position in positions:
                leaves.append(Slot("tensor", positions[position]))
            elif isinstance(leaf, Variable):
                leaves.append(Slot("variable", self.position_of(leaf)))
            elif isinstance(leaf, np.ndarray):
                leaves.append(Slot("array", self.store(leaf, "results")))
            else:
                leaves.append(leaf)
        equations = [equation for _, graph in _inside(self.graph) for equation in graph.equations]
        named = frozenset(equation.op.name for equation in equations if equation.op.outputs is not None)
        try:
            return encode_tree(structure.rebuild(leaves), named)
        except TypeError as error:
            raise self.rejected(
                f"its results, which contain a {error}",
                "tensors, arrays, Python numbers, strings and None, in lists, tuples and dicts",
                "return one of these",
            ) from None

    def rejected(self, what: str, expected: str, fix: str) -> TraceError:
        """The error for a part of the graph that has no form in a file."""
        return TraceError(f"{self.name} cannot be exported because of {what}.", expected=expected, got=what, fix=fix)


def _operand(x: Symbol | Literal | None, numbers: Numbers) -> Any:
    """A symbol as its number, or a Python number with its dtype."""
    if isinstance(x, Literal):
        return {"number": encode(x.value), "dtype": x.type.dtype.name}
    return None if x is None else numbers[x]


def _kind(symbol: Symbol) -> dict[str, Any]:
    return {"dtype": symbol.dtype.name, "shape": [int(size) for size in symbol.shape]}


def _plain(leaf: Any) -> Any:
    """A static argument, or what a file says of one that it cannot hold."""
    try:
        encode(leaf)
    except TypeError:
        return Fixed(describe_object(leaf))
    return leaf
