"""Rows of the optimizer updates as TensorFlow 1 computes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops import rooted_updates
from ..makers import floats, positive
from .scaled_updates import large, update_case

__all__ = ["CASES"]


def _rmsprop(x: Any, mean_square: Any, velocity: Any, gradient: Any, rate: Any, hyperparameters: Any) -> Any:
    rho, momentum, epsilon = hyperparameters
    mean_square = rho * mean_square + (1.0 - rho) * gradient**2
    velocity = momentum * velocity + rate * gradient / np.sqrt(mean_square + epsilon)
    return x - velocity, mean_square, velocity


def _centered(
    x: Any, mean_square: Any, mean_gradient: Any, velocity: Any, gradient: Any, rate: Any, hyperparameters: Any
) -> Any:
    rho, momentum, epsilon = hyperparameters
    mean_square = rho * mean_square + (1.0 - rho) * gradient**2
    mean_gradient = rho * mean_gradient + (1.0 - rho) * gradient
    velocity = momentum * velocity + rate * gradient / np.sqrt(mean_square - mean_gradient**2 + epsilon)
    return x - velocity, mean_square, mean_gradient, velocity


CASES = [
    update_case(rooted_updates.rmsprop_rooted_update, [positive, floats], [0.75, 0.5, 0.125], _rmsprop),
    update_case(rooted_updates.centered_rmsprop_rooted_update, [large, floats, floats], [0.75, 0.5, 0.125], _centered),
]
