"""`GradientTape.jacobian` and `batch_jacobian`, which load with their first use."""

from __future__ import annotations

from typing import Any

from ..tensors import structure
from ..tensors.tensor import Tensor
from .backward import release
from .gradient_arguments import check_sources, check_targets, check_unconnected
from .matrices import batch_rows, connected_rows, zeros
from .ordering import belongs, reach
from .tape import GradientTape

__all__ = ["by_example", "of_tape"]


def of_tape(tape: GradientTape, target: Any, sources: Any, unconnected: str, chunk_size: int | None) -> Any:
    """What `GradientTape.jacobian` returns."""
    check_unconnected(unconnected)
    targets = check_targets(structure.leaves(target))
    flat = [sources] if isinstance(sources, Tensor) else structure.leaves(sources)
    check_sources(flat)
    try:
        found = connected_rows(tape, targets, flat, False, chunk_size)
    finally:
        _spend(tape, targets)
    if unconnected == "zero":
        found = [
            [zeros(y, x) if part is None else part for part, x in zip(row, flat, strict=True)]
            for y, row in zip(targets, found, strict=True)
        ]
    parts = [row[0] if isinstance(sources, Tensor) else structure.rebuild(sources, row) for row in found]
    return parts[0] if isinstance(target, Tensor) else structure.rebuild(target, parts)


def by_example(tape: GradientTape, target: Any, source: Any, unconnected: str, chunk_size: int | None) -> Tensor | None:
    """What `GradientTape.batch_jacobian` returns."""
    check_unconnected(unconnected)
    check_sources([source])
    try:
        part = batch_rows(tape, target, source, chunk_size)
    finally:
        _spend(tape, [target])
    return zeros(target, source, 1) if part is None and unconnected == "zero" else part


def _spend(tape: GradientTape, targets: list[Tensor]) -> None:
    """End the use of a tape that is not persistent, and free its records."""
    if tape.persistent:
        return
    tape.spent = True
    for node in reach(tape, [x.node for x in targets if x.node is not None and belongs(tape, x.node)]):
        if tape in node.tapes:
            release(node)
    tape.leaves = {}
    tape.variables = {}
