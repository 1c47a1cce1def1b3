"""The equations of a graph in a file, and those of its regions, read from JSON.

An equation can only use symbols below its own. The regions of an equation, such as the body of a loop, have the form of
a graph, and their symbols have numbers of their own.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from ...dtypes import DType
from ...errors import RegistrationError
from ...registry import tables
from ...registry.op import Op
from ..region_tracing import FORMS
from ..regions import Regions
from .placing import Block, Joined
from .values import Malformed, decode, one_of

__all__ = ["Literal", "Loop", "Region", "Spec", "Step", "kinds", "object_of", "spec_of", "steps_of", "symbol_of"]


@dataclass(frozen=True, slots=True)
class Spec:
    """Name, dtype and shape of a value."""

    name: str
    dtype: DType
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A Python number in an equation, and its dtype there."""

    value: Any
    dtype: DType


@dataclass(frozen=True, slots=True)
class Step:
    """An equation; its operands are numbers of symbols, literals, or None."""

    op: Op
    operands: tuple[int | Literal | None, ...]
    attributes: dict[str, Any]
    outputs: tuple[int, ...]
    specs: tuple[Spec, ...]
    source: tuple[str, int]
    place: str


@dataclass(frozen=True, slots=True)
class Region(Block):
    """A region: its inputs are ``arguments``, then ``constants``, which are names of tensors."""

    name: str
    arguments: tuple[Spec, ...]
    constants: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Loop(Joined):
    """An equation with regions; ``kind`` and ``data`` are what `Regions.restored` makes them of."""

    name: str
    kind: type[Regions]
    data: dict[str, Any]
    specs: tuple[Spec, ...]
    source: tuple[str, int]
    place: str


def steps_of(nodes: Any, place: str, defined: int) -> tuple[Step | Loop, ...]:
    """Equations, of which the first defines the symbol ``defined``.

    Args:
        nodes: a list.
        place: prefixes the places in errors; empty outside regions.
        defined: how many symbols there are before.
    """
    steps: list[Step | Loop] = []
    for position, node in enumerate(one_of(list, nodes, f"{place}equations", "a list")):
        read = _loop if type(node) is dict and "regions" in node else _step
        step = read(node, f"{place}equation {position}", defined)
        defined += len(step.outputs)
        steps.append(step)
    return tuple(steps)


def object_of(node: Any, place: str, *keys: str) -> list[Any]:
    """The values of an object with exactly these keys."""
    if type(node) is not dict or node.keys() != set(keys):
        raise Malformed(place, f"an object with the keys {', '.join(keys)}", node)
    return [node[key] for key in keys]


def _shape(node: Any, place: str) -> tuple[int, ...]:
    sizes = one_of(list, node, f"{place}, shape", "a list of sizes")
    if len(sizes) > 64 or any(type(size) is not int or not 0 <= size < 2**63 for size in sizes):
        raise Malformed(f"{place}, shape", "at most 64 sizes from 0 to 2**63 - 1", node)
    return tuple(sizes)


def spec_of(node: Any, place: str) -> Spec:
    """The type of an argument."""
    name, dtype, shape = object_of(node, place, "name", "dtype", "shape")
    one_of(str, name, f"{place}, name", "a text")
    return Spec(name, decode({"dtype": dtype}, f"{place}, dtype"), _shape(shape, place))


def symbol_of(node: Any, place: str, defined: int) -> int:
    """The number of a symbol, of which ``defined`` exist."""
    if type(node) is not int or not 0 <= node < defined:
        raise Malformed(place, f"the number of a symbol that is defined before, below {defined}", node)
    return node


def _step(node: Any, place: str, defined: int) -> Step:
    name, operands, attributes, outputs, source = object_of(
        node, place, "op", "operands", "attributes", "outputs", "source"
    )
    try:
        op = tables.get_op(one_of(str, name, f"{place}, op", "the name of an op"))
    except RegistrationError as error:
        raise Malformed(f"{place}, op", f"{error.expected}, or of an installed plugin", name) from None
    place = f"{place} ({op.name})"
    read = _operands(operands, place, defined)
    _check_count(op, read, place)
    specs = _specs(outputs, place)
    count = 1 if op.outputs is None else len(op.outputs._fields)
    if len(specs) != count:
        raise Malformed(f"{place}, outputs", f"{count} outputs", text=f"{len(specs)} outputs")
    numbers = tuple(range(defined, defined + count))
    return Step(op, read, _attributes(op, attributes, place), numbers, specs, _source(source, place), place)


def _source(node: Any, place: str) -> tuple[str, int]:
    if type(node) is not list or [type(x) for x in node] != [str, int]:
        raise Malformed(f"{place}, source", "a file's name and a line", node)
    return node[0], node[1]


def _specs(node: Any, place: str) -> tuple[Spec, ...]:
    """The types of an equation's outputs."""
    specs = []
    for position, kind in enumerate(one_of(list, node, f"{place}, outputs", "a list")):
        where = f"{place}, output {position}"
        dtype, shape = object_of(kind, where, "dtype", "shape")
        specs.append(Spec("", decode({"dtype": dtype}, f"{where}, dtype"), _shape(shape, where)))
    return tuple(specs)


def _operands(node: Any, place: str, defined: int) -> tuple[int | Literal | None, ...]:
    listed = one_of(list, node, f"{place}, operands", "a list")
    return tuple([_operand(x, f"{place}, operand {k}", defined) for k, x in enumerate(listed)])


def _operand(node: Any, place: str, defined: int) -> int | Literal | None:
    if node is None or type(node) is int:
        return None if node is None else symbol_of(node, place, defined)
    value, dtype = object_of(node, place, "number", "dtype")
    number = decode(value, place)
    return Literal(one_of((bool, int, float, complex), number, place, "a number"), decode({"dtype": dtype}, place))


def _check_count(op: Op, operands: tuple[Any, ...], place: str) -> None:
    single = len(op.operands) - op.variadic
    if len(operands) < single or (len(operands) > single and not op.variadic):
        more = " or more" if op.variadic else ""
        raise Malformed(f"{place}, operands", f"{single}{more} operands", text=f"{len(operands)} operands")
    for position, operand in enumerate(operands):
        if operand is None and op.operand_name(position) not in op.optional:
            raise Malformed(f"{place}, operand {position}", "a symbol or a number, as it is not optional", None)


def _attributes(op: Op, node: Any, place: str) -> dict[str, Any]:
    given = one_of(dict, node, f"{place}, attributes", "an object")
    for name in given:
        if name not in op.attributes:
            known = ", ".join(op.attributes) or "none"
            raise Malformed(f"{place}, attribute {name!r}", f"an attribute of the op: {known}", text=name)
    for name in op.attributes:
        if name not in given and name not in op.defaults:
            raise Malformed(f"{place}, attributes", f"{name}, which has no default", list(given))
    return {name: decode(given[name], f"{place}, attribute {name}") for name in op.attributes if name in given}


# --- regions ----------------------------------------------------------------------------------------------------------


def kinds() -> dict[str, type[Regions]]:
    """The kinds of equations with regions, by the names of their ops."""
    # By name, as ops are looked up: control flow is a room above this one, and loads with the first graph that has it.
    above: dict[str, type[Regions]] = importlib.import_module("polytape.control.forms").FORMS
    return {**FORMS, **above}


def _loop(node: Any, place: str, defined: int) -> Loop:
    name, operands, attributes, outputs, source, regions = object_of(
        node, place, "op", "operands", "attributes", "outputs", "source", "regions"
    )
    known = kinds()
    kind = known.get(one_of(str, name, f"{place}, op", "the name of an op"))
    if kind is None:
        raise Malformed(f"{place}, op", f"an op with regions: {', '.join(sorted(known))}", name)
    place = f"{place} ({name})"
    read = _operands(operands, place, defined)
    if None in read:
        raise Malformed(f"{place}, operand {read.index(None)}", "a symbol or a number, as it is not optional", None)
    specs = _specs(outputs, place)
    data = _data(kind, attributes, place)
    wiring = kind.wiring(data, len(read), len(specs)) if specs else None
    if wiring is None:
        raise Malformed(
            place, "operands, outputs and attributes that belong together",
            text=f"{len(read)} operands, {len(specs)} outputs, {data}",
        )  # fmt: skip
    listed = one_of(list, regions, f"{place}, regions", "a list")
    if len(listed) != len(wiring.regions):
        raise Malformed(f"{place}, regions", f"{len(wiring.regions)} regions", text=f"{len(listed)} regions")
    blocks = tuple(
        [
            _region(x, f"{place}, region {k}", counts)
            for k, (x, counts) in enumerate(zip(listed, wiring.regions, strict=True))
        ]
    )
    numbers = tuple(range(defined, defined + len(specs)))
    return Loop(read, numbers, wiring, blocks, name, kind, data, specs, _source(source, place), place)


def _data(kind: type[Regions], node: Any, place: str) -> dict[str, Any]:
    given = one_of(dict, node, f"{place}, attributes", "an object")
    if given.keys() != kind.DATA.keys():
        names = ", ".join(kind.DATA) or "none"
        raise Malformed(f"{place}, attributes", names, text=", ".join(given) or "none")
    data = {}
    for name, types in kind.DATA.items():
        where = f"{place}, attribute {name}"
        data[name] = one_of(types, decode(given[name], where), where, " or ".join([x.__name__ for x in types]))
    return data


def _region(node: Any, place: str, counts: tuple[int, int]) -> Region:
    name, arguments, constants, equations, outputs = object_of(
        node, place, "name", "arguments", "constants", "equations", "outputs"
    )
    one_of(str, name, f"{place}, name", "a text")
    if not name.isprintable():  # it becomes the file name of the code that runs the region
        raise Malformed(f"{place}, name", "printable characters", name)
    listed = one_of(list, arguments, f"{place}, arguments", "a list")
    specs = tuple([spec_of(x, f"{place}, argument {k}") for k, x in enumerate(listed)])
    tensors = one_of(list, constants, f"{place}, constants", "a list")
    held = tuple([one_of(str, x, f"{place}, constant {k}", "the name of a tensor") for k, x in enumerate(tensors)])
    inputs = len(specs) + len(held)
    steps = steps_of(equations, f"{place}, ", inputs)
    defined = inputs + sum(len(step.outputs) for step in steps)
    results = one_of(list, outputs, f"{place}, outputs", "a list")
    numbers = tuple([symbol_of(x, f"{place}, output {k}", defined) for k, x in enumerate(results)])
    if (len(specs), len(numbers)) != counts:
        expected = f"{counts[0]} arguments and {counts[1]} outputs, by its equation"
        raise Malformed(place, expected, text=f"{len(specs)} arguments and {len(numbers)} outputs")
    return Region(inputs, steps, numbers, name, specs, held, place)
