"""List the primitives that a backend has no kernel for, and the ops whose definitions need each of them.

With --program, the primitives that the program needs come first, with the number of calls: the program runs on numpy,
where every op that the backend has no kernel for is run as its definition. What it prints goes to standard error.
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
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from .. import plugins
from ..backend import Backend, Kernel
from ..errors import SettingError
from ..registry import tables
from ..registry.kernel_checks import kernel_signature
from ..registry.op import Op
from ..settings import change_settings
from .modules import add_modules, import_modules

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("backend", metavar="BACKEND", help="name of the backend")
    add_modules(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--program",
        metavar=("FILE", "ARGUMENT"),
        nargs=argparse.REMAINDER,
        help="a Python program whose needs come first, with its arguments; must be the last option",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return 1 if the program failed."""
    program = arguments.program
    if program is not None and not (program and os.path.isfile(program[0])):
        raise SettingError(
            f"--program {' '.join(program)}: there is no such file.",
            expected="a Python program",
            got=repr(" ".join(program[:1])),
            fix="correct its path",
        )
    import_modules(arguments.module)
    backend = plugins.get_backend(arguments.backend)
    ops = tables.ops()
    served = {name for name, op in ops.items() if _serves(backend, op)}
    primitives = [name for name, op in ops.items() if op.primitive]
    missing = [name for name in primitives if name not in served]
    calls: Counter[str] = Counter()
    failure = ""
    needs: dict[str, set[str]] = {}
    if missing:
        _decompose_on_host(served, calls)
        needs = _needs(served, calls)
        calls.clear()
        failure = "" if program is None else _run_program(program)
    entries = [_entry(ops[name], needs, None if program is None else calls[name]) for name in missing]
    entries.sort(key=lambda entry: (-(entry["calls"] or 0), -len(entry["unlocks"]), entry["op"]))
    facts = {"backend": backend.name, "primitives": len(primitives), "missing": entries, "program_error": failure}
    print(json.dumps(facts, indent=2) if arguments.json else _text(facts))
    return int(failure != "")


def _entry(op: Op, needs: dict[str, set[str]], calls: int | None) -> dict[str, Any]:
    """What is said about one missing primitive, as JSON values.

    ``unlocks`` lists the ops that need it, ``alone`` those that need no other missing primitive.
    """
    return {
        "op": op.name,
        "kernel": f"{op.name}{kernel_signature(op)}",
        "summary": (op.__doc__ or "").strip().partition("\n")[0],
        "calls": calls,
        "unlocks": sorted(name for name, needed in needs.items() if op.name in needed),
        "alone": sorted(name for name, needed in needs.items() if needed == {op.name}),
    }


def _serves(backend: Backend, op: Op) -> bool:
    return any(tables.kernels_of(member.name, op.name) for member in backend.chain())


# --- Running ops as the backend would ---


def _decompose_on_host(served: set[str], calls: Counter[str]) -> None:
    """Change the host backend of this process so that it shows what the backend needs.

    Ops that are not primitives and that the backend does not serve lose their kernels, so that their bodies run; the
    primitives that it does not serve count their calls.
    """
    host = plugins.host_backend().name
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


def _needs(served: set[str], calls: Counter[str]) -> dict[str, set[str]]:
    """Op without a kernel -> the missing primitives that its body needs, found by running the kit's samples."""
    from ..testing.calls import calls as samples, device_of, run as run_sample
    from ..testing.cases import CASES

    host = plugins.host_backend().name
    needs: dict[str, set[str]] = {}
    for case in CASES:
        if case.op.primitive or case.op.name in served:
            continue
        calls.clear()
        for sample, _, arrays, _ in samples(case, host):
            if sample.layout:
                continue  # laying out its operands takes ops that the body does not need
            # A sample that fails is the kit's to report, and so is a warning about its special values.
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run_sample(case, sample, arrays, device_of(host))
        needs[case.op.name] = set(calls)
    return needs


def _run_program(words: list[str]) -> str:
    """Run the program, a file and its arguments, on the host; return why it failed, or "" if it did not."""
    file = words[0]
    os.environ.setdefault("POLYTAPE_BACKEND", plugins.host_backend().name)
    # A program that names the backend itself runs there; what that cannot do then comes to the host and is counted.
    change_settings(fallback="allow")
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


def _text(facts: dict[str, Any]) -> str:
    missing, total = facts["missing"], facts["primitives"]
    lines = [f"{facts['backend']} has kernels for {total - len(missing)} of {total} primitives."]
    if missing:
        lines += ["It has none for these; first those that are needed most:", ""]
    for entry in missing:
        calls = f"  ({entry['calls']} calls)" if entry["calls"] else ""
        lines += [f"{entry['kernel']}{calls}", f"    {entry['summary']}"]
        count = len(entry["unlocks"])
        texts = [f"needed by {count} op{'s' * (count > 1)}: {', '.join(entry['unlocks'])}"] if count else []
        texts += [f"nothing else is missing for {', '.join(entry['alone'])}"] if entry["alone"] else []
        for text in texts:
            lines += textwrap.wrap(text, 110, initial_indent="    ", subsequent_indent="    ")
    if facts["program_error"]:
        lines += ["", facts["program_error"]]
    return "\n".join(lines)
