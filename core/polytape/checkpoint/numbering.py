"""The names of numbered checkpoints: ``ckpt-3.safetensors`` is number 3 of the prefix ``ckpt``."""

from __future__ import annotations

import os
import re
from typing import Final

__all__ = ["file_name", "is_numbered", "newest", "number_of", "split"]

_SUFFIX: Final = ".safetensors"


def file_name(prefix: str, number: int) -> str:
    """The name of checkpoint ``number`` of a prefix."""
    return f"{prefix}-{number}{_SUFFIX}"


def number_of(file: str, prefix: str) -> int | None:
    """The number of the file if it is a checkpoint of this prefix."""
    match = re.fullmatch(re.escape(prefix) + r"-([0-9]{1,18})" + re.escape(_SUFFIX), file)
    return int(match[1]) if match else None


def is_numbered(file: str) -> bool:
    """Whether the file is a numbered checkpoint of any prefix."""
    return re.fullmatch(r".+-[0-9]{1,18}" + re.escape(_SUFFIX), file, re.DOTALL) is not None


def split(path: str) -> tuple[str, str]:
    """The directory and the prefix in it that a path means; the prefix of a directory itself is ``ckpt``."""
    directory, prefix = (path, "") if os.path.isdir(path) else os.path.split(path)
    return directory or os.curdir, prefix or "ckpt"


def newest(path: str) -> str | None:
    """The existing checkpoint with the highest number of a prefix or directory; None if there is none."""
    directory, prefix = split(path)
    try:
        numbers = [(number, file) for file in os.listdir(directory) if (number := number_of(file, prefix)) is not None]
    except (OSError, ValueError):
        return None
    return os.path.join(directory, max(numbers)[1]) if numbers else None
