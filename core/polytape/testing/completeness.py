"""Whether every op is complete: a row, a gradient or a reason, documentation, and where it is public its name."""

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
        documented = sections(op.__doc__ or "")
        if "Raises" in documented and not all(case.errors for case in own):
            missing.append(f"{name}: its docstring names errors, its row has no sample of any (errors=)")
        absent = [section for section in SECTIONS if section not in documented]
        if absent:
            missing.append(f"{name}: its docstring lacks {', '.join(absent)}, and its rules do not state them")
        repeated = _repeated(op)
        if repeated:
            missing.append(f"{name}: its docstring repeats what its rules state: {', '.join(repeated)}")
        listed = _is_listed(op)
        if not listed and not op.internal:
            missing.append(f"{name}: neither in its module's __all__ nor internal (internal= how users reach it)")
        if listed and op.internal:
            missing.append(f"{name}: internal, yet in its module's __all__")
    return missing


def _differentiates(case: Case) -> bool:
    return any(one.smooth and "float64" in one.dtypes() for one in case.samples)


def _is_listed(op: Any) -> bool:
    """Whether the module that declares an op lists it among its public names."""
    return op.name in getattr(importlib.import_module(op.module), "__all__", ())


def _repeated(op: Any) -> list[str]:
    """Sections of a declaration's docstring that would be generated with the same text."""
    written = sections(op.body.__doc__ or "")
    made = sections(complete(op, {}) or "")
    return [name for name in (*SECTIONS, "Raises") if name in written and written[name] == made.get(name)]
