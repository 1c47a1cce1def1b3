"""The object graph of a checkpoint: the children of each object, by name, and the tensor of each variable.

It is stored as JSON text in the metadata ``polytape.objects`` of the file::

    {"format": 1, "nodes": [{"children": {"model": 1, "optimizer": 2}},
                            {"children": {"w": 3}},
                            {"children": {"step": 4}, "slots": [{"of": 3, "slots": {"m": 5, "v": 6}}]},
                            {"tensor": "model/w"}, {"tensor": "optimizer/step"},
                            {"tensor": "optimizer/slots/model/w/m"}, {"tensor": "optimizer/slots/model/w/v"}]}

Node 0 is the checkpoint itself; numbers are indices into ``nodes``. A shared object is one node with several names, and
its tensor is keyed by the shortest of its paths. In a file without that text, which polytape did not write, the names
of the tensors serve as paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..errors import CheckpointError
from ..state.trackable import Trackable, follows
from ..tensors.variable import Variable
from .files import damaged, strict_json

__all__ = ["METADATA_KEY", "ObjectNode", "children_of", "collect", "graph_of", "graph_text"]

METADATA_KEY: Final = "polytape.objects"
_VERSION: Final = 1


class ObjectNode:
    """One object: node indices of its children by name, its slots, and its tensor.

    Each entry of ``slots`` is the index of a variable, and the indices of that variable's slots by name.
    """

    __slots__ = ("children", "slots", "tensor")

    def __init__(self, tensor: str) -> None:
        self.children: dict[str, int] = {}
        self.slots: list[tuple[int, dict[str, int]]] = []
        self.tensor: str = tensor  # "" if the object is not a variable

    def __repr__(self) -> str:
        return f"ObjectNode({self.tensor!r}, {sorted(self.children)}, {len(self.slots)} slots)"


def children_of(value: object) -> list[tuple[str, object]]:
    """The objects that a checkpoint follows from ``value``, with their names.

    Raises:
        CheckpointError: two keys of a dict give the same name, or a key is not a str or int.
    """
    if isinstance(value, Trackable):
        return [(name, child) for name, child in value._tracked_children() if follows(child)]
    if isinstance(value, (list, tuple)):
        return [(str(position), child) for position, child in enumerate(value) if follows(child)]
    children: list[tuple[str, object]] = []
    if isinstance(value, dict):
        names: set[str] = set()
        for key, child in value.items():
            if not follows(child):
                continue
            name = str(key)
            if not isinstance(key, (str, int)) or name in names:
                raise CheckpointError(
                    f"a checkpoint cannot name the entry {key!r} of a dict.",
                    expected="keys of type str or int, which stay distinct when converted to str",
                    got=f"{key!r} of type {type(key).__name__}",
                    fix="use str keys, or exclude the dict by a leading underscore in the name of its attribute",
                )
            names.add(name)
            children.append((name, child))
    return children


class _Collector:
    """The nodes found so far, their objects (referenced, so that no other object gets their ids) and their paths."""

    def __init__(self) -> None:
        self.nodes: list[ObjectNode] = []
        self.objects: list[object] = []
        self.paths: list[str] = []
        self.indices: dict[int, int] = {}  # id of an object -> index of its node
        self.variables: dict[str, Variable] = {}

    def index_of(self, value: object, path: str) -> int:
        """The index of the node of ``value``; adds a node the first time."""
        known = self.indices.get(id(value))
        if known is not None:
            return known
        index = len(self.nodes)
        node = ObjectNode("")
        if isinstance(value, Variable):
            if path in self.variables:
                raise _same_path(path)
            self.variables[path] = value
            node.tensor = path
        self.indices[id(value)] = index
        self.nodes.append(node)
        self.objects.append(value)
        self.paths.append(path)
        return index


def collect(root: Trackable) -> tuple[list[ObjectNode], dict[str, Variable]]:
    """The nodes of the object graph below ``root``, and its variables by key.

    Raises:
        CheckpointError: an optimizer has slots of a variable that is not reachable from ``root``, or two variables
            would have the same key.
    """
    collector = _Collector()
    collector.index_of(root, "")
    visited = 0
    while visited < len(collector.nodes):  # breadth first: the first path to an object is its shortest
        value, path = collector.objects[visited], collector.paths[visited]
        for name, child in children_of(value):
            collector.nodes[visited].children[name] = collector.index_of(child, join(path, name))
        visited += 1
    for index in range(visited):
        value = collector.objects[index]
        if isinstance(value, Trackable):
            _collect_slots(collector, index, value)
    return collector.nodes, collector.variables


def _collect_slots(collector: _Collector, index: int, owner: Trackable) -> None:
    for variable, slots in owner._tracked_slots():
        of = collector.indices.get(id(variable))
        if of is None:
            raise CheckpointError(
                f"{type(owner).__name__} has state for the variable {variable.name or repr(variable)}, which this "
                "checkpoint does not contain.",
                expected="every variable that an optimizer has updated to be reachable from the checkpoint",
                got=f"a variable that is not among the {len(collector.variables)} reachable ones",
                fix="add the model to the checkpoint: Checkpoint(model=model, optimizer=optimizer)",
            )
        prefix = join(join(collector.paths[index], "slots"), "") + collector.paths[of]
        indices = {name: collector.index_of(slot, join(prefix, name)) for name, slot in slots.items()}
        collector.nodes[index].slots.append((of, indices))


def join(path: str, name: str) -> str:
    """``path/name``; "~" and "/" in ``name`` (a dict's key) are escaped."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    return f"{path}/{escaped}" if path else escaped


def _same_path(path: str) -> CheckpointError:
    return CheckpointError(
        f"two variables would be saved as {path!r}.",
        expected="one variable per path",
        got="an attribute with the same name as an optimizer's own state",
        fix="rename the attribute",
    )


def graph_text(nodes: Sequence[ObjectNode]) -> str:
    """The object graph as JSON text."""
    import json

    entries: list[dict[str, Any]] = []
    for node in nodes:
        entry: dict[str, Any] = {}
        if node.tensor:
            entry["tensor"] = node.tensor
        if node.children:
            entry["children"] = node.children
        if node.slots:
            entry["slots"] = [{"of": of, "slots": slots} for of, slots in node.slots]
        entries.append(entry)
    return json.dumps({"format": _VERSION, "nodes": entries}, ensure_ascii=False, separators=(",", ":"))


def graph_of(path: str, metadata: dict[str, str], names: Sequence[str]) -> list[ObjectNode]:
    """The object graph of the checkpoint file ``path``; if it has none, one built from its tensors' ``names``.

    Raises:
        CheckpointError: the text is damaged, or was written by a newer polytape.
    """
    text = metadata.get(METADATA_KEY)
    if text is None:
        return _graph_of_names(names)
    try:
        content = strict_json(text.encode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("the object graph is not a JSON object")
        version: object = content.get("format")
        if type(version) is int and version > _VERSION:
            raise damaged(
                path,
                "its object graph was written by a newer polytape",
                expected=f"format {_VERSION}",
                got=f"format {version}",
                fix="update polytape",
            )
        return _parse(content, set(names))
    except CheckpointError:  # also a ValueError, but already complete
        raise
    except ValueError as error:
        raise damaged(
            path,
            "its object graph is damaged",
            expected=f"the metadata {METADATA_KEY!r} as polytape writes it",
            got=str(error),
        ) from error


def _graph_of_names(names: Sequence[str]) -> list[ObjectNode]:
    nodes = [ObjectNode("")]
    for name in names:
        node = nodes[0]
        for part in name.split("/"):
            unescaped = part.replace("~1", "/").replace("~0", "~")
            index = node.children.get(unescaped)
            if index is None:
                index = node.children[unescaped] = len(nodes)
                nodes.append(ObjectNode(""))
            node = nodes[index]
        node.tensor = name
    return nodes


def _parse(content: dict[str, Any], names: set[str]) -> list[ObjectNode]:
    entries: object = content.get("nodes")
    if content.get("format") != _VERSION or not isinstance(entries, list) or not entries:
        raise ValueError(f"format {content.get('format')!r} with {type(entries).__name__} nodes")
    nodes: list[ObjectNode] = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError(f"the node {entry!r} is not a JSON object")
        tensor: object = entry.get("tensor", "")
        if not isinstance(tensor, str) or (tensor and tensor not in names):
            raise ValueError(f"a node refers to the tensor {tensor!r}, which is not in the file")
        node = ObjectNode(tensor)
        node.children = _indices(entry.get("children", {}), len(entries))
        slots: object = entry.get("slots", [])
        if not isinstance(slots, list):
            raise ValueError(f"the slots {slots!r} are not a JSON list")
        for group in slots:
            if not isinstance(group, dict):
                raise ValueError(f"the slots {group!r} are not a JSON object")
            node.slots.append((_index(group.get("of"), len(entries)), _indices(group.get("slots"), len(entries))))
        nodes.append(node)
    return nodes


def _index(value: object, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise ValueError(f"{value!r} is not a valid index among {count} nodes")
    return value


def _indices(value: object, count: int) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a mapping of names to nodes")
    return {str(name): _index(index, count) for name, index in value.items()}
