"""Checkpoint: the objects to save and restore, by name.

This module always runs as Python: a `Checkpoint` is a `Trackable`, as users' own classes are.
"""

from __future__ import annotations

import os
import re
from _thread import allocate_lock

from ..errors import CheckpointError
from ..state.trackable import Trackable, follows
from .format import write_tensors
from .objects import METADATA_KEY, collect, graph_text
from .restoring import Restoration, Status, refuse_trace
from .state import read_state, write_state

__all__ = ["Checkpoint"]

SUFFIX = ".safetensors"
_lock = allocate_lock()  # between looking for the next number and taking it


class Checkpoint(Trackable):
    """Objects whose variables are saved together and restored together.

    Args:
        objects: by name: variables, `Trackable` objects, or lists, tuples and dicts of these. The names are the first
            part of the tensors' keys: ``Checkpoint(model=model)`` saves ``model/w``.

    Raises:
        CheckpointError: an object that a checkpoint cannot follow.

    Example:
        >>> import polytape as pt, tempfile
        >>> w = pt.Variable([1.0, 2.0])
        >>> checkpoint = pt.Checkpoint(w=w)
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = checkpoint.save(folder.name)
        >>> _ = w.assign([0.0, 0.0])
        >>> _ = checkpoint.restore(path).assert_consumed()
        >>> w.tolist()
        [1.0, 2.0]
        >>> folder.cleanup()
    """

    def __init__(self, **objects: object) -> None:
        for name, value in objects.items():
            if name.startswith("_") or not follows(value):
                raise CheckpointError(
                    f"a checkpoint cannot follow {name}={type(value).__name__}.",
                    expected="a Variable, a Trackable, or a list, tuple or dict of these, under a public name",
                    got=f"{type(value).__name__} as {name!r}",
                    fix="derive its class from polytape.Trackable, or leave it out",
                )
            setattr(self, name, value)

    def write(self, path: str | os.PathLike[str]) -> str:
        """Save to exactly this file, replacing it whole or not at all; no state file is written.

        A variable that another thread is just changing may be saved half changed: save between two steps.

        Args:
            path: the file; its directory must exist.
        Returns:
            The path.
        Raises:
            CheckpointError: it cannot be written; an older file at ``path`` is as before.
        """
        refuse_trace("write")
        name = os.fspath(path)
        nodes, variables = collect(self)
        # All arrays first: while they are held here, no later update of another thread writes into them.
        arrays = {key: (variable.array, variable.type.backend) for key, variable in variables.items()}
        tensors = {key: backend.to_host(array) for key, (array, backend) in arrays.items()}
        write_tensors(name, tensors, {METADATA_KEY: graph_text(nodes)})
        return name

    def save(self, prefix: str | os.PathLike[str], *, keep: int | None = 5) -> str:
        """Save to the next numbered file, and make it the directory's latest.

        Args:
            prefix: ``"runs/ckpt"`` gives ``runs/ckpt-1.safetensors`` and so on; for a directory (one that exists, or
                a text that ends in a separator) it is ``ckpt`` in it. The directory is made where it is missing.
            keep: how many checkpoints of this prefix stay; older ones are deleted. None keeps all.
        Returns:
            The path of the new file.
        Raises:
            CheckpointError: the state file is damaged, or something cannot be written; older checkpoints are as
                before.
        """
        if keep is not None and keep < 1:
            raise CheckpointError(
                f"Checkpoint.save cannot keep {keep} checkpoints.",
                expected="keep=1 or more, or None for all",
                got=f"keep={keep}",
                fix="leave keep out for 5",
            )
        refuse_trace("save")
        directory, name = _split(os.fspath(prefix))
        with _lock:
            state = read_state(directory)
            number = _next_number(directory, name)
            path = self.write(os.path.join(directory, f"{name}-{number}{SUFFIX}"))
            kept = [] if state is None else [one for one in state.kept if one != os.path.basename(path)]
            mine = [one for one in kept if _number(one, name) is not None]
            dropped = [] if keep is None else mine[: max(0, len(mine) + 1 - keep)]
            names = [*[one for one in kept if one not in dropped], os.path.basename(path)]
            write_state(directory, names[-1], names)
        for one in dropped:
            _remove(os.path.join(directory, one))
        return path

    def restore(self, path: str | os.PathLike[str] | None) -> Status:
        """Give all variables their values from a checkpoint; for those not made yet it is remembered.

        Values are read into new buffers and verified, then all variables are changed at once.

        Args:
            path: a file that `save` or `write` made, or any safetensors file with such keys. None, as
                `latest_checkpoint` gives it where nothing was saved, restores nothing.
        Returns:
            What was matched, and what was not.
        Raises:
            CheckpointError: the file is missing or damaged, or a tensor does not fit its variable; every variable is
                then untouched.
        """
        refuse_trace("restore")
        if path is None:
            return Status(self, None)
        restoration = Restoration(os.fspath(path))
        restoration.restore(self)
        return Status(self, restoration)


def _split(prefix: str) -> tuple[str, str]:
    directory, name = (prefix, "") if os.path.isdir(prefix) else os.path.split(prefix)
    directory = directory or os.curdir
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"the directory {directory!r} cannot be made.",
            expected="a place where a directory may be made",
            got=f"{type(error).__name__}: {error}",
            fix="save elsewhere, or make the directory yourself",
        ) from error
    return directory, name or "ckpt"


def _number(file: str, name: str) -> int | None:
    found = re.fullmatch(re.escape(name) + r"-(\d+)" + re.escape(SUFFIX), file)
    return int(found[1]) if found else None


def _next_number(directory: str, name: str) -> int:
    numbers = [_number(file, name) for file in os.listdir(directory)]
    return 1 + max((number for number in numbers if number is not None), default=0)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Gone already, or held open where the system forbids deleting that. The state file names it no more.
        return
