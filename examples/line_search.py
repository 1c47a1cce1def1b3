"""Gradient descent whose step is found by a line search: Python's control flow around gradients.

    python examples/line_search.py

Each step halves its length until the function decreases enough. How often differs from step to step, which needs no
special construct: ops run eagerly, so a loop may test their values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import common
import polytape as pt

__all__ = ["line_search_step", "main", "minimize", "rosenbrock"]

# The part of the decrease predicted by the gradient that a step must reach (L. Armijo, 1966, Pacific Journal of
# Mathematics 16 (1), pp. 1-3). The whole of it would be too much: no convex function decreases as fast as its tangent.
SUFFICIENT = 1e-4


def rosenbrock(x: pt.Tensor) -> pt.Tensor:
    """A curved valley with its minimum at (1, 1): (1 - x0)^2 + 100 (x1 - x0^2)^2."""
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


def line_search_step(
    function: Callable[[pt.Tensor], pt.Tensor], start: pt.Tensor, rate: float = 1.0
) -> tuple[pt.Tensor, pt.Tensor, float]:
    """One step of gradient descent; returns the new point, the function there, and the rate that was found."""
    with pt.GradientTape() as tape:
        tape.watch(start)  # variables are watched by themselves, other tensors on request
        before = function(start)
    gradient = tape.gradient(before, start)
    squared_norm = pt.sum(gradient * gradient)
    while True:
        x = start - rate * gradient
        value = function(x)
        if value <= before - SUFFICIENT * rate * squared_norm or rate < 1e-12:
            return x, value, rate
        rate /= 2


def minimize(function: Callable[[pt.Tensor], pt.Tensor], x: pt.Tensor, steps: int) -> pt.Tensor:
    """Run ``steps`` steps from ``x``, and print ten of them."""
    rate = 1.0
    for step in range(1, steps + 1):
        # Begin with twice the last rate, so that it can grow again.
        x, value, rate = line_search_step(function, x, min(1.0, 2 * rate))
        if step % max(1, steps // 10) == 0:
            print(f"step {step:5}  rate {rate:.5f}  f({x[0]:.4f}, {x[1]:.4f}) = {value:.3e}")
    return x


def main(arguments: Sequence[str] | None = None) -> None:
    """Minimise Rosenbrock's function from its usual starting point."""
    parser = common.options(__doc__)
    parser.add_argument("--steps", type=common.positive(int), default=2000, metavar="N", help="steps of descent")
    options = parser.parse_args(arguments)
    print(common.backend_line())
    minimize(rosenbrock, pt.asarray([-1.2, 1.0], dtype="float64"), options.steps)


if __name__ == "__main__":
    common.run(main)
