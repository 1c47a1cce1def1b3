"""Deterministic costs of polytape, counted instead of timed; `python asv_bench/counters.py` prints them.

- ``opcodes.*``: Python opcodes that one call runs in the files of polytape and polytape_numpy, after a warm-up.
- ``kernels.*``: kernels that one training step runs, in total and by op.
- ``modules``: the modules that `import polytape` loads in addition to those of `import numpy`.

The ring is always counted uncompiled: child processes load only sources, even if there are compiled files beside them.
Hash seeds are fixed and the caller's settings are not passed on, so the result is the same for a Python minor version.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = ["Counters", "measure"]

Counters = dict[str, Any]  # an int, or for "modules" a sorted list of names

# The first calls fill caches; only later calls are counted.
WARM_UP = 4


def measure() -> Counters:
    """All counters, each part measured in its own child process.

    Raises:
        RuntimeError: a part failed; the message has its output.
    """
    counters: Counters = {**child("opcodes"), **child("kernels")}
    added = set(child("modules", "polytape")["names"]) - set(child("modules", "numpy")["names"])
    # Loaded only in a checkout, to check for stale compiled files; an installed copy does not load it.
    counters["modules"] = sorted(added - {"polytape.buildinfo"})
    return counters


def child(*words: str) -> Counters:
    """Run one part in a fresh process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "PYTHON"))}
    if "PYTHONPATH" in os.environ:
        env["PYTHONPATH"] = os.environ["PYTHONPATH"]
    env |= {"PYTHONHASHSEED": "0", "POLYTAPE_PLUGINS": "none", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--part", *words]
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
    if result.returncode:
        raise RuntimeError(f"counting {' '.join(words)} failed:\n{result.stderr}")
    counters: Counters = json.loads(result.stdout)
    return counters


def hide_compiled_files() -> None:
    """Make imports inside polytape and its backends load only sources."""
    specs = [importlib.util.find_spec(name) for name in ("polytape", "polytape_numpy", "polytape_numba")]
    folders = [folder for spec in specs if spec is not None for folder in spec.submodule_search_locations or ()]

    def sources(path: str) -> importlib.machinery.FileFinder:
        if not any(Path(path).is_relative_to(folder) for folder in folders):
            raise ImportError(path)  # then the next path hook is tried
        return importlib.machinery.FileFinder(path, (importlib.machinery.SourceFileLoader, [".py"]))

    sys.path_hooks.insert(0, sources)
    sys.path_importer_cache.clear()


# --- the parts, each run in a child process -----------------------------------------------------------------------


def part_modules(name: str) -> Counters:
    """Names of the modules that are loaded after importing ``name``."""
    __import__(name)
    return {"names": sorted(module for module in sys.modules if module != "__main__")}


def part_opcodes() -> Counters:
    """Opcodes per call."""
    import numpy as np
    from benchmarks.workloads import Linreg

    import polytape as pt

    a = pt.asarray(np.ones(10, "f4"))
    matrix = pt.asarray(np.ones((3, 4), "f4"))
    counters = {
        "opcodes.add": steady_opcodes("add", lambda: pt.add(a, a)),
        "opcodes.add_scalar": steady_opcodes("add_scalar", lambda: a + 2.0),
        "opcodes.sum_axis": steady_opcodes("sum_axis", lambda: pt.sum(matrix, axis=0)),
        "opcodes.linreg_step": steady_opcodes("linreg_step", Linreg().step),
    }
    watched = pt.asarray(np.ones(10, "f4"))
    with pt.GradientTape() as tape:
        tape.watch(watched)
        counters["opcodes.recorded_add"] = steady_opcodes("recorded_add", lambda: pt.add(watched, a))
    mlp = mlp_or_none()
    if mlp is not None:
        gradients = mlp.gradients()
        counters["opcodes.apply_gradients"] = steady_opcodes("apply_gradients", lambda: mlp.apply(gradients))
    return counters


def part_kernels() -> Counters:
    """Kernels per training step, counted by a backend that wraps each of numpy's kernels."""
    from benchmarks.workloads import Linreg

    import polytape as pt

    ran: Counter[str] = Counter()

    def counting(kernel: pt.Kernel) -> pt.Kernel:
        def fn(*arrays: Any, **attributes: Any) -> Any:
            ran[kernel.op] += 1
            return kernel.fn(*arrays, **attributes)

        return pt.Kernel(
            kernel.op, fn, devices=kernel.devices, dtypes=kernel.dtypes, when=kernel.when, priority=kernel.priority,
            checked=kernel.checked, writes=kernel.writes,
        )  # fmt: skip

    kernels = [counting(kernel) for kernel in pt.get_backend("numpy").all_kernels()]
    counters: Counters = {}
    with pt.register_backend(pt.Backend(name="counting", extends="numpy", kernels=kernels)), pt.device("counting"):
        mlp = mlp_or_none()
        steps: dict[str, Callable[[], Any]] = {"linreg_step": Linreg().step}
        if mlp is not None:
            steps["mlp_adam_step"] = mlp.step
        for name, step in steps.items():
            for _ in range(WARM_UP):
                step()
            ran.clear()
            step()
            counters[f"kernels.{name}"] = ran.total()
            counters |= {f"kernels.{name}.{op}": count for op, count in sorted(ran.items())}
    return counters


def mlp_or_none() -> Any:
    """The MLP workload, or None if polytape has no optimizers; check_counters.py then reports missing counters."""
    from benchmarks.workloads import Mlp

    try:
        return Mlp()
    except ImportError:
        return None


def steady_opcodes(name: str, call: Callable[[], Any]) -> int:
    """Opcodes of one call after the warm-up.

    Raises:
        RuntimeError: two calls in a row run different numbers of opcodes.
    """
    for _ in range(WARM_UP):
        call()
    first, second = opcodes(call), opcodes(call)
    if first != second:
        raise RuntimeError(f"{name} is not steady after {WARM_UP} calls: {first} opcodes, then {second}")
    return first


def own_folders() -> tuple[str, ...]:
    """The folders whose opcodes are counted."""
    import polytape
    import polytape_numpy

    return tuple(str(Path(module.__file__).parent) for module in (polytape, polytape_numpy) if module.__file__)


def opcodes(call: Callable[[], Any]) -> int:
    """The number of opcodes that one call runs in polytape's own files."""
    if sys.version_info >= (3, 12):
        return opcodes_by_monitoring(call)
    own, count = own_folders(), 0

    def on_opcode(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return on_opcode

    def on_call(frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(own):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return on_opcode

    sys.settrace(on_call)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def opcodes_by_monitoring(call: Callable[[], Any]) -> int:
    """As `opcodes`, with sys.monitoring (new in Python 3.12), which does not slow down code that is not counted."""
    own, count = own_folders(), 0
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # mypy is configured for Python 3.11
    tool = monitoring.PROFILER_ID

    def on_instruction(code: CodeType, offset: int) -> Any:
        nonlocal count
        if not code.co_filename.startswith(own):
            return monitoring.DISABLE
        count += 1
        return None

    monitoring.use_tool_id(tool, "polytape counters")
    try:
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, on_instruction)
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        call()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return count


def main() -> None:
    """Print all counters as JSON or, in a child process, those of one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    part = parser.parse_args().part
    if part is None:
        print(json.dumps(measure(), indent=2))
        return
    hide_compiled_files()
    print(json.dumps(globals()[f"part_{part[0]}"](*part[1:])))


if __name__ == "__main__":
    main()
