"""Gradients through SciPy: a mixture of two normal distributions, fitted to the eruptions of a geyser.

SciPy's functions for the array API standard take polytape's tensors if the environment variable SCIPY_ARRAY_API is 1
before SciPy is imported, and tapes follow them. Here the log-likelihood is computed by `scipy.special.logsumexp`, and
the area under the fitted density by `scipy.integrate.simpson`.
"""

from __future__ import annotations

import math
import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

from scipy.integrate import simpson
from scipy.special import logsumexp

import polytape as pt


def log_density(x: pt.Tensor, weights: pt.Tensor, means: pt.Tensor, log_scales: pt.Tensor) -> pt.Tensor:
    """The logarithm of the mixture's density at each ``x``.

    Args:
        x: floating[n].
        weights: floating[k], before the softmax.
        means, log_scales: floating[k], of the normal distributions.
    Returns:
        floating[n].
    """
    standardised = (x[:, None] - means) / pt.exp(log_scales)
    normal = -0.5 * standardised**2 - log_scales - 0.5 * math.log(2 * math.pi)
    total: pt.Tensor = logsumexp(normal + pt.nn.log_softmax(weights), axis=-1)
    return total


def draw(count: int) -> pt.Tensor:
    """Durations of eruptions in minutes, simulated: a third are near 2, the others near 4.3."""
    short = pt.random.uniform((count,)) < 1 / 3
    return pt.where(short, pt.random.normal((count,), 2.0, 0.25), pt.random.normal((count,), 4.3, 0.45))


def fit(x: pt.Tensor, steps: int = 150) -> tuple[list[pt.Variable], list[float]]:
    """Fit two normal distributions by maximum likelihood; returns the parameters and the loss of each step."""
    parameters = [pt.Variable([0.0, 0.0]), pt.Variable([2.5, 3.5]), pt.Variable([0.0, 0.0])]
    optimizer = pt.optim.Adam(0.1)
    losses: list[float] = []
    for _ in range(steps):
        with pt.GradientTape() as tape:
            loss = -pt.mean(log_density(x, *parameters))
        gradients = tape.gradient(loss, parameters)
        optimizer.apply_gradients(zip(gradients, parameters, strict=True))
        losses.append(loss.item())
    return parameters, losses


def main() -> None:
    """Fit the mixture and print it."""
    pt.random.seed(0)
    parameters, losses = fit(draw(400))
    weights, means, log_scales = parameters
    print(f"negative log-likelihood per point: {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
    found = pt.stack([pt.nn.softmax(weights), means, pt.exp(log_scales)], axis=1)
    for share, mean, scale in found.tolist():
        print(f"{share:.0%} near {mean:.2f} minutes, standard deviation {scale:.2f}")
    grid = pt.linspace(-2.0, 10.0, 1201)
    print(f"area under the density: {simpson(pt.exp(log_density(grid, *parameters)), x=grid).item():.4f}")


if __name__ == "__main__":
    main()
