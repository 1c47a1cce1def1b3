"""`polytape.save` and `polytape.load`: a structure of tensors in one safetensors file.

The structure (lists, tuples, dicts, Python numbers, strings and None) is JSON in the file's metadata; nothing that runs
code is stored or read. Each tensor has its path in the structure as its name, so that other readers of safetensors find
it.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import numpy as np

from ..device import Device
from ..errors import DTypeError
from ..tensors.tensor import Tensor, describe, operators
from .files import damaged, quoted
from .format import open_tensors, write_tensors

__all__ = ["load", "save"]

_KEY: Final = "polytape.structure"
_MOST_LEVELS: Final = 200  # Python's own JSON reader recurses


def save(path: str | os.PathLike[str], structure: Any) -> None:
    """Save tensors, or lists, tuples and dicts of them, to one safetensors file.

    The file is replaced completely or not at all. `polytape.Checkpoint` saves the variables of objects instead.

    Args:
        path: the file; its directory must exist.
        structure: tensors, variables and NumPy arrays, Python numbers, strings and None, in lists, tuples and dicts
            whose keys are strings or integers.
    Raises:
        CheckpointError: the file cannot be written.
        DTypeError: the structure holds something else, or ``path`` is no path.

    Example:
        >>> import os, tempfile
        >>> import polytape as pt
        >>> path = os.path.join(tempfile.mkdtemp(), "state.safetensors")
        >>> pt.save(path, {"weights": [pt.ones((2,)), pt.zeros(())], "epoch": 3})
        >>> pt.load(path)["epoch"]
        3
    """
    if not isinstance(path, (str, os.PathLike)):
        raise DTypeError(
            f"save cannot write to a {type(path).__name__}.",
            expected="a path, then the structure",
            got=f"a {type(path).__name__}, then a {type(structure).__name__}",
            fix="polytape.save(path, structure): the other order than torch.save",
        )
    tensors: dict[str, Any] = {}
    encoded = _encode(structure, "", tensors, 0)
    write_tensors(os.fspath(path), tensors, {_KEY: json.dumps(encoded, separators=(",", ":"))})


def load(path: str | os.PathLike[str], *, device: Device | str | None = None) -> Any:
    """What `polytape.save` saved; of any other safetensors file, a dict of its tensors by name.

    Args:
        path: the file.
        device: where the tensors go; default: where new tensors go.
    Raises:
        CheckpointError: the file is missing, damaged, or not a safetensors file.
    """
    with open_tensors(os.fspath(path)) as file:
        tensors = {name: operators.asarray(file.read(name), device=device) for name in file.names}
        text = file.metadata.get(_KEY)
    if text is None:
        return tensors
    try:
        return _decode(json.loads(text), tensors)
    except (KeyError, TypeError, ValueError, RecursionError, IndexError):
        raise damaged(
            os.fspath(path), "its structure is not valid", expected="what polytape.save writes", got=quoted(text)
        ) from None


def _encode(x: Any, name: str, tensors: dict[str, Any], level: int) -> Any:
    """A node of the structure as JSON; tensors are added to ``tensors``."""
    if level > _MOST_LEVELS:
        raise DTypeError(
            "polytape.save: the structure is nested too deeply, or contains itself.",
            expected=f"at most {_MOST_LEVELS} levels",
            got="more",
            fix="flatten it",
        )
    if isinstance(x, (Tensor, np.ndarray, np.generic)):
        host = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
        unique = name or "tensor"
        while unique in tensors:
            unique += "'"
        tensors[unique] = host
        return {"tensor": unique}
    if x is None or type(x) in (bool, int, str):
        return x
    if type(x) in (float, complex):
        return {type(x).__name__: repr(x)}
    if type(x) in (list, tuple):
        return {type(x).__name__: [_encode(y, _joined(name, k), tensors, level + 1) for k, y in enumerate(x)]}
    if type(x) is dict and all(type(key) in (str, int) for key in x):
        return {"dict": [[key, _encode(y, _joined(name, key), tensors, level + 1)] for key, y in x.items()]}
    raise DTypeError(
        f"polytape.save cannot store {name or 'the structure'}: {describe(x)}.",
        expected="tensors, arrays, Python numbers, strings, None, and lists, tuples and dicts of them",
        got=f"{type(x).__name__}{' with keys that are not strings or integers' if isinstance(x, dict) else ''}",
        fix="convert it to a dict first, or save an object's variables with polytape.Checkpoint",
    )


def _joined(name: str, part: object) -> str:
    return f"{name}.{part}" if name else str(part)


def _decode(node: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `_encode`."""
    if not isinstance(node, dict):
        if isinstance(node, list):
            raise ValueError("a list stands for no node")
        return node
    ((kind, value),) = node.items()
    if kind == "tensor":
        return tensors[value]
    if kind in ("float", "complex"):
        return {"float": float, "complex": complex}[kind](value)
    if kind == "dict":
        return {key: _decode(y, tensors) for key, y in value}
    values = [_decode(y, tensors) for y in value]
    return {"list": list, "tuple": tuple}[kind](values)
