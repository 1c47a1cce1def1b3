"""Checkpoints of objects, and what finds and reads checkpoint files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from .... import dtypes
from ....checkpoint import Checkpoint as Base, Status
from ....checkpoint.collecting import Collector
from ....checkpoint.objects import collect_variables
from ....checkpoint.state import kept_checkpoints, latest_checkpoint as find_latest, read_state, write_state
from ....errors import CheckpointError, CheckpointNotFoundError
from ....tensors.variable import Variable
from ...mode import building
from ..errors import NotFoundError
from ..graph.graphs import get_default_graph
from ..graph.saving import initialize_missing, session_for, with_values
from ..graph.sessions import Session
from ..tables import anywhere
from ..variables.creation import create
from ..variables.names import name_scope
from .files import existing_file, opened

__all__ = [
    "Checkpoint",
    "CheckpointState",
    "LoadStatus",
    "NewCheckpointReader",
    "checkpoint_exists",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "restored",
    "update_checkpoint_state",
]


class UnmatchedError(CheckpointError, AssertionError):
    """A checkpoint and the objects do not match completely; TensorFlow raises an AssertionError."""


class LoadStatus:
    """What a restore has matched so far.

    Args:
        status: of the restore.
    """

    def __init__(self, status: Status) -> None:
        self._status = status

    def __repr__(self) -> str:
        return repr(self._status)

    def assert_consumed(self) -> LoadStatus:
        """This status, if every tensor of the checkpoint was restored, and every variable from it.

        Raises:
            AssertionError: some were not; the error lists them.
        """
        try:
            self._status.assert_consumed()
        except CheckpointError as error:
            raise UnmatchedError(error.summary, expected=error.expected, got=error.got, fix=error.fix) from None
        return self

    def run_restore_ops(self, session: object = None) -> None:
        """Nothing: in eager mode, the values are restored already.

        Raises:
            AssertionError: no checkpoint was restored.
        """
        if self._status.path is None:
            raise UnmatchedError(
                "No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore).",
                fix="check the directory passed to tf.train.latest_checkpoint, or use initialize_or_restore()",
            )

    def initialize_or_restore(self, session: object = None) -> None:
        """Nothing: in eager mode, variables have values from their creation on, and restored ones theirs already."""


class GraphLoadStatus(LoadStatus):
    """A checkpoint that is restored when one of the methods is called: a session gets the values.

    Args:
        checkpoint: of objects of a graph.
        save_path: as for `Checkpoint.restore`.
    """

    def __init__(self, checkpoint: Checkpoint, save_path: Any) -> None:
        self._checkpoint, self._path = checkpoint, save_path

    def __repr__(self) -> str:
        return f"<restores {self._path} when run_restore_ops is called>"

    def _into(self, session: Session) -> LoadStatus:
        found: LoadStatus = with_values(session, self._restored)
        return found

    def _restored(self) -> LoadStatus:
        status = restored(self._checkpoint, self._path)
        for each in Collector(self._checkpoint).objects:
            if hasattr(type(each), "follow_step"):  # the file has Adam's step, not the powers that follow from it
                each.follow_step()  # type: ignore[attr-defined]  # it has
        return status

    def assert_consumed(self) -> LoadStatus:
        """As `LoadStatus.assert_consumed`."""
        self._into(Session(graph=get_default_graph())).assert_consumed()  # one whose values nobody needs
        return self

    def run_restore_ops(self, session: object = None) -> None:
        """Restore the values of a session, by default the innermost one.

        Raises:
            AssertionError: no checkpoint was restored.
        """
        self._into(session_for(session)).run_restore_ops()

    def initialize_or_restore(self, session: object = None) -> None:
        """Restore the values of a session; variables that the checkpoint does not contain are initialized."""
        target = session_for(session)
        initialize_missing(target, collect_variables(self._checkpoint).values())
        self._into(target)


def restored(checkpoint: Base, save_path: Any) -> LoadStatus:
    """The status of ``checkpoint`` restored from a path or prefix; None restores nothing.

    Raises:
        NotFoundError: there is no such file. CheckpointError: it is damaged, or a tensor does not fit its variable.
    """
    found = None if save_path is None else existing_file(save_path) or save_path
    try:
        return LoadStatus(Base.restore(checkpoint, found))
    except CheckpointNotFoundError as error:
        raise NotFoundError(None, None, str(error)) from None


class Checkpoint(Base):
    """Objects whose variables are saved and restored together; see `polytape.Checkpoint`.

    Args:
        kwargs: objects by name.

    Attributes:
        save_counter: int64[] variable: the number of saves.
    """

    _counter: Variable | None = None

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)

    @property
    def save_counter(self) -> Variable:
        """int64[] variable: the number of saves. A checkpoint contains it."""
        if self._counter is None:
            with name_scope(None):
                self._counter = create(0, trainable=False, name="save_counter", dtype=dtypes.int64)
        return self._counter

    def save(self, file_prefix: str, session: object = None) -> str:  # type: ignore[override]  # TensorFlow's arguments
        """Save to the next numbered file of a prefix, and make it the latest checkpoint of its directory.

        Args:
            file_prefix: ``"runs/ckpt"`` gives ``runs/ckpt-1.safetensors`` and so on.
            session: in graph mode the session whose values are saved; default: the innermost one.
        Returns:
            The path of the new file.
        Raises:
            CheckpointError: it cannot be written; ``save_counter`` is as before then.
        """
        if building():
            return self._save_in_graph(file_prefix, session_for(session))
        counter = self.save_counter
        counter.assign_add(1)
        try:
            return super().save(file_prefix)
        except BaseException:
            counter.assign_sub(1)
            raise

    def _save_in_graph(self, file_prefix: str, session: Session) -> str:
        if self._counter is None:
            session.run(self.save_counter.initializer)  # type: ignore[attr-defined]  # a variable of a graph has one
        variables = collect_variables(self).values()
        found: str = with_values(session, lambda: self.save(file_prefix), variables)
        return found

    def restore(self, save_path: Any) -> LoadStatus:  # type: ignore[override]  # TensorFlow's status
        """Restore all variables; those that do not exist yet are restored when they are created.

        Args:
            save_path: what `save` or `latest_checkpoint` returned, also without ``.safetensors``; None restores
                nothing.
        Raises:
            NotFoundError: there is no such file. CheckpointError: a tensor does not fit its variable; none changes.
        """
        if save_path is not None:
            _ = self.save_counter  # it is in the file
        if building():
            return GraphLoadStatus(self, save_path)
        return restored(self, save_path)


class CheckpointState(NamedTuple):
    """The checkpoints of a directory.

    Attributes:
        model_checkpoint_path: the latest.
        all_model_checkpoint_paths: all that are kept, oldest first.
    """

    model_checkpoint_path: str
    all_model_checkpoint_paths: list[str]


@anywhere
def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The path of the latest checkpoint in a directory, or None if there is none."""
    return find_latest(checkpoint_dir)


@anywhere
def get_checkpoint_state(checkpoint_dir: str, latest_filename: str | None = None) -> CheckpointState | None:
    """The checkpoints of a directory, or None if nothing was saved there."""
    state = read_state(os.fsdecode(checkpoint_dir))
    if state is None:
        return None
    return CheckpointState(os.path.join(checkpoint_dir, state.latest), kept_checkpoints(checkpoint_dir))


def generate_checkpoint_state_proto(
    save_dir: str, model_checkpoint_path: str, all_model_checkpoint_paths: Sequence[str] | None = None
) -> CheckpointState:
    """A `CheckpointState` of these paths; the latest is added at the end if it is missing."""
    paths = list(all_model_checkpoint_paths or ())
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    return CheckpointState(model_checkpoint_path, paths)


@anywhere
def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
) -> None:
    """Write which checkpoint of a directory is the latest, and which others there are.

    Raises:
        CheckpointError: a checkpoint is in another directory, or the file cannot be written.
    """
    state = generate_checkpoint_state_proto(save_dir, model_checkpoint_path, all_model_checkpoint_paths)
    names = [os.path.relpath(path, save_dir) if os.path.isabs(path) else os.path.basename(path)
             for path in state.all_model_checkpoint_paths]  # fmt: skip
    write_state(os.fsdecode(save_dir), names[-1], names)


def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether there is a checkpoint of this path or prefix."""
    return existing_file(checkpoint_prefix) is not None


def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[str]) -> list[float]:
    """When each checkpoint that exists was written, as seconds since 1970."""
    found = [existing_file(prefix) for prefix in checkpoint_prefixes]
    return [os.path.getmtime(path) for path in found if path is not None]


class NewCheckpointReader:
    """Reads tensors of a checkpoint by name.

    Args:
        filepattern: a path or prefix of a checkpoint.

    Raises:
        NotFoundError: there is none.
    """

    def __init__(self, filepattern: str) -> None:
        self._file = opened(filepattern)

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of this name."""
        return tensor_str in self._file.names

    def get_tensor(self, tensor_str: str) -> Any:
        """The tensor of this name as a NumPy array.

        Raises:
            NotFoundError: there is none.
        """
        if not self.has_tensor(tensor_str):
            raise NotFoundError(None, None, f"Key {tensor_str} not found in checkpoint")
        return self._file.read(tensor_str)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shapes of all tensors by name."""
        return {name: list(self._file.shape(name)) for name in self._file.names}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        """The dtypes of all tensors by name."""
        return {name: self._file.dtype(name) for name in self._file.names}

    def debug_string(self) -> bytes:
        """A line for each tensor: name, dtype and shape."""
        lines = [f"{name} ({self._file.dtype(name)}) {list(self._file.shape(name))}" for name in self._file.names]
        return "\n".join(lines).encode()


def load_checkpoint(ckpt_dir_or_file: str) -> NewCheckpointReader:
    """A reader of a checkpoint, or of the latest one in a directory.

    Raises:
        ValueError: the directory has none. NotFoundError: there is no such file.
    """
    path: str | None = ckpt_dir_or_file
    if os.path.isdir(ckpt_dir_or_file):
        path = find_latest(ckpt_dir_or_file)
        if path is None:
            raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file}")
    return NewCheckpointReader(path)  # type: ignore[arg-type]  # not None here


def load_variable(ckpt_dir_or_file: str, name: str) -> Any:
    """A tensor of a checkpoint as a NumPy array; the name may end in ``:0``."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: str) -> list[tuple[str, list[int]]]:
    """Names and shapes of the tensors of a checkpoint, sorted by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())
