"""Optimizer updates without bias corrections, in place; setup.py compiles `update_formulas`."""

from __future__ import annotations

from typing import Any

from polytape.backend import Kernel

from . import update_formulas as formulas

__all__ = ["kernels"]


def kernels(xp: Any) -> list[Kernel]:
    """The kernels of the family on the arrays of ``xp``; those of a device are the ops' bodies."""
    rms = ("rate", "h0", "1-h0", "h1", "h2")
    return formulas.by_formulas(
        xp,
        [
            ("adagrad_update", formulas.adagrad, ("accumulator",), ("rate", "h0")),
            ("rmsprop_update", formulas.rmsprop, ("mean_square", "velocity"), rms),
            ("centered_rmsprop_update", formulas.centered_rmsprop, ("mean_square", "mean_gradient", "velocity"), rms),
            ("adadelta_update", formulas.adadelta, ("mean_square", "mean_square_step"), ("rate", "h0", "1-h0", "h1")),
            ("ftrl_update", formulas.ftrl, ("accumulator", "linear"), ("rate", "h0", "h1", "h2")),
            ("proximal_sgd_update", formulas.proximal_sgd, (), ("rate", "h0", "h1")),
            ("proximal_adagrad_update", formulas.proximal_adagrad, ("accumulator",), ("rate", "h0", "h1")),
            ("lion_update", formulas.lion, ("m",), ("rate", "h0", "1-h0", "h1", "1-h1", "h2")),
        ],
    )
