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

import json
import re
from collections.abc import Sequence
from json.encoder import encode_basestring as quote
from typing import Any, Final

from ..errors import CheckpointError
from ..state.trackable import Trackable
from ..tensors.variable import Variable
from .collecting import Collector
from .files import damaged, strict_json
from .nodes import NamesNode, ObjectNode, join

__all__ = ["METADATA_KEY", "collect", "collect_variables", "graph_of", "graph_text"]

METADATA_KEY: Final = "polytape.objects"
_VERSION: Final = 1
_MAX_UNUSUAL: Final = 10_000  # characters of an object graph that does not begin as polytape writes it
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_variable: Final = re.compile(r'\{"tensor":"([^"\\\x00-\x1f]+)"\},').match  # a node as polytape writes most of them
_decode: Final = json.JSONDecoder().raw_decode
_beginning: Final = re.compile(r'\s*\{\s*"format"\s*:\s*(\d{1,9})\s*,\s*"nodes"\s*:\s*\[\s*').match
_empty_nodes: Final = re.compile(r"(?:\{\}\s*,\s*)*+").match
_separator: Final = re.compile(r"\s*([,\]])\s*").match
_end: Final = re.compile(r"\}\s*").fullmatch


def collect(root: Trackable) -> tuple[list[ObjectNode], dict[str, Variable]]:
    """The nodes of the object graph below ``root``, and its variables by key.

    Raises:
        CheckpointError: as for `collect_variables`.
    """
    collector = _collector(root)
    return collector.compact(), collector.variables


def collect_variables(root: Trackable) -> dict[str, Variable]:
    """The variables below ``root`` by key.

    Raises:
        CheckpointError: an optimizer has slots of a variable that is not reachable from ``root``, two variables would
            have the same key, or a variable has no name, such as a member of a set.
    """
    return _collector(root).variables


def _collector(root: Trackable) -> Collector:
    collector = Collector(root)
    for index, value in enumerate(list(collector.objects)):
        if issubclass(type(value), Trackable):
            _collect_slots(collector, index, value)
    collector.refuse_unnamed_variables()
    return collector


def _collect_slots(collector: Collector, index: int, owner: Any) -> None:
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
        prefix = f"{join(collector.path_of(index), 'slots')}/{collector.path_of(of)}"
        indices = {name: collector.index_of(slot, join(prefix, name)) for name, slot in slots.items()}
        collector.nodes[index].slots.append((of, indices))


def graph_text(nodes: Sequence[ObjectNode]) -> str:
    """The object graph as JSON text."""
    # Most nodes are variables, so theirs is not made by way of a dict.
    entries = [
        f'{{"tensor":{quote(node.tensor)}}}' if node.tensor and not node.children and not node.slots else _entry(node)
        for node in nodes
    ]
    return f'{{"format":{_VERSION},"nodes":[{",".join(entries)}]}}'


def _entry(node: ObjectNode) -> str:
    entry: dict[str, Any] = {}
    if node.tensor:
        entry["tensor"] = node.tensor
    if node.children:
        entry["children"] = node.children
    if node.slots:
        entry["slots"] = [{"of": of, "slots": slots} for of, slots in node.slots]
    return _encode(entry)


def graph_of(path: str, metadata: dict[str, str], names: Sequence[str]) -> list[ObjectNode]:
    """The object graph of the checkpoint file ``path``; if it has none, one built from its tensors' ``names``.

    Raises:
        CheckpointError: the text is damaged, or was written by a newer polytape.
    """
    text = metadata.get(METADATA_KEY)
    if text is None:
        nodes: list[ObjectNode] = []
        nodes.append(NamesNode(nodes, names, ""))
        return nodes
    try:
        return _parse(path, text, set(names))
    except CheckpointError:  # also a ValueError, but already complete
        raise
    except ValueError as error:
        raise damaged(
            path,
            "its object graph is damaged",
            expected=f"the metadata {METADATA_KEY!r} as polytape writes it",
            got=str(error),
        ) from error


def _parse(path: str, text: str, names: set[str]) -> list[ObjectNode]:
    """The nodes in ``text``. They are read one by one, so a forged text takes little more memory than it has bytes."""
    match = _beginning(text)
    if match is None or text.startswith("]", match.end()) or match[1] == "0":
        raise ValueError(_unusual(text))
    if int(match[1]) > _VERSION:
        raise damaged(
            path,
            "its object graph was written by a newer polytape",
            expected=f"format {_VERSION}",
            got=f"format {match[1]}",
            fix="update polytape",
        )
    nodes: list[ObjectNode] = []
    position = match.end()
    highest = 0  # of the indices
    unused = set(names)
    while True:
        empty = _empty_nodes(text, position)
        if empty is not None and empty[0]:
            nodes += [_EMPTY] * empty[0].count("{")
            position = empty.end()
        while (variable := _variable(text, position)) is not None and variable[1] in unused:
            unused.remove(variable[1])
            nodes.append(ObjectNode(variable[1]))
            position = variable.end()
        entry, position = _next(text, position)
        node, index = _node(entry, names)
        if node.tensor:
            if node.tensor not in unused:
                raise ValueError(f"two nodes refer to the tensor {node.tensor!r}"[:200])
            unused.remove(node.tensor)
        nodes.append(node)
        highest = max(highest, index)
        separator = _separator(text, position)
        if separator is None:
            raise ValueError(f"',' or ']' is missing at character {position}")
        position = separator.end()
        if separator[1] == "]":
            break
    if _end(text, position) is None:
        raise ValueError(f"'}}' is missing at character {position}, or there is more after it")
    if highest >= len(nodes):
        raise ValueError(f"{highest} is not a valid index among {len(nodes)} nodes")
    return nodes


def _next(text: str, position: int) -> tuple[object, int]:
    # Faster than strict_json(), which rejects duplicate keys: the checksum of the header shows damage.
    try:
        return _decode(text, position)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _unusual(text: str) -> str:
    """Why a text that does not begin with its format and first node is not an object graph."""
    if len(text) > _MAX_UNUSUAL:
        return repr(text[:80])
    content = strict_json(text.encode("utf-8"))
    if not isinstance(content, dict):
        return "the object graph is not a JSON object"
    return f"format {content.get('format')!r} with {type(content.get('nodes')).__name__} nodes"


_EMPTY: Final = ObjectNode("")  # what an object that holds no variable has in files of polytape 0.1


def _node(entry: object, names: set[str]) -> tuple[ObjectNode, int]:
    """The node, and the highest index in it."""
    if not isinstance(entry, dict):
        raise ValueError(f"the node {entry!r} is not a JSON object"[:200])
    if not entry:
        return _EMPTY, 0
    tensor: object = entry.get("tensor", "")
    if not isinstance(tensor, str) or (tensor and tensor not in names):
        raise ValueError(f"a node refers to the tensor {tensor!r}, which is not in the file"[:200])
    node = ObjectNode(tensor)
    if tensor and len(entry) == 1:
        return node, 0
    node.children, node.slots = _indices(entry.get("children", {})), []
    indices = [0, *node.children.values()]
    slots: object = entry.get("slots", [])
    if not isinstance(slots, list):
        raise ValueError(f"the slots {slots!r} are not a JSON list"[:200])
    for group in slots:
        if not isinstance(group, dict):
            raise ValueError(f"the slots {group!r} are not a JSON object"[:200])
        of = _indices({"of": group.get("of")})["of"]
        named = _indices(group.get("slots"))
        node.slots.append((of, named))
        indices += [of, *named.values()]
    return node, max(indices)


def _indices(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a mapping of names to nodes"[:200])
    for index in value.values():
        if type(index) is not int or index < 0:
            raise ValueError(f"{index!r} is not a valid index"[:200])
    return value
