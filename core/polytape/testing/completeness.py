"""Whether every op is complete: a row, a gradient or a reason, documentation, and where it is public its name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, Final

from ..registry import tables
from .case import Case

__all__ = ["incomplete_ops", "own_ops"]

SECTIONS: Final = ("Args:", "Returns:", "Raises:", "Source:")

# Ops that users reach in another way than by name.
INTERNAL: Final = {
    "adam_update": "polytape.optim.Adam",
    "getitem": "x[key]",
    "random_integers": "polytape.random.integers",
    "random_normal": "polytape.random.normal",
    "random_uniform": "polytape.random.uniform",
    "scatter_add": "the gradient of x[key]",
    "setitem": "x[key] = value",
    "sgd_update": "polytape.optim.SGD",
    "softmax_cross_entropy_gradient": "the gradient of the cross entropy",
    "vdot": "the gradient of products",
}


def own_ops() -> dict[str, Any]:
    """The ops that polytape itself declares, by name."""
    return {name: op for name, op in tables.ops().items() if op.__module__.startswith("polytape.ops.")}


def incomplete_ops(ops: dict[str, Any], cases: Iterable[Case]) -> list[str]:
    """What is missing, one line for each thing, beginning with the op's name.

    Args:
        ops: the ops to look at, by name.
        cases: the rows.
    """
    rows: dict[str, list[Case]] = {}
    for case in cases:
        rows.setdefault(case.op.name, []).append(case)
    missing = []
    for name, op in ops.items():
        own = rows.get(name, [])
        if len(own) != 1:
            missing.append(f"{name}: {len(own)} rows in polytape/testing/cases, expected one")
        if op.operands and not all(case.gradient or _differentiates(case) for case in own):
            missing.append(f"{name}: no smooth sample in float64 for its gradient, nor a reason (gradient=)")
        if op.primitive and op.operands and not op.rules and not op.no_gradient:
            missing.append(f"{name}: neither a gradient rule nor a reason why it has none (no_gradient=)")
        if (
            "Raises:" in (op.__doc__ or "")
            and "Nothing of its own" not in op.__doc__
            and not all(case.errors for case in own)
        ):
            missing.append(f"{name}: its docstring names errors, its row has no sample of any (errors=)")
        absent = [section for section in SECTIONS if section not in (op.__doc__ or "")]
        if absent:
            missing.append(f"{name}: its docstring lacks {', '.join(absent)}")
        if name not in INTERNAL and _is_listed(op) and not _is_public(name):
            missing.append(f"{name}: in its module's __all__, but in that of neither polytape nor polytape.nn")
    return missing


def _differentiates(case: Case) -> bool:
    return any(one.smooth and "float64" in one.dtypes() for one in case.samples)


def _is_listed(op: Any) -> bool:
    """Whether the module that declares an op offers it to users."""
    return op.name in getattr(importlib.import_module(op.__module__), "__all__", ())


def _is_public(name: str) -> bool:
    for namespace in ("polytape", "polytape.nn"):
        module = importlib.import_module(namespace)
        if name in module.__all__ and callable(getattr(module, name)):
            return True
    return False
