"""The ops, a module per family; importing this package declares them and binds Tensor's operators."""

from __future__ import annotations

from typing import Any, cast

from ..dispatch import convert
from ..registry import tables
from ..tensors.tensor import Tensor, operators
from . import creation, elementwise, indexing, linalg, logic, manipulation, reduction

__all__ = [
    "creation",
    "elementwise",
    "indexing",
    "linalg",
    "logic",
    "manipulation",
    "reduction",
]


def _bind() -> None:
    # The compiled ring needs the exact classes; checkers see declared ops as protocols.
    for family, names in (
        (
            elementwise,
            "add subtract multiply divide power negative abs",
        ),
        (
            logic,
            "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not",
        ),
        (linalg, "matmul"),
        (reduction, "sum"),
        (manipulation, "reshape broadcast_to identity stop_gradient astype"),
    ):
        for name in names.split():
            setattr(operators, name, cast("Any", getattr(family, name)))
    operators.concat = manipulation.concat
    operators.getitem = indexing.index
    operators.setitem = indexing.setitem
    operators.transpose = linalg.matrix_transpose
    # mypyc 2.4 leaves the slot behind operator.index() empty; assigning the method fills it.
    setattr(Tensor, "__index__", Tensor.__dict__["__index__"])  # noqa: B010  # a checker refuses the plain assignment
    operators.to_device = convert.to_device
    operators.asarray = convert.asarray


def _declare_the_rest() -> None:
    # What few programs need before they compute anything: 1 ms less at import.
    from . import nn, optim, random  # noqa: F401  # importing declares


_bind()
tables.declare_later(_declare_the_rest)
