"""The completeness check of ops: each has a row, a gradient or a reason for none, documentation, and a listed name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, Final

from ..ops.documentation import complete, sections
from ..registry import tables
from .case import Case

__all__ = ["incomplete_ops", "own_ops"]

SECTIONS: Final = ("Args", "Returns", "Source")


def own_ops() -> dict[str, Any]:
    """The ops that polytape itself declares, by name."""
    return {name: op for name, op in tables.ops().items() if op.module.startswith("polytape.ops.")}


def incomplete_ops(ops: dict[str, Any], cases: Iterable[Case]) -> list[str]:
    """What the ops lack, one line per item, which begins with the name of the op.

    Args:
        ops: the ops to check, by name.
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
            missing.append(f"{name}: no smooth sample in float64 for its gradient, and no reason for that (gradient=)")
        if op.primitive and op.operands and not op.rules and not op.no_gradient:
            missing.append(f"{name}: neither a gradient rule nor a reason why it has none (no_gradient=)")
        documented = sections(op.__doc__ or "")
        if "Raises" in documented and not all(case.errors for case in own):
            missing.append(f"{name}: its docstring lists errors, but its row has no error sample (errors=)")
        absent = [section for section in SECTIONS if section not in documented]
        if absent:
            missing.append(f"{name}: its docstring lacks {', '.join(absent)}, and its rules do not state them")
        repeated = _repeated(op)
        if repeated:
            missing.append(f"{name}: its docstring repeats what its rules state: {', '.join(repeated)}")
        listed = _is_listed(op)
        if not listed and not op.internal:
            missing.append(f"{name}: neither in its module's __all__ nor internal (internal= says how users reach it)")
        if listed and op.internal:
            missing.append(f"{name}: internal, but in its module's __all__")
    return missing


def _differentiates(case: Case) -> bool:
    """Whether the gradient check runs for a sample of the row."""
    return any(sample.smooth and "float64" in sample.dtypes() for sample in case.samples)


def _is_listed(op: Any) -> bool:
    """Whether the module that declares the op lists it in ``__all__``."""
    return op.name in getattr(importlib.import_module(op.module), "__all__", ())


def _repeated(op: Any) -> list[str]:
    """The sections of a declaration's docstring that are equal to the generated ones."""
    declared = sections(op.body.__doc__ or "")
    generated = sections(complete(op, {}) or "")
    return [title for title in (*SECTIONS, "Raises") if title in declared and declared[title] == generated.get(title)]
