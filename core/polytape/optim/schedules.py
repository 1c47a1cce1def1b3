"""Schedules: hyperparameters as functions of the number of steps done, for any hyperparameter of any optimizer.

A schedule is called with the step, an int or an integer tensor of shape (), and returns a float or a tensor. An
optimizer calls it with its own step at each update; a traced one computes it in the graph. Schedules do not change:
assign another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import dtypes
from ..dispatch import convert
from ..errors import DTypeError, SettingError
from ..registry import tables
from ..tensors.tensor import Tensor, describe

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LinearWarmup",
    "NaturalExpDecay",
    "OneCycle",
    "PiecewiseConstant",
    "PolynomialDecay",
    "Schedule",
]


class _Host:
    """The functions that schedules use, on Python floats."""

    exp, floor, power, cos = math.exp, math.floor, math.pow, math.cos
    minimum, maximum = min, max

    @staticmethod
    def where(condition: bool, x: float, y: float) -> float:
        return x if condition else y


class _Ops:
    """The same functions on tensors."""

    def __getattr__(self, name: str) -> Any:
        return tables.get_op(name)


_HOST, _OPS = _Host(), _Ops()


class Schedule:
    """Base of the schedules; a subclass defines ``_value(t, f)``, where ``f`` has the functions to use.

    Both branches of ``f.where`` are computed, so each must be defined for all steps.
    """

    def __call__(self, step: Any) -> Any:
        """The value after ``step`` steps.

        Args:
            step: an int, or an integer[] tensor.
        Returns:
            A float; for a tensor, a floating[] tensor: float64 where the device has it, otherwise float32.
        Raises:
            DTypeError: another type.
        """
        if isinstance(step, Tensor):
            wide = dtypes.float64 if "float64" in step.type.backend.dtypes else dtypes.float32
            return self._value(convert.cast(step, wide), _OPS)
        if isinstance(step, bool) or not hasattr(step, "__index__"):
            raise DTypeError(
                f"{self!r} cannot be called with {describe(step)}.",
                expected="the number of steps, an int or an integer tensor of shape ()",
                got=type(step).__name__,
                fix="pass optimizer.step",
            )
        return float(self._value(float(step), _HOST))

    def _value(self, t: Any, f: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no _value")

    def _require(self, name: str, valid: bool, expected: str) -> None:
        if not valid:
            raise SettingError(
                f"{type(self).__name__} cannot use {name}={getattr(self, name)!r}.",
                expected=expected,
                got=repr(getattr(self, name)),
                fix="change it",
            )


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """``initial * rate**(step / steps)``.

    Args:
        initial: the first value.
        steps: after this many steps, the value has been multiplied by ``rate``.
        rate: the factor.
        staircase: round ``step / steps`` down, so that the value changes every ``steps`` steps.

    Example:
        >>> import polytape as pt
        >>> decay = pt.optim.schedules.ExponentialDecay(0.5, steps=10, rate=0.5)
        >>> decay(0), decay(20)
        (0.5, 0.125)
        >>> sgd = pt.optim.SGD(decay)
    """

    initial: float
    steps: float
    rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")
        self._require("rate", self.rate > 0, "a positive number")

    def _value(self, t: Any, f: Any) -> Any:
        p = t / self.steps
        return self.initial * f.power(self.rate, f.floor(p) if self.staircase else p)


@dataclass(frozen=True)
class NaturalExpDecay(Schedule):
    """``initial * exp(-rate * step / steps)``; arguments as for `ExponentialDecay`."""

    initial: float
    steps: float
    rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")

    def _value(self, t: Any, f: Any) -> Any:
        p = t / self.steps
        return self.initial * f.exp(-self.rate * (f.floor(p) if self.staircase else p))


@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """``initial / (1 + rate * step / steps)``; arguments as for `ExponentialDecay`."""

    initial: float
    steps: float
    rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")
        self._require("rate", self.rate >= 0, "a number that is not negative")

    def _value(self, t: Any, f: Any) -> Any:
        p = t / self.steps
        return self.initial / (1.0 + self.rate * (f.floor(p) if self.staircase else p))


@dataclass(frozen=True)
class PiecewiseConstant(Schedule):
    """``values[k]``, where k is the number of boundaries that the step has passed: a boundary itself is not passed.

    Args:
        boundaries: increasing steps.
        values: one more than boundaries.
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "boundaries", tuple(self.boundaries))
        object.__setattr__(self, "values", tuple(self.values))
        self._require("boundaries", sorted(set(self.boundaries)) == list(self.boundaries), "increasing steps")
        count = len(self.boundaries) + 1
        self._require("values", len(self.values) == count, f"{count} values, one more than boundaries")

    def _value(self, t: Any, f: Any) -> Any:
        value = self.values[0] + 0.0 * t
        for boundary, after in zip(self.boundaries, self.values[1:], strict=True):
            value = f.where(t > boundary, after, value)
        return value


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """``(initial - end) * (1 - step / steps)**power + end``, and ``end`` after ``steps`` steps.

    Args:
        initial, end: the first and the last value.
        steps: how many steps the decay takes.
        power: 1 for a straight line.
        cycle: instead of staying at ``end``, extend ``steps`` to the next multiple each time it is reached.
    """

    initial: float
    steps: float
    end: float = 1e-4
    power: float = 1.0
    cycle: bool = False

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")
        self._require("power", self.power > 0, "a positive number")

    def _value(self, t: Any, f: Any) -> Any:
        steps = self.steps
        if self.cycle:
            p = t / (self.steps * f.maximum(1.0, -f.floor(-t / steps)))
        else:
            p = f.minimum(t, float(steps)) / steps
        return (self.initial - self.end) * f.power(f.maximum(1.0 - p, 0.0), self.power) + self.end


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine wave, from ``initial`` to ``alpha * initial`` after ``steps`` steps; then constant.

    Args:
        initial: the first value.
        steps: how many steps the decay takes.
        alpha: the last value as a part of the first.

    Source:
        I. Loshchilov, F. Hutter (2017), ICLR, equation 5 without restarts.
    """

    initial: float
    steps: float
    alpha: float = 0.0

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")

    def _value(self, t: Any, f: Any) -> Any:
        p = f.minimum(t, float(self.steps)) / self.steps
        return self.initial * ((1.0 - self.alpha) * 0.5 * (1.0 + f.cos(math.pi * p)) + self.alpha)


@dataclass(frozen=True)
class CosineDecayRestarts(Schedule):
    """`CosineDecay` that starts again at its end, each time over ``t_mul`` as many steps, from ``m_mul`` as high.

    Args:
        initial: the first value.
        first_steps: how many steps the first decay takes.
        t_mul: at least 1: the ratio of the lengths of two successive decays.
        m_mul: the ratio of their first values.
        alpha: the last value as a part of the first.

    Source:
        I. Loshchilov, F. Hutter (2017), ICLR, equation 5.
    """

    initial: float
    first_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def __post_init__(self) -> None:
        self._require("first_steps", self.first_steps > 0, "a positive number")
        self._require("t_mul", self.t_mul >= 1, "a number that is at least 1")

    def _value(self, t: Any, f: Any) -> Any:
        # Restart k comes after first_steps * (1 + t_mul + ... + t_mul**(k - 1)) steps. Where k is found by a logarithm,
        # rounding may give the restart before: the step is then at the end of a decay, and moved to the next.
        p, ratio = t / self.first_steps, self.t_mul
        if ratio == 1.0:
            k = f.floor(p)
            p = p - k
        else:
            # log(1 - p * (1 - ratio)) / log(ratio), with a margin that is far below one step.
            k = f.floor(_log(1.0 + p * (ratio - 1.0), f) / math.log(ratio) + 1e-9)
            start = (f.power(ratio, k) - 1.0) / (ratio - 1.0)
            p = f.maximum((p - start) / f.power(ratio, k), 0.0)
        height = f.power(self.m_mul, k) if self.m_mul != 1.0 else 1.0
        return self.initial * height * ((1.0 - self.alpha) * 0.5 * (1.0 + f.cos(math.pi * p)) + self.alpha)


def _log(x: Any, f: Any) -> Any:
    return math.log(x) if f is _HOST else f.log(x)


@dataclass(frozen=True)
class LinearWarmup(Schedule):
    """A straight line to ``after`` in ``steps`` steps; then ``after``, whose steps count from the end of the line.

    Args:
        steps: how many steps the line takes.
        after: a number, or a schedule; the line ends at its first value.
        initial: the first value.

    Source:
        P. Goyal et al. (2017), arXiv:1706.02677, section 2.2.
    """

    steps: int
    after: float | Schedule
    initial: float = 0.0

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 0, "a positive number")

    def _value(self, t: Any, f: Any) -> Any:
        after: Any = self.after
        end, later = after, after
        if isinstance(after, Schedule):
            end = after(0)
            later = after._value(f.maximum(t - float(self.steps), 0.0), f)
        line = self.initial + (end - self.initial) * f.minimum(t / self.steps, 1.0)
        return f.where(t < self.steps, line, later)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One cycle: up from ``peak / start_factor`` to ``peak``, then down to ``peak / start_factor / end_factor``.

    Both parts are half cosine waves.

    Args:
        peak: the largest value.
        steps: of the whole cycle; the value is constant afterwards.
        rise: the part of the cycle in which the value rises, between 0 and 1.
        start_factor, end_factor: positive, as above.

    Source:
        L. Smith, N. Topin (2018), arXiv:1708.07120.
    """

    peak: float
    steps: int
    rise: float = 0.3
    start_factor: float = 25.0
    end_factor: float = 1e4

    def __post_init__(self) -> None:
        self._require("steps", self.steps > 1, "at least 2")
        self._require("rise", 0.0 < self.rise < 1.0, "a number between 0 and 1")

    def _value(self, t: Any, f: Any) -> Any:
        # The last of the steps has the last value, and the peak is a step before the rise's end, as in PyTorch.
        top, last = self.rise * self.steps - 1.0, self.steps - 1.0
        start = self.peak / self.start_factor
        end = start / self.end_factor
        up = f.maximum(f.minimum(t / top, 1.0), 0.0) if top > 0.0 else 1.0
        down = f.maximum(f.minimum((t - top) / (last - top), 1.0), 0.0)
        rising = self.peak + (start - self.peak) * 0.5 * (1.0 + f.cos(math.pi * up))
        falling = end + (self.peak - end) * 0.5 * (1.0 + f.cos(math.pi * down))
        return f.where(t < top, rising, falling)
