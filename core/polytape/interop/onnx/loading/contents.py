"""What a model file contains: its graph, constants and versions, checked before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import polytape as pt

from ....checkpoint.files import damaged
from ....errors import KernelError, PolytapeError
from ..package import package
from .registry import OPS, Entry

__all__ = ["OLDEST", "Contents", "attribute", "describe", "read", "subgraphs"]

OLDEST: Final = 7  # the first opset in which operands broadcast without an attribute
# Ops that were other ones in older versions, and the oldest that their function computes.
OLDEST_OF: Final = {"BatchNormalization": 9, "Resize": 11, "Scan": 8}
DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training")


def read(path: str) -> Contents:
    """The contents of a model file.

    Raises:
        CheckpointError: the file is missing or damaged, or is not a valid model.
        KernelError: it has an op, a version or a dtype that polytape does not have.
        PluginError: the package onnx is missing.
    """
    onnx = package()
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise damaged(path, "it cannot be read", expected="a file with a model of ONNX", got=str(error),
                      fix="check the path") from None  # fmt: skip
    try:
        model = onnx.ModelProto.FromString(data)
        if not model.graph.output:
            raise ValueError("a file without a graph that has outputs")
        external = package("external_data_helper")
        external.load_external_data_for_model(model, os.path.dirname(os.path.abspath(path)))
        package("checker").check_model(model)
        if model.functions:
            model = package("inliner").inline_local_functions(model)
        return Contents(path, model)
    except PolytapeError:
        raise
    except Exception as error:  # the parser and the checker raise many classes, of which none is public
        raise damaged(path, "it is not a valid model of ONNX", expected="what onnx.checker.check_model accepts",
                      got=f"{type(error).__name__}: {error}", fix="export the model again") from None  # fmt: skip


class Contents:
    """A model that polytape can run.

    Attributes:
        path: of the file.
        graph: the outermost graph, a `GraphProto`.
        opset: the version of ONNX's own ops.
        constants: the initialisers of the outermost graph, as NumPy arrays.
    """

    def __init__(self, path: str, model: Any) -> None:
        self.path = path
        self.graph = model.graph
        self.versions = {x.domain or "ai.onnx": x.version for x in model.opset_import}
        self.opset = self.versions.get("ai.onnx", OLDEST)
        self.constants = _arrays(self.graph, path)
        self._inner: dict[int, tuple[Any, dict[str, Any]]] = {}  # by id: a subgraph, kept alive, and its constants
        self._needs: dict[str, set[str]] = {}
        for node in _nodes(self.graph):
            self.check(node)
        self._connect(self.graph)

    # --- ops ----------------------------------------------------------------------------------------------------------

    def entry(self, node: Any) -> Entry:
        """How a node is computed."""
        return OPS[node.op_type]

    def check(self, node: Any) -> None:
        """Raise KernelError if polytape cannot compute a node."""
        if node.domain not in DOMAINS or node.op_type not in OPS:
            raise KernelError(
                f"{self.path} has an op that polytape does not have: {describe(node)}, opset {self.opset}.",
                expected="ops of the table in docs/guide/onnx-nodes.md",
                got=f"{node.op_type} of the domain {node.domain or 'ai.onnx'!r}",
                fix="export the model with an opset whose ops are in the table, or without this op",
            )
        oldest = OLDEST_OF.get(node.op_type, OLDEST)
        if node.domain in ("", "ai.onnx") and self.opset < oldest and self._changed(node, oldest):
            raise KernelError(
                f"{self.path} has {describe(node)} as opset {self.opset} defines it.",
                expected=f"opset {oldest} or later",
                got=f"opset {self.opset}",
                fix="convert the model: onnx.version_converter.convert_version(model, 13)",
            )

    def _changed(self, node: Any, oldest: int) -> bool:
        """Whether an op was another one in the model's opset than in ``oldest``."""
        schema = package("defs").get_schema
        then, later = (schema(node.op_type, version, "").since_version for version in (self.opset, oldest))
        return bool(then != later)

    # --- constants ----------------------------------------------------------------------------------------------------

    def constants_of(self, graph: Any) -> dict[str, Any]:
        """The initialisers of a subgraph, as tensors."""
        if not graph.initializer:
            return {}
        key = id(graph)
        if key not in self._inner:
            self._inner[key] = graph, {name: pt.asarray(x) for name, x in _arrays(graph, self.path).items()}
        return self._inner[key][1]

    def constant(self, graph: Any, name: str, around: Mapping[str, Any]) -> Any:
        """The value of a name in a subgraph, from an initialiser, a node ``Constant`` or ``around`` it; else None."""
        makers = [node for node in graph.node if name in node.output]
        if not makers:
            return self.constants_of(graph).get(name, around.get(name))
        (node,) = makers
        constant = node.op_type == "Constant" and node.attribute[0].name == "value"
        return pt.asarray(attribute(node.attribute[0])) if constant else None

    def origin(self, graph: Any, name: str) -> str:
        """The name of a value of a subgraph before the nodes ``Identity`` that only pass it on."""
        while True:
            passed = [node for node in graph.node if name in node.output and node.op_type == "Identity"]
            if not passed:
                return name
            name = passed[0].input[0]

    # --- which inputs determine a value -------------------------------------------------------------------------------

    def sources(self, names: Iterable[str], is_known: Callable[[str], bool]) -> frozenset[str]:
        """The inputs of the model that values depend on, not through one that is known."""
        found, left, seen = set(), list(names), set()
        outermost = {x.name for x in self.graph.input}
        while left:
            name = left.pop()
            if name in seen or is_known(name):
                continue
            seen.add(name)
            if name in outermost:
                found.add(name)
            left += self._needs.get(name, ())
        return frozenset(found)

    def _connect(self, graph: Any) -> None:
        """Note what each name depends on. Names of subgraphs that are side by side may be the same: all count."""
        for node in graph.node:
            needs = set(node.input)
            for subgraph in subgraphs(node):
                for x in subgraph.input:
                    self._needs.setdefault(x.name, set()).update(node.input)
                self._connect(subgraph)
                needs.update(x.name for x in subgraph.output)
            for name in node.output:
                self._needs.setdefault(name, set()).update(needs)


def _arrays(graph: Any, path: str) -> dict[str, Any]:
    """The initialisers of a graph, as NumPy arrays."""
    if graph.sparse_initializer:
        raise KernelError(
            f"{path} has sparse constants.",
            expected="dense initialisers",
            got=f"sparse_initializer {graph.sparse_initializer[0].values.name}",
            fix="export the model with dense weights",
        )
    to_array = package("numpy_helper").to_array
    return {x.name: to_array(x) for x in graph.initializer}


def subgraphs(node: Any) -> list[Any]:
    """The subgraphs among a node's attributes."""
    return [x.g for x in node.attribute if x.HasField("g")] + [g for x in node.attribute for g in x.graphs]


def _nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for subgraph in subgraphs(node):
            yield from _nodes(subgraph)


def describe(node: Any) -> str:
    """A node in an error: its op, and its name or that of its first output."""
    name = node.name or next((x for x in node.output if x), "")
    return f"{node.op_type} {name!r}"


def attribute(proto: Any) -> Any:
    """The value of an attribute: Python numbers and strings, NumPy arrays, subgraphs."""
    value = package("helper").get_attribute_value(proto)
    kinds = type(proto)
    if proto.type == kinds.TENSOR:
        return package("numpy_helper").to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if proto.type == kinds.STRINGS:
        return [word.decode() for word in value]
    return list(value) if proto.type in (kinds.INTS, kinds.FLOATS) else value
