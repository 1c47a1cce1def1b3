"""The operators of a graph's tensors and variables, as recorded calls."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from ....ops.logic import logical_and, logical_not, logical_or
from ....ops.predicates import logical_xor
from ..convert import divisible, logical, powers, same, tensor
from .recording import record
from .tensors import GraphTensor

__all__ = ["operate"]


def _logical(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: function(logical(x), logical(y))


def _prepared(function: Callable[[Any, Any], Any], prepare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: function(*prepare(x, y))


def _items(x: Any, key: Any) -> Any:
    return tensor(x)[key]


# By method: TensorFlow's type and name of the operation, and what computes it.
_TABLE: Final[dict[str, tuple[str, str, Callable[..., Any]]]] = {
    "add": ("Add", "add", _prepared(operator.add, same)),
    "sub": ("Sub", "sub", _prepared(operator.sub, same)),
    "mul": ("Mul", "mul", _prepared(operator.mul, same)),
    "truediv": ("RealDiv", "truediv", _prepared(operator.truediv, divisible)),
    "floordiv": ("FloorDiv", "floordiv", _prepared(operator.floordiv, same)),
    "mod": ("FloorMod", "mod", _prepared(operator.mod, same)),
    "pow": ("Pow", "pow", _prepared(operator.pow, powers)),
    "matmul": ("MatMul", "matmul", _prepared(operator.matmul, same)),
    "and": ("LogicalAnd", "and", _logical(logical_and)),
    "or": ("LogicalOr", "or", _logical(logical_or)),
    "xor": ("LogicalAnd", "xor", _logical(logical_xor)),
    "lt": ("Less", "Less", _prepared(operator.lt, same)),
    "le": ("LessEqual", "LessEqual", _prepared(operator.le, same)),
    "gt": ("Greater", "Greater", _prepared(operator.gt, same)),
    "ge": ("GreaterEqual", "GreaterEqual", _prepared(operator.ge, same)),
    "neg": ("Neg", "Neg", lambda x: -tensor(x)),
    "abs": ("Abs", "Abs", lambda x: abs(tensor(x))),
    "invert": ("LogicalNot", "LogicalNot", lambda x: logical_not(logical(x))),
    "getitem": ("StridedSlice", "strided_slice", _items),
}


def operate(name: str, *operands: Any) -> Any:
    """The result of an operator, such as ``add``, on tensors or variables of a graph."""
    type, label, function = _TABLE[name]
    return record(lambda given: function(*given), list(operands), type, label)


def _operation(name: str) -> Callable[..., Any]:
    return lambda *operands: operate(name, *operands)


GraphTensor.operate.update({name: _operation(name) for name in _TABLE})
