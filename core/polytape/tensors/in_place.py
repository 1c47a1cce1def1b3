"""What a variable holds while a kernel overwrites its buffer, and how readers wait for the new value.

A kernel on a large array releases Python's global lock, so other threads run while it writes. `state.update` takes the
buffers out of their variables for that time and leaves placeholders. A placeholder is a `Symbol`: every op that reads
a variable already tests for symbols, so this costs nothing where no update is running.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import BackendError
from ..locks import process_lock
from .symbol import Symbol

__all__ = ["is_placeholder", "placeholder", "settled", "writing"]

OVERWRITTEN: Final = object()  # the `trace` of placeholders
writing: Final = process_lock()  # held while placeholders exist


def placeholder(array: Any) -> Symbol:
    """What takes the place of ``array`` while it is overwritten: it has the same shape and dtype."""
    return Symbol(OVERWRITTEN, None, 0, array.shape, array.dtype)


def is_placeholder(array: Any) -> bool:
    """Whether this is a placeholder, not a native array or a symbol of a trace."""
    return isinstance(array, Symbol) and array.trace is OVERWRITTEN


def settled(x: Any) -> Any:
    """The array of the tensor ``x``; if another thread is overwriting it, wait for the new value.

    Raises:
        BackendError: this thread itself is overwriting it.
    """
    array = x.array
    if not is_placeholder(array):
        return array
    if writing._is_owned():  # type: ignore[attr-defined]  # not in typeshed; threading.Condition calls it too
        raise BackendError(
            "a variable was read while a kernel of the same thread overwrites it.",
            expected="a kernel registered as atomic, which runs no Python code while it writes",
            got="Python code that runs inside the kernel's call, in a finalizer for example",
            fix="do not read variables there; or register the kernel without atomic=True",
        )
    with writing:
        return x.array
