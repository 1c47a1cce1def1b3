"""Rows of the optimizer updates that scale the step by squared gradients, of the proximal ones, and of Lion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops import scaled_updates
from ..case import Case
from ..makers import Maker, exactly, floats, positive
from .optim import RATE, update_errors, update_operands, update_samples

__all__ = ["CASES", "large", "update_case"]


def large(*shape: int) -> Maker:
    """A mean square that is far above the square of any mean: their difference keeps its digits."""
    return floats(*shape, low=8.0, high=12.0)


def _adagrad(x: Any, accumulator: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    (epsilon,) = hyperparameters
    accumulator = accumulator + gradient**2
    return x - rate * gradient / (np.sqrt(accumulator) + epsilon), accumulator


def _rmsprop(x: Any, mean_square: Any, velocity: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    rho, momentum, epsilon = hyperparameters
    mean_square = rho * mean_square + (1.0 - rho) * gradient**2
    velocity = momentum * velocity + gradient / (np.sqrt(mean_square) + epsilon)
    return x - rate * velocity, mean_square, velocity


def _centered(
    x: Any, mean_square: Any, mean_gradient: Any, velocity: Any, gradient: Any, rate: Any, hyperparameters: Any
) -> Any:
    rho, momentum, epsilon = hyperparameters
    mean_square = rho * mean_square + (1.0 - rho) * gradient**2
    mean_gradient = rho * mean_gradient + (1.0 - rho) * gradient
    variance = np.maximum(mean_square - mean_gradient**2, 0.0)
    velocity = momentum * velocity + gradient / (np.sqrt(variance) + epsilon)
    return x - rate * velocity, mean_square, mean_gradient, velocity


def _adadelta(x: Any, mean_square: Any, mean_square_step: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    rho, epsilon = hyperparameters
    mean_square = rho * mean_square + (1.0 - rho) * gradient**2
    step = np.sqrt(mean_square_step + epsilon) / np.sqrt(mean_square + epsilon) * gradient
    return x - rate * step, mean_square, rho * mean_square_step + (1.0 - rho) * step**2


def _ftrl(x: Any, accumulator: Any, linear: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    rate_power, l1, l2 = hyperparameters
    after = accumulator + gradient**2
    linear = linear + gradient - (after**-rate_power - accumulator**-rate_power) / rate * x
    y = (np.clip(linear, -l1, l1) - linear) / (after**-rate_power / rate + 2.0 * l2)
    return y, after, linear


def _proximal(x: Any, rate: Any, l1: Any, l2: Any) -> Any:
    return np.sign(x) * np.maximum(abs(x) - rate * l1, 0.0) / (1.0 + rate * l2)


def _proximal_sgd(x: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    return _proximal(x - rate * gradient, rate, *hyperparameters)


def _proximal_adagrad(x: Any, accumulator: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    accumulator = accumulator + gradient**2
    rate = rate / np.sqrt(accumulator)
    return _proximal(x - rate * gradient, rate, *hyperparameters), accumulator


def _lion(x: Any, m: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    beta1, beta2, weight_decay = hyperparameters
    direction = np.sign(beta1 * m + (1.0 - beta1) * gradient)
    return x - rate * (direction + weight_decay * x), beta2 * m + (1.0 - beta2) * gradient


def update_case(
    op: Any, slots: list[Any], hyperparameters: list[float], reference: Callable[..., Any], gradient: Any = floats
) -> Case:
    """The row of an update of a variable and its slots."""
    vector = exactly(hyperparameters, "float32")
    return Case(
        op,
        *update_operands((2, 3), slots, gradient),
        RATE,
        vector,
        reference=reference,
        result=("same",) * (1 + len(slots)),
        ulp=64.0,
        scale=4.0,
        more=update_samples(slots, RATE, vector, gradient=gradient),
        errors=update_errors(slots, RATE, vector),
    )


CASES = [
    update_case(scaled_updates.adagrad_update, [positive], [0.125], _adagrad),
    update_case(scaled_updates.rmsprop_update, [positive, floats], [0.75, 0.5, 0.125], _rmsprop),
    update_case(scaled_updates.centered_rmsprop_update, [large, floats, floats], [0.75, 0.5, 0.125], _centered),
    update_case(scaled_updates.adadelta_update, [positive, positive], [0.75, 0.125], _adadelta),
    update_case(scaled_updates.ftrl_update, [positive, floats], [-0.5, 0.5, 0.25], _ftrl),
    update_case(scaled_updates.proximal_sgd_update, [], [0.5, 0.25], _proximal_sgd),
    update_case(scaled_updates.proximal_adagrad_update, [positive], [0.5, 0.25], _proximal_adagrad),
    # The sign of the direction must not depend on rounding: both of its terms have one sign.
    update_case(scaled_updates.lion_update, [positive], [0.75, 0.5, 0.25], _lion, positive),
]
