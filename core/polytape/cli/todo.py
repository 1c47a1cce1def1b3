"""List the primitives that a backend has no kernel for, and the ops whose definitions need each of them.

With a program, that runs on the backend first, and the ops that it needs are ranked by the time that a kernel would
save at most: that spent in their definitions, on the host, or in casts. What it prints goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import functools
import json
import os
import runpy
import sys
import textwrap
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from .. import plugins
from ..backend import Backend, Kernel
from ..errors import SettingError
from ..registry import tables
from ..registry.kernel_checks import kernel_signature
from ..registry.op import Op
from ..settings import change_settings
from .modules import add_modules, import_modules
from .timing import Spent, timed

__all__ = ["add_arguments", "run", "text"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("backend", metavar="BACKEND", help="name of the backend")
    parser.add_argument("file", metavar="PROGRAM", nargs="?", help="a Python program whose needs come first")
    add_modules(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--program",
        metavar=("FILE", "ARGUMENT"),
        nargs=argparse.REMAINDER,
        help="the same, for a program with arguments; must be the last option",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return 1 if the program failed."""
    program = arguments.program if arguments.file is None else [arguments.file]
    if program is not None and not (program and os.path.isfile(program[0])):
        raise SettingError(
            f"program {' '.join(program)}: there is no such file.",
            expected="a Python program",
            got=repr(" ".join(program[:1])),
            fix="correct its path",
        )
    import_modules(arguments.module)
    backend = plugins.get_backend(arguments.backend)
    ran = None if program is None else _Run(program, backend.name)
    ops = tables.ops()
    served = {name for name, op in ops.items() if _serves(backend, op)}
    primitives = [name for name, op in ops.items() if op.primitive]
    missing = [name for name in primitives if name not in served]
    needs = _needs(served) if missing else {}
    entries = [_entry(ops[name], needs, ran) for name in missing]
    entries.sort(key=lambda entry: (-(entry["time_s"] or 0.0), -len(entry["unlocks"]), entry["op"]))
    facts: dict[str, Any] = {"backend": backend.name, "primitives": len(primitives), "missing": entries}
    if ran is not None:
        facts |= {"program_error": ran.error, "program_time_s": ran.time_s, "ranked": ran.ranked()}
    print(json.dumps(facts, indent=2) if arguments.json else text(facts))
    return int(ran is not None and ran.error != "")


def _entry(op: Op, needs: dict[str, set[str]], ran: _Run | None) -> dict[str, Any]:
    """What is said about one missing primitive, as JSON values.

    ``unlocks`` lists the ops that need it, ``alone`` those that need no other missing primitive. ``calls`` and
    ``time_s`` are those of the program, if there is one.
    """
    spent = None if ran is None else ran.spent.get(op.name, Spent("host"))
    return {
        "op": op.name,
        "kernel": f"{op.name}{kernel_signature(op)}",
        "dtypes": list(op.primitive_for),
        "summary": (op.__doc__ or "").strip().partition("\n")[0],
        "calls": None if spent is None else spent.calls,
        "time_s": None if spent is None else spent.time_s,
        "unlocks": sorted(name for name, needed in needs.items() if op.name in needed),
        "alone": sorted(name for name, needed in needs.items() if needed == {op.name}),
    }


def _serves(backend: Backend, op: Op) -> bool:
    return any(tables.kernels_of(member.name, op.name) for member in backend.chain())


# --- The needs of definitions ---


def _needs(served: set[str]) -> dict[str, set[str]]:
    """Op without a kernel -> the missing primitives that its body needs, found by running samples of the kit.

    They run on the host, where ops that the backend does not serve lose their kernels, so that their bodies run, and
    the primitives that it does not serve count their calls. Nothing else can run in this process afterwards.
    """
    from ..testing.calls import device_of, run as run_sample
    from ..testing.cases import CASES

    calls: Counter[str] = Counter()
    host = plugins.host_backend().name
    _decompose_on_host(host, served, calls)
    needs: dict[str, set[str]] = {}
    for case in CASES:
        if case.op.primitive or case.op.name in served:
            continue
        calls.clear()
        for sample, dtype in _few(case):
            # A sample that fails is the kit's to report, and so is a warning about its special values.
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run_sample(case, sample, sample.hosts(dtype), device_of(host))
        needs[case.op.name] = set(calls)
    return needs


def _few(case: Any) -> Iterator[tuple[Any, str]]:
    """Samples of a row that reach each part of the op's body: one dtype of each kind, and not the same call twice.

    For an elementwise op, shapes do not matter; laying out operands takes ops that the body does not need.
    """
    seen = set()
    for sample in case.samples:
        shapes = "" if case.op.elementwise else repr([maker.shape for maker in sample.operands])
        for dtype in sorted(sample.dtypes(), key=lambda name: "32" not in name):
            kind = dtype.rstrip("0123456789")
            key = (repr(sample.attributes), shapes, sample.smooth, kind)
            if not sample.layout and key not in seen:
                seen.add(key)
                yield sample, dtype


def _decompose_on_host(host: str, served: set[str], calls: Counter[str]) -> None:
    for name, op in tables.ops().items():
        kernels = tables.kernels_of(host, name)
        if name in served or not kernels:
            continue
        tables.remove_kernels(kernels)
        if op.primitive:
            tables.add_kernels([_counting(kernel, calls) for kernel in kernels], kernels[0].provider)


def _counting(kernel: Kernel, calls: Counter[str]) -> Kernel:
    fn: Callable[..., Any] = kernel.fn

    @functools.wraps(fn)
    def count(*arrays: Any, **attributes: Any) -> Any:
        calls[kernel.op] += 1
        return fn(*arrays, **attributes)

    counting = copy.copy(kernel)
    counting.fn = count
    return counting


# --- Running the program ---


class _Run:
    """A run of the program on the backend, with what ops without a kernel took.

    Args:
        words: the program's file and its arguments.
        backend: the backend's name.

    Attributes:
        spent: op -> the calls and the time, for ops without a kernel that the program ran.
        time_s: of the whole program.
        error: why it failed, or "" if it did not.
    """

    def __init__(self, words: list[str], backend: str) -> None:
        change_settings(backend=backend, chosen_by="polytape todo", fallback="allow")
        start = time.perf_counter()
        with timed(backend) as self.spent:
            self.error = _run_program(words)
        self.time_s = time.perf_counter() - start

    def ranked(self) -> list[dict[str, Any]]:
        """The ops by the time that a kernel for each would save at most, as JSON values."""
        entries = [
            {
                "op": name,
                "kernel": f"{name}{kernel_signature(tables.get_op(name))}",
                "how": spent.how,
                "calls": spent.calls,
                "time_s": spent.time_s,
                "share": spent.time_s / self.time_s,
            }
            for name, spent in self.spent.items()
            if spent.calls
        ]
        return sorted(entries, key=lambda entry: (-entry["time_s"], entry["op"]))


def _run_program(words: list[str]) -> str:
    """Run the program, a file and its arguments; return why it failed, or "" if it did not."""
    file = words[0]
    sys.argv = words
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    with contextlib.redirect_stdout(sys.stderr):
        try:
            runpy.run_path(file, run_name="__main__")
        except SystemExit as error:
            return "" if error.code in (None, 0) else f"{file} ended with exit status {error.code}"
        except Exception as error:
            traceback.print_exc()
            return f"{file} failed, so later calls are not counted: {type(error).__name__}: {error}"
    return ""


# --- Printing ---


_HOW: Final = {"body": "in its definition", "host": "on the host", "widened": "in a wider dtype, between casts"}
_MOST_RANKED: Final = 30


def _ranking(facts: dict[str, Any]) -> list[str]:
    """The ops that the program needs, one per line."""
    ranked = facts["ranked"]
    if not ranked:
        return [f"The program ran {facts['program_time_s']:.3g} s; all ops that it needs have kernels."]
    lines = [f"The program ran {facts['program_time_s']:.3g} s. What a kernel for each op would save at most:", ""]
    lines += [
        f"{entry['time_s']:>9.3g} s {entry['share']:>6.1%} {entry['calls']:>8} calls  {entry['kernel']}, "
        f"{_HOW[entry['how']]}"
        for entry in ranked[:_MOST_RANKED]
    ]
    lines += [f"and {len(ranked) - _MOST_RANKED} more, see --json"] if len(ranked) > _MOST_RANKED else []
    return [*lines, "", "The time of an op includes that of the ops in its definition.", ""]


def text(facts: dict[str, Any]) -> str:
    """The list for people."""
    missing, total = facts["missing"], facts["primitives"]
    lines = _ranking(facts) if "ranked" in facts else []
    lines += [f"{facts['backend']} has kernels for {total - len(missing)} of {total} primitives."]
    if missing:
        lines += ["It has none for these; first those that are needed most:", ""]
    for entry in missing:
        calls = f"  ({entry['calls']} calls)" if entry["calls"] else ""
        kinds = "" if "any" in entry["dtypes"] else f", for {' and '.join(entry['dtypes'])} dtypes"
        lines += [f"{entry['kernel']}{kinds}{calls}", f"    {entry['summary']}"]
        count = len(entry["unlocks"])
        texts = [f"needed by {count} op{'s' * (count > 1)}: {', '.join(entry['unlocks'])}"] if count else []
        texts += [f"nothing else is missing for {', '.join(entry['alone'])}"] if entry["alone"] else []
        for part in texts:
            lines += textwrap.wrap(part, 110, initial_indent="    ", subsequent_indent="    ")
    if facts.get("program_error"):
        lines += ["", facts["program_error"]]
    return "\n".join(lines)
