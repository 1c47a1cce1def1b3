"""The ops that Tensor's operators and the backward pass call, bound once at import.

The ring is compiled below the declarations of ops: this is the one place where it gets hold of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..dispatch.fast_path import BinaryOp, UnaryOp

__all__ = ["operators"]


class Operators:
    """The ops behind Tensor's operators and methods; `polytape.ops` binds them once, at import."""

    def __init__(self) -> None:
        self.add: BinaryOp
        self.subtract: BinaryOp
        self.multiply: BinaryOp
        self.divide: BinaryOp
        self.power: BinaryOp
        self.matmul: BinaryOp
        self.equal: BinaryOp
        self.not_equal: BinaryOp
        self.less: BinaryOp
        self.less_equal: BinaryOp
        self.greater: BinaryOp
        self.greater_equal: BinaryOp
        self.logical_and: BinaryOp
        self.logical_or: BinaryOp
        self.negative: UnaryOp
        self.abs: UnaryOp
        self.logical_not: UnaryOp
        self.sum: UnaryOp
        self.reshape: UnaryOp
        self.identity: UnaryOp
        self.stop_gradient: UnaryOp
        self.astype: UnaryOp
        self.broadcast_to: UnaryOp
        self.concat: Any = None
        self.getitem: Any = None
        self.setitem: Any = None
        self.transpose: Any = None
        self.to_device: Any = None
        self.asarray: Any = None


operators: Final = Operators()
