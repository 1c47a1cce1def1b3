"""TensorFlow 1.7's ``tf.gfile``: files of the local file system."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from typing import IO, Any

from .errors import AlreadyExistsError, NotFoundError
from .tables import Table

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]

TABLE = Table("gfile", adapters={"gfile": __all__}, missing="ListDir: tf.gfile.ListDirectory(path)")


def GFile(name: str, mode: str = "r") -> IO[Any]:
    """Open a file: text is UTF-8.

    Args:
        name: its path.
        mode: as of `open`.
    Raises:
        NotFoundError: it does not exist.
    """
    try:
        return open(name, mode, encoding=None if "b" in mode else "utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(None, None, f"{name}: {error.strerror}") from None


Open = FastGFile = GFile


def Exists(filename: str) -> bool:
    """Whether there is a file or folder."""
    return os.path.exists(filename)


def IsDirectory(dirname: str) -> bool:
    """Whether there is a folder."""
    return os.path.isdir(dirname)


def ListDirectory(dirname: str) -> list[str]:
    """The names in a folder.

    Raises:
        NotFoundError: there is no such folder.
    """
    if not os.path.isdir(dirname):
        raise NotFoundError(None, None, f"Could not find directory {dirname}")
    return os.listdir(dirname)


def Glob(filename: str | list[str]) -> list[str]:
    """The paths that a pattern, or any of several, matches."""
    patterns = [filename] if isinstance(filename, str) else filename
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]


def MakeDirs(dirname: str) -> None:
    """Make a folder and those above it; no error if it exists."""
    os.makedirs(dirname, exist_ok=True)


def MkDir(dirname: str) -> None:
    """Make a folder.

    Raises:
        AlreadyExistsError: it exists.
        NotFoundError: the folder above it does not exist.
    """
    try:
        os.mkdir(dirname)
    except FileExistsError:
        raise AlreadyExistsError(None, None, f"{dirname}: File exists") from None
    except FileNotFoundError:
        raise NotFoundError(None, None, f"{dirname}: No such file or directory") from None


def Remove(filename: str) -> None:
    """Remove a file.

    Raises:
        NotFoundError: it does not exist.
    """
    try:
        os.remove(filename)
    except FileNotFoundError:
        raise NotFoundError(None, None, f"{filename}: No such file or directory") from None


def DeleteRecursively(dirname: str) -> None:
    """Remove a folder and all that it contains.

    Raises:
        NotFoundError: it does not exist.
    """
    try:
        shutil.rmtree(dirname)
    except FileNotFoundError:
        raise NotFoundError(None, None, f"{dirname}: No such file or directory") from None


def Copy(oldpath: str, newpath: str, overwrite: bool = False) -> None:
    """Copy a file.

    Raises:
        AlreadyExistsError: the new path exists, and ``overwrite`` is False.
        NotFoundError: the old path does not exist.
    """
    _to(oldpath, newpath, overwrite)
    shutil.copyfile(oldpath, newpath)


def Rename(oldname: str, newname: str, overwrite: bool = False) -> None:
    """Rename or move a file; the errors are those of `Copy`."""
    _to(oldname, newname, overwrite)
    os.replace(oldname, newname)


def _to(old: str, new: str, overwrite: bool) -> None:
    if not os.path.exists(old):
        raise NotFoundError(None, None, f"{old}: No such file or directory")
    if os.path.exists(new) and not overwrite:
        raise AlreadyExistsError(None, None, f"{new}: file already exists")


def Stat(filename: str) -> os.stat_result:
    """What the file system knows about a file; `os.stat_result`, whose size is ``st_size``."""
    return os.stat(filename)


def Walk(top: str, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`; ``in_order``: folders come before what they contain."""
    return os.walk(top, topdown=in_order)


def __getattr__(name: str) -> Any:
    return TABLE.find(name)
