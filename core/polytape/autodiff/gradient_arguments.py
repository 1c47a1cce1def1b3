"""Checks of the arguments of `GradientTape.gradient`: targets, sources and weights."""

from __future__ import annotations

from typing import Any

from ..dtypes import COMPLEX, FLOATING
from ..errors import DTypeError, SettingError, ShapeError
from ..tensors import structure
from ..tensors.node import Node
from ..tensors.tensor import Tensor, describe, operators
from .cotangent import adapted

__all__ = ["check_seeds", "check_sources", "check_targets", "check_unconnected", "fitted"]


def check_unconnected(choice: str) -> None:
    """Check that ``unconnected_gradients`` is one of its two values."""
    if choice not in ("none", "zero"):
        raise SettingError(
            f"unconnected_gradients={choice!r} is not valid.",
            expected="'none' or 'zero'",
            got=repr(choice),
            fix="use one of these values",
        )


def check_targets(values: list[Any]) -> list[Tensor]:
    """The targets, after a check that all of them can be differentiated."""
    targets: list[Tensor] = []
    for x in values:
        if not isinstance(x, Tensor) or x.type.category < FLOATING:
            raise DTypeError(
                f"gradient cannot start at {describe(x)}.",
                expected="a tensor of a floating dtype, or a structure of such tensors",
                got=describe(x) if isinstance(x, Tensor) else type(x).__name__,
                fix="cast the target with polytape.astype(y, 'float32') inside the tape, or leave it out",
            )
        targets.append(x)
    return targets


def check_sources(sources: list[Any]) -> list[Node | None]:
    """The nodes of the sources, after a check that all of them are tensors with a floating dtype."""
    nodes: list[Node | None] = []
    for x in sources:
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"gradient cannot use {describe(x)} as a source.",
                expected="a tensor or variable, or a structure of them",
                got=type(x).__name__,
                fix="pass the tensor that was watched",
            )
        if x.type.category < FLOATING:
            raise DTypeError(
                f"there is no gradient with respect to {describe(x)}.",
                expected="sources with a floating dtype",
                got=describe(x),
                fix="leave it out, or cast it to a floating dtype before it is watched",
            )
        nodes.append(x.node)
    return nodes


def check_seeds(targets: list[Tensor], output_gradients: Any) -> list[Tensor | None] | None:
    """The weights of the targets, each in its target's shape, dtype and device; None means ones everywhere."""
    if output_gradients is None:
        for target in targets:
            if target.type.category > FLOATING:
                raise DTypeError(
                    f"gradient cannot start at {describe(target)} without a weight: it is complex.",
                    expected="a real target, or output_gradients",
                    got=describe(target),
                    fix="differentiate a real number, such as polytape.sum(polytape.abs(y)), or pass output_gradients",
                )
        return None
    weights = structure.leaves(output_gradients)
    if len(weights) != len(targets):
        raise ShapeError(
            f"{len(weights)} output gradients for {len(targets)} targets.",
            expected="output_gradients with the structure of target",
            got=f"{len(weights)} leaves",
            fix="pass one gradient (or None) per target",
        )
    return [
        None if weight is None else fitted("the output gradient", weight, target)
        for target, weight in zip(targets, weights, strict=True)
    ]


def fitted(name: str, given: Any, tensor: Tensor) -> Tensor:
    """A value that the caller gives as the gradient or the tangent of a tensor, in its dtype and on its device.

    Raises:
        ShapeError: another shape. DTypeError: a complex one for a real tensor.
    """
    value: Tensor = given if isinstance(given, Tensor) else operators.asarray(given, tensor.dtype, tensor.device)
    if value.shape != tensor.shape:
        raise ShapeError(
            f"{name} {describe(value)} does not fit {describe(tensor)}.",
            expected=f"shape {tensor.shape}",
            got=f"shape {value.shape}",
            fix="reshape it to the shape of its tensor",
        )
    if value.type.category == COMPLEX and tensor.type.category < COMPLEX:
        raise DTypeError(
            f"{name} {describe(value)} does not fit {describe(tensor)}.",
            expected="a real one, as the tensor is real",
            got=value.dtype.name,
            fix="pass polytape.real(...) of it",
        )
    return adapted(value, tensor.type)
