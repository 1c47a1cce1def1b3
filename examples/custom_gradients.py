"""Gradients written by hand: for numerical stability, and to change what reaches the variables.

    python examples/custom_gradients.py

A function decorated with ``pt.custom_gradient`` returns its result and a function from the gradient of the result to
the gradients of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import common
import polytape as pt

__all__ = ["clip_gradient_by_norm", "log1pexp", "main", "naive_log1pexp"]

Backward = Callable[[pt.Tensor], pt.Tensor]


def naive_log1pexp(x: pt.Tensor) -> pt.Tensor:
    """``log(1 + exp(x))``, whose gradient follows from its ops: ``exp(x) / (1 + exp(x))``, NaN for a large x."""
    return pt.log(1.0 + pt.exp(x))


@pt.custom_gradient
def log1pexp(x: pt.Tensor) -> tuple[pt.Tensor, Backward]:
    """``log(1 + exp(x))`` and its gradient, both right for every x."""
    e = pt.exp(-pt.abs(x))  # at most 1, so that nothing overflows
    return pt.maximum(x, 0.0) + pt.log1p(e), lambda g: g * pt.where(x > 0.0, 1.0, e) / (1.0 + e)


@pt.custom_gradient
def clip_gradient_by_norm(x: pt.Tensor, norm: float) -> tuple[pt.Tensor, Callable[[pt.Tensor], tuple[pt.Tensor, None]]]:
    """``x`` itself; the gradient that flows back through it has at most this Euclidean norm."""
    # The second argument has no gradient.
    return +x, lambda g: (pt.optim.clip_by_norm(g, norm), None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the gradients with and without the rules above."""
    parser = common.options(__doc__)
    parser.add_argument("--norm", type=common.positive(float), default=0.5, metavar="NORM", help="to clip gradients to")
    options = parser.parse_args(arguments)
    print(common.backend_line())

    print(f"{'x':>6} {'log1pexp':>10} {'naive gradient':>15} {'custom gradient':>16}")
    naive, custom = pt.gradients_function(naive_log1pexp), pt.gradients_function(log1pexp)
    for x in (-100.0, 0.0, 10.0, 100.0):
        print(f"{x:6.0f} {log1pexp(x):10.4f} {naive(x)[0]:15.6f} {custom(x)[0]:16.6f}")

    # A rule is written in ops, so that it has a gradient itself; finite differences confirm both orders.
    pt.check_gradients(log1pexp, 0.7, order=2)
    print("log1pexp: first and second derivative agree with finite differences")

    w = pt.Variable([3.0, -4.0])
    for clipped in (False, True):
        with pt.GradientTape() as tape:
            loss = pt.sum(pt.square(clip_gradient_by_norm(w, options.norm) if clipped else w))
        gradient = tape.gradient(loss, w)
        print(f"gradient{' clipped' * clipped}: {gradient}, norm {pt.linalg.vector_norm(gradient):.3f}")


if __name__ == "__main__":
    common.run(main)
