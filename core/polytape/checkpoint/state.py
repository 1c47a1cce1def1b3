"""The state file ``checkpoint`` next to the checkpoints: which ones are kept, and which is the latest."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..errors import CheckpointError, PolytapeError
from ..settings import trimmed
from .files import Replacement, canonical_crc, damaged, is_text, strict_json, system_error
from .numbering import newest
from .reading import open_regular

__all__ = [
    "STATE_NAME",
    "CheckpointState",
    "Preserved",
    "encode_state",
    "is_file_name",
    "kept_checkpoints",
    "latest_checkpoint",
    "read_state",
    "write_state",
]

STATE_NAME: Final = "checkpoint"
_VERSION: Final = 1
_MAX_NBYTES: Final = 16_000_000  # about 100,000 names; a larger file is not a state file
_MAX_LISTS: Final = 200_000  # and objects; one is needed per process that saves at the same time
_string: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"')
# What leads out of a directory on some system, and what no file name on this one may contain.
_path_part: Final = re.compile(r"[/\\\0:]" if os.name == "nt" else r"[/\\\0]|^[A-Za-z]:").search


class Preserved:
    """The checkpoints that stay for good.

    Args:
        names: of the files.
        since_s: when the last of them was written, or else the first checkpoint, as seconds since 1970; None if there
            is none yet.
    """

    __slots__ = ("names", "since_s")

    def __init__(self, names: Sequence[str] = (), since_s: float | None = None) -> None:
        self.names: tuple[str, ...] = tuple(names)
        self.since_s: float | None = since_s

    def __repr__(self) -> str:
        return f"Preserved({self.names!r}, since_s={self.since_s})"


class CheckpointState:
    """The contents of a state file; all names are file names in its directory.

    Args:
        latest: the latest checkpoint.
        kept: all checkpoints, oldest first.
        writers: the checkpoints that each process saved, by the name of the process (see `writers.this_process`).
        preserved: the kept ones that stay for good.
    """

    __slots__ = ("kept", "latest", "preserved", "writers")

    def __init__(
        self,
        latest: str,
        kept: Sequence[str],
        writers: Mapping[str, Sequence[str]] | None = None,
        preserved: Preserved | None = None,
    ) -> None:
        self.latest: Final = latest
        self.kept: Final[tuple[str, ...]] = tuple(kept)
        self.writers: Final = {process: tuple(names) for process, names in (writers or {}).items()}
        self.preserved: Final = preserved or Preserved()

    def __repr__(self) -> str:
        return f"CheckpointState(latest={self.latest!r}, kept={self.kept!r})"


def is_file_name(name: object) -> bool:
    """Whether ``name`` can name a checkpoint: a plain file name, so that it does not point outside the directory."""
    return is_text(name) and isinstance(name, str) and name not in ("", ".", "..", STATE_NAME) and not _path_part(name)


def encode_state(directory: str, state: CheckpointState) -> bytes:
    """The contents of the state file of ``directory``.

    Raises:
        CheckpointError: a name is not a plain file name or appears twice, or the latest is not among the kept ones.
    """
    path = os.path.join(directory, STATE_NAME)
    for name in (state.latest, *state.kept):
        if not is_file_name(name):
            raise CheckpointError(
                f"{path!r} cannot name the checkpoint {name!r}.",
                expected=f"a file name in that directory, without '/' and '\\', that does not begin like 'c:', other "
                f"than {STATE_NAME!r}",
                got=repr(name),
                fix="pass the file name only, and save the file in that directory",
            )
    if state.latest not in state.kept or len(set(state.kept)) != len(state.kept):
        raise CheckpointError(
            f"{path!r} cannot be written: the kept names are inconsistent.",
            expected="each name once, including the latest",
            got=f"latest {state.latest!r}, kept {list(state.kept)!r}",
            fix="pass all kept names, including the latest",
        )
    content: dict[str, Any] = {"format": _VERSION, "latest": state.latest, "kept": list(state.kept)}
    if state.writers:
        content["writers"] = {process: list(names) for process, names in state.writers.items()}
    if state.preserved.since_s is not None:
        content["preserved"] = {"names": list(state.preserved.names), "since_s": state.preserved.since_s}
    content["crc32"] = canonical_crc(content)
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def write_state(directory: str, latest: str, kept: Sequence[str]) -> None:
    """Write the state file of ``directory``, replacing it completely or not at all.

    Call it after writing the checkpoint itself, so that it never names a file that does not exist.

    Args:
        directory: an existing directory.
        latest: file name of the newest checkpoint, without a directory.
        kept: file names of all checkpoints that are kept, oldest first, including ``latest``.

    Raises:
        CheckpointError: the names are not valid, or the operating system rejects the write; the state file is
            unchanged then.
    """
    content = encode_state(directory, CheckpointState(latest, kept))
    with Replacement(os.path.join(directory, STATE_NAME)) as new:
        new.write(content)


def read_state(directory: str) -> CheckpointState | None:
    """The contents of the state file of ``directory``, or None if there is none.

    Raises:
        CheckpointError: the file is damaged, or cannot be read.
    """
    path = os.path.join(directory, STATE_NAME)
    try:
        os.lstat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        raw = _read(path)
        structure = _string.sub(b"", raw)
        if structure.count(b"[") + structure.count(b"{") > _MAX_LISTS:
            raise ValueError(f"more than {_MAX_LISTS} lists and objects")
        content = strict_json(raw)
        if isinstance(content, dict):
            return _parse(path, content)
        raise ValueError(f"a {type(content).__name__} instead of an object")
    except CheckpointError:  # also a ValueError, but already complete
        raise
    except ValueError as error:
        raise _malformed(path, str(error)) from error


def _malformed(path: str, got: str) -> CheckpointError:
    return damaged(
        path,
        "the state file is damaged",
        expected=f"JSON with format {_VERSION}, latest, kept and a matching crc32, as polytape writes it",
        got=got,
        fix="delete it and restore a checkpoint by its own path; the next save writes a new one",
    )


def _read(path: str) -> bytes:
    reader = open_regular(path, "check the permissions of the directory")
    size = reader.status().st_size
    if size > _MAX_NBYTES:
        raise _malformed(path, f"{size} bytes, more than {_MAX_NBYTES}")
    raw = bytearray(size)
    try:
        count = reader.read_into(memoryview(raw), 0)
    except OSError as error:
        raise _unreadable(path, error) from error
    return bytes(raw[:count])


def _unreadable(path: str, error: Exception) -> CheckpointError:
    return system_error(
        error,
        f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}.",
        expected="a directory that can be searched and a readable file, or no such file",
        fix="pass a directory, not a file or a prefix, and check its permissions",
    )


def _parse(path: str, content: dict[str, Any]) -> CheckpointState:
    version: object = content.get("format")
    if type(version) is int and version > _VERSION:
        raise damaged(
            path,
            "it was written by a newer polytape",
            expected=f"format {_VERSION}",
            got=f"format {version}",
            fix="update polytape, or restore a checkpoint by its own path",
        )
    stored: object = content.pop("crc32", "none")
    crc = canonical_crc(content)
    if crc != stored:
        raise _malformed(path, f"crc32 {stored!r}, computed {crc!r}")
    latest: object = content.get("latest")
    kept: object = content.get("kept")
    if version != _VERSION or not isinstance(latest, str) or not isinstance(kept, list) or latest not in kept:
        raise _malformed(path, repr(content)[:200])
    bad = [name for name in kept if not is_file_name(name)]
    if bad:
        raise _malformed(path, f"{bad[0]!r}, which is not a plain file name")
    writers: object = content.get("writers", {})
    if not isinstance(writers, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in writers.values()
    ):
        raise _malformed(path, f"writers {writers!r}"[:200])
    preserved: object = content.get("preserved", {"names": [], "since_s": None})
    if not isinstance(preserved, dict) or not _is_preserved(preserved.get("names"), preserved.get("since_s")):
        raise _malformed(path, f"preserved {preserved!r}"[:200])
    return CheckpointState(latest, kept, writers, Preserved(preserved["names"], preserved["since_s"]))


def _is_preserved(names: object, since_s: object) -> bool:
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return named and (since_s is None or type(since_s) in (int, float))


def latest_checkpoint(directory: str | os.PathLike[str]) -> str | None:
    """The path of the latest checkpoint in ``directory``, or None if nothing was saved.

    Raises:
        CheckpointError: the state file is damaged or cannot be read, the file that it names is missing, or
            ``directory`` is not a directory but a prefix of checkpoints.
    """
    try:
        return _latest(os.fsdecode(directory))
    except PolytapeError as error:
        raise trimmed(error) from None


def _latest(directory: str) -> str | None:
    state = read_state(directory)
    if state is None:
        numbered = None if os.path.isdir(directory) else newest(directory)
        if numbered is not None:
            raise CheckpointError(
                f"latest_checkpoint({directory!r}) needs a directory.",
                expected="the directory of the checkpoints",
                got=f"their prefix: there is {numbered!r}",
                fix=f"latest_checkpoint({os.path.dirname(directory) or os.curdir!r})",
            )
        return None
    path = os.path.join(directory, state.latest)
    if not _is_file(path):
        existing = kept_checkpoints(directory)
        raise CheckpointError(
            f"{os.path.join(directory, STATE_NAME)!r} names {state.latest!r}, which does not exist.",
            expected=f"the file {path!r}",
            got=f"no such file; kept checkpoints that exist: {', '.join(map(repr, existing)) or 'none'}",
            fix="restore one of these by its path" if existing else "put the file back, or delete the state file",
        )
    return path


def kept_checkpoints(directory: str | os.PathLike[str]) -> list[str]:
    """The paths of the kept checkpoints in ``directory`` that exist, oldest first.

    Raises:
        CheckpointError: the state file is damaged, or cannot be read.
    """
    directory = os.fsdecode(directory)
    state = read_state(directory)
    paths = [] if state is None else [os.path.join(directory, name) for name in state.kept]
    return [path for path in paths if _is_file(path)]


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
