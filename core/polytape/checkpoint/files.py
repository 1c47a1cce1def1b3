"""Helpers for both files of a checkpoint: atomic replacement, strict reading, and the error for a damaged file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from io import FileIO
from typing import Any, Final

from ..errors import CheckpointError

__all__ = ["Replacement", "canonical_crc", "damaged", "is_text", "open_regular", "read_into", "strict_json"]

# Errors of file systems that cannot flush a directory; there is nothing to wait for then.
_NO_DIRECTORY_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)


def damaged(path: str, reason: str, *, expected: str, got: str, fix: str = "") -> CheckpointError:
    """The error for the file at ``path``, which cannot be read because of ``reason``."""
    return CheckpointError(
        f"{path!r} cannot be read: {reason}.",
        expected=expected,
        got=got,
        fix=fix or "restore another checkpoint, or a copy of this file",
    )


def _unwritable(path: str, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path!r} cannot be written: {getattr(error, 'strerror', None) or error}.",
        expected="an existing, writable directory with enough free space",
        got=f"{type(error).__name__}: {error}",
        fix="create the directory, change its permissions, free space, or save elsewhere",
    )


class Replacement:
    """The new contents of the file ``path``, which replace it when the ``with`` block ends without an error.

    They are written to a temporary file in the same directory, which is flushed to the disk and renamed to ``path``;
    then the directory is flushed too. A crash at any moment leaves either the old file or the new one, complete; an
    error removes the temporary file. A file that a process has open or mapped is never written to.

    Args:
        path: the file to create or replace; its directory must exist.

    Raises:
        CheckpointError: the operating system rejects one of these steps.
    """

    __slots__ = ("_file", "_renamed", "_temporary", "path")

    def __init__(self, path: str) -> None:
        self.path: Final = path
        # A short name, however long that of path is: file names are limited to 255 bytes.
        self._temporary: Final = os.path.join(os.path.dirname(path), f".polytape-{os.urandom(8).hex()}.tmp")
        self._renamed = False
        try:
            self._file: FileIO = open(self._temporary, "xb", buffering=0)  # noqa: SIM115  # closed by __exit__
        except (OSError, ValueError) as error:  # ValueError: a NUL in its directory's name
            raise _unwritable(path, error) from error

    def __repr__(self) -> str:
        return f"Replacement({self.path!r})"

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, exception_type: object, error: object, traceback: object) -> None:
        try:
            if exception_type is None:
                self._commit()
        finally:
            self._discard()

    def seek(self, offset: int) -> None:
        """Continue writing at ``offset`` bytes from the start; skipped bytes read as zeros until they are written."""
        self._file.seek(offset)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data`` (a memoryview must consist of bytes) at the current position."""
        rest = memoryview(data)
        try:
            while len(rest):
                # In two steps: mypyc 2.4 runs a call within the bounds of a memoryview's slice twice.
                count = self._file.write(rest)
                rest = rest[count:]  # the operating system may write less than requested
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _commit(self) -> None:
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self.path)
            self._renamed = True
            _sync_directory(os.path.dirname(self.path) or ".")
        except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
            raise _unwritable(self.path, error) from error

    def _discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._renamed:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)


def _sync_directory(directory: str) -> None:
    if os.name == "nt":  # Windows cannot open a directory; it orders the rename itself
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


def open_regular(path: str) -> FileIO:
    """Open the regular file ``path`` for reading, unbuffered.

    Raises:
        CheckpointError: it does not exist, is not readable, or is a directory, pipe or device.
    """
    try:
        # stat() first: opening a pipe would wait for its other end.
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return open(path, "rb", buffering=0)
    except (OSError, ValueError) as error:
        raise damaged(
            path,
            str(getattr(error, "strerror", None) or error),
            expected="a readable file",
            got=f"{type(error).__name__}: {error}",
            fix="check the path and its permissions; polytape.latest_checkpoint(directory) finds the newest file",
        ) from error
    raise damaged(
        path,
        "it is not a regular file",
        expected="a regular file",
        got="a directory" if stat.S_ISDIR(mode) else "a pipe, socket or device",
        fix="pass the path of a file; polytape.latest_checkpoint(directory) finds the newest one in a directory",
    )


def read_into(file: FileIO, target: memoryview) -> int:
    """Fill ``target`` from the file's current position; returns the byte count, short only at the end of the file."""
    total = 0
    while total < len(target):
        count = file.readinto(target[total:])
        if not count:
            break
        total += count
    return total


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise ValueError(f"the key {key!r} appears twice")
        unique[key] = value
    return unique


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not valid JSON")


def strict_json(raw: bytes) -> object:
    """The JSON value encoded as UTF-8 in ``raw``; duplicate keys, NaN and Infinity are rejected.

    Raises:
        ValueError: ``raw`` is not such a value; the message says where.
    """
    import json

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def canonical_crc(value: object) -> str:
    """The CRC-32, in 8 hexadecimal digits, of ``value`` as compact JSON with sorted keys in UTF-8.

    Raises:
        ValueError: a string in it is not valid Unicode (half of a surrogate pair).
    """
    import json
    import zlib

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"{zlib.crc32(text.encode('utf-8')):08x}"


def is_text(value: object) -> bool:
    """Whether ``value`` is a str that can be encoded as UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
