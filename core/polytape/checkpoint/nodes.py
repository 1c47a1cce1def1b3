"""The nodes of a checkpoint's object graph: what is known of each object."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

__all__ = ["NamesNode", "ObjectNode", "escape", "join"]


NOTHING: Final[dict[str, int]] = {}
NO_SLOTS: Final[list[tuple[int, dict[str, int]]]] = []


class ObjectNode:
    """One object: node indices of its children by name, its slots, and its tensor.

    Each entry of ``slots`` is the index of a variable, and the indices of that variable's slots by name.
    """

    __slots__ = ("children", "slots", "tensor")

    def __init__(self, tensor: str) -> None:
        # A variable has neither, so those of a large model share them.
        self.children: dict[str, int] = NOTHING if tensor else {}
        self.slots: list[tuple[int, dict[str, int]]] = NO_SLOTS if tensor else []
        self.tensor: str = tensor  # "" if the object is not a variable

    def __repr__(self) -> str:
        return f"ObjectNode({self.tensor!r}, {sorted(self.children)}, {len(self.slots)} slots)"

    def child(self, name: str) -> int | None:
        """The index of the child ``name``."""
        return self.children.get(name)


class NamesNode(ObjectNode):
    """A node of a file without an object graph: the parts of the tensors' names, between slashes, name the children.

    A child is made when it is first asked for, since a file may have many names and a name millions of parts.

    Args:
        nodes: all nodes so far; the children are added to them.
        names: the names of all tensors, sorted.
        path: the beginning of the names below this node; "" for the root.
    """

    __slots__ = ("_names", "_nodes", "_path")

    def __init__(self, nodes: list[ObjectNode], names: Sequence[str], path: str) -> None:
        position = bisect_left(names, path)
        super().__init__("")
        self.tensor = path if position < len(names) and names[position] == path else ""
        self._nodes: Final = nodes
        self._names: Final = names
        self._path: Final = path

    def child(self, name: str) -> int | None:
        """The index of the child ``name``."""
        if name not in self.children:
            unescaped = name.replace("/", "~1")  # other programs do not escape "~"
            for path in dict.fromkeys(
                (join(self._path, name), f"{self._path}/{unescaped}" if self._path else unescaped)
            ):
                node = NamesNode(self._nodes, self._names, path)
                if node.tensor or node._has_children():
                    self.children[name] = len(self._nodes)
                    self._nodes.append(node)
                    break
        return self.children.get(name)

    def _has_children(self) -> bool:
        below = f"{self._path}/"
        position = bisect_left(self._names, below)
        return position < len(self._names) and self._names[position].startswith(below)


def escape(name: str) -> str:
    """``name`` (a dict's key, say) as one part of a path."""
    return name.replace("~", "~0").replace("/", "~1")


def join(path: str, name: str) -> str:
    """``path/name``, with ``name`` escaped."""
    return f"{path}/{escape(name)}" if path else escape(name)
