"""Moves between devices: recorded on tapes, where the gradient is moved back, and in traces, as equations."""

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
from .rejections import leaked_symbol

__all__ = ["copied", "record_transfer", "traced_transfer", "transfer"]


def copied(array: Any, source: TensorType, target: TensorType) -> Any:
    """A native array of type ``source``, copied to the device of ``target``."""
    if source.backend is target.backend:
        return target.backend.copy(array, target.device)
    return target.backend.from_host(source.backend.to_host(array), target.device)


class Copy:
    """What runs an equation that moves a tensor: `copied`, for these types."""

    __slots__ = ("source", "target")

    def __init__(self, source: TensorType, target: TensorType) -> None:
        self.source = source
        self.target = target

    def __call__(self, array: Any) -> Any:
        """Copy the array."""
        return copied(array, self.source, self.target)


def _gradient(g: Tensor, source: Any) -> Tensor:
    moved: Tensor = operators.to_device(g, source)
    return moved


def _unchanged(x: Any) -> Any:
    return x


def _body(x: Tensor, *, device: Any, source: Any = None) -> Tensor:
    """Move a tensor between devices; in records of tapes and in graphs, this is `Tensor.to_device`."""
    moved: Tensor = operators.to_device(x, device)
    return moved


def _declare() -> Op:
    op = Op("to_device", _body, ("x", "device", "source"), ("x",), 1)
    op.dtype_rule = op.shape_rule = _unchanged
    op.creates = False
    op.elementwise = True
    op.rules.append(make_rule(op, ("x",), _gradient, ("g", "source"), 2))
    return op


transfer: Final = _declare()


def traced_transfer(trace: Any, x: Tensor, target: TensorType) -> Any:
    """The symbol of ``x`` on another device; the trace gets an equation that copies it.

    Raises:
        TraceError: ``x`` is a symbol of a trace that has ended.
    """
    if trace is None:
        raise leaked_symbol("to_device", [x])
    resolution = Resolution(Copy(x.type, target), None, (x.type,), (target,), (), "kernel")
    (symbol,) = trace.emit(transfer, resolution, [x], [x], {"device": target.device})
    return symbol


def record_transfer(x: Tensor, array: Any, target: TensorType) -> Tensor:
    """The moved tensor, recorded on the tapes that follow ``x``."""
    scope = current_scope.get()
    tapes = active_tapes(x, scope)
    node: Node | None = None
    if tapes:
        resolution = Resolution(None, None, (x.type,), (target,), (), "kernel")
        attributes = {"device": target.device, "source": x.type.device}
        node = record(transfer, resolution, plan_of(transfer, 1, 1), tapes, (x.node,), (x.array,), attributes, array)
    return wrap(array, target, node)
