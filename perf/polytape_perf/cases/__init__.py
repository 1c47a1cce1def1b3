"""What is measured: cases, in families; a call on one device each, whose result is checked first.

A case uses the public API of polytape, so that it runs on older commits too; those of `kernels` also use the kit. A
worker repeats the call until about a millisecond has passed. The gate runs the panel, one or two cases of each family;
`polytape perf record` and asv run all of them.

============ =====================================================================================
case         what a case is
start        import, discovery and first results, each in a fresh process
plugins      registration and resolution
dispatch     what surrounds a kernel, layer by layer
tape         derivatives, and backward passes of ops
ops          ops as calls: the panel's view of the kernels
kernels      every kernel of every backend at three sizes, with the operands of `operands`
optim        steps of the optimizers
training     training steps, eager and traced, and tracing itself; their programs are in `workloads`
state        checkpoints, transfers, data pipelines
memory       taped steps whose peak memory is known by hand
tensorflow   TensorFlow's own eager microbenchmarks
============ =====================================================================================
"""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Final

from . import dispatch, memory, ops, optim, plugins, start, state, tape, tensorflow, training
from .case import Case, Skipped

__all__ = ["CASES", "Case", "Skipped", "by_family", "every", "known", "selected"]

CASES: Final[tuple[Case, ...]] = (
    *start.CASES, *plugins.CASES, *dispatch.CASES, *tape.CASES, *ops.CASES, *optim.CASES, *training.CASES,
    *state.CASES, *memory.CASES, *tensorflow.CASES,
)  # fmt: skip
PANEL: Final = "panel"


def known(file: str = "") -> list[Case]:
    """The cases but for those of single kernels; then those of a file, whose ``CASES`` lists pairs of a name and what
    makes the call. Cases of a file belong to the panel.

    Raises:
        ValueError: the file has no such list, or a name of another case.
    """
    if not file:
        return list(CASES)
    more = [Case(*case)._replace(panel=True) for case in runpy.run_path(file).get("CASES", ())]
    names = [case.name for case in (*CASES, *more)]
    if not more or len({*names}) < len(names):
        raise ValueError(f"{file} needs a list CASES of pairs (name, make), with names of its own")
    return [*CASES, *more]


def every(file: str = "") -> list[Case]:
    """All cases. Those of single kernels load the kit and all backends, which takes a second."""
    kernels = importlib.import_module(f"{__name__}.kernels")
    return [*known(file), *kernels.CASES]


def by_family(cases: Iterable[Case]) -> dict[str, dict[str, Case]]:
    """Family -> the rest of the name -> case."""
    found: dict[str, dict[str, Case]] = {}
    for case in cases:
        family, _, name = case.name.partition("/")
        found.setdefault(family, {})[name] = case
    return found


def selected(patterns: str, file: str = "") -> list[Case]:
    """The cases whose names match one of these patterns, separated by commas: a family or a case, ``*`` for any, or
    ``panel`` for the gate's.
    """
    wanted = patterns.split(",")
    panel = [case for case in known(file) if case.panel]
    if wanted == [PANEL]:
        return panel
    return [
        case
        for case in every(file)
        if any(fnmatch(case.name, p) or case.name.startswith(f"{p}/") or (p == PANEL and case.panel) for p in wanted)
    ]
