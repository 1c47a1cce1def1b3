"""A kernel as an expression: what `Kernel(specialise=...)` gives for operands of known shapes."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Expression"]


class Expression(NamedTuple):
    """What a kernel computes for operands of known shapes and dtypes, and known attributes, as a Python expression.

    A traced function has it in the place of the call, so no Python function is called.

    Attributes:
        text: the expression; ``{0}``, ``{1}`` are the operands, which are names, and ``{name}`` the value ``name``.
        values: by name.

    Example:
        >>> import polytape as pt
        >>> pt.backend.Expression("{0}.dot({1}) / {count}", {"count": 3})
        Expression(text='{0}.dot({1}) / {count}', values={'count': 3})
    """

    text: str
    values: dict[str, Any] = {}  # noqa: RUF012  # nothing changes it
