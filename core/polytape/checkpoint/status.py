"""What a restore has matched, and what it has not."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from ..errors import CheckpointError, PolytapeError, warn
from ..settings import trimmed
from ..state.trackable import Trackable
from .files import quoted
from .objects import collect_variables
from .restoring import Restoration

__all__ = ["Status"]


class Status:
    """The tensors that a restore has matched; it also reflects those restored later.

    If tensors of the file and existing variables are left over when it is deleted, and the program has not asked what
    matched, it warns.

    Attributes:
        path: the checkpoint file, or None if nothing was restored.
    """

    __slots__ = ("_is_checked", "_restoration", "_root", "path")

    def __init__(self, root: Trackable, restoration: Restoration | None) -> None:
        self._is_checked = False  # whether the program asked what matched
        self._root: Final = root
        self._restoration: Final = restoration
        self.path: Final[str | None] = None if restoration is None else restoration.path

    def __repr__(self) -> str:
        return f"Status({self.path!r}, {len(self.matched)} matched, {len(self.unmatched)} unmatched)"

    def __del__(self) -> None:
        # Objects whose attributes have other names would otherwise keep some of their values unnoticed.
        restoration = getattr(self, "_restoration", None)  # None too if the constructor failed
        if restoration is None or self._is_checked or len(restoration.variables) == len(restoration.names):
            return
        with contextlib.suppress(PolytapeError):
            if missing := self._missing():
                warn(
                    f"restore({self.path!r}) found no variable for {_listed(self.unmatched)}, and no tensor for the "
                    f"variables {_listed(missing)}. If this is intended, call expect_partial() of its result."
                )

    def _missing(self) -> list[str]:
        """Keys of the existing variables that have not been restored."""
        restored = [] if self._restoration is None else self._restoration.variables.values()
        known = {*map(id, restored)}
        return [key for key, variable in collect_variables(self._root).items() if id(variable) not in known]

    @property
    def matched(self) -> tuple[str, ...]:
        """Keys of the file's tensors that have been restored into variables, sorted."""
        self._is_checked = True
        return () if self._restoration is None else self._restoration.keys(True)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Keys of the file's tensors that have not been restored, sorted."""
        self._is_checked = True
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
        """Say that tensors of the file and variables may be left over: then there is no warning.

        Returns:
            This status.
        """
        self._is_checked = True
        return self

    def assert_existing_objects_matched(self) -> Status:
        """Check that every existing variable was restored; the file may contain more tensors.

        Returns:
            This status.
        Raises:
            CheckpointError: some variables were not restored; the error lists them.
        """
        self._is_checked = True
        try:
            missing = self._missing()
        except PolytapeError as error:
            raise trimmed(error) from None
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


def _listed(keys: Sequence[str]) -> str:
    shown = ", ".join([quoted(key) for key in keys[:10]])
    return f"{shown} and {len(keys) - 10} more" if len(keys) > 10 else shown
