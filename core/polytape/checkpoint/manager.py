"""Checkpoint: the objects to save and restore, by name.

This module must not be compiled: a `Checkpoint` is a `Trackable`, like users' own classes.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, Final

from ..errors import CheckpointError, PolytapeError
from ..settings import trimmed
from ..state.trackable import Trackable
from ..tensors.in_place import settled, writing
from .background import BackgroundSave
from .children import Children
from .directory import remove_orphans
from .files import Replacement
from .format import write_into
from .numbering import newest
from .objects import METADATA_KEY, collect, graph_text
from .restoring import Restoration, refuse_trace
from .series import Policy, Series
from .status import Status

__all__ = ["Checkpoint"]

# By the checkpoint: a thread as its attribute could not be copied with it.
_running: Final[weakref.WeakKeyDictionary[Checkpoint, BackgroundSave]] = weakref.WeakKeyDictionary()


class Checkpoint(Trackable):
    """Objects whose variables are saved and restored together.

    Args:
        objects: by name: variables, `Trackable` objects, or lists, tuples, deques, dicts and plain objects that hold
            such. Each name becomes the first part of the tensors' keys: ``Checkpoint(model=model)`` saves ``model/w``.

    Raises:
        CheckpointError: a checkpoint cannot follow one of the objects, or one has no name.

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

    def __init__(self, /, *unnamed: object, **objects: object) -> None:
        if unnamed:
            raise CheckpointError(
                "a checkpoint needs a name for each object.",
                expected="objects as keyword arguments",
                got=", ".join([type(value).__name__ for value in unnamed]),
                fix="polytape.Checkpoint(model=model, optimizer=optimizer), with names of your own",
            )
        children = Children()
        for name, value in objects.items():
            if not name or name.startswith("_") or hasattr(Checkpoint, name) or not children.has_names(value):
                raise CheckpointError(
                    f"a checkpoint cannot follow {name}={type(value).__name__}.",
                    expected="a Variable, a Trackable, or a list, tuple, deque, dict or plain object; under a public "
                    "name that is not a method's",
                    got=f"{type(value).__name__} as {name!r}",
                    fix="rename it, put it into a list or dict, or leave it out",
                )
            setattr(self, name, value)

    def write(self, path: str | os.PathLike[str]) -> str:
        """Save to exactly this file, replacing it completely or not at all; no state file is written.

        Args:
            path: the file; its directory must exist.
        Returns:
            The path.
        Raises:
            CheckpointError: a variable has no name, or the file cannot be written; an existing file at ``path`` is
                unchanged then. If the operating system rejected a step, the error is an OSError too.
        """
        try:
            refuse_trace("write")
            name = os.fsdecode(path)
            remove_orphans(os.path.dirname(name) or os.curdir)
            with Replacement(name) as new:
                write_into(new, *self._snapshot())
            return name
        except PolytapeError as error:
            raise trimmed(error) from None

    def _snapshot(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The tensors and the metadata to write; later steps do not change them."""
        graph, found = collect(self)
        variables = [*found.values()]
        # All arrays first, and between the steps of other threads. While they are referenced here, no later step writes
        # into them.
        with writing:
            arrays = [*map(settled, variables)]
            readers = [variable.type.backend.to_host for variable in variables]
        tensors = {key: to_host(array) for key, to_host, array in zip(found, readers, arrays, strict=True)}
        return tensors, {METADATA_KEY: graph_text(graph)}

    def save(self, prefix: str | os.PathLike[str], *, keep: int | None = 5, wait: bool = True) -> str:
        """Save to the next numbered file, and make it the latest checkpoint of its directory.

        Threads and processes may save to the same directory at the same time, and a signal handler may save while it
        interrupts a save.

        Args:
            prefix: ``"runs/ckpt"`` gives ``runs/ckpt-1.safetensors`` and so on; a directory (one that exists, or a
                path that ends in a separator) gives ``ckpt`` in that directory. A path that ends in .safetensors, .pt
                or .pth is exactly that file, as in torch.save. A missing directory is created.
            keep: how many numbered checkpoints of this prefix to keep; older ones are deleted. None keeps all. Those
                that other running processes saved are not counted and not deleted.
            wait: False copies the values to the host, writes them in the background, and returns at once; the file
                exists when `wait` returns. The next save waits for it, and so does the end of the process.
        Returns:
            The path of the new file.
        Raises:
            CheckpointError: a variable has no name, the state file is damaged, or a file cannot be written, also that
                of an earlier save in the background; older checkpoints are unchanged then. If the operating system
                rejected a step, the error is an OSError too.
        """
        try:
            if keep is not None and keep < 1:
                raise CheckpointError(
                    f"Checkpoint.save cannot keep {keep} checkpoints.",
                    expected="keep=1 or more, or None for all",
                    got=f"keep={keep}",
                    fix="omit keep for the default of 5",
                )
            return self._save(os.fsdecode(prefix), Policy(keep), None, wait)
        except PolytapeError as error:
            raise trimmed(error) from None

    def _save(self, path: str, policy: Policy, number: int | None, wait: bool) -> str:
        refuse_trace("save")
        self.wait()
        series = Series(path)
        new = series.reserve(number)
        try:
            tensors, metadata = self._snapshot()

            def write() -> None:
                with new:
                    write_into(new, tensors, metadata)
                    new.flush()
                    series.publish(new, policy, as_latest=number is not None)

            if wait:
                write()
            else:
                _running[self] = BackgroundSave(new.path, write)
        except BaseException:
            new.discard()
            raise
        return new.path

    def wait(self) -> None:
        """Return when a save in the background, ``save(..., wait=False)``, has finished.

        Raises:
            CheckpointError: its file could not be written. The error is raised once: here, or by the next save.
        """
        save = _running.get(self)
        if save is not None:
            try:
                save.wait()
            except PolytapeError as error:
                raise trimmed(error) from None
            finally:
                _running.pop(self, None)

    def restore(self, path: str | os.PathLike[str] | None, *, verify: bool = True) -> Status:
        """Restore all variables from a checkpoint; those that do not exist yet are restored when they are attached.

        Values are read into new buffers and verified, then all variables are changed at once.

        Args:
            path: a file written by `save` or `write`, or any safetensors file with such keys. None, which
                `latest_checkpoint` returns if nothing was saved, restores nothing.
            verify: whether to compare the tensors' checksums. Without, restoring is faster, and damaged bytes become
                values unnoticed; the file's header is checked all the same.
        Returns:
            A status that lists the matched and the unmatched tensors.
        Raises:
            CheckpointError: the file is missing or damaged, or a tensor does not match its variable; no variable is
                changed then. A missing file is a FileNotFoundError too.
        """
        try:
            refuse_trace("restore")
            if path is None:
                return Status(self, None)
            name = os.fsdecode(path)
            restoration = Restoration(name, _other_path(name), verify)
            restoration.restore(self)
            return Status(self, restoration)
        except PolytapeError as error:
            raise trimmed(error) from None


def _other_path(path: str) -> str:
    """What to write instead of ``path`` if it is not a file but the prefix or directory of checkpoints."""
    found = None if os.path.isfile(path) else newest(path)
    return "" if found is None else f"restore({found!r}): save numbers its files and returns the path of each"
