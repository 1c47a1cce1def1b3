"""Helpers for the files of a checkpoint: atomic replacement, strict JSON, and the errors for unusable files."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import weakref
import zlib
from io import FileIO
from typing import Any, Final

from ..errors import CheckpointError, CheckpointFileError, CheckpointNotFoundError, CheckpointPermissionError
from .file_locks import lock

__all__ = [
    "Replacement",
    "canonical_crc",
    "canonical_json",
    "damaged",
    "is_at",
    "is_text",
    "next_json",
    "quoted",
    "strict_json",
    "sync_directory",
    "system_error",
    "temporary_name",
    "unwritable",
]

# Errors of file systems that cannot flush a directory; there is nothing to wait for then.
_NO_DIRECTORY_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)
_ALLOCATED_NBYTES: Final = 1 << 20  # reserving less takes longer than it saves
_MAX_SHOWN: Final = 100  # characters of a name in an error


def damaged(path: str, reason: str, *, expected: str, got: str, fix: str = "") -> CheckpointError:
    """The error for the file at ``path``, which cannot be read because of ``reason``."""
    return CheckpointError(
        f"{path!r} cannot be read: {reason}.",
        expected=expected,
        got=got,
        fix=fix or "restore another checkpoint, or a copy of this file",
    )


def system_error(cause: Exception, summary: str, *, expected: str, fix: str) -> CheckpointError:
    """The error for an access that failed with ``cause``; an OSError too if the operating system rejected it."""
    got = f"{type(cause).__name__}: {cause}"
    if not isinstance(cause, OSError):
        return CheckpointError(summary, expected=expected, got=got, fix=fix)
    exception_type = CheckpointFileError
    if isinstance(cause, FileNotFoundError):
        exception_type = CheckpointNotFoundError
    elif isinstance(cause, PermissionError):
        exception_type = CheckpointPermissionError
    error = exception_type(summary, expected=expected, got=got, fix=fix)
    error.errno, error.strerror, error.filename = cause.errno, cause.strerror, cause.filename
    return error


def unwritable(path: str, cause: Exception) -> CheckpointError:
    """The error for the file at ``path``, which cannot be written because of ``cause``."""
    return system_error(
        cause,
        f"{path!r} cannot be written: {getattr(cause, 'strerror', None) or cause}.",
        expected="an existing, writable directory with enough free space",
        fix="create the directory, change its permissions, free space, or save elsewhere",
    )


def temporary_name(infix: str) -> str:
    """The name of a temporary file; it is short, since a file system limits names to 255 bytes."""
    return f".polytape-{infix}.tmp"


_unfinished: weakref.WeakSet[Replacement] = weakref.WeakSet()


class Replacement:
    """The new contents of the file ``path``, which replace it when the ``with`` block ends without an error.

    They are written to a temporary file in the same directory, which is flushed to the disk and renamed to ``path``;
    then the directory is flushed too. A crash at any moment leaves either the old file or the new one, complete; an
    error removes the temporary file. A file that a process has open or mapped is never written to.

    The temporary file is locked while it is written, so that other processes can tell it from the orphan of a process
    that was killed. A child process that is forked meanwhile does not go on writing.

    Args:
        path: the file to create or replace; its directory must exist.
        infix: makes the name of the temporary file; default: random.

    Attributes:
        path: as passed.
        superseded: whether `supersede` was called.

    Raises:
        CheckpointError: the operating system rejects one of these steps; with the errno EEXIST if the temporary file
            exists.
    """

    __slots__ = ("__weakref__", "_file", "_finished", "_temporary", "path", "superseded")

    def __init__(self, path: str, infix: str = "") -> None:
        self.path: Final = path
        self._temporary: Final = os.path.join(
            os.path.dirname(path), temporary_name(infix or f"{os.getpid():x}-{os.urandom(8).hex()}")
        )
        self.superseded = False
        self._finished = False  # renamed, or abandoned
        try:
            self._file: FileIO = self._create()
        except (OSError, ValueError) as error:  # ValueError: a NUL in its directory's name
            raise unwritable(path, error) from error
        _unfinished.add(self)

    def _create(self) -> FileIO:
        while True:
            file = open(self._temporary, "xb", buffering=0)  # noqa: SIM115  # closed by discard
            # Before it was locked, another process may have taken the file for an orphan and removed it.
            if lock(file.fileno(), wait=True) is None or is_at(file.fileno(), self._temporary):
                return file
            file.close()

    def __repr__(self) -> str:
        return f"Replacement({self.path!r})"

    def __enter__(self) -> Replacement:
        return self

    def __exit__(self, exception_type: object, error: object, traceback: object) -> None:
        try:
            if exception_type is None and not self._finished:
                self.flush()
                self.rename()
        finally:
            self.discard()

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
        except (OSError, ValueError) as error:
            raise unwritable(self.path, error) from error

    def allocate(self, nbytes: int) -> None:
        """Reserve disk space for ``nbytes`` bytes, so that writing them is faster, and fails at once if it must."""
        if nbytes < _ALLOCATED_NBYTES or not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self._file.fileno(), 0, nbytes)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise unwritable(self.path, error) from error
            # Some file systems cannot reserve space; writing works all the same.

    def flush(self) -> None:
        """Flush the contents to the disk."""
        try:
            # Contents and size; unlike fsync, not the times, which the file system would have to commit.
            getattr(os, "fdatasync", os.fsync)(self._file.fileno())
        except (OSError, ValueError) as error:
            raise unwritable(self.path, error) from error

    def rename(self) -> None:
        """Replace the file at ``path``, and flush the directory; call `flush` first."""
        try:
            if self._finished:
                raise ValueError("the process was forked while it was saving")
            if os.name == "nt":
                self._file.close()  # Windows renames no open file
            os.replace(self._temporary, self.path)
            self._finished = True
            sync_directory(os.path.dirname(self.path))
        except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
            raise unwritable(self.path, error) from error

    def supersede(self) -> None:
        """Remove the temporary file, so that a later `rename` fails; after `rename`, nothing changes."""
        self.superseded = True
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)

    def abandon(self) -> None:
        """Leave the temporary file to the parent process."""
        self._finished = True
        self._file.close()

    def discard(self) -> None:
        """Remove the temporary file, if it was not renamed."""
        if os.name == "nt":
            self._file.close()  # Windows removes no open file
        if not self._finished:
            self._finished = True
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
        self._file.close()  # last: while it is locked, no other process can take the name and lose its file here


def _abandon_all() -> None:
    for replacement in list(_unfinished):
        replacement.abandon()
    _unfinished.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


def is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def sync_directory(directory: str) -> None:
    """Flush a directory's entries to the disk."""
    if os.name == "nt":  # Windows cannot open a directory; it orders the rename itself
        return
    descriptor = os.open(directory or os.curdir, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    for key, value in pairs:
        if key in unique:
            raise ValueError(f"the key {quoted(key)} appears twice")
        unique[key] = value
    return unique


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not valid JSON")


_decoder: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def strict_json(raw: bytes) -> object:
    """The JSON value encoded as UTF-8 in ``raw``; duplicate keys, NaN and Infinity are rejected.

    Raises:
        ValueError: ``raw`` is not such a value; the message says where.
    """
    try:
        value: object = _decoder.decode(raw.decode("utf-8"))
    except RecursionError:
        raise _too_deep() from None
    return value


def next_json(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at ``start`` of ``text``, and where it ends; checked as by `strict_json`.

    Raises:
        ValueError: no such value begins there; the message says why.
    """
    try:
        return _decoder.raw_decode(text, start)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> ValueError:
    return ValueError("the JSON is nested too deeply")


def canonical_json(value: object) -> str:
    """``value`` as compact JSON with sorted keys and unescaped Unicode, the form that checksums are computed from."""
    return _encoder.encode(value)


def canonical_crc(value: object) -> str:
    """The CRC-32, in 8 hexadecimal digits, of ``value`` as `canonical_json` in UTF-8.

    Raises:
        ValueError: a string in it is not valid Unicode (half of a surrogate pair).
    """
    return f"{zlib.crc32(canonical_json(value).encode('utf-8')):08x}"


def is_text(value: object) -> bool:
    """Whether ``value`` is a str that can be encoded as UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def quoted(name: object) -> str:
    """``repr(name)`` for an error, shortened."""
    if isinstance(name, str) and len(name) > _MAX_SHOWN:
        return f"{name[:_MAX_SHOWN]!r}..."
    return repr(name)
