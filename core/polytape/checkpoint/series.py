"""Saving the next checkpoint of a directory: its number, the state file, and which older ones are removed."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import zlib
from typing import Final

from ..errors import CheckpointError
from .directory import DirectoryLock, is_left_over, make_directory, remove_orphans
from .files import Replacement, system_error
from .numbering import file_name, number_of, split
from .state import STATE_NAME, CheckpointState, Preserved, encode_state, is_file_name, read_state
from .writers import is_running, this_process

__all__ = ["Policy", "Series"]

# A path with such an ending is a file, as in torch.save; any other is the prefix of numbered files.
_FILE_ENDINGS: Final = (".safetensors", ".pt", ".pth")
_UNKNOWN_AGE_S: Final = 86_400.0  # how long a process of which nothing is known counts as running after it saved


class Policy:
    """Which numbered checkpoints stay when one is added.

    Args:
        keep: how many of the newest, at least 1; None for all.
        every_s: of the older ones, one per this many seconds stays for good; None for none.
    """

    __slots__ = ("every_s", "keep")

    def __init__(self, keep: int | None, every_s: float | None = None) -> None:
        self.keep: Final = keep
        self.every_s: Final = every_s

    def __repr__(self) -> str:
        return f"Policy(keep={self.keep}, every_s={self.every_s})"


class Series:
    """The checkpoints that a path means: numbered files with a prefix, or one file that each save replaces.

    Args:
        path: a prefix or directory; or a file, if it ends in .safetensors, .pt or .pth.

    Attributes:
        directory: the directory, which is created.
        prefix: the prefix, or the name of the file.
        numbered: whether the files are numbered.

    Raises:
        CheckpointError: the name is not valid, the directory cannot be created, or its state file is damaged.
    """

    __slots__ = ("directory", "numbered", "prefix")

    def __init__(self, path: str) -> None:
        directory, prefix = split(path)
        self.numbered: Final[bool] = not prefix.endswith(_FILE_ENDINGS)
        name = file_name(prefix, 1) if self.numbered else prefix
        if not is_file_name(name):
            raise CheckpointError(
                f"Checkpoint.save cannot name a file {name!r}.",
                expected="valid Unicode without '\\' and NUL that does not begin like 'c:'"
                + (", without ':'" if os.name == "nt" else ""),
                got=repr(path),
                fix="use another name, or write() for exactly this file",
            )
        self.directory: Final = directory
        self.prefix: Final = prefix
        make_directory(directory)
        if is_left_over(directory):
            with DirectoryLock(directory):
                pass  # entering removes what is left

    def __repr__(self) -> str:
        return f"Series({os.path.join(self.directory, self.prefix)!r}, numbered={self.numbered})"

    def reserve(self, number: int | None = None) -> Replacement:
        """A new file, with a number that no other file has or gets; or with this one, replacing a file that has it.

        Raises:
            CheckpointError: the state file is damaged, the directory cannot be read or written, or another thread or
                process is saving a file of this number.
        """
        state = read_state(self.directory)
        try:
            names = os.listdir(self.directory)
        except OSError as error:
            raise system_error(
                error,
                f"the directory {self.directory!r} cannot be read.",
                expected="a readable directory",
                fix="change its permissions, or save elsewhere",
            ) from error
        remove_orphans(self.directory)
        if not self.numbered:
            return Replacement(os.path.join(self.directory, self.prefix))
        if number is not None:
            return Replacement(self._path(number), self._infix(number))
        taken = [number_of(name, self.prefix) for name in (*names, *(state.kept if state is not None else ()))]
        highest = max([number for number in taken if number is not None], default=0)
        while True:
            highest += 1
            new = self._reserved(highest)
            if new is not None:
                return new

    def _path(self, number: int) -> str:
        return os.path.join(self.directory, file_name(self.prefix, number))

    def _infix(self, number: int) -> str:
        return f"{zlib.crc32(self.prefix.encode()):08x}-{number}"

    def _reserved(self, number: int) -> Replacement | None:
        """The new file ``number``, or None if another thread or process has or had it.

        Its temporary file is the reservation: only one can be created, and whoever renames it removes it only
        together with making the final name exist.
        """
        path = self._path(number)
        try:
            new = Replacement(path, self._infix(number))
        except CheckpointError as error:
            if isinstance(error, OSError) and error.errno == errno.EEXIST:
                return None
            raise
        if os.path.lexists(path):
            new.discard()
            return None
        return new

    def publish(self, new: Replacement, policy: Policy, as_latest: bool = False) -> None:
        """Give the flushed file its name, make it the latest, and remove those that do not stay.

        Args:
            new: the file.
            policy: which others stay.
            as_latest: whether it becomes the latest even if a file with a higher number exists.

        Raises:
            CheckpointError: a file cannot be written; a new numbered file is removed then.
        """
        name = os.path.basename(new.path)
        with DirectoryLock(self.directory) as held:
            if self.numbered:
                held.note(name)
            try:
                new.rename()
                dropped = self._update_state(held, name, policy, as_latest)
            except BaseException:
                if self.numbered:
                    self._withdraw(held, name)
                raise
            for file in dropped:
                self._remove(file)
            held.note()

    def _update_state(self, held: DirectoryLock, name: str, policy: Policy, as_latest: bool) -> list[str]:
        """Write the state file, with the file ``name`` in it; returns the files that it does not name any more."""
        while True:
            # Created before the state is read: a signal handler that saves in between removes it.
            with Replacement(os.path.join(self.directory, STATE_NAME)) as new:
                held.stage(new)
                state, dropped = self._merged(read_state(self.directory), name, policy, as_latest)
                if dropped:
                    held.note(name, *dropped)
                new.write(encode_state(self.directory, state))
                new.flush()
                try:
                    new.rename()
                    return dropped
                except CheckpointError:
                    if not new.superseded:
                        raise
                    new.discard()

    def _merged(
        self, state: CheckpointState | None, name: str, policy: Policy, as_latest: bool
    ) -> tuple[CheckpointState, list[str]]:
        """The state with the file ``name`` in it, and the files that are not kept any more."""
        kept = [] if state is None else [file for file in state.kept if file != name]
        latest, position = name, len(kept)
        number = self._number(name)
        for index, file in enumerate(kept):
            if (
                number is not None and not as_latest and (self._number(file) or 0) > number
            ):  # saved by another thread or process
                position = min(position, index)
                latest = file if state is not None and file == state.latest else latest
        kept.insert(position, name)
        writers = {} if state is None else {process: set(files) for process, files in state.writers.items()}
        running = {process: is_running(process) for process in writers}
        dropped: list[str] = []
        preserved = Preserved(state.preserved.names, state.preserved.since_s) if state is not None else Preserved()
        if policy.keep is not None and number is not None:
            others = {
                file for process, files in writers.items() if process != this_process() for file in files
                if running[process] or (running[process] is None and self._is_young(file))
            }  # fmt: skip
            counted = [
                file for file in kept
                if self._number(file) is not None and file not in others and file not in preserved.names
            ]  # fmt: skip
            surplus = counted[: max(0, len(counted) - policy.keep)]
            dropped = [file for file in surplus if file not in (name, latest)]
            if policy.every_s is not None:
                dropped = self._without_preserved(dropped, preserved, policy.every_s)
            kept = [file for file in kept if file not in dropped]
        writers.setdefault(this_process(), set()).add(name)
        remaining = {
            process: [file for file in kept if file in files]
            for process, files in writers.items() if running.get(process) is not False
        }  # fmt: skip
        saved = {process: files for process, files in remaining.items() if files}
        return CheckpointState(latest, kept, saved, preserved), dropped

    def _without_preserved(self, dropped: list[str], preserved: Preserved, every_s: float) -> list[str]:
        """``dropped`` without the files that now stay for good, which are added to ``preserved``."""
        if preserved.since_s is None and dropped:
            preserved.since_s = min([self._time(file) for file in dropped])
        remaining = []
        for file in dropped:
            if self._time(file) >= (preserved.since_s or 0.0) + every_s:
                preserved.names = (*preserved.names, file)
                preserved.since_s = self._time(file)
            else:
                remaining.append(file)
        return remaining

    def _time(self, file: str) -> float:
        """When a file was written; 0.0 if it does not exist."""
        try:
            return os.stat(os.path.join(self.directory, file)).st_mtime
        except OSError:
            return 0.0

    def _number(self, file: str) -> int | None:
        return number_of(file, self.prefix) if self.numbered else None

    def _is_young(self, file: str) -> bool:
        return time.time() - self._time(file) < _UNKNOWN_AGE_S

    def _withdraw(self, held: DirectoryLock, name: str) -> None:
        """Remove the file of a save that failed, unless the state file names it. If not, the next save removes it."""
        with contextlib.suppress(CheckpointError):
            state = read_state(self.directory)
            if state is None or name not in state.kept:
                self._remove(name)
                held.note()

    def _remove(self, file: str) -> None:
        # It may be deleted already, or open on a system that forbids deleting open files.
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.directory, file))
