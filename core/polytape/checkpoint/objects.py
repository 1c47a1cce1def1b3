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
from collections import deque
from collections.abc import Sequence
from json.encoder import encode_basestring as quote
from typing import Any, Final

from ..errors import CheckpointError
from ..state.trackable import Trackable
from ..tensors.variable import Variable
from .collecting import Collector
from .files import damaged, strict_json
from .nodes import Graph, NamesNode, ObjectNode, join

__all__ = ["METADATA_KEY", "collect", "collect_variables", "graph_of", "graph_text"]

METADATA_KEY: Final = "polytape.objects"
_VERSION: Final = 1
_MAX_REMEMBERED: Final = 1 << 19  # characters of an object graph that is remembered
_MAX_UNUSUAL: Final = 10_000  # characters of an object graph that does not begin as polytape writes it
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_VARIABLE: Final = '{"tensor":"'  # how the node of a variable begins
_BETWEEN: Final = '"},{"tensor":"'  # what is between the tensors of two
_WINDOW: Final = 1 << 9  # characters in which they are searched for at first; more each time that all fit
_MAX_WINDOW: Final = 1 << 16
_decode: Final = json.JSONDecoder().raw_decode
_CONTROLS: Final = bytes(range(32))
_beginning: Final = re.compile(r'\s*\{\s*"format"\s*:\s*(\d{1,9})\s*,\s*"nodes"\s*:\s*\[\s*').match
_empty_nodes: Final = re.compile(r"(?:\{\}\s*,\s*)*+").match
_separator: Final = re.compile(r"\s*([,\]])\s*").match
_end: Final = re.compile(r"\}\s*").fullmatch


class _Parsed:
    """An object graph that was read, which nothing changes; all checkpoints of one training have the same."""

    __slots__ = ("graph", "names", "text")

    def __init__(self, text: str, names: tuple[str, ...], graph: Graph) -> None:
        self.text: Final = text
        self.names: Final = names
        self.graph: Final = graph

    def __repr__(self) -> str:
        return f"_Parsed({self.graph!r})"


remembered: Final[deque[_Parsed]] = deque(maxlen=2)


def collect(root: Trackable) -> tuple[Graph, dict[str, Variable]]:
    """The object graph below ``root``, and its variables by key.

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
    for index in [*collector.graph.objects]:
        value = collector.objects[index]
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
        prefix = f"{join(collector.path_of(index), 'slots')}/{collector.graph.tensors[of]}"
        indices = {name: collector.index_of(slot, join(prefix, name)) for name, slot in slots.items()}
        collector.graph.objects[index].slots.append((of, indices))


def graph_text(graph: Graph) -> str:
    """The object graph as JSON text; all objects of it that are no variables have children or slots."""
    texts: list[str] = []
    begin = 0
    for index in [*sorted(graph.objects), len(graph.tensors)]:
        if begin < index:  # variables, whose texts are made all at once
            quotes = '},{"tensor":'.join(map(quote, graph.tensors[begin:index]))
            texts.append(f'{{"tensor":{quotes}}}')
        if index in graph.objects:
            texts.append(_entry(graph.tensors[index], graph.objects[index]))
        begin = index + 1
    return f'{{"format":{_VERSION},"nodes":[{",".join(texts)}]}}'


def _entry(tensor: str, node: ObjectNode) -> str:
    entry: dict[str, Any] = {}
    if tensor:
        entry["tensor"] = tensor
    if node.children:
        entry["children"] = node.children
    if node.slots:
        entry["slots"] = [{"of": of, "slots": slots} for of, slots in node.slots]
    return _encode(entry)


def graph_of(path: str, metadata: dict[str, str], names: Sequence[str]) -> Graph:
    """The object graph of the checkpoint file ``path``; if it has none, one built from its tensors' ``names``.

    Raises:
        CheckpointError: the text is damaged, or was written by a newer polytape.
    """
    text = metadata.get(METADATA_KEY)
    if text is None:
        graph = Graph()
        graph.add("", NamesNode(graph, names, ""))
        return graph
    names = tuple(names)
    for known in [*remembered]:  # a copy: another thread may add one
        if known.text == text and known.names == names:
            return known.graph
    try:
        graph = _parse(path, text, set(names))
        if len(text) <= _MAX_REMEMBERED:
            remembered.appendleft(_Parsed(text, names, graph))
        return graph
    except CheckpointError:  # also a ValueError, but already complete
        raise
    except ValueError as error:
        raise damaged(
            path,
            "its object graph is damaged",
            expected=f"the metadata {METADATA_KEY!r} as polytape writes it",
            got=str(error),
        ) from error


def _parse(path: str, text: str, names: set[str]) -> Graph:
    """The graph in ``text``. Nodes are read one by one, so a forged text takes little more memory than it has bytes."""
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
    graph = Graph()
    position = match.end()
    highest = 0  # of the indices
    unused = set(names)
    joined = "".join(names).encode()
    plain = len(joined.translate(None, _CONTROLS)) == len(joined)
    while True:
        empty = _empty_nodes(text, position)
        if empty is not None and empty[0]:  # what an object that holds no variable has in files of polytape 0.1
            graph.tensors.extend([""] * empty[0].count("{"))
            position = empty.end()
        if plain:
            position = _add_variables(graph, unused, text, position)
        entry, position = _next(text, position)
        tensor, node, index = _node(entry, names)
        if tensor:
            if tensor not in unused:
                raise ValueError(f"two nodes refer to the tensor {tensor!r}"[:200])
            unused.remove(tensor)
        graph.add(tensor, node)
        highest = max(highest, index)
        separator = _separator(text, position)
        if separator is None:
            raise ValueError(f"',' or ']' is missing at character {position}")
        position = separator.end()
        if separator[1] == "]":
            break
    if _end(text, position) is None:
        raise ValueError(f"'}}' is missing at character {position}, or there is more after it")
    if highest >= len(graph.tensors):
        raise ValueError(f"{highest} is not a valid index among {len(graph.tensors)} nodes")
    return graph


def _add_variables(graph: Graph, unused: set[str], text: str, position: int) -> int:
    """Add the variables whose nodes begin at ``position``; returns where they end.

    Their tensors are removed from ``unused``. A tensor that is not among these is an error, which the caller finds:
    the nodes from there on are left to it.
    """
    window = _WINDOW
    while found := _variables(text, position, window):
        count = len(unused)
        unused.difference_update(found)
        if len(unused) != count - len(found):
            # Which one it is does not matter here. All are unused again but those of earlier nodes, which were added.
            unused.update(set(found).difference(graph.tensors))
            break
        graph.tensors.extend(found)
        position += sum(map(len, found)) + len('{"tensor":""},') * len(found)
        window = min(8 * window, _MAX_WINDOW)
    return position


def _variables(text: str, position: int, window: int) -> list[str]:
    """The tensors of variables whose nodes begin at ``position``, one after the other, in the form of `graph_text`."""
    if not text.startswith(_VARIABLE, position):
        return []
    found = text[position + len(_VARIABLE) : position + window].split(_BETWEEN)
    del found[-1]  # it is cut off, or is followed by something else
    joined = "".join(found)
    if '"' in joined or "\\" in joined or "" in found:
        # Other nodes are in between, or a name has escapes.
        unusual = [not name or '"' in name or "\\" in name for name in found]
        del found[unusual.index(True) :]
    return found


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


def _node(entry: object, names: set[str]) -> tuple[str, ObjectNode | None, int]:
    """The tensor, the node if it has more than that, and the highest index in it."""
    if not isinstance(entry, dict):
        raise ValueError(f"the node {entry!r} is not a JSON object"[:200])
    tensor: object = entry.get("tensor", "")
    if not isinstance(tensor, str) or (tensor and tensor not in names):
        raise ValueError(f"a node refers to the tensor {tensor!r}, which is not in the file"[:200])
    if not entry or (tensor and len(entry) == 1):
        return tensor, None, 0
    node = ObjectNode()
    node.children = _indices(entry.get("children", {}))
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
    return tensor, node, max(indices)


def _indices(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a mapping of names to nodes"[:200])
    if {*map(type, value.values())} - {int} or min(value.values(), default=0) < 0:
        index = next(index for index in value.values() if type(index) is not int or index < 0)
        raise ValueError(f"{index!r} is not a valid index"[:200])
    return value
