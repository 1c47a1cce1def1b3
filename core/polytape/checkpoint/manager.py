"""Checkpoint: the objects to save and restore, by name.

This module must not be compiled: a `Checkpoint` is a `Trackable`, like users' own classes.
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
_lock = allocate_lock()  # held from choosing a number until the state file names its checkpoint


class Checkpoint(Trackable):
    """Objects whose variables are saved and restored together.

    Args:
        objects: by name: variables, `Trackable` objects, or lists, tuples and dicts of these. Each name becomes the
            first part of the tensors' keys: ``Checkpoint(model=model)`` saves ``model/w``.

    Raises:
        CheckpointError: a checkpoint cannot follow one of the objects.

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
        """Save to exactly this file, replacing it completely or not at all; no state file is written.

        A variable that another thread is updating may be saved half updated, so save between two steps.

        Args:
            path: the file; its directory must exist.
        Returns:
            The path.
        Raises:
            CheckpointError: the file cannot be written; an existing file at ``path`` is unchanged then.
        """
        refuse_trace("write")
        name = os.fspath(path)
        nodes, variables = collect(self)
        # All arrays first: while they are referenced here, no other thread's later update writes into them.
        arrays = {key: (variable.array, variable.type.backend) for key, variable in variables.items()}
        tensors = {key: backend.to_host(array) for key, (array, backend) in arrays.items()}
        write_tensors(name, tensors, {METADATA_KEY: graph_text(nodes)})
        return name

    def save(self, prefix: str | os.PathLike[str], *, keep: int | None = 5) -> str:
        """Save to the next numbered file, and make it the latest checkpoint of its directory.

        Args:
            prefix: ``"runs/ckpt"`` gives ``runs/ckpt-1.safetensors`` and so on; a directory (one that exists, or a
                path that ends in a separator) gives ``ckpt`` in that directory. A missing directory is created.
            keep: how many checkpoints of this prefix to keep; older ones are deleted. None keeps all.
        Returns:
            The path of the new file.
        Raises:
            CheckpointError: the state file is damaged, or a file cannot be written; older checkpoints are unchanged
                then.
        """
        if keep is not None and keep < 1:
            raise CheckpointError(
                f"Checkpoint.save cannot keep {keep} checkpoints.",
                expected="keep=1 or more, or None for all",
                got=f"keep={keep}",
                fix="omit keep for the default of 5",
            )
        refuse_trace("save")
        directory, name = _split(os.fspath(prefix))
        with _lock:
            state = read_state(directory)
            number = _next_number(directory, name)
            path = self.write(os.path.join(directory, f"{name}-{number}{SUFFIX}"))
            latest = os.path.basename(path)
            older = [] if state is None else [file for file in state.kept if file != latest]
            same_prefix = [file for file in older if _number(file, name) is not None]
            dropped = [] if keep is None else same_prefix[: max(0, len(same_prefix) + 1 - keep)]
            kept = [*[file for file in older if file not in dropped], latest]
            write_state(directory, latest, kept)
        for file in dropped:
            _remove(os.path.join(directory, file))
        return path

    def restore(self, path: str | os.PathLike[str] | None) -> Status:
        """Restore all variables from a checkpoint; those that do not exist yet are restored when they are attached.

        Values are read into new buffers and verified, then all variables are changed at once.

        Args:
            path: a file written by `save` or `write`, or any safetensors file with such keys. None, which
                `latest_checkpoint` returns if nothing was saved, restores nothing.
        Returns:
            A status that lists the matched and the unmatched tensors.
        Raises:
            CheckpointError: the file is missing or damaged, or a tensor does not match its variable; no variable is
                changed then.
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
            f"the directory {directory!r} cannot be created.",
            expected="a path where a directory can be created",
            got=f"{type(error).__name__}: {error}",
            fix="save elsewhere, or create the directory yourself",
        ) from error
    return directory, name or "ckpt"


def _number(file: str, name: str) -> int | None:
    match = re.fullmatch(re.escape(name) + r"-(\d+)" + re.escape(SUFFIX), file)
    return int(match[1]) if match else None


def _next_number(directory: str, name: str) -> int:
    numbers = [_number(file, name) for file in os.listdir(directory)]
    return 1 + max((number for number in numbers if number is not None), default=0)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Already deleted, or open on a system that forbids deleting open files. The state file no longer names it.
        return
