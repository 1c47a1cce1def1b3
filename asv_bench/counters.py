"""Deterministic costs of polytape, counted instead of timed; `python asv_bench/counters.py` prints them.

- ``opcodes.*``: Python opcodes that one call runs in the files of polytape and polytape_numpy, after a warm-up.
- ``kernels.*``: kernels that one training step runs, in total and by op.
- ``modules``: the modules that `import polytape` loads in addition to those of `import numpy`.
- ``<backend>.*``: what the cases of `polytape perf` cost on each backend (backend_counters.py).
- ``graphs.*``: equations and kernel calls of the examples' traced functions (graph_counters.py).

The ring is counted uncompiled: child processes load only sources, even if there are compiled files beside them. With
``--ring compiled`` they load the compiled files, and fail if there are none; opcodes are then those of the code around
the ring. Hash seeds are fixed and the caller's settings are not passed on, so the result is the same for a Python minor
version.
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
from typing import Any

from backend_counters import BACKENDS, WARM_UP, backend_counters, steady_opcodes
from graph_counters import graph_counters

from polytape_perf.measures import counting_backend

__all__ = ["RINGS", "Counters", "measure", "measure_graphs"]

Counters = dict[str, Any]  # an int, a sorted list of names, or for a case of a backend its counts by measure
RINGS = ("pure", "compiled")


def measure(ring: str = "pure", backends: bool = True) -> Counters:
    """All counters except those of graphs, each part measured in its own child process.

    Args:
        backends: whether the cases are counted on every backend too, which takes about a minute.

    Raises:
        RuntimeError: a part failed; the message has its output.
    """
    from importlib import metadata  # late: it would be missing among the modules that are counted

    counters: Counters = {**child("opcodes", ring=ring), **child("kernels", ring=ring)}
    loaded = [set(child("modules", name, ring=ring)["names"]) for name in ("polytape", "numpy")]
    # Loaded only in a checkout, to check for stale compiled files; an installed copy does not load it.
    counters["modules"] = sorted(loaded[0] - loaded[1] - {"polytape.buildinfo"})
    counters["numpy"] = ".".join(metadata.version("numpy").split(".")[:2])
    if backends:
        for name, plugins in BACKENDS.items():
            counters |= child("backend", name, ring=ring, plugins=plugins)
    return counters


def measure_graphs() -> Counters:
    """The counters of graphs, which are the same for all Python versions."""
    return child("graphs")


def child(*words: str, ring: str = "pure", plugins: str = "none") -> Counters:
    """Run one part in a fresh process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "PYTHON"))}
    if "PYTHONPATH" in os.environ:
        env["PYTHONPATH"] = os.environ["PYTHONPATH"]
    env |= {"PYTHONHASHSEED": "0", "POLYTAPE_PLUGINS": plugins, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--ring", ring, "--part", *words]
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
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

    import polytape as pt
    from polytape_perf.cases.workloads import Linreg

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
    import polytape as pt
    from polytape_perf.cases.workloads import Linreg

    ran: Counter[str] = Counter()
    counters: Counters = {}
    with pt.register_backend(counting_backend("counting", "numpy", ran)), pt.device("counting"):
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


def part_backend(name: str) -> Counters:
    """What the cases cost on a backend."""
    return backend_counters(name)


def part_graphs() -> Counters:
    """Equations and kernel calls of the examples' traced functions."""
    return graph_counters()


def mlp_or_none() -> Any:
    """The MLP workload, or None if polytape has no optimizers; check_counters.py then reports missing counters."""
    from polytape_perf.cases.workloads import Mlp

    try:
        return Mlp()
    except ImportError:
        return None


def main() -> None:
    """Print all counters as JSON or, in a child process, those of one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ring", choices=RINGS, default="pure", help="(default: pure)")
    parser.add_argument("--no-backends", action="store_true", help="leave out the cases on each backend")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is None:
        print(json.dumps(measure(options.ring, not options.no_backends), indent=2))
        return
    if options.ring == "pure":
        hide_compiled_files()
    elif not is_compiled():
        raise SystemExit("the installed polytape has no compiled ring; install it with POLYTAPE_COMPILE=1")
    print(json.dumps(globals()[f"part_{options.part[0]}"](*options.part[1:])))


def is_compiled() -> bool:
    """Whether the ring of the polytape that would be imported is compiled; imports nothing of it."""
    spec = importlib.util.find_spec("polytape")
    folders = spec.submodule_search_locations if spec is not None else None
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    return any(Path(folder, "tensors", f"tensor{suffix}").exists() for folder in folders or () for suffix in suffixes)


if __name__ == "__main__":
    main()
