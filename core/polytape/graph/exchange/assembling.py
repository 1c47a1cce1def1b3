"""A description from a file, as a graph for one device."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...device import Device
from ...dispatch.convert import asarray
from ...dispatch.slow_path import find_resolution
from ...dtypes import DType, bool_, uint64
from ...errors import KernelError, PolytapeError
from ...placement import selection
from ...random.generator import Draws, Generator
from ...registry.tensor_type import TensorType, get_tensor_type
from ...tensors.symbol import Symbol, type_text
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from .. import ir
from ..ir import Equation, Graph, Input, Operand, Source
from ..regions import Value, declared
from ..wiring import Port
from .equations import Literal, Loop, Region, Spec, Step
from .parsing import Description
from .placing import Path, inner, placed
from .values import Malformed

__all__ = ["Held", "State", "assemble", "state_of"]


class Held:
    """Hyperparameters of a loaded graph: variables that a run reads at its start."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = list(variables)

    def read(self) -> list[Any]:
        """The values, as native arrays."""
        return [variable.array for variable in self.variables]


@dataclass(frozen=True, slots=True)
class State:
    """What a graph refers to: its variables, its sources and its constants.

    Attributes:
        device: of the graph; values that its random ops read are on the host.
        on_host: the numbers of the symbols on the host, of the graph and of each region.
        constants: of the graph and of each region.
    """

    device: Device
    on_host: dict[Path, frozenset[int]]
    variables: tuple[Variable, ...]
    sources: tuple[Generator | Held, ...]
    constants: dict[Path, tuple[Tensor, ...]]

    def copied(self) -> tuple[State, dict[int, Variable]]:
        """A state with copies of the variables, the generators and the hyperparameters; the variables' copies by id."""
        copies = {id(variable): copy.copy(variable) for variable in self.variables}
        sources = [
            copy.deepcopy(x) if isinstance(x, Generator) else Held([copy.copy(v) for v in x.variables])
            for x in self.sources
        ]
        return replace(self, variables=tuple(copies.values()), sources=tuple(sources)), copies


def state_of(description: Description, device: Device, read: Callable[[str], Any]) -> State:
    """New variables and constants with the values from the file.

    Args:
        description: the graph.
        device: where they go.
        read: returns the array of a tensor of the file.
    """
    first = len(description.arguments)
    assignments, block = description.assignments, description.block()
    on_host = placed(block, first, description.read, assignments)
    host = selection.host_device()

    def place(number: int, path: Path = ()) -> Device:
        return host if number in on_host[path] else device

    def variable(saved: Any, number: int) -> Variable:
        return Variable(read(saved.tensor), saved.trainable, saved.name, None, place(number))

    unread = {position: symbol for position, symbol in assignments if position >= description.read}
    variables = [
        variable(saved, first + position if position < description.read else unread.get(position, -1))
        for position, saved in enumerate(description.variables)
    ]
    number = first + description.read
    sources: list[Generator | Held] = []
    for position, source in enumerate(description.sources):
        if source.blocks is None:
            sources.append(Held([variable(saved, number + k) for k, saved in enumerate(source.values)]))
        else:
            sources.append(_generator(read(source.values[0].tensor), f"source {position}"))
        number += len(source.values)
    constants: dict[Path, list[Tensor]] = {}
    constants[()] = [asarray(read(x.tensor), None, place(number + k)) for k, x in enumerate(description.constants)]
    for path, region in inner(block):
        assert isinstance(region, Region)
        start = len(region.arguments)
        constants[path] = [asarray(read(x), None, place(start + k, path)) for k, x in enumerate(region.constants)]
    kept = {path: tuple(tensors) for path, tensors in constants.items()}
    return State(device, on_host, tuple(variables), tuple(sources), kept)


def _generator(state: Any, place: str) -> Generator:
    if state.dtype != uint64 or state.shape != (2,):
        raise Malformed(place, "the state of a generator, uint64[2]", text=type_text(state.dtype, state.shape))
    generator = Generator(0)
    generator.state.assign(state)
    return generator


def assemble(description: Description, state: State) -> Graph:
    """The graph.

    Raises:
        Malformed: an equation does not follow from its op's rules.
        DTypeError, KernelError: the backend does not have a dtype or a kernel.
    """
    return _Assembly(description, state).graph()


class _Block:
    """The equations of a graph or of a region under construction.

    Attributes:
        path: of the region; () outside.
        symbols: by number; ``types``: their types.
    """

    def __init__(self, state: State, path: Path) -> None:
        self.state = state
        self.path = path
        self.on_host = state.on_host[path]
        self.mark = object()
        self.symbols: list[Symbol] = []
        self.types: list[TensorType] = []

    def type_of(self, dtype: DType, number: int) -> TensorType:
        """The type of a value on the device of the symbol with this number."""
        device = selection.host_device() if number in self.on_host else self.state.device
        return get_tensor_type(selection.backend_of(device), device, dtype)

    def define(self, index: int, shape: tuple[int, ...], tensor_type: TensorType) -> Symbol:
        """The next symbol."""
        symbol = Symbol(self.mark, None, index, shape, tensor_type.dtype)
        self.symbols.append(symbol)
        self.types.append(tensor_type)
        return symbol

    def held(self, name: str, holder: Tensor) -> Input:
        """An input whose value a variable or a constant has."""
        symbol = self.define(0, tuple(holder.array.shape), holder.type)
        handle = None if isinstance(holder, Variable) else holder
        return Input(name, symbol, holder.type, holder, handle)

    def arguments(self, specs: Sequence[Spec]) -> tuple[Input, ...]:
        """The arguments, which are the first symbols."""
        inputs = []
        for position, spec in enumerate(specs):
            tensor_type = self.type_of(spec.dtype, position)
            inputs.append(Input(spec.name, self.define(position, spec.shape, tensor_type), tensor_type))
        return tuple(inputs)

    def equations(self, steps: Sequence[Any]) -> tuple[Equation, ...]:
        """All equations, in order."""
        return tuple([self.joined(x, k) if isinstance(x, Loop) else self.equation(x) for k, x in enumerate(steps)])

    def region(self, region: Region) -> Graph:
        """The graph of a region."""
        arguments = self.arguments(region.arguments)
        constants = tuple([self.held("", x) for x in self.state.constants[self.path]])
        equations = self.equations(region.calls)
        outputs = tuple([self.symbols[number] for number in region.outputs])
        types = tuple([self.types[number] for number in region.outputs])
        return Graph(region.name, arguments, (), constants, equations, outputs, types, ())

    def joined(self, step: Loop, position: int) -> Equation:
        """One equation with regions, after its types are compared with those of its regions."""
        operands = tuple([self.joined_operand(x) for x in step.operands])
        given = [
            (x.type, ()) if isinstance(x, ir.Literal) else (self.types[number], x.shape)
            for number, x in zip(step.operands, operands, strict=True)
        ]
        results = [
            (self.type_of(spec.dtype, number), spec.shape)
            for number, spec in zip(step.outputs, step.specs, strict=True)
        ]
        graphs = []
        for number, region in enumerate(step.blocks):
            assert isinstance(region, Region)
            graphs.append(_Block(self.state, (*self.path, position, number)).region(region))
        _check_wiring(step, given, results, graphs)
        regions = step.kind.restored(graphs, given, results, step.data)
        op, resolution = declared(step.name, regions)
        outputs = tuple([self.define(index, shape, tensor_type) for index, (tensor_type, shape) in enumerate(results)])
        source = (os.path.basename(step.source[0]), step.source[1])
        return Equation(op, resolution, operands, {"regions": regions}, outputs, source)

    def equation(self, step: Step) -> Equation:
        """One equation, after its types are compared with the op's rules."""
        anchor = step.outputs[0]
        operands = tuple([self.operand(x, anchor) for x in step.operands])
        attributes = {name: self.attribute(name, value, anchor) for name, value in step.attributes.items()}
        for spec in step.specs:  # an error of the backend, not of the file
            device = self.type_of(spec.dtype, anchor).device
        self.check_devices(step, device)
        try:
            tensors = [self.tensor(x, raw) for x, raw in zip(operands, step.operands, strict=True)]
            resolution = find_resolution(step.op, tensors, attributes, device, selection.backend_of(device))
            different = resolution.result_type.dtype is not step.specs[0].dtype
            if different and "dtype" in step.op.attributes and "dtype" not in attributes:
                attributes["dtype"] = step.specs[0].dtype  # the export was under other default dtypes
                resolution = find_resolution(step.op, tensors, attributes, device, selection.backend_of(device))
            arrays = [None if x is None else x.array for x in tensors]
            shapes = [tuple(shape) for shape in step.op.output_shapes(arrays, attributes)]
        except KernelError:
            raise
        except Exception as error:  # a rule may raise anything for attributes of other types than the op takes
            text = error.summary if isinstance(error, PolytapeError) else f"{type(error).__name__}: {error}"
            expected = "operands and attributes that the op's rules accept"
            raise Malformed(step.place, expected, text=text) from error
        found = [type_text(x.dtype, shape) for x, shape in zip(resolution.result_types, shapes, strict=True)]
        stored = [type_text(spec.dtype, spec.shape) for spec in step.specs]
        if found != stored:
            raise Malformed(f"{step.place}, outputs", f"{', '.join(found)}, by the op's rules", text=", ".join(stored))
        outputs = tuple(
            [
                self.define(index, shape, tensor_type)
                for index, (shape, tensor_type) in enumerate(zip(shapes, resolution.result_types, strict=True))
            ]
        )
        source = (os.path.basename(step.source[0]), step.source[1])
        return Equation(step.op, resolution, operands, attributes, outputs, source)

    def joined_operand(self, x: int | Literal) -> Symbol | ir.Literal:
        """An operand of an equation with regions, whose results may be on the host while a number never is."""
        if isinstance(x, int):
            return self.symbols[x]
        device = self.state.device
        return ir.Literal(x.value, get_tensor_type(selection.backend_of(device), device, x.dtype))

    def operand(self, x: int | Literal | None, anchor: int) -> Operand:
        """An operand of the equation that defines ``anchor``."""
        if isinstance(x, int):
            return self.symbols[x]
        if x is None:
            return None
        return ir.Literal(x.value, self.type_of(x.dtype, anchor))

    def tensor(self, operand: Operand, raw: int | Literal | None) -> Tensor | None:
        """An operand as a tensor, for the search of a kernel."""
        if isinstance(operand, ir.Literal):
            return Tensor(operand.array(), operand.type, None)
        return None if operand is None or not isinstance(raw, int) else Tensor(operand, self.types[raw], None)

    def attribute(self, name: str, value: Any, anchor: int) -> Any:
        """An attribute's value; the device that the graph ran on is replaced by the one it runs on."""
        if name != "device" or value is None:
            return value
        device = selection.host_device() if anchor in self.on_host else self.state.device
        return value if isinstance(value, str) and value in (device.backend, str(device)) else device

    def check_devices(self, step: Step, device: Device) -> None:
        """Raise if an operand is on another device than the equation, which only a forged file can have."""
        for position, x in enumerate(step.operands):
            if isinstance(x, int) and not step.op.on_host(position) and self.types[x].device is not device:
                raise Malformed(
                    f"{step.place}, operand {position}", f"a value on {device}", text=str(self.types[x].device)
                )


class _Assembly(_Block):
    """The whole graph under construction."""

    def __init__(self, description: Description, state: State) -> None:
        super().__init__(state, ())
        self.description = description

    def graph(self) -> Graph:
        """The whole graph."""
        description, state = self.description, self.state
        arguments = self.arguments(description.arguments)
        variables = [self.held(x.name, x) for x in state.variables[: description.read]]
        sources = [
            self.source(source, [saved.name for saved in listed.values], listed.blocks)
            for source, listed in zip(state.sources, description.sources, strict=True)
        ]
        constants = [self.held("", x) for x in state.constants[()]]
        equations = self.equations(description.steps)
        writes = []
        for position, number in description.assignments:
            variable = state.variables[position]
            self.check_assigned(variable, number, f"assignment to variable {position}")
            writes.append((variable, self.symbols[number]))
        return Graph(
            description.name,
            arguments,
            tuple(variables),
            tuple(constants),
            equations,
            tuple([self.symbols[number] for number in description.outputs]),
            tuple([self.types[number] for number in description.outputs]),
            tuple(writes),
            tuple(sources),
        )

    def source(self, owner: Generator | Held, names: Sequence[str], blocks: int | None) -> Source:
        """What a run reads at its start."""
        if isinstance(owner, Generator):
            read: Callable[[], Sequence[Any]]
            draws = read = Draws(owner)
            draws.blocks = blocks or 0
            holders = [owner.state]
        else:
            read, holders = owner.read, owner.variables
        source = Source(owner, (id(owner), 0), read, self.mark, [])
        for name, holder in zip(names, holders, strict=True):
            tensor = source.tensor(name, holder.type, tuple(holder.array.shape))
            self.symbols.append(tensor.array)
            self.types.append(holder.type)
        return source

    def check_assigned(self, variable: Variable, number: int, place: str) -> None:
        """Raise if a variable is assigned a value of another type."""
        symbol = self.symbols[number]
        expected = f"{type_text(variable.dtype, tuple(variable.array.shape))} on {variable.type.device}"
        got = f"{type_text(symbol.dtype, symbol.shape)} on {self.types[number].device}"
        if expected != got:
            raise Malformed(place, expected, text=got)


def _check_wiring(step: Loop, operands: Sequence[Value], results: Sequence[Value], graphs: Sequence[Graph]) -> None:
    """Raise if an equation and its regions have different types where they are connected."""

    def value(port: Port) -> Value:
        if port.kind in ("operand", "result"):
            return (operands if port.kind == "operand" else results)[port.position]
        graph = graphs[port.region]
        if port.kind == "argument":
            found = graph.arguments[port.position]
            return found.type, found.symbol.shape
        return graph.output_types[port.position], graph.outputs[port.position].shape

    def compare(port: Port, expected: str, why: str) -> None:
        got = _text(value(port))
        if got != expected:
            raise Malformed(f"{step.place}, {port}", f"{expected}, {why}", text=got)

    for first, second in step.wiring.equal:
        compare(second, _text(value(first)), f"as {first}")
    for whole, row in step.wiring.stacked:
        tensor_type, shape = value(row)
        compare(whole, _text((tensor_type, (step.wiring.length, *shape))), f"a row per step as {row}")
    for port in step.wiring.predicates:
        tensor_type, shape = value(port)
        if tensor_type.dtype is not bool_ or shape:
            raise Malformed(f"{step.place}, {port}", "bool[]", text=type_text(tensor_type.dtype, shape))


def _text(value: Value) -> str:
    tensor_type, shape = value
    return f"{type_text(tensor_type.dtype, tuple(shape))} on {tensor_type.device}"
