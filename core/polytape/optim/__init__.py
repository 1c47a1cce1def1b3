"""Optimizers: each changes variables by their gradients, with one fused op per variable.

May import: `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `registry`, `state`, `tensors`.
"""

from __future__ import annotations

from .adam import Adam
from .base import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("optim", name)
