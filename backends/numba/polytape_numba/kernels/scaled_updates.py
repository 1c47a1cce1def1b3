"""Optimizer updates without bias corrections, in one pass over memory; `optim`, which setup.py compiles, runs them."""

from __future__ import annotations

from polytape.backend import Kernel

from .optim import by_scalars

__all__ = ["kernels"]


def kernels() -> list[Kernel]:
    """The kernels of the family; that of `ftrl_update` takes square roots, since other powers round differently."""
    one, two, three = ("accumulator",), ("mean_square", "velocity"), ("mean_square", "mean_gradient", "velocity")
    rms = ("rate", "h0", "1-h0", "h1", "h2")
    return [
        by_scalars("adagrad_update", one, ("rate", "h0")),
        by_scalars("rmsprop_update", two, rms),
        by_scalars("centered_rmsprop_update", three, rms),
        by_scalars("adadelta_update", ("mean_square", "mean_square_step"), ("rate", "h0", "1-h0", "h1")),
        by_scalars("proximal_sgd_update", (), ("rate", "h0", "h1")),
        by_scalars("proximal_adagrad_update", one, ("rate", "h0", "h1")),
        by_scalars("ftrl_update", ("accumulator", "linear"), ("rate", "h1", "h2"), power=-0.5),
        by_scalars("lion_update", ("m",), ("rate", "h0", "1-h0", "h1", "1-h1", "h2")),
    ]
