"""A directory of checkpoints: its lock, and the files that processes left there when they were killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import warnings
from _thread import get_ident
from typing import Final

from ..errors import PolytapeWarning
from .file_locks import lock, unlock
from .files import Replacement, is_at, sync_directory, system_error, temporary_name, unwritable
from .numbering import is_numbered
from .state import is_file_name, read_state

__all__ = ["DirectoryLock", "is_left_over", "make_directory", "remove_orphans"]

_LOCK_NAME: Final = ".polytape-lock"
_ORPHAN_AGE_S: Final = 86_400.0  # on a file system without locks
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_MAX_NOTE_NBYTES: Final = 1_000_000
_is_temporary: Final = re.compile(re.escape(temporary_name("@")).replace("@", ".+")).fullmatch


def make_directory(directory: str) -> None:
    """Create a directory and its parents if they are missing, and flush their entries to the disk.

    Raises:
        CheckpointError: it cannot be created.
    """
    if os.path.isdir(directory):
        return
    missing = directory
    parents: list[str] = []
    while missing and not os.path.lexists(missing):
        missing = os.path.dirname(missing)
        parents.append(missing)
    try:
        os.makedirs(directory, exist_ok=True)
        for parent in parents:
            sync_directory(parent)
    except (OSError, ValueError) as error:
        raise system_error(
            error,
            f"the directory {directory!r} cannot be created.",
            expected="a path where a directory can be created",
            fix="save elsewhere, or create the directory yourself",
        ) from error


def remove_orphans(directory: str) -> None:
    """Remove the temporary files of processes that have ended."""
    with contextlib.suppress(OSError, ValueError):
        for name in os.listdir(directory):
            if _is_temporary(name):
                with contextlib.suppress(OSError):
                    _remove_orphan(os.path.join(directory, name))


def _remove_orphan(path: str) -> None:
    flags = os.O_RDWR | _CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    try:
        locked = lock(descriptor, wait=False)  # a process that writes the file holds its lock
        if locked is None:
            locked = time.time() - os.fstat(descriptor).st_mtime > _ORPHAN_AGE_S
        # Another process may have removed the orphan in the meantime, and a third one may use its name.
        if locked and is_at(descriptor, path) and os.name != "nt":
            os.unlink(path)
    finally:
        os.close(descriptor)
    if locked and os.name == "nt":
        os.unlink(path)  # Windows removes no open file


_held: dict[tuple[int, int, int], DirectoryLock] = {}  # by thread, and device and inode of the lock file


class DirectoryLock:
    """Held by a ``with`` block that changes the state file of ``directory``: other threads and processes wait.

    A signal handler that interrupts such a block may save to the same directory. It cannot wait for the block that it
    interrupted, so it enters too: `stage` tells it what to undo, and the interrupted block then starts again.

    The lock file exists while a block holds it. In it are noted the names of the files that the block is about to add
    or to remove. If the process is killed, the lock file stays, and the next block removes those of the noted files
    that the state file does not name.

    Attributes:
        directory: as passed.
    """

    __slots__ = ("_descriptor", "_key", "_locked", "_notes", "_outermost", "_path", "_staged", "directory")

    def __init__(self, directory: str) -> None:
        self.directory: Final = directory
        self._path: Final = os.path.join(directory, _LOCK_NAME)
        self._outermost = self
        # What follows is used of the outermost block only.
        self._descriptor = -1  # of the lock file, if it is open
        self._key = (0, 0, 0)  # in _held
        self._locked = False
        self._staged: Replacement | None = None
        self._notes: dict[int, tuple[str, ...]] = {}  # by the id of the block's lock

    def __repr__(self) -> str:
        return f"DirectoryLock({self.directory!r})"

    def __enter__(self) -> DirectoryLock:
        try:
            while not self._acquire():
                self.__exit__()
        except OSError as error:
            self.__exit__()
            raise unwritable(self._path, error) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        # This is no function that `__exit__` calls: Ctrl-C could come at its start. A signal handler may come after any
        # call here. If it saves, it must find this block in _held while the lock is held, or it would wait for it for
        # ever; if it raises, the lock must be released all the same.
        descriptor = self._descriptor
        if descriptor < 0:
            return
        try:
            if self._locked and not any([*self._notes.values()]):
                os.unlink(self._path)
        except OSError:
            pass  # Windows removes no open file, and some directories allow it to its owner only
        finally:
            try:
                unlock(descriptor)  # closing is not enough if a child process has inherited the file
            except OSError:
                pass  # the file system may have no locks
            finally:
                self._descriptor = -1
                try:
                    os.close(descriptor)
                finally:
                    _held.pop(self._key, None)

    def _acquire(self) -> bool:
        """Open and lock the lock file; False if the block that had it locked has removed it."""
        descriptor = _open_lock_file(self._path)
        status = os.fstat(descriptor)
        key = (get_ident(), status.st_dev, status.st_ino)
        outermost = _held.get(key)
        if outermost is not None and outermost._descriptor >= 0:
            os.close(descriptor)
            if os.name != "nt":
                # The handler may have come while the interrupted block still waited for the lock.
                lock(outermost._descriptor, wait=True)
                if not _is_current(outermost._descriptor, self._path):
                    return False
            self._outermost = outermost
            return True
        self._descriptor, self._key = descriptor, key
        _held[key] = self
        if lock(descriptor, wait=True) is None:
            warnings.warn(
                f"the file system of {self.directory!r} has no locks. Save to it from one thread of one process only: "
                "otherwise the state file may lose the names of checkpoints.",
                PolytapeWarning,
                stacklevel=2,
            )
            self._locked = True
            return True
        if not _is_current(descriptor, self._path):
            return False
        self._locked = True
        if os.fstat(descriptor).st_size:
            self._recover()
        return True

    def forget(self) -> None:
        """Close the lock file, which stays locked by the parent process."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def stage(self, new: Replacement) -> None:
        """Say which new state file is about to be written; what an interrupted block has staged is superseded."""
        if self._outermost._descriptor < 0:
            raise unwritable(new.path, ValueError("the process was forked while it was saving"))
        interrupted, self._outermost._staged = self._outermost._staged, new
        if interrupted is not None:
            interrupted.supersede()

    def note(self, *names: str) -> None:
        """Note the files that this block is about to add or to remove, instead of those that it noted before."""
        outermost = self._outermost
        outermost._notes[id(self)] = names
        noted = [name for names in [*outermost._notes.values()] for name in names]
        data = json.dumps(noted).encode() if noted else b""
        with contextlib.suppress(OSError):  # a full disk, or the file of another user
            # Written before the rest of an older note is cut off: a process killed in between has one of the two.
            if data:
                _write_at_start(outermost._descriptor, data)
            os.ftruncate(outermost._descriptor, len(data))

    def _recover(self) -> None:
        """Remove the files that a killed process noted, except those that the state file names."""
        try:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            text = os.read(self._descriptor, _MAX_NOTE_NBYTES).decode()
            noted: object = json.JSONDecoder().raw_decode(text)[0]  # the rest of an older note may follow
            state = read_state(self.directory)
        except (OSError, ValueError, RecursionError):  # ValueError: also a damaged state file
            return
        kept = () if state is None else state.kept
        for name in noted if isinstance(noted, list) else []:
            if isinstance(name, str) and is_numbered(name) and is_file_name(name) and name not in kept:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.directory, name))
        self.note()


if os.name == "nt":

    def _write_at_start(descriptor: int, data: bytes) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, data)

else:

    def _write_at_start(descriptor: int, data: bytes) -> None:
        os.pwrite(descriptor, data, 0)  # in one step: a signal handler that saves writes to this file too


def _open_lock_file(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o666)
    except PermissionError:  # the file of another user, in a directory that several users share
        return os.open(path, os.O_RDONLY | _CLOEXEC)


def _is_current(descriptor: int, path: str) -> bool:
    """Whether the open file still has this path."""
    try:
        # Opened again, since NFS answers stat() from a cache but looks up the name for open().
        current = os.open(path, os.O_RDONLY | _CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return os.path.sameopenfile(descriptor, current)
    finally:
        os.close(current)


def is_left_over(directory: str) -> bool:
    """Whether the lock file has notes: those of a process that was killed, or that has the lock now."""
    try:
        return os.stat(os.path.join(directory, _LOCK_NAME)).st_size > 0
    except OSError:
        return False


def _forget_all() -> None:
    for held in list(_held.values()):
        held.forget()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
