"""Calling an op on a flat list of operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..registry.op import Op

__all__ = ["call_op"]


def call_op(op: Op, operands: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Call an op as its declared function is called.

    Args:
        op: the op.
        operands: a tensor per operand, and per element of a sequence; None for an optional operand that is not given.
        attributes: those that the call gives.
    """
    if type(op) is Op:  # a move between devices, which runs by no kernel
        return op.run_body(list(operands), attributes)
    single = len(op.operands) - 1 if op.variadic else len(op.operands)
    arguments: list[Any] = list(operands[:single])
    keywords = dict(attributes)
    if op.variadic:
        arguments.append(list(operands[single:]))
    if op.parameters[: len(arguments)] == op.operands:
        return op(*arguments, **keywords)
    # An op whose operands are not its first parameters takes them by name.
    return op(**dict(zip(op.operands, arguments, strict=True)), **keywords)
