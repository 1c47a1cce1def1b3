"""The ops that Tensor's operators and the backward pass call, bound when the first backend loads.

The modules of the ring cannot import the declarations of ops; they call them through this object only.
"""

from __future__ import annotations

from typing import Any, Final

from ..registry.op import Binary, ItemAccess, Unary

__all__ = ["operators"]


class Operators:
    """The ops behind Tensor's operators and methods; `polytape.ops.families.bind` sets them."""

    def __init__(self) -> None:
        self.add: Binary
        self.subtract: Binary
        self.multiply: Binary
        self.divide: Binary
        self.power: Binary
        self.matmul: Binary
        self.equal: Binary
        self.not_equal: Binary
        self.less: Binary
        self.less_equal: Binary
        self.greater: Binary
        self.greater_equal: Binary
        self.negative: Unary
        self.abs: Unary
        self.sum: Unary
        self.reshape: Unary
        self.identity: Unary
        self.stop_gradient: Unary
        self.astype: Unary
        self.broadcast_to: Unary
        self.concat: Any = None
        self.items: ItemAccess
        self.getitem: Any = None
        self.setitem: Any = None
        self.transpose: Any = None
        self.to_device: Any = None
        self.asarray: Any = None
        self.real: Any = None


operators: Final = Operators()
