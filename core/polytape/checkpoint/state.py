"""The state file ``checkpoint`` next to the checkpoints: which ones are kept, and which is the latest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from ..errors import CheckpointError
from .files import Replacement, canonical_crc, damaged, is_text, open_regular, read_into, strict_json

__all__ = ["STATE_NAME", "CheckpointState", "kept_checkpoints", "latest_checkpoint", "read_state", "write_state"]

STATE_NAME: Final = "checkpoint"
_VERSION: Final = 1
_MAX_NBYTES: Final = 16_000_000  # about 100,000 names; a larger file is not a state file


class CheckpointState:
    """The contents of a state file: ``latest``, and ``kept``, oldest first; both are file names in its directory."""

    __slots__ = ("kept", "latest")

    def __init__(self, latest: str, kept: Sequence[str]) -> None:
        self.latest: Final = latest
        self.kept: Final[tuple[str, ...]] = tuple(kept)

    def __repr__(self) -> str:
        return f"CheckpointState(latest={self.latest!r}, kept={self.kept!r})"


def _is_file_name(name: object) -> bool:
    # A plain name on every system: a state file from elsewhere must not point outside its directory.
    return (
        is_text(name)
        and isinstance(name, str)
        and name not in ("", ".", "..", STATE_NAME)
        and not any(character in name for character in "/\\:\0")
    )


def write_state(directory: str, latest: str, kept: Sequence[str]) -> None:
    """Write the state file of ``directory``, replacing it completely or not at all.

    Call it after writing the checkpoint itself, so that it never names a file that does not exist.

    Args:
        directory: an existing directory.
        latest: file name of the newest checkpoint, without a directory.
        kept: file names of all checkpoints that are kept, oldest first, including ``latest``.

    Raises:
        CheckpointError: a name is not a plain file name or appears twice, ``latest`` is not in ``kept``, or the
            operating system rejects the write; the state file is unchanged then.
    """
    path = os.path.join(directory, STATE_NAME)
    for name in (latest, *kept):
        if not _is_file_name(name):
            raise CheckpointError(
                f"{path!r} cannot name the checkpoint {name!r}.",
                expected=f"a file name in that directory, without '/', '\\' or ':', other than {STATE_NAME!r}",
                got=repr(name),
                fix="pass the file name only, and save the file in that directory",
            )
    if latest not in kept or len(set(kept)) != len(kept):
        raise CheckpointError(
            f"{path!r} cannot be written: the kept names are inconsistent.",
            expected="each name once, including the latest",
            got=f"latest {latest!r}, kept {list(kept)!r}",
            fix="pass all kept names, including the latest",
        )
    import json

    content: dict[str, Any] = {"format": _VERSION, "latest": latest, "kept": list(kept)}
    content["crc32"] = canonical_crc(content)
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    with Replacement(path) as new:
        new.write(text.encode("utf-8"))


def read_state(directory: str) -> CheckpointState | None:
    """The contents of the state file of ``directory``, or None if there is none.

    Raises:
        CheckpointError: the file is damaged, or cannot be read.
    """
    path = os.path.join(directory, STATE_NAME)
    if not os.path.lexists(path):
        return None
    try:
        content = strict_json(_read(path))
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
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MAX_NBYTES:
            raise _malformed(path, f"{size} bytes, more than {_MAX_NBYTES}")
        raw = bytearray(size)
        try:
            count = read_into(file, memoryview(raw))
        except OSError as error:
            raise _malformed(path, str(error)) from error
        return bytes(raw[:count])


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
    bad = [name for name in kept if not _is_file_name(name)]
    if bad:
        raise _malformed(path, f"{bad[0]!r}, which is not a plain file name")
    return CheckpointState(latest, kept)


def latest_checkpoint(directory: str | os.PathLike[str]) -> str | None:
    """The path of the latest checkpoint in ``directory``, or None if nothing was saved.

    Raises:
        CheckpointError: the state file is damaged, or the file that it names is missing.
    """
    directory = os.fspath(directory)
    state = read_state(directory)
    if state is None:
        return None
    path = os.path.join(directory, state.latest)
    if not os.path.isfile(path):
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
        CheckpointError: the state file is damaged.
    """
    directory = os.fspath(directory)
    state = read_state(directory)
    paths = [] if state is None else [os.path.join(directory, name) for name in state.kept]
    return [path for path in paths if os.path.isfile(path)]
