"""Learning rates that decay: `polytape.optim.schedules`, computed for one step.

As in TensorFlow 1.7, the result is a tensor: call the function again at each step, and assign its result to the
variable that is the optimizer's learning rate. A schedule of `polytape.optim.schedules` as learning
rate follows the steps by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ....dispatch.convert import asarray, cast
from ....optim import schedules
from ....random import normal
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ..tables import recorded

__all__ = [
    "cosine_decay",
    "cosine_decay_restarts",
    "exponential_decay",
    "inverse_time_decay",
    "linear_cosine_decay",
    "natural_exp_decay",
    "noisy_linear_cosine_decay",
    "piecewise_constant",
    "polynomial_decay",
]


def _needs_step(global_step: Any, what: str) -> None:
    if global_step is None:
        raise ValueError(f"global_step is required for {what}.")  # TensorFlow's message


def _decayed(schedule: Any, learning_rate: Any, global_step: Any) -> Tensor:
    """``learning_rate`` times the schedule that starts from 1, with the dtype of ``learning_rate``."""
    rate = asarray(learning_rate)
    rate = rate.read_value() if isinstance(rate, Variable) else rate
    step = asarray(global_step)
    return rate * cast(schedule(step.read_value() if isinstance(step, Variable) else step), rate.dtype)


@recorded("train")
def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """``learning_rate * decay_rate ** (global_step / decay_steps)``, the exponent rounded down with ``staircase``."""
    _needs_step(global_step, "exponential_decay")
    schedule = schedules.ExponentialDecay(1.0, float(decay_steps), float(decay_rate), staircase)
    return _decayed(schedule, learning_rate, global_step)


@recorded("train")
def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """``learning_rate * exp(-decay_rate * p)``, where p is ``global_step / decay_steps``."""
    _needs_step(global_step, "natural_exp_decay")
    schedule = schedules.NaturalExpDecay(1.0, float(decay_steps), float(decay_rate), staircase)
    return _decayed(schedule, learning_rate, global_step)


@recorded("train")
def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """``learning_rate / (1 + decay_rate * p)``, where p is ``global_step / decay_steps``."""
    _needs_step(global_step, "inverse_time_decay")
    schedule = schedules.InverseTimeDecay(1.0, float(decay_steps), float(decay_rate), staircase)
    return _decayed(schedule, learning_rate, global_step)


@recorded("train")
def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """``(learning_rate - end) * (1 - p) ** power + end``, where p is ``global_step / decay_steps``, at most 1.

    With ``cycle``, ``decay_steps`` is extended to its first multiple that is not less than ``global_step``.
    """
    _needs_step(global_step, "polynomial_decay")
    rate = asarray(learning_rate)
    share = _decayed(
        schedules.PolynomialDecay(1.0, float(decay_steps), 0.0, float(power), cycle), asarray(1.0, rate.dtype),
        global_step,
    )  # fmt: skip
    decayed: Tensor = (rate - end_learning_rate) * share + end_learning_rate
    return decayed


@recorded("train")
def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Tensor:
    """``values[k]``, where k is the number of boundaries less than ``x``.

    Raises:
        ValueError: ``values`` is not one longer than ``boundaries``, or the dtypes of boundaries and ``x`` differ.
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    position = asarray(x)
    limits = [asarray(boundary) for boundary in boundaries]
    for limit in limits:
        # int32 boundaries of an int64 step are usual: Python's integers become int32.
        if limit.dtype != position.dtype and (str(limit.dtype), str(position.dtype)) != ("int32", "int64"):
            raise ValueError(f"Boundaries ({limit.dtype}) must have the same dtype as x ({position.dtype}).")
    choices = [asarray(value) for value in values]
    for choice in choices[1:]:
        if choice.dtype != choices[0].dtype:
            raise ValueError(
                f"Values must have elements all with the same dtype ({choices[0].dtype} vs {choice.dtype})."
            )
    passed = sum(position.item() > limit.item() for limit in limits)
    chosen: Tensor = choices[passed]
    return chosen


@recorded("train")
def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Tensor:
    """Half a cosine wave from ``learning_rate`` to ``alpha * learning_rate`` after ``decay_steps`` steps."""
    _needs_step(global_step, "cosine_decay")
    return _decayed(schedules.CosineDecay(1.0, float(decay_steps), float(alpha)), learning_rate, global_step)


@recorded("train")
def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """`cosine_decay` that starts again at its end, over ``t_mul`` as many steps, from ``m_mul`` as high.

    ``alpha`` is added as it is; `polytape.optim.schedules.CosineDecayRestarts` multiplies it by the height too.
    """
    _needs_step(global_step, "cosine_decay_restarts")
    schedule = schedules.CosineDecayRestarts(1.0, float(first_decay_steps), float(t_mul), float(m_mul))
    rate = asarray(learning_rate)
    return rate * ((1.0 - alpha) * _decayed(schedule, asarray(1.0, rate.dtype), global_step) + alpha)


@recorded("train")
def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """``learning_rate * ((alpha + 1 - p) * 0.5 * (1 + cos(2 * pi * num_periods * p)) + beta)``.

    Here p is ``global_step / decay_steps``, at most 1.

    Source:
        I. Bello, B. Zoph, V. Vasudevan, Q. Le (2017), ICML, arXiv:1709.07417.
    """
    _needs_step(global_step, "linear_cosine_decay")
    return _linear_cosine(learning_rate, global_step, decay_steps, num_periods, alpha, beta, 0.0)


@recorded("train")
def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: float = 1.0,
    variance_decay: float = 0.55,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """`linear_cosine_decay` with a normal random number added to ``1 - p``.

    Its variance is ``initial_variance / (1 + global_step) ** variance_decay``.
    """
    _needs_step(global_step, "noisy_linear_cosine_decay")
    step = min(float(global_step), float(decay_steps))
    deviation = math.sqrt(initial_variance / (1.0 + step) ** variance_decay)
    noise = normal((), 0.0, deviation, dtype=asarray(learning_rate).dtype)
    return _linear_cosine(learning_rate, global_step, decay_steps, num_periods, alpha, beta, noise)


def _linear_cosine(
    learning_rate: Any, global_step: Any, decay_steps: Any, num_periods: float, alpha: float, beta: float, noise: Any
) -> Tensor:
    rate = asarray(learning_rate)
    fraction = min(float(global_step), float(decay_steps)) / float(decay_steps)
    wave = 0.5 * (1.0 + math.cos(2.0 * math.pi * num_periods * fraction))
    decayed: Tensor = rate * ((alpha + 1.0 - fraction + noise) * wave + beta)
    return decayed
