"""The description of a graph in a file, read from JSON. Its op names are looked up; nothing is computed.

Symbols are numbers: first the arguments, the variables that are read, the values of sources and the constants, then
the outputs of the equations, in this order.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

from ...checkpoint.files import strict_json
from .equations import Loop, Spec, Step, object_of, spec_of, steps_of, symbol_of
from .placing import Block
from .values import Malformed, Slot, decode_tree, one_of

__all__ = [
    "KEY",
    "VERSION",
    "Constant",
    "Description",
    "Parameter",
    "Read",
    "Saved",
    "parse",
]

KEY: Final = "polytape.graph"  # the key in the file's metadata
VERSION: Final = 1
KINDS: Final = {kind.name: kind for kind in inspect._ParameterKind}
FIELDS: Final = frozenset(
    {
        "format", "name", "parameters", "arguments", "variables", "read", "sources", "constants", "equations",
        "assignments", "outputs", "results",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """A variable: its tensor in the file."""

    name: str
    tensor: str
    trainable: bool


@dataclass(frozen=True, slots=True)
class Read:
    """What is read at the start of each run: a generator's state, or hyperparameters.

    Attributes:
        values: name and tensor of each; one, named for the state, of a generator.
        blocks: how far a run advances the generator; None for hyperparameters.
    """

    values: tuple[Saved, ...]
    blocks: int | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: its tensor in the file."""

    tensor: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the function: its kind, and its argument with `Slot` for each tensor."""

    name: str
    kind: inspect._ParameterKind
    tree: Any


@dataclass(frozen=True, slots=True)
class Description:
    """A graph as in its file. ``read`` of the variables are inputs; ``assignments``: variable and symbol."""

    name: str
    parameters: tuple[Parameter, ...]
    arguments: tuple[Spec, ...]
    variables: tuple[Saved, ...]
    read: int
    sources: tuple[Read, ...]
    constants: tuple[Constant, ...]
    steps: tuple[Step | Loop, ...]
    assignments: tuple[tuple[int, int], ...]
    outputs: tuple[int, ...]
    results: Any

    def block(self) -> Block:
        """Its equations, for `placed`."""
        values = sum(len(source.values) for source in self.sources)
        inputs = len(self.arguments) + self.read + values + len(self.constants)
        return Block(inputs, self.steps, self.outputs)


def parse(text: str) -> Description:
    """Read a description.

    Raises:
        Malformed: it is not one; the error says where.
    """
    try:
        node = strict_json(text.encode())
    except ValueError as error:
        raise Malformed("the graph", "JSON", text=str(error)) from None
    if type(node) is not dict:
        raise Malformed("the graph", "an object", node)
    version = one_of(int, node.get("format"), "format", "a number")
    if version != VERSION:
        raise Malformed("format", f"format {VERSION}, which this version of polytape reads", version)
    if node.keys() != FIELDS:
        raise Malformed("the graph", f"the keys {', '.join(sorted(FIELDS))}", text=", ".join(sorted(map(str, node))))
    name = one_of(str, node["name"], "name", "a text")
    if not name.isprintable():  # it becomes the file name of the code that runs the graph
        raise Malformed("name", "printable characters", name)
    arguments = tuple(spec_of(x, f"argument {k}") for k, x in enumerate(_list(node, "arguments")))
    variables = tuple(_saved(x, f"variable {k}") for k, x in enumerate(_list(node, "variables")))
    read = one_of(int, node["read"], "read", "a number")
    if not 0 <= read <= len(variables):
        raise Malformed("read", f"a number from 0 to {len(variables)}", read)
    sources = tuple(_source(x, f"source {k}") for k, x in enumerate(_list(node, "sources")))
    constants = tuple(
        Constant(one_of(str, x, f"constant {k}", "the name of a tensor"))
        for k, x in enumerate(_list(node, "constants"))
    )
    defined = len(arguments) + read + sum(len(source.values) for source in sources) + len(constants)
    steps = steps_of(node["equations"], "", defined)
    defined += sum(len(step.outputs) for step in steps)
    outputs = tuple(symbol_of(x, f"output {k}", defined) for k, x in enumerate(_list(node, "outputs")))
    return Description(
        name,
        _parameters(_list(node, "parameters"), len(arguments), len(variables)),
        arguments,
        variables,
        read,
        sources,
        constants,
        steps,
        _assignments(_list(node, "assignments"), len(variables), defined),
        outputs,
        _checked(decode_tree(node["results"], "results"), len(outputs), len(variables), "results"),
    )


def _list(node: dict[str, Any], name: str) -> list[Any]:
    found: list[Any] = one_of(list, node[name], name, "a list")
    return found


def _saved(node: Any, place: str) -> Saved:
    name, tensor, trainable = object_of(node, place, "name", "tensor", "trainable")
    one_of(str, name, f"{place}, name", "a text")
    one_of(bool, trainable, f"{place}, trainable", "true or false")
    return Saved(name, one_of(str, tensor, f"{place}, tensor", "the name of a tensor"), trainable)


def _source(node: Any, place: str) -> Read:
    values, blocks = object_of(node, place, "values", "blocks")
    listed = one_of(list, values, f"{place}, values", "a list")
    saved = tuple(_saved(x, f"{place}, value {k}") for k, x in enumerate(listed))
    if blocks is not None and (type(blocks) is not int or not 0 <= blocks < 2**64 or len(saved) != 1):
        raise Malformed(place, "null, or blocks from 0 to 2**64 - 1 and one value", node)
    return Read(saved, blocks)


def _assignments(nodes: list[Any], variables: int, defined: int) -> tuple[tuple[int, int], ...]:
    result: dict[int, int] = {}
    for position, node in enumerate(nodes):
        place = f"assignment {position}"
        variable, symbol = object_of(node, place, "variable", "symbol")
        if type(variable) is not int or not 0 <= variable < variables or variable in result:
            raise Malformed(place, f"the number of a variable below {variables}, once", variable)
        result[variable] = symbol_of(symbol, place, defined)
    return tuple(result.items())


# --- the function's arguments and results -----------------------------------------------------------------------------


def slots(tree: Any) -> list[Slot]:
    """The slots in a structure, in order."""
    if isinstance(tree, Slot):
        return [tree]
    if isinstance(tree, dict):
        return [slot for value in tree.values() for slot in slots(value)]
    if isinstance(tree, (list, tuple)):
        return [slot for value in tree for slot in slots(value)]
    return []


def _checked(tree: Any, tensors: int, variables: int, place: str) -> Any:
    """A structure whose slots refer to each of so many tensors once, and to variables that exist."""
    found = slots(tree)
    numbers = sorted(slot.which for slot in found if slot.kind == "tensor")
    if numbers != list(range(tensors)):
        raise Malformed(place, f"each of {tensors} tensors once", numbers)
    for slot in found:
        if slot.kind == "variable" and not 0 <= slot.which < variables:
            raise Malformed(place, f"the number of a variable below {variables}", slot.which)
    return tree


def _parameters(nodes: list[Any], tensors: int, variables: int) -> tuple[Parameter, ...]:
    parameters = []
    for position, node in enumerate(nodes):
        place = f"parameter {position}"
        name, kind, tree = object_of(node, place, "name", "kind", "argument")
        if type(name) is not str or not name.isidentifier() or type(kind) is not str or kind not in KINDS:
            raise Malformed(place, f"a name, and one of {', '.join(KINDS)}", [name, kind])
        parameters.append(Parameter(name, KINDS[kind], decode_tree(tree, place)))
    _checked([parameter.tree for parameter in parameters], tensors, variables, "parameters")
    try:
        inspect.Signature([inspect.Parameter(x.name, x.kind) for x in parameters])
    except ValueError as error:
        raise Malformed("parameters", "the parameters of a Python function", text=str(error)) from None
    return tuple(parameters)
