"""Calls of ops as Python code, for the programs that reproduce failures."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import polytape

from ..registry.op import Op

__all__ = ["called", "is_plain"]

_NAMESPACES: Final = ("", "nn", "linalg", "fft", "special")


def called(op: Op, names: list[str], attributes: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The code of a call, and what it needs of the kit; None if an attribute cannot be written.

    Args:
        op: the op.
        names: the code of its operands, with one per element of a sequence.
        attributes: of the call.
    """
    needed: list[str] = []
    for namespace in _NAMESPACES:
        holder = getattr(polytape, namespace) if namespace else polytape
        found: Any = getattr(holder, op.name, None)
        if found is op:
            text = f"pt.{namespace}.{op.name}" if namespace else f"pt.{op.name}"
            break
    else:
        text, needed = f"case_of({op.name!r}).op", ["case_of"]
    if op.variadic:
        fixed = len(op.operands) - 1
        names = [*names[:fixed], f"[{', '.join(names[fixed:])}]"]
    words = list(names)
    for name, value in attributes.items():
        if not is_plain(value):
            return None, []
        words.append(f"{name}={value!r}")
    return f"{text}({', '.join(words)})", needed


def is_plain(value: Any) -> bool:
    """Whether the repr of a value is code for it."""
    if type(value) is tuple or type(value) is list:
        return all(map(is_plain, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and bool(np.isfinite(value)))
