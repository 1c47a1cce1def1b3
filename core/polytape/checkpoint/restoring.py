"""Restoring: values from a file go into the variables of live objects, now or when the variables are created."""

from __future__ import annotations

import weakref
from collections import deque
from itertools import repeat
from operator import is_
from typing import Any, Final

import numpy as np

from ..errors import CheckpointError, TraceError
from ..state.trackable import Trackable
from ..tensors.in_place import writing
from ..tensors.scope import current_scope
from ..tensors.tensor import describe
from ..tensors.variable import Variable
from .children import Children, is_variable
from .files import quoted
from .format import TensorFile
from .header import Kind
from .nodes import ObjectNode
from .objects import graph_of
from .reading import open_regular

__all__ = ["Restoration", "refuse_trace"]


def refuse_trace(what: str) -> None:
    """Reject a call while a function is being traced, since a graph cannot access files.

    Raises:
        TraceError: the call is inside a traced function.
    """
    if current_scope.get().trace is not None:
        raise TraceError(
            f"Checkpoint.{what} cannot be called inside a traced function.",
            expected="a call outside the traced function",
            got="a call while polytape.function is tracing",
            fix=f"call {what} before or after the traced function",
        )


_FEW: Final = 8  # children that are paired one by one
_open_files: weakref.WeakValueDictionary[tuple[object, ...], TensorFile] = weakref.WeakValueDictionary()


def _shared_file(path: str, fix: str) -> TensorFile:
    """The file at ``path``, opened once however many restorations wait for its tensors."""
    reader = open_regular(path, fix)
    status = reader.status()
    key = (path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    file = _open_files.get(key)
    if file is None:
        file = _open_files[key] = TensorFile(path, reader)
    return file


class _Match:
    """The result of matching live objects: the variables by node index, and the trackables on the way."""

    def __init__(self) -> None:
        self.children: Final = Children()
        self.variables: dict[int, Variable] = {}
        self.ids: set[int] = set()  # of these variables
        self.trackables: list[tuple[Trackable, int]] = []
        self.seen: set[tuple[int, int]] = set()


class NodeRestoration:
    """The node of a trackable in a restoration; stored as the trackable's attribute ``_pending_restoration``."""

    __slots__ = ("index", "restoration")

    def __init__(self, restoration: Restoration, index: int) -> None:
        self.restoration: Final = restoration
        self.index: Final = index

    def attach(self, name: str, value: object) -> None:
        """Restore the variables below ``value``, which becomes the attribute ``name`` of the object."""
        self.restoration.attach(self.index, name, value)

    def attach_slot(self, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object has just created for ``variable``."""
        self.restoration.attach_slot(self.index, variable, name, slot)


class Restoration:
    """The restoration of objects from one checkpoint file.

    The file stays open until every tensor of it is in a variable, or until the objects that wait for the remaining
    tensors are deleted or restored from another file. Restorations from the same file share it.

    Args:
        path: the checkpoint file.
        fix: for the error if there is no such file.
        verify: whether to compare the tensors' checksums.

    Raises:
        CheckpointError: the file is missing, damaged, or not a safetensors file.
    """

    def __init__(self, path: str, fix: str = "", verify: bool = True) -> None:
        self.path: Final = path
        self.verify: Final = verify
        file = _shared_file(path, fix)
        self.file: TensorFile | None = file  # None when it is not needed any more
        self.names: Final = file.names
        self.graph: Final = graph_of(path, file.metadata, file.names)
        self.variables: dict[int, Variable] = {}
        self.ids: set[int] = set()  # of these variables
        # Weak: a trackable holds this restoration, and a cycle would keep both and the open file.
        self.waiting: list[tuple[weakref.ref[Trackable], int]] = []

    def __repr__(self) -> str:
        return f"Restoration({self.path!r}, {len(self.variables)} restored)"

    # --- matching ---------------------------------------------------------------------------------------------------

    def restore(self, root: Trackable) -> None:
        """Restore the variables below ``root``; later ones are restored when they are attached.

        Raises:
            CheckpointError: a tensor is damaged, or does not match its variable; no variable is changed then.
        """
        match = _Match()
        self._find_variables(root, 0, match)
        self._apply(match)

    def attach(self, index: int, name: str, value: object) -> None:
        """Restore the variables below ``value``, which becomes the attribute ``name`` of the object at ``index``."""
        child_index = self.graph.child(index, name)
        if child_index is not None:
            match = _Match()
            self._find_variables(value, child_index, match)
            self._apply(match)

    def attach_slot(self, index: int, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object at ``index`` has just created for ``variable``."""
        for of, slots in self.graph.slots(index):
            slot_index = slots.get(name)
            if slot_index is not None and self.variables.get(of) is variable:
                match = _Match()
                self._find_variables(slot, slot_index, match)
                self._apply(match)

    def _find_variables(self, root: object, root_index: int, match: _Match) -> None:
        queue: list[tuple[object, int]] = [(root, root_index)]
        for value, index in queue:  # the queue grows during the loop
            if (id(value), index) in match.seen:
                continue
            match.seen.add((id(value), index))
            if is_variable(value):
                self._pair(value, index, match)
                continue
            if issubclass(type(value), Trackable):
                match.trackables.append((value, index))  # type: ignore[arg-type]  # the line above says so
            node = self.graph.objects.get(index)
            if node is None:
                continue
            children = match.children.of(value)
            if len(children) > _FEW and self._pair_all(children, node, match):
                continue
            for name, child in children.items():
                child_index = node.child(name)
                if child_index is None:
                    continue
                if is_variable(child):
                    self._pair(child, child_index, match)
                else:
                    queue.append((child, child_index))

    def _pair_all(self, children: dict[str, object], node: ObjectNode, match: _Match) -> bool:
        """Pair all children at once, as `_pair` does, if they are variables that are not restored yet.

        Returns:
            Whether they are.
        """
        if {*map(type, children.values())} != {Variable}:
            return False
        indices = [*map(node.children.get, children)]
        identities = {*map(id, children.values())}
        paired = {index: child for index, child in zip(indices, children.values(), strict=True) if index is not None}
        if (
            not len(paired) == len(identities) == len(children)
            or not all(map(self.graph.tensors.__getitem__, paired))
            or not self.variables.keys().isdisjoint(paired)
            or not match.variables.keys().isdisjoint(paired)
            or not identities.isdisjoint(self.ids)
            or not identities.isdisjoint(match.ids)
        ):
            return False
        match.variables.update(paired)  # type: ignore[arg-type]  # the first line says so
        match.ids.update(identities)
        return True

    def _pair(self, variable: Variable, index: int, match: _Match) -> None:
        # A tensor is restored once: another variable that is assigned later or elsewhere keeps its value.
        identity = id(variable)
        free = index not in self.variables and index not in match.variables
        if self.graph.tensors[index] and free and identity not in self.ids and identity not in match.ids:
            match.variables[index] = variable
            match.ids.add(identity)

    def _find_slots(self, match: _Match) -> None:
        owners = [*match.trackables]
        for reference, index in self.waiting:
            waiting = reference()
            if waiting is not None and self._waits(waiting):
                owners.append((waiting, index))
        for owner, index in owners:
            saved = self.graph.slots(index)
            slots = {id(variable): slots for variable, slots in owner._tracked_slots()} if saved else {}
            for of, indices in saved:
                variable = match.variables.get(of, self.variables.get(of))
                existing = {} if variable is None else slots.get(id(variable), {})
                for name, slot_index in indices.items():
                    if name in existing:
                        self._find_variables(existing[name], slot_index, match)

    def _waits(self, trackable: Trackable) -> bool:
        pending = trackable.__dict__.get("_pending_restoration")
        return isinstance(pending, NodeRestoration) and pending.restoration is self

    # --- applying ---------------------------------------------------------------------------------------------------

    def _apply(self, match: _Match) -> None:
        refuse_trace("restore")
        self._find_slots(match)
        file = self.file
        arrays: list[Any] = []
        variables = [*match.variables.values()]
        if file is not None:
            keys = [*map(self.graph.tensors.__getitem__, match.variables)]
            self._check_all(keys, file.kinds(keys), variables)
            arrays = _natives(variables, file.read_all(keys, self.verify))
        _replace_values(variables, arrays)
        self.variables.update(match.variables)
        self.ids.update(match.ids)
        for trackable, index in match.trackables:
            if not self._waits(trackable):
                trackable.__dict__["_pending_restoration"] = NodeRestoration(self, index)
                self.waiting.append((weakref.ref(trackable), index))
        if len(self.variables) == len(self.names):
            self._finish()

    def _finish(self) -> None:
        self.file = None
        for reference, _ in self.waiting:
            trackable = reference()
            if trackable is not None and self._waits(trackable):
                del trackable.__dict__["_pending_restoration"]
        self.waiting = []

    def _check_all(self, keys: list[str], kinds: list[Kind], variables: list[Variable]) -> None:
        # Nearly always the dtypes are the same objects. Not ==: NumPy takes None, an unknown one, for float64.
        dtypes = [variable.type.dtype for variable in variables]
        same = all(map(is_, [kind.known_dtype for kind in kinds], dtypes))
        if same and [kind.logical_shape for kind in kinds] == [variable.array.shape for variable in variables]:
            return
        for key, kind, variable in zip(keys, kinds, variables, strict=True):
            self._check(key, kind, variable)

    def _check(self, key: str, kind: Kind, variable: Variable) -> None:
        if not kind.fits(variable.array.shape, variable.type.dtype):
            raise CheckpointError(
                f"{self.path!r} does not match: the variable at {quoted(key)} has a different shape or dtype.",
                expected=f"{describe(variable)}, like the variable {variable.name or key!r}",
                got=f"{kind.logical_dtype()}[{','.join(map(str, kind.logical_shape))}] in the file",
                fix="create the variable as it was when it was saved, or restore another checkpoint; nothing was "
                "changed",
            )

    # --- the result -------------------------------------------------------------------------------------------------

    def keys(self, restored: bool) -> tuple[str, ...]:
        """Keys of the file's tensors that have been restored or, with ``restored=False``, have not."""
        restored_names = {*map(self.graph.tensors.__getitem__, self.variables)}
        return tuple([name for name in self.names if (name in restored_names) == restored])


def _natives(variables: list[Variable], hosts: list[Any]) -> list[Any]:
    """The native arrays for variables, from host arrays that own their memory and that nothing else refers to."""
    types = {variable.type for variable in variables}
    if all([type_.backend.host and type_.array_type is np.ndarray for type_ in types]):
        return hosts  # what from_host would return copies of
    return [
        variable.type.backend.from_host(host, variable.type.device)
        for variable, host in zip(variables, hosts, strict=True)
    ]


def _replace_values(variables: list[Variable], arrays: list[Any]) -> None:
    with writing:  # not in the middle of another thread's step or save
        # The old arrays are kept until all are replaced: deleting one could run Python code in between.
        before = [variable.array for variable in variables]
        # One loop in C: no signal handler runs in it, so Ctrl-C cannot stop it between two variables.
        deque(map(setattr, variables, repeat("array"), arrays), maxlen=0)
    before.clear()
