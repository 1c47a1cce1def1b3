"""The record of a move between devices: its gradient moves back."""

from __future__ import annotations

from typing import Any, Final

from . import convert
from .context import current_scope
from .dispatch import GeneralOp
from .entry import Entry
from .kinds import Kind
from .node import Node
from .record import active_tapes, record, wrap
from .tensor import Tensor

__all__ = ["record_transfer"]


def _rule(g: Tensor, source: Any) -> Tensor:
    return convert.to_device(g, source)


def _same(x: Any) -> Any:
    return x


def _body(x: Tensor, *, source: Any) -> Tensor:
    """Move a tensor between devices; recorded by `Tensor.to_device`, never called."""
    return x


_transfer: Final = GeneralOp(
    "to_device", _body, ("x", "source"), ("x",), {}, 1, _same, (), _same, (), None, True, False, (), True, False, (),
    False, (), "",
)  # fmt: skip


def record_transfer(x: Tensor, array: Any, target: Kind) -> Tensor:
    """The moved tensor, followed by the tapes that follow ``x``."""
    scope = current_scope.get()
    tapes = active_tapes(x, scope)
    node: Node | None = None
    if tapes:
        if not _transfer.rules:
            _transfer.rules.append(_make_rule())
        entry = Entry(None, None, (x.kind,), (target,), (), "kernel")
        attributes = {"source": x.kind.device}
        node = record(_transfer, entry, _transfer.plan(1, 1), tapes, (x.node,), (x.array,), attributes, array)
    return wrap(array, target, node)


def _make_rule() -> Any:
    from .plan import make_rule

    return make_rule(_transfer, ("x",), _rule, ("g", "source"), 2)
