"""Kernels that numba compiles; each serves operands of a size from which it was measured faster than numpy's.

docs/backends/numba.md has the measurements. What the predicates turn down, numpy's kernels do.
"""

from __future__ import annotations

from polytape.backend import Kernel

from . import nn, optim

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The compiled kernels, in a new list; nothing is compiled yet."""
    return [*nn.kernels(), *optim.kernels()]
