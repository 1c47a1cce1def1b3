"""What the module's linear algebra rejects, as polytape's error."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from polytape.errors import LinAlgError

__all__ = ["reporting"]

_INVERTIBLE: Final = (
    "matrices that are not singular",
    "add a small multiple of the identity, or use polytape.linalg.pinv",
)
# What an op expects of its operands beside finite numbers, and what to do about it.
_ADVICE: Final = {
    "cholesky": ("Hermitian positive definite matrices", "add a small multiple of the identity, or use eigh"),
    **dict.fromkeys(("inv", "solve", "solve_triangular"), _INVERTIBLE),
}


def reporting(xp: Any, op: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, whose LinAlgError becomes polytape's; wrong shapes are left to the op's shape rule."""
    rejected = xp.linalg.LinAlgError

    @functools.wraps(fn)
    def call(*arrays: Any, **attributes: Any) -> Any:
        try:
            return fn(*arrays, **attributes)
        except rejected as error:
            text = str(error)
            if "dimensional" in text or "square" in text:
                raise ValueError(text) from None
            reason = text.rstrip(".") if text[:2].isupper() else text[:1].lower() + text[1:].rstrip(".")
            expected, fix = _ADVICE.get(op, ("finite numbers", "look for NaN and infinity with polytape.isfinite"))
            raise LinAlgError(
                f"{op} failed: {reason}.",
                expected=expected,
                got=f"operands of shape {', '.join(str(x.shape) for x in arrays)}",
                fix=fix,
            ) from None

    return call
