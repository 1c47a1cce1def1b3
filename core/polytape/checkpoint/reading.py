"""Reading a file at given positions, from several threads and forked processes at once."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from typing import Any

from .files import damaged, system_error

__all__ = ["Reader", "open_regular"]

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    from _thread import allocate_lock

    _position = allocate_lock()  # Windows has no fork, which could leave it locked

    def _read_at(descriptor: int, target: memoryview, offset: int) -> int:
        with _position:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, len(target))
        target[: len(data)] = data
        return len(data)

else:

    def _read_at(descriptor: int, target: memoryview, offset: int) -> int:
        return os.preadv(descriptor, [target], offset)


class Reader:
    """An open file. It is closed when nothing refers to it any more, so never while another thread is reading."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __repr__(self) -> str:
        return f"Reader({self._descriptor})"

    def __del__(self) -> None:
        os.close(self._descriptor)

    def status(self) -> os.stat_result:
        """The file's size, times and identity."""
        return os.fstat(self._descriptor)

    def read_into(self, target: memoryview, offset: int) -> int:
        """Fill ``target`` with the bytes from ``offset`` on; returns their count, short only at the end of the file."""
        total = 0
        while total < len(target):
            count = _read_at(self._descriptor, target[total:], offset + total)
            if not count:
                break
            total += count
        return total

    def read_into_all(self, targets: Sequence[Any], offset: int, nbytes: int) -> bool:
        """Fill all ``targets``, contiguous buffers, with the bytes from ``offset`` on, in one step if that is possible.

        Args:
            targets: the buffers.
            offset: in the file.
            nbytes: of all targets.
        Returns:
            Whether all of them are filled.
        """
        return hasattr(os, "preadv") and os.preadv(self._descriptor, targets, offset) == nbytes


def open_regular(path: str, fix: str = "") -> Reader:
    """Open the regular file ``path`` for reading.

    Args:
        path: the file.
        fix: for the error if there is no such file.
    Raises:
        CheckpointError: it does not exist, is not readable, or is a directory, pipe or device.
    """
    try:
        # stat() first: opening a pipe would wait for its other end.
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return Reader(os.open(path, _FLAGS))
    except (OSError, ValueError) as error:
        raise system_error(
            error,
            f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}.",
            expected="a readable file",
            fix=fix or "check the path and permissions; polytape.latest_checkpoint(directory) finds the newest file",
        ) from error
    raise damaged(
        path,
        "it is not a regular file",
        expected="a regular file",
        got="a directory" if stat.S_ISDIR(mode) else "a pipe, socket or device",
        fix=fix or "pass the path of a file; polytape.latest_checkpoint(directory) finds the newest one in a directory",
    )
