"""Restoring: values from a file go into the variables of live objects, now or when the variables are created."""

from __future__ import annotations

import weakref
from collections import deque
from itertools import repeat
from typing import Any, Final

from ..errors import CheckpointError, PolytapeError, TraceError
from ..settings import trimmed
from ..state.trackable import Trackable
from ..tensors.in_place import writing
from ..tensors.scope import current_scope
from ..tensors.tensor import describe
from ..tensors.variable import Variable
from .children import Children, is_variable
from .files import quoted
from .format import TensorFile
from .nodes import ObjectNode
from .objects import collect_variables, graph_of
from .reading import open_regular

__all__ = ["Restoration", "Status", "refuse_trace"]


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
        self.nodes: Final[list[ObjectNode]] = graph_of(path, file.metadata, file.names)
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
        child_index = self.nodes[index].child(name)
        if child_index is not None:
            match = _Match()
            self._find_variables(value, child_index, match)
            self._apply(match)

    def attach_slot(self, index: int, variable: Variable, name: str, slot: Variable) -> None:
        """Restore the slot ``name`` that the object at ``index`` has just created for ``variable``."""
        for of, slots in self.nodes[index].slots:
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
            node = self.nodes[index]
            for name, child in match.children.of(value).items():
                child_index = node.child(name)
                if child_index is None:
                    continue
                if is_variable(child):
                    self._pair(child, child_index, match)
                else:
                    queue.append((child, child_index))

    def _pair(self, variable: Variable, index: int, match: _Match) -> None:
        # A tensor is restored once: another variable that is assigned later or elsewhere keeps its value.
        free = index not in self.variables and index not in match.variables
        if self.nodes[index].tensor and free and id(variable) not in self.ids and id(variable) not in match.ids:
            match.variables[index] = variable
            match.ids.add(id(variable))

    def _find_slots(self, match: _Match) -> None:
        owners = [*match.trackables]
        for reference, index in self.waiting:
            waiting = reference()
            if waiting is not None and self._waits(waiting):
                owners.append((waiting, index))
        for owner, index in owners:
            saved = self.nodes[index].slots
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
            keys = [self.nodes[index].tensor for index in match.variables]
            for key, variable in zip(keys, variables, strict=True):
                self._check(file, key, variable)
            arrays = [
                _native(variable, host)
                for variable, host in zip(variables, file.read_all(keys, self.verify), strict=True)
            ]
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

    def _check(self, file: TensorFile, key: str, variable: Variable) -> None:
        entry = file.entry(key)
        shape, dtype = entry.logical_shape(), entry.logical_dtype()
        if shape != variable.array.shape or dtype != variable.type.dtype:
            raise CheckpointError(
                f"{self.path!r} does not match: the variable at {quoted(key)} has a different shape or dtype.",
                expected=f"{describe(variable)}, like the variable {variable.name or key!r}",
                got=f"{dtype}[{','.join(map(str, shape))}] in the file",
                fix="create the variable as it was when it was saved, or restore another checkpoint; nothing was "
                "changed",
            )

    # --- the result -------------------------------------------------------------------------------------------------

    def keys(self, restored: bool) -> tuple[str, ...]:
        """Keys of the file's tensors that have been restored or, with ``restored=False``, have not."""
        restored_names = {self.nodes[index].tensor for index in self.variables}
        return tuple([name for name in self.names if (name in restored_names) == restored])


def _native(variable: Variable, host: Any) -> Any:
    """The native array for a variable, from a host array that owns its memory and that nothing else refers to."""
    backend = variable.type.backend
    if backend.host and type(host) is backend.array_type:
        return host  # what from_host would return a copy of
    return backend.from_host(host, variable.type.device)


def _replace_values(variables: list[Variable], arrays: list[Any]) -> None:
    with writing:  # not in the middle of another thread's step or save
        # The old arrays are kept until all are replaced: deleting one could run Python code in between.
        before = [variable.array for variable in variables]
        # One loop in C: no signal handler runs in it, so Ctrl-C cannot stop it between two variables.
        deque(map(setattr, variables, repeat("array"), arrays), maxlen=0)
    before.clear()


class Status:
    """The tensors that a restore has matched; it also reflects those restored later.

    Attributes:
        path: the checkpoint file, or None if nothing was restored.
    """

    __slots__ = ("_restoration", "_root", "path")

    def __init__(self, root: Trackable, restoration: Restoration | None) -> None:
        self._root: Final = root
        self._restoration: Final = restoration
        self.path: Final[str | None] = None if restoration is None else restoration.path

    def __repr__(self) -> str:
        return f"Status({self.path!r}, {len(self.matched)} matched, {len(self.unmatched)} unmatched)"

    @property
    def matched(self) -> tuple[str, ...]:
        """Keys of the file's tensors that have been restored into variables, sorted."""
        return () if self._restoration is None else self._restoration.keys(True)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Keys of the file's tensors that have not been restored, sorted."""
        return () if self._restoration is None else self._restoration.keys(False)

    def assert_consumed(self) -> Status:
        """Check that every tensor of the file was restored into a variable, and every variable from the file.

        Returns:
            This status.
        Raises:
            CheckpointError: some tensors or variables are left over; the error lists them.
        """
        if self.unmatched:
            raise CheckpointError(
                f"{self.path!r} contains tensors that have no variable.",
                expected="a variable for each tensor of the checkpoint",
                got=f"none for {_listed(self.unmatched)}",
                fix="create the missing objects (they are restored when they are assigned), call restore_new() if a "
                "list, dict or plain object has changed since, or use assert_existing_objects_matched()",
            )
        return self.assert_existing_objects_matched()

    def restore_new(self) -> Status:
        """Restore the variables that have been added to lists, dicts and plain objects since.

        Attributes of `Trackable` objects are restored when they are assigned; other containers do not say when
        something is added to them. Variables that were restored before keep their values.

        Returns:
            This status.
        Raises:
            CheckpointError: a tensor is damaged, or does not match its variable; no variable is changed then.
        """
        if self._restoration is not None:
            try:
                self._restoration.restore(self._root)
            except PolytapeError as error:
                raise trimmed(error) from None
        return self

    def expect_partial(self) -> Status:
        """Say that some tensors of the file have no variable, which is no error and gives no warning anyway.

        It is there for readers, and for programs that were written for TensorFlow.

        Returns:
            This status.
        """
        return self

    def assert_existing_objects_matched(self) -> Status:
        """Check that every existing variable was restored; the file may contain more tensors.

        Returns:
            This status.
        Raises:
            CheckpointError: some variables were not restored; the error lists them.
        """
        restored = [] if self._restoration is None else list(self._restoration.variables.values())
        known = {id(variable) for variable in restored}
        try:
            existing = collect_variables(self._root)
        except PolytapeError as error:
            raise trimmed(error) from None
        missing = [key for key, variable in existing.items() if id(variable) not in known]
        if missing or self._restoration is None:
            raise CheckpointError(
                f"not every variable was restored from {self.path!r}.",
                expected="a tensor in the checkpoint for each variable",
                got=f"none for {_listed(missing)}" if self.path else "no checkpoint: restore(None)",
                fix="restore a checkpoint of the same objects, or initialise these variables in another way"
                if self.path
                else "save one first, or check the directory passed to latest_checkpoint",
            )
        return self


def _listed(keys: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join([quoted(key) for key in keys[:10]])
    return f"{shown} and {len(keys) - 10} more" if len(keys) > 10 else shown
