"""Optimizers: rules that change variables by their gradients."""

from __future__ import annotations

from .adam import Adam
from .base import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
