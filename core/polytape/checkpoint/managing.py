"""CheckpointManager: the numbered checkpoints of one directory, and which of them stay."""

from __future__ import annotations

import os
from typing import Final

from ..errors import CheckpointError, PolytapeError
from ..settings import trimmed
from .manager import Checkpoint
from .series import Policy
from .state import kept_checkpoints, latest_checkpoint
from .status import Status

__all__ = ["CheckpointManager"]


class CheckpointManager:
    """Saves a checkpoint again and again into one directory, and removes old ones.

    Args:
        checkpoint: what is saved.
        directory: where; it is created by the first save.
        max_to_keep: how many of the newest checkpoints to keep, at least 1; None keeps all.
        keep_checkpoint_every_n_hours: of the older ones, keep one for each time of this many hours, a positive number,
            for good; None keeps none. The times of the files count, so it goes on when the program is started again.
        prefix: of the files' names: ``ckpt-1.safetensors``.

    Raises:
        CheckpointError: an argument is out of range.

    Example:
        >>> import polytape as pt, tempfile
        >>> w = pt.Variable(0.0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> manager = pt.CheckpointManager(pt.Checkpoint(w=w), folder.name, max_to_keep=2)
        >>> for step in range(4):
        ...     _ = w.assign(step)
        ...     _ = manager.save()
        >>> len(manager.checkpoints)
        2
        >>> _ = w.assign(0.0)
        >>> _ = manager.restore()
        >>> float(w)
        3.0
        >>> folder.cleanup()

    Source: TensorFlow 1.13, ``tf.train.CheckpointManager``.
    """

    __slots__ = ("_policy", "checkpoint", "directory", "prefix")

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str | os.PathLike[str],
        max_to_keep: int | None = 5,
        *,
        keep_checkpoint_every_n_hours: float | None = None,
        prefix: str = "ckpt",
    ) -> None:
        hours = keep_checkpoint_every_n_hours
        if (max_to_keep is not None and max_to_keep < 1) or (hours is not None and not hours > 0):
            raise CheckpointError(
                "CheckpointManager cannot keep checkpoints like that.",
                expected="max_to_keep of 1 or more, or None for all; a positive keep_checkpoint_every_n_hours, or None",
                got=f"max_to_keep={max_to_keep}, keep_checkpoint_every_n_hours={hours}",
                fix="omit the argument for the default",
            )
        self.checkpoint: Final = checkpoint
        self.directory: Final = os.fsdecode(directory)
        self.prefix: Final = prefix
        self._policy: Final = Policy(max_to_keep, None if hours is None else hours * 3600.0)

    def __repr__(self) -> str:
        return f"CheckpointManager({self.directory!r}, {len(self.checkpoints)} checkpoints)"

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the checkpoints in the directory, oldest first."""
        return kept_checkpoints(self.directory)

    @property
    def latest(self) -> str | None:
        """The path of the latest checkpoint; None if there is none."""
        return latest_checkpoint(self.directory)

    def save(self, number: int | None = None, *, wait: bool = True) -> str:
        """Save the next checkpoint.

        Args:
            number: of the file, such as that of the training step; default: one more than the highest. An existing file
                of this number is replaced.
            wait: False writes in the background, see `Checkpoint.save`.
        Returns:
            The path of the new file.
        Raises:
            CheckpointError: as from `Checkpoint.save`; or ``number`` is negative.
        """
        try:
            if number is not None and not 0 <= number < 10**18:
                raise CheckpointError(
                    f"a checkpoint cannot have the number {number}.",
                    expected="an integer from 0 to 10**18 - 1",
                    got=str(number),
                    fix="pass the number of the step, or omit it",
                )
            path = os.path.join(self.directory, self.prefix)
            return self.checkpoint._save(path, self._policy, None if number is None else int(number), wait)
        except PolytapeError as error:
            raise trimmed(error) from None

    def restore(self, *, verify: bool = True) -> Status:
        """Restore the latest checkpoint; nothing if there is none.

        Args:
            verify: as for `Checkpoint.restore`.
        Returns:
            A status that lists the matched and the unmatched tensors; its ``path`` is None if there is no checkpoint.
        Raises:
            CheckpointError: as from `latest_checkpoint` and `Checkpoint.restore`.
        """
        return self.checkpoint.restore(self.latest, verify=verify)
