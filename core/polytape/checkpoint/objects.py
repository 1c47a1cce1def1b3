"""The object graph of a checkpoint: which object holds which, by name, and which tensor each variable is.

It is kept as JSON text in the metadata ``polytape.objects`` of the file::

    {"format": 1, "nodes": [{"children": {"model": 1, "optimizer": 2}},
                            {"children": {"w": 3}},
                            {"children": {"step": 4}, "slots": [{"of": 3, "slots": {"m": 5, "v": 6}}]},
                            {"tensor": "model/w"}, {"tensor": "optimizer/step"},
                            {"tensor": "optimizer/slots/model/w/m"}, {"tensor": "optimizer/slots/model/w/v"}]}

Node 0 is the checkpoint itself; numbers are places in ``nodes``. A shared object is one node with several names, and
its tensor is keyed by the shortest of its paths. A file without that text, from another writer, is read as if its
tensors' names were paths.
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
    """One object: its children's places by name, its slots (variable's place, places by slot name), its tensor."""

    __slots__ = ("children", "slots", "tensor")

    def __init__(self, tensor: str) -> None:
        self.children: dict[str, int] = {}
        self.slots: list[tuple[int, dict[str, int]]] = []
        self.tensor: str = tensor  # "" for an object that is no variable

    def __repr__(self) -> str:
        return f"ObjectNode({self.tensor!r}, {sorted(self.children)}, {len(self.slots)} slots)"


def children_of(value: object) -> list[tuple[str, object]]:
    """What a checkpoint follows from ``value``, by name.

    Raises:
        CheckpointError: two keys of a dict have one name, or a key has none.
    """
    if isinstance(value, Trackable):
        return [(name, child) for name, child in value._tracked_children() if follows(child)]
    if isinstance(value, (list, tuple)):
        return [(str(place), child) for place, child in enumerate(value) if follows(child)]
    found: list[tuple[str, object]] = []
    if isinstance(value, dict):
        names: set[str] = set()
        for key, child in value.items():
            if not follows(child):
                continue
            name = str(key)
            if not isinstance(key, (str, int)) or name in names:
                raise CheckpointError(
                    f"a checkpoint cannot name the entry {key!r} of a dict.",
                    expected="keys that are texts or integers, no two of them alike as text",
                    got=f"{key!r} of type {type(key).__name__}",
                    fix="use texts as keys, or a name that starts with an underscore for an attribute to leave out",
                )
            names.add(name)
            found.append((name, child))
    return found


class _Collector:
    """The nodes found so far, their objects (kept, so that ids stay theirs) and their paths."""

    def __init__(self) -> None:
        self.nodes: list[ObjectNode] = []
        self.objects: list[object] = []
        self.paths: list[str] = []
        self.places: dict[int, int] = {}
        self.variables: dict[str, Variable] = {}

    def place(self, value: object, path: str) -> int:
        """The place of ``value``; a new one where it is met for the first time."""
        found = self.places.get(id(value))
        if found is not None:
            return found
        index = len(self.nodes)
        node = ObjectNode("")
        if isinstance(value, Variable):
            if path in self.variables:
                raise _same_path(path)
            self.variables[path] = value
            node.tensor = path
        self.places[id(value)] = index
        self.nodes.append(node)
        self.objects.append(value)
        self.paths.append(path)
        return index


def collect(root: Trackable) -> tuple[list[ObjectNode], dict[str, Variable]]:
    """The object graph from ``root`` on, and its variables by key.

    Raises:
        CheckpointError: an optimizer has slots of a variable that is not reached from ``root``, or two objects would
            have one key.
    """
    walk = _Collector()
    walk.place(root, "")
    done = 0
    while done < len(walk.nodes):  # breadth first: the first path to an object is its shortest
        value, path = walk.objects[done], walk.paths[done]
        for name, child in children_of(value):
            walk.nodes[done].children[name] = walk.place(child, join(path, name))
        done += 1
    for place in range(done):
        value = walk.objects[place]
        if isinstance(value, Trackable):
            _collect_slots(walk, place, value)
    return walk.nodes, walk.variables


def _collect_slots(walk: _Collector, place: int, owner: Trackable) -> None:
    for variable, slots in owner._tracked_slots():
        of = walk.places.get(id(variable))
        if of is None:
            raise CheckpointError(
                f"{type(owner).__name__} has state for the variable {variable.name or repr(variable)}, which this "
                "checkpoint does not hold.",
                expected="every variable that an optimizer has updated, reached from the checkpoint",
                got=f"a variable that is reached from none of its {len(walk.variables)} paths",
                fix="give the checkpoint the model as well: Checkpoint(model=model, optimizer=optimizer)",
            )
        prefix = join(join(walk.paths[place], "slots"), "") + walk.paths[of]
        places = {name: walk.place(slot, join(prefix, name)) for name, slot in slots.items()}
        walk.nodes[place].slots.append((of, places))


def join(path: str, name: str) -> str:
    """``path/name``, with the characters of a dict's key that would be mistaken for a separator written otherwise."""
    safe = name.replace("~", "~0").replace("/", "~1")
    return f"{path}/{safe}" if path else safe


def _same_path(path: str) -> CheckpointError:
    return CheckpointError(
        f"two variables would be saved as {path!r}.",
        expected="one variable per path",
        got="an attribute whose name is that of an optimizer's own state",
        fix="rename the attribute",
    )


def graph_text(nodes: Sequence[ObjectNode]) -> str:
    """The object graph as JSON text."""
    import json

    written: list[dict[str, Any]] = []
    for node in nodes:
        entry: dict[str, Any] = {}
        if node.tensor:
            entry["tensor"] = node.tensor
        if node.children:
            entry["children"] = node.children
        if node.slots:
            entry["slots"] = [{"of": of, "slots": slots} for of, slots in node.slots]
        written.append(entry)
    return json.dumps({"format": _VERSION, "nodes": written}, ensure_ascii=False, separators=(",", ":"))


def graph_of(path: str, metadata: dict[str, str], names: Sequence[str]) -> list[ObjectNode]:
    """The object graph of the checkpoint file ``path``; of one of another writer, by its tensors' ``names``.

    Raises:
        CheckpointError: the text is damaged, or of a newer polytape.
    """
    text = metadata.get(METADATA_KEY)
    if text is None:
        return _graph_of_names(names)
    try:
        content = strict_json(text.encode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("the object graph is no object")
        version: object = content.get("format")
        if type(version) is int and version > _VERSION:
            raise damaged(
                path,
                "a newer polytape wrote its object graph",
                expected=f"format {_VERSION}",
                got=f"format {version}",
                fix="update polytape",
            )
        return _parse(content, set(names))
    except CheckpointError:  # a ValueError too, and already says all
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
            plain = part.replace("~1", "/").replace("~0", "~")
            place = node.children.get(plain)
            if place is None:
                place = node.children[plain] = len(nodes)
                nodes.append(ObjectNode(""))
            node = nodes[place]
        node.tensor = name
    return nodes


def _parse(content: dict[str, Any], names: set[str]) -> list[ObjectNode]:
    listed: object = content.get("nodes")
    if content.get("format") != _VERSION or not isinstance(listed, list) or not listed:
        raise ValueError(f"format {content.get('format')!r} with {type(listed).__name__} nodes")
    nodes: list[ObjectNode] = []
    for entry in listed:
        if not isinstance(entry, dict):
            raise ValueError(f"the node {entry!r}")
        tensor: object = entry.get("tensor", "")
        if not isinstance(tensor, str) or (tensor and tensor not in names):
            raise ValueError(f"a node of the tensor {tensor!r}, which is not in the file")
        node = ObjectNode(tensor)
        node.children = _places(entry.get("children", {}), len(listed))
        slots: object = entry.get("slots", [])
        if not isinstance(slots, list):
            raise ValueError(f"the slots {slots!r}")
        for one in slots:
            if not isinstance(one, dict):
                raise ValueError(f"the slots {one!r}")
            node.slots.append((_place(one.get("of"), len(listed)), _places(one.get("slots"), len(listed))))
        nodes.append(node)
    return nodes


def _place(value: object, count: int) -> int:
    if type(value) is not int or not 0 <= value < count:
        raise ValueError(f"{value!r} is no place among {count} nodes")
    return value


def _places(value: object, count: int) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no mapping of names to nodes")
    return {str(name): _place(place, count) for name, place in value.items()}
