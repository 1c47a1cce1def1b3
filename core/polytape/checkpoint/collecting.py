"""Visiting the objects that a checkpoint saves: their nodes, paths and variables."""

from __future__ import annotations

from typing import Final

from ..errors import CheckpointError
from ..tensors.tensor import describe
from ..tensors.variable import Variable
from .children import Children, is_variable
from .files import quoted
from .nodes import ObjectNode, escape, join

__all__ = ["Collector"]


class Collector:
    """The objects below a checkpoint.

    Attributes:
        nodes: by index.
        objects: by index; these references keep other objects from getting their ids.
        indices: of the nodes, by the id of the object.
        variables: by path.
    """

    def __init__(self, root: object) -> None:
        self.nodes: Final[list[ObjectNode]] = []
        self.objects: Final[list[object]] = []
        self.indices: Final[dict[int, int]] = {}
        self.variables: Final[dict[str, Variable]] = {}
        self._children: Final = Children()
        # By index. The names are joined for variables only: a linked list's would take memory quadratic in its length.
        self._places: Final[list[tuple[int, str] | str]] = []  # parent and name, or the whole path
        self._last = (-1, "")  # the object that held the last variable, and its path
        self._unnamed: Final[list[tuple[int, object]]] = []  # index of an object, and what it refers to without a name
        self._visit_all(root)

    def __repr__(self) -> str:
        return f"Collector({len(self.nodes)} objects, {len(self.variables)} variables)"

    def path_of(self, index: int) -> str:
        """The shortest path of attributes and entries that leads to an object."""
        names: list[str] = []
        place = self._places[index]
        while not isinstance(place, str):
            parent, name = place
            names.append(escape(name))
            place = self._places[parent]
        if place:
            names.append(place)
        return "/".join(reversed(names))

    def index_of(self, value: object, place: tuple[int, str] | str) -> int:
        """The index of the node of ``value``; adds a node the first time.

        Args:
            value: the object.
            place: its path, or the index of its parent and its name there.
        """
        known = self.indices.get(id(value))
        if known is not None:
            return known
        index = self.indices[id(value)] = len(self.nodes)
        path = ""
        if is_variable(value):
            path = self._variable_path(place)
            if path in self.variables:
                raise _same_path(path)
            self.variables[path] = value
        self.nodes.append(ObjectNode(path))
        self.objects.append(value)
        self._places.append(place)
        return index

    def _variable_path(self, place: tuple[int, str] | str) -> str:
        if isinstance(place, str):
            return place
        if place[0] == self._last[0]:
            return self._last[1] + escape(place[1])
        above = self._places[place[0]]
        if not isinstance(above, str):
            # The path of the object above the variable's is kept, since the objects beside it need it too.
            self._places[above[0]] = path = self.path_of(above[0])
            above = join(path, above[1])
        self._last = (place[0], f"{above}/" if above else "")
        return self._last[1] + escape(place[1])

    def _visit_all(self, root: object) -> None:
        """Visit all objects, breadth first, so that the first path to an object is its shortest.

        Private attributes are entered when everything public is known: a private list of all variables, say, does not
        change the variables' paths.
        """
        self.index_of(root, "")
        visited = 0
        private: list[tuple[int, str, object]] = []
        while visited < len(self.nodes) or private:
            if visited == len(self.nodes):
                for index, name, child in private:
                    self.nodes[index].children[name] = self.index_of(child, (index, name))
                private = []
                continue
            value = self.objects[visited]
            visited += 1
            if is_variable(value):
                continue
            found = self._children.of(value)
            children, public = self.nodes[visited - 1].children, issubclass(type(value), dict)
            for name, child in found.items():
                if public or name[0:1] != "_":
                    children[name] = self.index_of(child, (visited - 1, name))
                else:
                    private.append((visited - 1, name, child))
            for child in self._children.unnamed(value, found):
                self._unnamed.append((visited - 1, child))

    def refuse_unnamed_variables(self) -> None:
        """Raise if there is a variable that no path leads to."""
        seen: dict[int, object] = {}
        for index, child in self._unnamed:
            variable = self._children.find_variable(child, self.indices, seen)
            if variable is not None:
                raise _unnamed_error(self.objects[index], self.path_of(index), child, variable)

    def compact(self) -> list[ObjectNode]:
        """The root and the nodes that lead to a tensor, renumbered; call it last."""
        nodes = self.nodes
        own = {index for index, node in enumerate(nodes) if node.tensor or node.slots}
        parents: dict[int, list[int]] = {}  # of the objects that may hold no variable
        queue: list[int] = []
        for index, node in enumerate(nodes):
            if node.children:
                others = [child for child in node.children.values() if child not in own]
                for child in others:
                    parents.setdefault(child, []).append(index)
                if len(others) < len(node.children):
                    queue.append(index)
        kept = {0, *own}
        while queue:
            index = queue.pop()
            kept.add(index)
            queue += [parent for parent in parents.get(index, ()) if parent not in kept]
        if len(kept) == len(nodes):
            return nodes
        numbers = {index: number for number, index in enumerate(sorted(kept))}
        for index in numbers:
            node = nodes[index]
            node.children = {name: numbers[child] for name, child in node.children.items() if child in kept}
            node.slots = [
                (numbers[of], {name: numbers[slot] for name, slot in slots.items()}) for of, slots in node.slots
            ]
        return [nodes[index] for index in numbers]


def _unnamed_error(owner: object, path: str, child: object, variable: Variable) -> CheckpointError:
    entries = dict.items(owner) if isinstance(owner, dict) else ()
    keys = [key for key, value in entries if value is child]
    place = f"the {type(owner).__name__} at {quoted(path)}"
    what = f"the entry {quoted(keys[0])} of {place}" if keys else f"an object in {place}"
    return CheckpointError(
        f"a checkpoint cannot name {what}, which holds a variable.",
        expected="variables in attributes, lists, tuples, deques, and dicts with distinct keys of type str or int",
        got=f"{variable.name or describe(variable)} in {what}",
        fix="use one of these, or list the name of the attribute in _untracked of its class to leave it out",
    )


def _same_path(path: str) -> CheckpointError:
    return CheckpointError(
        f"two variables would be saved as {path!r}.",
        expected="one variable per path",
        got="an attribute with the same name as an optimizer's own state",
        fix="rename the attribute",
    )
