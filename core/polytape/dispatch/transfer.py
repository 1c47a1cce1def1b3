"""Recording a move between devices, whose gradient is moved back."""

from __future__ import annotations

from typing import Any, Final

from ..autodiff.gradient_plan import plan_of
from ..autodiff.record import active_tapes, record, wrap
from ..registry.op import Op, make_rule
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..tensors.node import Node
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor, operators

__all__ = ["record_transfer"]


def _gradient(g: Tensor, source: Any) -> Tensor:
    moved: Tensor = operators.to_device(g, source)
    return moved


def _unchanged(x: Any) -> Any:
    return x


def _body(x: Tensor, *, source: Any) -> Tensor:
    """Move a tensor between devices. The op only appears in records of `Tensor.to_device`; it is never called."""
    return x


def _declare() -> Op:
    op = Op("to_device", _body, ("x", "source"), ("x",), 1)
    op.dtype_rule = op.shape_rule = _unchanged
    op.elementwise = True
    op.rules.append(make_rule(op, ("x",), _gradient, ("g", "source"), 2))
    return op


_transfer: Final = _declare()


def record_transfer(x: Tensor, array: Any, target: TensorType) -> Tensor:
    """The moved tensor, recorded on the tapes that follow ``x``."""
    scope = current_scope.get()
    tapes = active_tapes(x, scope)
    node: Node | None = None
    if tapes:
        resolution = Resolution(None, None, (x.type,), (target,), (), "kernel")
        attributes = {"source": x.type.device}
        node = record(_transfer, resolution, plan_of(_transfer, 1, 1), tapes, (x.node,), (x.array,), attributes, array)
    return wrap(array, target, node)
