"""The nodes of a checkpoint's object graph: what is known of each object."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

__all__ = ["Graph", "NamesNode", "ObjectNode", "escape", "join"]


class ObjectNode:
    """An object that is no variable: node indices of its children by name, and its slots.

    Each entry of ``slots`` is the index of a variable, and the indices of that variable's slots by name.
    """

    __slots__ = ("children", "slots")

    def __init__(self) -> None:
        self.children: dict[str, int] = {}
        self.slots: list[tuple[int, dict[str, int]]] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.children)}, {len(self.slots)} slots)"

    def child(self, name: str) -> int | None:
        """The index of the child ``name``."""
        return self.children.get(name)


class Graph:
    """All nodes. Most are variables, which need no object each.

    Attributes:
        tensors: of the variables, by index; "" for other objects.
        objects: the nodes that have children or slots, by index.
    """

    __slots__ = ("objects", "tensors")

    def __init__(self) -> None:
        self.tensors: Final[list[str]] = []
        self.objects: Final[dict[int, ObjectNode]] = {}

    def __repr__(self) -> str:
        return f"Graph({len(self.tensors)} nodes, {len(self.objects)} of them not variables)"

    def add(self, tensor: str, node: ObjectNode | None = None) -> int:
        """Add a node; returns its index."""
        index = len(self.tensors)
        if node is not None:
            self.objects[index] = node
        self.tensors.append(tensor)
        return index

    def child(self, index: int, name: str) -> int | None:
        """The index of the child ``name`` of a node."""
        node = self.objects.get(index)
        return None if node is None else node.child(name)

    def slots(self, index: int) -> Sequence[tuple[int, dict[str, int]]]:
        """The slots of a node."""
        node = self.objects.get(index)
        return () if node is None else node.slots


class NamesNode(ObjectNode):
    """A node of a file without an object graph: the parts of the tensors' names, between slashes, name the children.

    A child is made when it is first asked for, since a file may have many names and a name millions of parts.

    Args:
        graph: of the file; the children are added to it.
        names: the names of all tensors, sorted.
        path: the beginning of the names below this node; "" for the root.
    """

    __slots__ = ("_graph", "_names", "_path")

    def __init__(self, graph: Graph, names: Sequence[str], path: str) -> None:
        super().__init__()
        self._graph: Final = graph
        self._names: Final = names
        self._path: Final = path

    def tensor(self) -> str:
        """The tensor that has the node's name, which may have children too; "" if there is none."""
        position = bisect_left(self._names, self._path)
        found = position < len(self._names) and self._names[position] == self._path
        return self._path if found else ""

    def child(self, name: str) -> int | None:
        """The index of the child ``name``."""
        if name not in self.children:
            unescaped = name.replace("/", "~1")  # other programs do not escape "~"
            for path in dict.fromkeys(
                (join(self._path, name), f"{self._path}/{unescaped}" if self._path else unescaped)
            ):
                node = NamesNode(self._graph, self._names, path)
                tensor = node.tensor()
                if tensor or node._has_children():
                    self.children[name] = self._graph.add(tensor, node)
                    break
        return self.children.get(name)

    def _has_children(self) -> bool:
        below = f"{self._path}/"
        position = bisect_left(self._names, below)
        return position < len(self._names) and self._names[position].startswith(below)


def escape(name: str) -> str:
    """``name`` (a dict's key, say) as one part of a path."""
    return name.replace("~", "~0").replace("/", "~1") if "/" in name or "~" in name else name


def join(path: str, name: str) -> str:
    """``path/name``, with ``name`` escaped."""
    return f"{path}/{escape(name)}" if path else escape(name)
