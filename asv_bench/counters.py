"""Deterministic costs of polytape, counted instead of timed; `python asv_bench/counters.py` prints them.

- ``opcodes.*``: Python opcodes that run in polytape's own files (and its numpy kernels') for one call, warmed up.
- ``kernels.*``: kernels that one training step runs, in all and by op.
- ``modules``: what `import polytape` loads beyond `import numpy`.

The ring is counted uncompiled, also where compiled files lie beside the sources: child processes read sources only.
Hash seeds are fixed and no setting of the caller's is passed on, so that a Python minor version has one true answer.
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

# Caches fill and memos are made in the first calls; what is counted is the call after these.
WARM_UP = 4


def measure() -> Counters:
    """All counters, each part measured in child processes of its own.

    Raises:
        RuntimeError: a part failed, with what it printed.
    """
    found: Counters = {**child("opcodes"), **child("kernels")}
    beyond = set(child("modules", "polytape")["names"]) - set(child("modules", "numpy")["names"])
    # A checkout alone looks whether its compiled files are stale; an installed copy has the other modules.
    found["modules"] = sorted(beyond - {"polytape.buildinfo"})
    return found


def child(*words: str) -> Counters:
    """Run one part in a fresh process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "PYTHON"))}
    if "PYTHONPATH" in os.environ:
        env["PYTHONPATH"] = os.environ["PYTHONPATH"]
    env |= {"PYTHONHASHSEED": "0", "POLYTAPE_PLUGINS": "none", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--part", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(f"counting {' '.join(words)} failed:\n{done.stderr}")
    found: Counters = json.loads(done.stdout)
    return found


def hide_compiled_files() -> None:
    """Let imports inside polytape see sources only."""
    spec = importlib.util.find_spec("polytape")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []

    def sources(path: str) -> importlib.machinery.FileFinder:
        if not any(Path(path).is_relative_to(folder) for folder in folders):
            raise ImportError(path)  # the next hook serves it
        return importlib.machinery.FileFinder(path, (importlib.machinery.SourceFileLoader, [".py"]))

    sys.path_hooks.insert(0, sources)
    sys.path_importer_cache.clear()


# --- the parts, each run in a child process -----------------------------------------------------------------------


def part_modules(name: str) -> Counters:
    """Names of the modules that are there after importing ``name``."""
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
        "opcodes.add": settled("add", lambda: pt.add(a, a)),
        "opcodes.add_scalar": settled("add_scalar", lambda: a + 2.0),
        "opcodes.sum_axis": settled("sum_axis", lambda: pt.sum(matrix, axis=0)),
        "opcodes.linreg_step": settled("linreg_step", Linreg().step),
    }
    watched = pt.asarray(np.ones(10, "f4"))
    with pt.GradientTape() as tape:
        tape.watch(watched)
        counters["opcodes.recorded_add"] = settled("recorded_add", lambda: pt.add(watched, a))
    mlp = mlp_or_none()
    if mlp is not None:
        gradients = mlp.gradients()
        counters["opcodes.apply_gradients"] = settled("apply_gradients", lambda: mlp.apply(gradients))
    return counters


def part_kernels() -> Counters:
    """Kernels per training step: every kernel of numpy's, wrapped in one that counts and registered for a backend."""
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
    """The MLP workload, or None while polytape has no optimizers; then check_counters.py misses its counters."""
    from benchmarks.workloads import Mlp

    try:
        return Mlp()
    except ImportError:
        return None


def settled(name: str, call: Callable[[], Any]) -> int:
    """Opcodes of one call after the warm-up, counted twice."""
    for _ in range(WARM_UP):
        call()
    first, second = opcodes(call), opcodes(call)
    if first != second:
        raise RuntimeError(f"{name} is not settled after {WARM_UP} calls: {first} opcodes, then {second}")
    return first


def own_folders() -> tuple[str, ...]:
    """The folders whose files are counted."""
    import polytape
    import polytape_numpy

    return tuple(str(Path(module.__file__).parent) for module in (polytape, polytape_numpy) if module.__file__)


def opcodes(call: Callable[[], Any]) -> int:
    """Opcodes that one call runs in polytape's own files."""
    if sys.version_info >= (3, 12):
        return opcodes_by_monitoring(call)
    own, count = own_folders(), 0

    def each(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        return each

    def entered(frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(own):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return each

    sys.settrace(entered)
    try:
        call()
    finally:
        sys.settrace(None)
    return count


def opcodes_by_monitoring(call: Callable[[], Any]) -> int:
    """The same by sys.monitoring, which Python 3.12 brought and which does not slow what is not counted."""
    own, count = own_folders(), 0
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]  # mypy is told Python 3.11
    tool = monitoring.PROFILER_ID

    def each(code: CodeType, offset: int) -> Any:
        nonlocal count
        if not code.co_filename.startswith(own):
            return monitoring.DISABLE
        count += 1
        return None

    monitoring.use_tool_id(tool, "polytape counters")
    try:
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, each)
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        call()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return count


def main() -> None:
    """Print all counters as JSON, or, in a child process, those of one part."""
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
