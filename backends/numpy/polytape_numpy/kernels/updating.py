"""What kernels that overwrite operands share; setup.py compiles this module with the kernel ring, see `optim`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["CHUNK", "COMPILED", "check_shapes", "chunks_of", "errors", "fitted"]

Array = Any

COMPILED: Final = not __file__.endswith(".py")
# Elements. 10 million float32 parameters take 16.7 ms in such chunks and 25 ms in a single one; with chunks of 16,384
# the overhead of the calls is larger.
CHUNK: Final = 65536


class FloatingErrors:
    """Turns NumPy's floating-point warnings off while a kernel writes: a warning is Python code, or an exception.

    `numpy.errstate` is itself Python code, and takes 0.8 us. What it sets is a context variable, which has been private
    in NumPy since 2.0. In a NumPy without it, warnings stay on and the kernels are not atomic.
    """

    def __init__(self) -> None:
        umath: Any = getattr(getattr(np, "_core", None), "umath", None)
        self.variable: Any = getattr(umath, "_extobj_contextvar", None)
        make: Any = getattr(umath, "_make_extobj", None)
        self.known: bool = self.variable is not None and make is not None
        self.ignored: Any = make(all="ignore") if self.known else None

    def ignore(self) -> Any:
        """Turn the warnings off; returns what `restore` needs."""
        return self.variable.set(self.ignored) if self.known else None

    def restore(self, token: Any) -> None:
        """Turn the warnings on again."""
        if token is not None:
            self.variable.reset(token)


errors: Final = FloatingErrors()


def check_shapes(rate: Array, arrays: list[Array]) -> None:
    # Operations with out= would silently broadcast a smaller gradient, or a rate per element.
    shape = arrays[0].shape
    if rate.ndim:
        raise ValueError(f"the learning rate must have rank 0, not shape {rate.shape}")
    for array in arrays:
        if array.shape != shape:
            raise ValueError(f"the variable, its slots and its gradient differ in shape: {[a.shape for a in arrays]}")


def chunks_of(arrays: list[Array], length: int = CHUNK) -> list[list[Array]]:
    """The arrays in chunks of the same elements; the chunks are views, except possibly those of the last array."""
    size = arrays[0].size
    if size <= length or not all([array.flags.c_contiguous for array in arrays[:-1]]):
        return [arrays]
    flat = [array.reshape(-1) for array in arrays]
    return [[array[start : start + length] for array in flat] for start in range(0, size, length)]


def fitted(scratch: Array, chunk: Array) -> Array:
    """The part of the scratch array that is as large as a chunk."""
    return scratch if scratch.shape == chunk.shape else scratch[: chunk.size]
