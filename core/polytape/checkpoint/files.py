"""What both files of a checkpoint share: replaced whole, read strictly, refused with one kind of error."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from io import FileIO
from typing import Any, Final

from ..errors import CheckpointError

__all__ = ["Replacement", "canonical_crc", "damaged", "is_text", "open_regular", "read_into", "strict_json"]

# Some file systems cannot flush a directory and say so with one of these; then there is nothing to wait for.
_NO_DIRECTORY_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)


def damaged(path: str, reason: str, *, expected: str, got: str, fix: str = "") -> CheckpointError:
    """The error for a file at ``path`` that cannot be used, for ``reason``."""
    return CheckpointError(
        f"{path!r} cannot be read: {reason}.",
        expected=expected,
        got=got,
        fix=fix or "restore another checkpoint, or a copy of this file",
    )


def _unwritable(path: str, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path!r} cannot be written: {getattr(error, 'strerror', None) or error}.",
        expected="a directory that exists and may be written, with enough free space",
        got=f"{type(error).__name__}: {error}",
        fix="create the directory, change its permissions, free space, or save elsewhere",
    )


class Replacement:
    """The new contents of the file ``path``, put in its place when the ``with`` block ends without an error.

    They go to a temporary file in the same directory, which is flushed to the disk, renamed over ``path``, and made
    durable by flushing the directory. A crash at any moment leaves the old file or the new one, whole; an error
    removes the temporary file. A file that somebody has open or mapped is never written.

    Args:
        path: where the file shall be; its directory must exist.

    Raises:
        CheckpointError: the operating system refuses one of these steps.
    """

    __slots__ = ("_file", "_moved", "_temporary", "path")

    def __init__(self, path: str) -> None:
        self.path: Final = path
        # Short, whatever the length of path's own name: names end at 255 bytes.
        self._temporary: Final = os.path.join(os.path.dirname(path), f".polytape-{os.urandom(8).hex()}.tmp")
        self._moved = False
        try:
            self._file: FileIO = open(self._temporary, "xb", buffering=0)  # noqa: SIM115  # closed by __exit__
        except (OSError, ValueError) as error:  # ValueError: a NUL in its directory's name
            raise _unwritable(path, error) from error

    def __repr__(self) -> str:
        return f"Replacement({self.path!r})"

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._discard()

    def seek(self, offset: int) -> None:
        """Go on writing at ``offset`` bytes from the start; what is passed over reads as zeros until written."""
        self._file.seek(offset)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of ``data`` (a memoryview of bytes) at the current place."""
        rest = memoryview(data)
        try:
            while len(rest):
                # In two steps: mypyc 2.4 runs a call within the bounds of a memoryview's slice twice.
                count = self._file.write(rest)
                rest = rest[count:]  # the operating system may have taken a part only
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _commit(self) -> None:
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self.path)
            self._moved = True
            _sync_directory(os.path.dirname(self.path) or ".")
        except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
            raise _unwritable(self.path, error) from error

    def _discard(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._moved:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)


def _sync_directory(directory: str) -> None:
    if os.name == "nt":  # Windows opens no directory, and orders the rename itself
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
        CheckpointError: there is none, it may not be read, or it is a directory, pipe or device.
    """
    try:
        # Asked before it is opened: opening a pipe would wait for its other end.
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return open(path, "rb", buffering=0)
    except (OSError, ValueError) as error:
        raise damaged(
            path,
            str(getattr(error, "strerror", None) or error),
            expected="a file that may be read",
            got=f"{type(error).__name__}: {error}",
            fix="check the path and its permissions; polytape's latest_checkpoint(directory) finds the newest file",
        ) from error
    raise damaged(
        path,
        "it is no regular file",
        expected="a file",
        got="a directory" if stat.S_ISDIR(mode) else "a pipe, socket or device",
        fix="name the file; polytape's latest_checkpoint(directory) finds the newest one in a directory",
    )


def read_into(file: FileIO, target: memoryview) -> int:
    """Fill ``target`` from the file's current place; returns the number of bytes, fewer only at the file's end."""
    done = 0
    while done < len(target):
        count = file.readinto(target[done:])
        if not count:
            break
        done += count
    return done


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def strict_json(raw: bytes) -> object:
    """The JSON value in UTF-8 ``raw``; duplicate keys, NaN and Infinity are refused.

    Raises:
        ValueError: it is not that; the message says where.
    """
    import json

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def canonical_crc(value: object) -> str:
    """CRC-32, as 8 hexadecimal digits, of ``value`` as compact JSON with sorted keys in UTF-8.

    Raises:
        ValueError: a text in it is not valid Unicode (half of a surrogate pair).
    """
    import json
    import zlib

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"{zlib.crc32(text.encode('utf-8')):08x}"


def is_text(value: object) -> bool:
    """Whether ``value`` is a str that UTF-8 can hold."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
