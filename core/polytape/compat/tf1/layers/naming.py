"""Names of layers: the class's name in lower case, with a number that makes it unique in the process."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

__all__ = ["counters", "snake_case", "unique_name"]

_counts: Final[dict[str, int]] = {}
# All such counts of the process, which `tf.reset_default_graph` clears.
counters: Final[list[dict[Any, Any]]] = [_counts]


def snake_case(name: str) -> str:
    """``MyDense`` as ``my_dense``; a name that begins with an underscore gets ``private`` before it."""
    parted = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    lower = re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()
    return f"private{lower}" if lower.startswith("_") else lower


def unique_name(
    name: str, counts: dict[str, int] | None = None, avoid: Collection[str] = (), zero_based: bool = False
) -> str:
    """``name`` with the next number.

    Args:
        name: what the number is appended to.
        counts: how often each name was used; default: in the process.
        avoid: names that are not returned.
        zero_based: whether the first has no number; otherwise it is ``name_1``.
    """
    numbers = _counts if counts is None else counts
    while True:
        number = numbers.get(name, 0)
        numbers[name] = number + 1
        shown = number if zero_based else number + 1
        proposed = f"{name}_{shown}" if shown else name
        if proposed not in avoid:
            return proposed
