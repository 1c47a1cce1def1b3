"""Nodes that are steps of optimizers."""

from __future__ import annotations

from typing import Any

import polytape as pt

from .registry import node

__all__: list[str] = []


def _grouped(operands: tuple[Any, ...], count: int) -> list[tuple[Any, ...]]:
    """The operands of each variable: all variables come first, then all gradients, ..."""
    n = len(operands) // count
    return [tuple(operands[i + j * n] for j in range(count)) for i in range(n)]


def _ungrouped(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(x for column in zip(*rows, strict=True) for x in column)


@node("Adagrad")
def _adagrad(
    rate: Any, step: Any, *operands: Any, norm_coefficient: float = 0.0, decay_factor: float = 0.0,
    epsilon: float = 1e-6,
) -> tuple[Any, ...]:  # fmt: skip
    rows = []
    for x, g, total in _grouped(operands, 3):
        g = g + norm_coefficient * x
        total = total + pt.square(g)
        rows.append((x - rate / (1 + step * decay_factor) * g / (pt.sqrt(total) + epsilon), total))
    return _ungrouped(rows)


@node("Adam")
def _adam(
    rate: Any, step: Any, *operands: Any, alpha: float = 0.9, beta: float = 0.999, epsilon: float = 1e-6,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> tuple[Any, ...]:  # fmt: skip
    rows = []
    for x, g, m, v in _grouped(operands, 4):
        g = g + norm_coefficient * x
        m, v = alpha * m + (1 - alpha) * g, beta * v + (1 - beta) * pt.square(g)
        # The averages start at 0, which is corrected from the second step on.
        corrected = rate * pt.sqrt(1 - beta**step) / (1 - alpha**step)
        new = x - pt.where(step > 0, corrected, rate) * m / (pt.sqrt(v) + epsilon)
        rows.append(((1 - norm_coefficient_post) * new, m, v))
    return _ungrouped(rows)


@node("Momentum")
def _momentum(
    rate: Any, step: Any, *operands: Any, alpha: float, beta: float, mode: str, norm_coefficient: float
) -> tuple[Any, ...]:
    rows = []
    for x, g, v in _grouped(operands, 3):
        g = g + norm_coefficient * x
        v = alpha * v + pt.where(step > 0, beta, 1.0) * g
        rows.append((x - rate * (g + alpha * v if mode == "nesterov" else v), v))
    return _ungrouped(rows)
