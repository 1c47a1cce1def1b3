"""Checkpoints and files of other programs as tensors by name: reading, converting and comparing them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..errors import CheckpointError
from .format import open_tensors, write_tensors
from .objects import METADATA_KEY
from .torch_files import read_torch_file, write_torch_file

__all__ = ["FORMATS", "Contents", "convert", "differences", "read_contents"]

Array = np.ndarray[Any, np.dtype[Any]]

FORMATS: Final = ("polytape", "safetensors", "pytorch")
_TORCH_ENDINGS: Final = (".pt", ".pth", ".bin")


class Contents:
    """The tensors of a file.

    Attributes:
        format: one of `FORMATS`.
        tensors: by name.
        metadata: strings by key, without those that describe the format.
        left_out: what the file has besides, by name: the types of a PyTorch file's other values.
    """

    __slots__ = ("format", "left_out", "metadata", "tensors")

    def __init__(
        self, format: str, tensors: dict[str, Array], metadata: Mapping[str, str], left_out: Mapping[str, str]
    ) -> None:
        self.format: Final = format
        self.tensors: Final = tensors
        self.metadata: Final = metadata
        self.left_out: Final = left_out

    def __repr__(self) -> str:
        return f"Contents({self.format}, {len(self.tensors)} tensors)"


def read_contents(path: str) -> Contents:
    """Read and verify a checkpoint, a safetensors file, or a PyTorch file of state dicts; no code in it is run.

    Raises:
        CheckpointError: the file is missing or damaged, or holds something else than tensors.
    """
    if _is_zip(path):
        tensors, left_out = read_torch_file(path)
        return Contents("pytorch", tensors, {}, left_out)
    with open_tensors(path) as file:
        arrays = file.read_all(file.names)
        format = "polytape" if file.has_checksums else "safetensors"
        return Contents(format, dict(zip(file.names, arrays, strict=True)), file.metadata, {})


def _is_zip(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except (OSError, ValueError):
        return False  # open_tensors reports the error


def convert(source: str, target: str, to: str = "", renames: Sequence[tuple[str, str]] = ()) -> Contents:
    """Write the tensors of a file in another format.

    Dots and slashes change places in names between PyTorch (``layer.weight``) and the others (``layer/weight``). The
    object graph of a checkpoint is kept if no name changes; without it, names serve as the paths of variables.

    Args:
        source: the file to read, see `read_contents`.
        target: the file to write; it is replaced completely or not at all.
        to: one of `FORMATS`; default: ``pytorch`` for .pt, .pth and .bin, else ``polytape``.
        renames: regular expressions and their replacements (see `re.sub`), applied in this order to each name as the
            target has it.
    Returns:
        What was written.
    Raises:
        CheckpointError: a file cannot be read or written, an expression is not valid, or two tensors get the same name.
    """
    contents = read_contents(source)
    to = to or ("pytorch" if target.endswith(_TORCH_ENDINGS) else "polytape")
    names = {name: _renamed(name, contents.format, to, renames) for name in contents.tensors}
    tensors: dict[str, Array] = {}
    for name, new in names.items():
        if new in tensors:
            raise CheckpointError(
                f"{source!r} cannot be converted: two tensors would be named {new!r}.",
                expected="distinct names",
                got=f"{', '.join([old for old in names if names[old] == new])} are all renamed to {new!r}",
                fix="change the renames",
            )
        tensors[new] = contents.tensors[name]
    metadata = dict(contents.metadata)
    if any(name != new for name, new in names.items()):
        metadata.pop(METADATA_KEY, None)
    if to == "pytorch":
        write_torch_file(target, tensors)
    else:
        write_tensors(target, tensors, metadata if to == "polytape" else {}, plain=to == "safetensors")
    return Contents(to, tensors, metadata if to == "polytape" else {}, contents.left_out)


def _renamed(name: str, source: str, target: str, renames: Sequence[tuple[str, str]]) -> str:
    if source == "pytorch" != target:
        name = name.replace(".", "/")
    elif target == "pytorch" != source:
        name = name.replace("/", ".")
    for pattern, replacement in renames:
        try:
            name = re.sub(pattern, replacement, name)
        except (re.error, IndexError) as error:
            raise CheckpointError(
                f"the rename {pattern}={replacement} is not valid.",
                expected="a regular expression and a replacement, as for Python's re.sub",
                got=str(error),
                fix="escape special characters with a backslash",
            ) from error
    return name


def differences(first: Mapping[str, Array], second: Mapping[str, Array]) -> dict[str, str]:
    """What differs between two sets of tensors, in words, by name; equal bits are equal values, also those of NaN."""
    found: dict[str, str] = {}
    for name in sorted({*first, *second}):
        if name not in second:
            found[name] = f"only in the first: {_described(first[name])}"
        elif name not in first:
            found[name] = f"only in the second: {_described(second[name])}"
        elif _described(first[name]) != _described(second[name]):
            found[name] = f"{_described(first[name])} and {_described(second[name])}"
        elif first[name].tobytes() != second[name].tobytes():
            found[name] = _difference(first[name], second[name])
    return found


def _described(array: Array) -> str:
    return f"{array.dtype.name}[{','.join(map(str, array.shape))}]"


def _difference(first: Array, second: Array) -> str:
    size = first.dtype.itemsize
    rows = [array.reshape(-1).view(np.uint8).reshape(-1, size) for array in (first, second)]
    count = int((rows[0] != rows[1]).any(axis=1).sum())
    return f"{count} of {first.size} elements differ{_largest(first, second)}"


def _largest(first: Array, second: Array) -> str:
    # Python's numbers hold every value of every dtype exactly, and this is no tensor computation.
    pairs = zip(first.reshape(-1).tolist(), second.reshape(-1).tolist(), strict=True)
    largest = max([abs(a - b) for a, b in pairs if a == a and b == b and a != b], default=0)
    return f", by at most {largest:.6g}" if largest else ""
