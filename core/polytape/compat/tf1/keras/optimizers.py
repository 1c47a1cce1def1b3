"""TensorFlow 1.7's ``tf.keras.optimizers``: Keras' formulas and defaults, as optimizers of ``tf.train``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ....autodiff.indexed_slices import IndexedSlices
from ....dispatch import convert
from ....optim import adaptive, schedules
from ..train.adam import AdamOptimizer
from ..train.base import Optimizer
from ..train.optimizers import GradientDescentOptimizer, MomentumOptimizer

__all__ = ["SGD", "Adagrad", "Adam", "RMSprop", "get"]

_EPSILON: Final = 1e-7


def _rate(lr: float, decay: float) -> Any:
    """Keras' rate in step n: ``lr / (1 + decay * n)``."""
    return schedules.InverseTimeDecay(lr, 1, decay) if decay else lr


class _DecayingMomentum(MomentumOptimizer):
    """Momentum of steps, each with the rate of its time; `MomentumOptimizer` multiplies the sum by the present rate."""

    def __init__(self, rate: Any, momentum: float, nesterov: bool) -> None:
        super().__init__(1.0, momentum, use_nesterov=nesterov)
        self.rate = rate

    def _gradient(self, gradient: Any) -> Any:
        rate = convert.cast(convert.to_device(self.rate(self.step.read_value()), gradient.device), gradient.dtype)
        if isinstance(gradient, IndexedSlices):
            return IndexedSlices(gradient.values * rate, gradient.indices, gradient.dense_shape, gradient.unique)
        return gradient * rate


def SGD(lr: float = 0.01, momentum: float = 0.0, decay: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Gradient descent, with momentum.

    Args:
        lr: the learning rate. decay: in step n, the rate is ``lr / (1 + decay * n)``.
        momentum: from 0 to 1.
        nesterov: whether the momentum is Nesterov's.
    """
    rate = _rate(lr, decay)
    if not momentum:
        return GradientDescentOptimizer(rate)
    if decay:
        return _DecayingMomentum(rate, momentum, nesterov)
    return MomentumOptimizer(rate, momentum, use_nesterov=nesterov)


def Adam(
    lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float | None = None, decay: float = 0.0
) -> Optimizer:
    """Adam, with Keras' ``epsilon`` of 1e-7; see `SGD` for ``decay``."""
    return AdamOptimizer(_rate(lr, decay), beta_1, beta_2, epsilon or _EPSILON)


class RMSprop(Optimizer, adaptive.RMSProp):
    """``mean = rho * mean + (1 - rho) * gradient**2``, ``variable -= lr * gradient / (sqrt(mean) + epsilon)``.

    Args:
        lr: the learning rate; see `SGD` for ``decay``.
        rho: of the mean, which begins at 0.
        epsilon: default: 1e-7.
    """

    tf_slots: ClassVar[tuple[str, ...]] = ("rms", "momentum")

    def __init__(self, lr: float = 0.001, rho: float = 0.9, epsilon: float | None = None, decay: float = 0.0) -> None:
        adaptive.RMSProp.__init__(self, _rate(lr, decay), rho, 0.0, epsilon or _EPSILON)
        self._set_name("RMSprop")


class Adagrad(Optimizer, adaptive.Adagrad):
    """``sum += gradient**2``, ``variable -= lr * gradient / (sqrt(sum) + epsilon)``; the sum begins at 0.

    Args:
        lr: the learning rate; see `SGD` for ``decay``.
        epsilon: default: 1e-7.
    """

    tf_slots: ClassVar[tuple[str, ...]] = ("accumulator",)

    def __init__(self, lr: float = 0.01, epsilon: float | None = None, decay: float = 0.0) -> None:
        adaptive.Adagrad.__init__(self, _rate(lr, decay), 0.0, epsilon or _EPSILON)
        self._set_name("Adagrad")


_KNOWN: Final[dict[str, Callable[[], Optimizer]]] = {"sgd": SGD, "rmsprop": RMSprop, "adagrad": Adagrad, "adam": Adam}


def get(identifier: Any) -> Optimizer:
    """An optimizer, or one with Keras' defaults by its name.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    made = _KNOWN.get(identifier.lower()) if isinstance(identifier, str) else None
    if made is None:
        raise ValueError(
            f"Unknown optimizer: {identifier}. Expected one of {', '.join(_KNOWN)}, or an optimizer of tf.train."
        )
    return made()
