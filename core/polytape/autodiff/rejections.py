"""Errors of tapes. `tape` imports this module when one is raised."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError, TapeError
from ..tensors.tensor import describe

__all__ = ["already_recording", "not_a_tensor", "not_differentiable", "spent"]


def already_recording() -> TapeError:
    """The error for a second ``with`` on an open tape."""
    return TapeError(
        "this GradientTape is already recording.",
        expected="a tape that is not open",
        got="a second `with` on an open tape",
        fix="create a new GradientTape for the inner block",
    )


def spent() -> TapeError:
    """The error for a second use of a tape that is not persistent."""
    return TapeError(
        "this GradientTape has already been used.",
        expected="one call of gradient on a tape that is not persistent",
        got="a second use",
        fix="create it with GradientTape(persistent=True), or compute all gradients in one call with a list of sources",
    )


def not_a_tensor(x: Any) -> DTypeError:
    """The error for watching what is no tensor."""
    return DTypeError(
        f"GradientTape.watch cannot follow {describe(x)}.",
        expected="a tensor, or a list, tuple or dict of tensors",
        got=type(x).__name__,
        fix="convert it with polytape.asarray first",
    )


def not_differentiable(x: Any) -> DTypeError:
    """The error for watching integers or bools."""
    return DTypeError(
        f"GradientTape.watch cannot follow {describe(x)}: it has no gradient.",
        expected="a tensor of a floating dtype, real or complex",
        got=describe(x),
        fix="cast it with polytape.astype(x, 'float32') before watching it",
    )
