"""Optimizers: each changes variables by their gradients, with one fused op for a variable or for many small ones.

`base` is the optimizers' base class, `gradients` checks what it gets, `joining` updates small variables together, and
`rows` some rows only; `schedules` are learning rates that change, `clipping` limits gradients.

May import: `autodiff`, `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `registry`, `state`, `tensors`.
"""

from __future__ import annotations

from . import schedules
from .adam import Adam, Adamax, AdamW, Nadam
from .adaptive import Adadelta, Adagrad, RMSProp
from .averaging import AveragedWeights, GradientAccumulator
from .base import Optimizer
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value, global_norm
from .lion import Lion
from .proximal import Ftrl, ProximalAdagrad, ProximalGradientDescent
from .sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AveragedWeights",
    "Ftrl",
    "GradientAccumulator",
    "Lion",
    "Nadam",
    "Optimizer",
    "ProximalAdagrad",
    "ProximalGradientDescent",
    "RMSProp",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
    "schedules",
]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("optim", name)
