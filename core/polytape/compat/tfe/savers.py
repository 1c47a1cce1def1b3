"""Checkpoints of variables by name, and of objects, in eager mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...checkpoint import Checkpoint as Base
from ...checkpoint.series import Policy
from ...state.trackable import Trackable as Checkpointable
from ...tensors.variable import Variable
from ..mode import need_eager
from ..tf1.errors import NotFoundError
from ..tf1.train.checkpoints import Checkpoint, LoadStatus, load_checkpoint, restored
from ..tf1.train.files import restore_values
from ..tf1.train.savers import Saver as _Saver
from ..tf1.variables.creation import created_through
from ..tf1.variables.members import shared_name

__all__ = [
    "Checkpoint",
    "Checkpointable",
    "CheckpointableSaver",
    "Saver",
    "get_optimizer_variables",
    "restore_variables_on_create",
]


class Saver:
    """A `tf.train.Saver` whose methods take no session.

    Args:
        var_list: variables, or a dict of them by name.
    """

    def __init__(self, var_list: Any) -> None:
        self._saver = _Saver(var_list)

    def save(self, file_prefix: str, global_step: Any = None) -> str:
        """Save the values; see `tf.train.Saver.save`."""
        return self._saver.save(None, file_prefix, global_step)

    def restore(self, file_prefix: str) -> None:
        """Assign the values of a checkpoint; see `tf.train.Saver.restore`."""
        self._saver.restore(None, file_prefix)


class CheckpointableSaver:
    """Saves and restores the variables of one object; `Checkpoint` names several.

    Args:
        root_checkpointable: the object, a `Checkpointable`.
    """

    def __init__(self, root_checkpointable: Checkpointable) -> None:
        need_eager("CheckpointableSaver")
        self._checkpoint = Base(root=root_checkpointable)

    def save(self, file_prefix: str, checkpoint_number: Any = None, session: object = None) -> str:
        """Save the values; returns the path.

        Args:
            file_prefix: of the file; ``-<checkpoint_number>`` is added.
            checkpoint_number: default: the file is ``<file_prefix>.safetensors``.
            session: ignored.
        """
        if checkpoint_number is None:
            return self._checkpoint.save(f"{file_prefix}.safetensors")
        return self._checkpoint._save(file_prefix, Policy(None), int(checkpoint_number), True)

    def restore(self, save_path: Any, session: object = None) -> LoadStatus:
        """Restore the values; those of variables that do not exist yet are restored when they are created."""
        return restored(self._checkpoint, save_path)


def get_optimizer_variables(optimizer: Any) -> list[Variable]:
    """``optimizer.variables()``."""
    variables: list[Variable] = optimizer.variables()
    return variables


@contextmanager
def restore_variables_on_create(save_path: str | None, map_func: Callable[[str], str] | None = None) -> Iterator[None]:
    """A context manager: variables that are created inside get the values of a checkpoint.

    Args:
        save_path: of a file that a `Saver` wrote; None restores nothing.
        map_func: from a variable's name, without ``:0``, to that of its tensor; default: the same.
    Raises:
        NotFoundError: a variable is created that the checkpoint does not contain. ValueError: ``map_func`` is not a
            function.
    """
    need_eager("restore_variables_on_create")
    if not save_path:
        yield
        return
    if map_func is not None and not callable(map_func):
        raise ValueError("map_func must be callable.")
    reader = load_checkpoint(save_path)
    restored_names: set[str] = set()

    def restore(variable: Variable) -> None:
        name = shared_name(variable)
        key = name if map_func is None else map_func(name)
        if not reader.has_tensor(key):
            raise NotFoundError(None, None, f"{key} not found in checkpoint")
        if key not in restored_names:  # only the first variable of a name
            restored_names.add(key)
            restore_values(reader._file, {key: variable})

    with created_through(restore):
        yield
