"""What `GradientTape.gradient` is asked for: targets, sources and weights, checked."""

from __future__ import annotations

from typing import Any

from ..dtypes import FLOATING
from ..errors import DTypeError, SettingError, ShapeError
from ..tensors import structure
from ..tensors.node import Node
from ..tensors.tensor import Tensor, describe, operators
from .cotangent import adapted

__all__ = ["check_seeds", "check_sources", "check_targets", "check_unconnected"]


def check_unconnected(choice: str) -> None:
    """Whether ``unconnected_gradients`` is one of its two values."""
    if choice not in ("none", "zero"):
        raise SettingError(
            f"unconnected_gradients={choice!r} is not understood.",
            expected="'none' or 'zero'",
            got=repr(choice),
            fix="use one of these",
        )


def check_targets(given: list[Any]) -> list[Tensor]:
    """The targets, all of which can be differentiated."""
    targets: list[Tensor] = []
    for x in given:
        if not isinstance(x, Tensor) or x.type.category != FLOATING:
            raise DTypeError(
                f"gradient cannot start at {describe(x)}.",
                expected="a tensor of a real floating dtype, or a structure of such tensors",
                got=describe(x) if isinstance(x, Tensor) else type(x).__name__,
                fix="cast the target with polytape.astype(y, 'float32') inside the tape, or leave it out",
            )
        targets.append(x)
    return targets


def check_sources(sources: list[Any]) -> list[Node | None]:
    """The nodes of the sources, all of which are tensors."""
    nodes: list[Node | None] = []
    for x in sources:
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"gradient has no source {describe(x)}.",
                expected="a tensor or variable, or a structure of them",
                got=type(x).__name__,
                fix="pass the tensor that was watched",
            )
        nodes.append(x.node)
    return nodes


def check_seeds(targets: list[Tensor], output_gradients: Any) -> list[Tensor | None] | None:
    """The weights of the targets, each of its target's shape, dtype and device; None for ones everywhere."""
    if output_gradients is None:
        return None
    given = structure.leaves(output_gradients)
    if len(given) != len(targets):
        raise ShapeError(
            f"{len(given)} output gradients for {len(targets)} targets.",
            expected="output_gradients with the structure of target",
            got=f"{len(given)} leaves",
            fix="pass one gradient (or None) per target",
        )
    seeds: list[Tensor | None] = []
    for target, seed in zip(targets, given, strict=True):
        if seed is None:
            seeds.append(None)
            continue
        tensor: Tensor = seed if isinstance(seed, Tensor) else operators.asarray(seed, target.dtype, target.device)
        if tensor.shape != target.shape:
            raise ShapeError(
                f"an output gradient {describe(tensor)} for the target {describe(target)}.",
                expected=f"shape {target.shape}",
                got=f"shape {tensor.shape}",
                fix="reshape it, or leave it out for ones",
            )
        seeds.append(adapted(tensor, target.type))
    return seeds
