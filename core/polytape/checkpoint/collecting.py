"""Visiting the objects that a checkpoint saves: their nodes, paths and variables."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from ..errors import CheckpointError
from ..tensors.tensor import describe
from ..tensors.variable import Variable
from .children import PLAIN, Children, is_variable
from .files import quoted
from .nodes import Graph, ObjectNode, escape, join

__all__ = ["Collector"]

_FEW: Final = 8  # children that are visited one by one


class Collector:
    """The objects below a checkpoint.

    Attributes:
        graph: the nodes.
        objects: by index; these references keep other objects from getting their ids.
        indices: of the nodes, by the id of the object.
        variables: by path.
    """

    def __init__(self, root: object) -> None:
        self.graph: Final = Graph()
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
        return f"Collector({len(self.objects)} objects, {len(self.variables)} variables)"

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
        identity = id(value)
        known = self.indices.get(identity)
        if known is not None:
            return known
        path, node = "", None
        if not is_variable(value):
            node = ObjectNode()
        else:
            if type(place) is tuple and place[0] == self._last[0]:
                path = self._last[1] + escape(place[1])  # it is beside the last variable
            else:
                path = self._variable_path(place)
            if path in self.variables:
                raise _same_path(path)
            self.variables[path] = value
        self.objects.append(value)
        self._places.append(place)
        index = self.indices[identity] = self.graph.add(path, node)
        return index

    def _variable_path(self, place: tuple[int, str] | str) -> str:
        if isinstance(place, str):
            return place
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
        objects = self.graph.objects
        visited = 0
        private: list[tuple[int, str, object]] = []
        while visited < len(self.objects) or private:
            if visited == len(self.objects):
                for index, name, child in private:
                    objects[index].children[name] = self.index_of(child, (index, name))
                private = []
                continue
            value, index = self.objects[visited], visited
            visited += 1
            if index not in objects:
                continue  # a variable
            found = self._children.of(value)
            children, public = objects[index].children, issubclass(type(value), dict)
            if len(found) <= _FEW or type(value) not in PLAIN or not self._add_variables(index, found):
                for name, child in found.items():
                    if public or name[0:1] != "_":
                        children[name] = self.index_of(child, (index, name))
                    else:
                        private.append((index, name, child))
            for child in self._children.unnamed(value, found):
                self._unnamed.append((index, child))

    def _add_variables(self, parent: int, found: dict[str, object]) -> bool:
        """Add the children of a list or dict at once, as `index_of` does, if they are variables that are not known yet.

        Returns:
            Whether they are.
        """
        if {*map(type, found.values())} != {Variable}:
            return False
        variables: list[Any] = [*found.values()]
        identities = [*map(id, variables)]
        if len({*identities}) < len(identities) or not self.indices.keys().isdisjoint(identities):
            return False
        names: Iterable[str] = found
        if any([mark in part for part in ["".join(found)] for mark in "~/"]):
            names = map(escape, found)
        above = self.path_of(parent)
        prefix = f"{above}/" if above else ""
        paths = [prefix + name for name in names]
        if not self.variables.keys().isdisjoint(paths):
            return False  # an error, which is found again
        first = len(self.objects)
        numbers = range(first, first + len(paths))
        self.graph.tensors.extend(paths)
        self.graph.objects[parent].children.update(zip(found, numbers, strict=True))
        self.objects.extend(variables)
        self._places.extend(paths)
        self.indices.update(zip(identities, numbers, strict=True))
        self.variables.update(zip(paths, variables, strict=True))
        return True

    def refuse_unnamed_variables(self) -> None:
        """Raise if there is a variable that no path leads to."""
        seen: dict[int, object] = {}
        for index, child in self._unnamed:
            variable = self._children.find_variable(child, self.indices, seen)
            if variable is not None:
                raise _unnamed_error(self.objects[index], self.path_of(index), child, variable)

    def compact(self) -> Graph:
        """The graph of the root and the nodes that lead to a tensor, renumbered; call it last."""
        objects = self.graph.objects
        parents: dict[int, list[int]] = {}
        queue: list[int] = []
        for index, node in objects.items():
            others = objects.keys() & node.children.values()
            for child in others:
                parents.setdefault(child, []).append(index)
            if node.slots or len(others) < len({*node.children.values()}):
                queue.append(index)
        kept: set[int] = set()
        while queue:
            index = queue.pop()
            if index not in kept:
                kept.add(index)
                queue += parents.get(index, ())
        kept.add(0)
        return self.graph if len(kept) == len(objects) else self._without(objects.keys() - kept)

    def _without(self, dropped: Collection[int]) -> Graph:
        """The graph without some objects that lead to no tensor."""
        graph = Graph()
        numbers: dict[int, int] = {}
        for index, tensor in enumerate(self.graph.tensors):
            if index not in dropped:
                numbers[index] = graph.add(tensor, self.graph.objects.get(index))
        for node in graph.objects.values():
            node.children = {name: numbers[child] for name, child in node.children.items() if child in numbers}
            node.slots = [
                (numbers[of], {name: numbers[slot] for name, slot in slots.items()}) for of, slots in node.slots
            ]
        return graph


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
