"""Steps of the optimizers on 100,000 parameters; Adam's also on a million, and beside a thread that waits."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, check

__all__ = ["CASES"]

# So small that no parameter changes: otherwise, over thousands of steps, moments would become denormal numbers, which
# some processors multiply a hundred times more slowly.
RATE: Final = 1e-12
SIZE: Final = 100_000
# name -> the class and its options.
OPTIMIZERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "adam": ("Adam", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamax": ("Adamax", {}),
    "nadam": ("Nadam", {}),
    "adagrad": ("Adagrad", {}),
    "adadelta": ("Adadelta", {}),
    "rmsprop": ("RMSProp", {}),
    "centered_rmsprop": ("RMSProp", {"centered": True}),
    "ftrl": ("Ftrl", {}),
    "lion": ("Lion", {}),
    "proximal_sgd": ("ProximalGradientDescent", {}),
    "proximal_adagrad": ("ProximalAdagrad", {}),
}


def _step(device: str, name: str, size: int, rate: float) -> tuple[Any, Callable[[], Any]]:
    kind, options = OPTIMIZERS[name]
    optimizer = getattr(pt.optim, kind)(rate, **options)
    variable = pt.Variable(np.ones(size, "f4"), device=device)
    gradient = pt.ones((size,), device=device)

    def step() -> Any:
        optimizer.apply_gradients([(gradient, variable)])
        return variable

    return variable, step


def step_of(name: str, size: int = SIZE) -> Callable[[str], Call]:
    """A step, with a gradient of ones."""

    def make(device: str) -> Call:
        moved, step = _step(device, name, 1_001, 0.01)
        step()
        values = moved.numpy()
        assert np.ptp(values) == 0 and 0.0 < values[0] < 1.0, values  # equal gradients, and downhill
        variable, step = _step(device, name, size, RATE)
        step()
        if name != "ftrl":  # which computes a variable from its accumulators, wherever it began
            check(variable, np.ones(size))
        return step

    return make


def beside_a_thread(device: str) -> Call:
    """A step while another thread waits, such as a progress bar's."""
    call = step_of("adam", 1_000_000)(device)
    done = threading.Event()
    threading.Thread(target=done.wait, daemon=True).start()
    weakref.finalize(call, done.set)
    return call


CASES: Final = (
    *(Case(f"optim/{name}", step_of(name), panel=name == "adam") for name in OPTIMIZERS),
    Case("optim/adam_million", step_of("adam", 1_000_000)),
    Case("optim/adam_million_beside_a_thread", beside_a_thread),
)
